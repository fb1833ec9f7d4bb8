//! Ports and event loop.

use crate::answer::Model;
use crate::config::Config;
use crate::rephrase::{Rephraser, Verdict};
use eyre::Result;
use mirror_contract::{Level, Message, Notice, Prompt};
use mirror_kit::node::NOTICE;
use mirror_kit::{Input, Node};

/// What somebody said comes in; what is to be painted goes out.
pub const PROMPT: &str = "prompt";
/// Inputs: port and message type.
pub const INPUTS: &[(&str, &str)] = &[(PROMPT, Prompt::TYPE)];
/// Outputs: port and message type.
pub const OUTPUTS: &[(&str, &str)] = &[(PROMPT, Prompt::TYPE), (NOTICE, Notice::TYPE)];

/// Runs the node until the mirror stops, with a model that `open` opens.
///
/// # Errors
/// A configuration or a model that cannot be used; dora cannot send.
pub fn run<M: Model>(open: impl FnOnce(&Config) -> Result<M>) -> Result<()> {
    let mut node = Node::join()?;
    let config = Config::from_env()?;
    let model = if config.model.is_some() {
        let mut model = open(&config)?;
        model.prepare(config.instructions.text())?;
        node.notice(Level::Info, &model.text());
        Some(model)
    } else {
        node.notice(Level::Info, "no model: wishes are painted word for word");
        None
    };
    let mut rephraser = Rephraser::new(config, model);
    while let Some(input) = node.next() {
        match rephraser.refresh() {
            Ok(true) => node.notice(Level::Info, "the instructions have changed"),
            Ok(false) => {}
            Err(error) => node.notice(Level::Warning, &format!("the instructions stay as they were: {error:#}")),
        }
        wish(&mut node, &mut rephraser, &input)?;
    }
    Ok(())
}

fn wish(node: &mut Node, rephraser: &mut Rephraser<impl Model>, input: &Input) -> Result<()> {
    let Some(mut prompt) = node.accept::<Prompt>(input) else { return Ok(()) };
    let stream = &prompt.stamp.stream;
    prompt.text = match rephraser.wish(&prompt.text) {
        Verdict::Paint(text) => text,
        Verdict::AsSaid(text, why) => {
            node.notice_of(stream, Level::Warning, &why);
            text
        }
        Verdict::Refused(why) => {
            node.notice_of(stream, Level::Warning, &why);
            return Ok(());
        }
        Verdict::Nothing => {
            node.notice_of(stream, Level::Info, "no picture was asked for: it stays as it is");
            return Ok(());
        }
    };
    node.notice_of(&prompt.stamp.stream, Level::Info, &format!("painting \"{}\"", prompt.text));
    node.sign_trace(&mut prompt.trace, input.received_ns);
    node.send(PROMPT, prompt)
}
