//! Ports and event loop.

use crate::chunks::RATE_HZ;
use crate::config::Config;
use crate::listen::Listener;
use crate::queue::Happening;
use eyre::Result;
use mirror_contract::{Audio, Message, Notice, Stamp, Trace, now_ns};
use mirror_kit::mark::Mark;
use mirror_kit::node::{NOTICE, TICK};
use mirror_kit::{Next, Node};
use std::time::Duration;

/// The sound.
pub const SOUND: &str = "sound";
/// Inputs: port and message type. Nothing comes of the tick, but dora does not start a node again that has no input.
pub const INPUTS: &[(&str, &str)] = &[(TICK, "")];
/// Outputs: port and message type.
pub const OUTPUTS: &[(&str, &str)] = &[(SOUND, Audio::TYPE), (NOTICE, Notice::TYPE)];

/// The mirror's wish to stop is looked for at least that often.
const PATIENCE: Duration = Duration::from_millis(50);

/// Runs the node until the mirror stops.
///
/// # Errors
/// A wrong configuration; a source that cannot be opened at the first start; a graph that cannot be joined.
pub fn run() -> Result<()> {
    let config = Config::from_env()?;
    let mut node = Node::join()?;
    let (mut mark, stream) = (Mark::of(&node), config.stream.clone());
    let listener = Listener::start(config, mark.start())?;
    pass_on(&mut node, &listener, &stream, &mut mark)?;
    mark.clear();
    Ok(())
}

/// Sends what the thread brings, until the mirror stops.
fn pass_on(node: &mut Node, listener: &Listener, stream: &str, mark: &mut Mark) -> Result<()> {
    let mut frame_id = 0;
    loop {
        match listener.next(PATIENCE) {
            Happening::Brought((chunk, lost)) => {
                mark.set();
                node.count_drops(lost);
                let stamp = Stamp { stream: stream.to_owned(), frame_id, captured_ns: chunk.captured_ns };
                let mut trace = Trace::default();
                node.sign_trace(&mut trace, now_ns());
                let samples = chunk.samples.into();
                node.send(SOUND, Audio { stamp, trace, sample_rate_hz: i64::from(RATE_HZ), samples })?;
                frame_id += 1;
            }
            Happening::Say(level, text) => node.notice(level, &text),
            Happening::End(result) => return result,
            Happening::Nothing => {}
        }
        if matches!(node.poll(), Next::Stop) {
            return Ok(());
        }
    }
}
