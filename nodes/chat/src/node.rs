//! Ports and event loop.

use crate::config::Config;
use crate::lines;
use crate::talk::{ORIGIN, Reply, Talk};
use eyre::Result;
use mirror_contract::{Message, Notice, Settings, SettingsUpdate};
use mirror_kit::node::NOTICE;
use mirror_kit::{Input, Next, Node, Woken};
use std::time::{Duration, Instant};

/// All settings, from `control`.
pub const SETTINGS: &str = "settings";
/// What is to be changed.
pub const UPDATE: &str = "update";
/// All inputs, with the types of their messages.
pub const INPUTS: &[(&str, &str)] = &[(SETTINGS, Settings::TYPE), (NOTICE, Notice::TYPE)];
/// All outputs, with the types of their messages.
pub const OUTPUTS: &[(&str, &str)] = &[(UPDATE, SettingsUpdate::TYPE)];

/// How long the end of the input waits for what was sent to be answered.
const PATIENCE: Duration = Duration::from_secs(2);

/// Talks until the input ends, `/quit`, or the mirror stops.
///
/// # Errors
/// The mirror does not run, or does not answer what was sent at last.
pub fn run() -> Result<()> {
    let config = Config::from_env()?;
    let mut node = Node::join_as("chat")?;
    let mut talk = Talk::about(&config.stream);
    let mut lines = lines::stdin();
    println!("Connected. Type a prompt; /help lists the commands.");
    loop {
        match node.next_or(lines.recv()) {
            Woken::Other(Some(line)) => match talk.line(&line) {
                Reply::Print(text) => println!("{text}"),
                Reply::Refuse(error) => eprintln!("{error}"),
                Reply::Send(values) => {
                    let update = SettingsUpdate { stream: config.stream.clone(), origin: ORIGIN.to_owned(), values };
                    node.send(UPDATE, update)?;
                }
                Reply::Quit => break,
                Reply::Nothing => {}
            },
            Woken::Other(None) => break,
            Woken::Graph(Next::Input(input)) => hear(&mut node, &mut talk, &input),
            Woken::Graph(Next::Nothing) => {}
            Woken::Graph(Next::Stop) => return stopped(),
        }
    }
    let end = Instant::now() + PATIENCE;
    while !talk.is_answered() {
        match node.next_within(end.saturating_duration_since(Instant::now())) {
            Next::Input(input) => hear(&mut node, &mut talk, &input),
            Next::Stop => return stopped(),
            Next::Nothing if Instant::now() >= end => {
                eyre::bail!(
                    "the mirror has not answered within {} s; \"dora logs control\" may say why",
                    PATIENCE.as_secs()
                )
            }
            Next::Nothing => {}
        }
    }
    Ok(())
}

fn stopped() -> Result<()> {
    println!("The mirror has stopped.");
    Ok(())
}

fn hear(node: &mut Node, talk: &mut Talk, input: &Input) {
    match input.port.as_str() {
        SETTINGS => node.accept(input).into_iter().flat_map(|it| talk.settings(it)).for_each(|line| println!("{line}")),
        NOTICE => node.accept(input).and_then(|it| talk.notice(&it)).into_iter().for_each(|line| println!("{line}")),
        port => node.refuse(port, &"the chat has no such input"),
    }
}
