//! Ports and event loop.

use crate::config::Config;
use crate::write::{Progress, Recording};
use eyre::Result;
use mirror_contract::{Frame, Level, Message, Notice, Settings, Stamp};
use mirror_kit::Node;
use mirror_kit::node::{NOTICE, TICK};
use mirror_kit::start::one_line;
use mirror_kit::words::{FINISHED, RECORDED};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Inputs that the project's own graphs connect; `mirror record` connects whatever it is asked for.
pub const INPUTS: &[(&str, &str)] = &[("picture", Frame::TYPE), ("settings", Settings::TYPE), (TICK, "")];
/// All outputs, with the types of their messages.
pub const OUTPUTS: &[(&str, &str)] = &[(NOTICE, Notice::TYPE)];

/// Between two lines in the log.
const PERIOD: Duration = Duration::from_secs(1);

/// Runs the node until the mirror stops, or the recording is as long as it should be.
///
/// A recording that cannot begin or go on is said in a notice and is no failure of the mirror: dora would end it.
///
/// # Errors
/// A configuration that cannot be used; a graph that cannot be joined.
pub fn run() -> Result<()> {
    let mut node = Node::join()?;
    let config = Config::from_env()?;
    let recording = config.out.as_ref().map(|out| Recording::start(out, &config)).transpose();
    let mut recording = recording.unwrap_or_else(|error| {
        node.notice(Level::Error, &format!("{FINISHED}{}", one_line(&error)));
        None
    });
    let sources = node.connected().into_iter().filter_map(|port| Some((port.clone(), node.source_of(&port)?)));
    let topics: HashMap<String, String> = sources.collect();
    let (start, mut said) = (Instant::now(), Instant::now());
    while let Some(input) = node.next() {
        // Nothing to record is no reason to leave: the graph would have to do without its fast paths.
        let Some(running) = &recording else { continue };
        if input.port != TICK && config.wants(Stamp::stream_of(&input.parameters)) {
            let topic = topics.get(&input.port).unwrap_or(&input.port);
            running.take(topic, input.received_ns, &input.parameters, &input.data);
        }
        if said.elapsed() < PERIOD {
            continue;
        }
        said = Instant::now();
        let progress = running.progress();
        tracing::info!("{RECORDED}{}", progress.line());
        if progress.fault.is_some() {
            recording.take().into_iter().for_each(|recording| end(&mut node, &recording.finish()));
        } else if config.seconds.is_some_and(|seconds| start.elapsed() >= seconds) {
            break;
        }
    }
    recording.into_iter().for_each(|recording| end(&mut node, &recording.finish()));
    Ok(())
}

fn end(node: &mut Node, progress: &Progress) {
    let (refused, example) = &progress.refused;
    if *refused > 0 {
        node.notice(Level::Warning, &format!("{refused} messages could not be recorded: {example}"));
    }
    match &progress.fault {
        None => node.notice(Level::Info, &format!("{FINISHED}{}", progress.line())),
        Some(fault) => node.notice(Level::Error, &format!("{FINISHED}{}; {fault}", progress.line())),
    }
}
