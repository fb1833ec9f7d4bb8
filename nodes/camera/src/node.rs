//! Ports and event loop.

use crate::config::Config;
use crate::grab::Grabber;
use crate::newest::{Happening, Taken};
use crate::quiet::quiet;
use eyre::Result;
use mirror_contract::{Frame, Header, Message, Notice, Stamp};
use mirror_kit::mark::Mark;
use mirror_kit::node::{NOTICE, TICK};
use mirror_kit::{Next, Node};
use std::time::Duration;

/// The pictures.
pub const FRAME: &str = "frame";
/// Inputs: port and message type. Nothing comes of the tick, but dora does not start a node again that has no input.
pub const INPUTS: &[(&str, &str)] = &[(TICK, "")];
/// Outputs: port and message type.
pub const OUTPUTS: &[(&str, &str)] = &[(FRAME, Frame::TYPE), (NOTICE, Notice::TYPE)];

/// The mirror's wish to stop is looked for at least that often.
const PATIENCE: Duration = Duration::from_millis(50);

/// Runs the node until the mirror stops or the source ends.
///
/// # Errors
/// A wrong configuration; a source that cannot be opened at the first start; a graph that cannot be joined.
pub fn run() -> Result<()> {
    let config = Config::from_env()?;
    // SAFETY: the process has no other thread yet: joining the graph and grabbing start the first ones.
    unsafe { quiet()? };
    let mut node = Node::join()?;
    let (mut mark, stream) = (Mark::of(&node), config.stream.clone());
    let grabber = Grabber::start(config, mark.start())?;
    pass_on(&mut node, &grabber, &stream, &mut mark)?;
    mark.clear();
    Ok(())
}

/// Sends what the thread brings, until the mirror stops or the source ends.
fn pass_on(node: &mut Node, grabber: &Grabber, stream: &str, mark: &mut Mark) -> Result<()> {
    let mut taken = Taken::default();
    loop {
        match grabber.next(PATIENCE, &mut taken) {
            Happening::Brought(()) => {
                mark.set();
                node.count_drops(grabber.overtaken());
                send(node, stream, &taken)?;
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

/// Sends a picture: it becomes RGB where it is sent from, in the shared memory.
fn send(node: &mut Node, stream: &str, taken: &Taken) -> Result<()> {
    let (frame_id, captured_ns) = (taken.frame_id, taken.captured_ns);
    let stamp = Stamp { stream: stream.to_owned(), frame_id, captured_ns };
    let mut header = Header { source: taken.source.to_string(), ..Header::of(stamp) };
    // The camera's own part begins when the picture is there: waiting for it is not work.
    node.sign(&mut header, captured_ns);
    let mut written = Ok(());
    node.send_frame(FRAME, &header, taken.picture.shape(), |pixels| written = taken.picture.write(pixels))?;
    written
}
