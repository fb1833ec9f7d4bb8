//! Ports and event loop.

use crate::config::{KEYS, overlap};
use crate::repaint::Fused;
use crate::way::Way;
use eyre::Result;
use mirror_contract::{Embedding, Frame, Message, Notice, Readiness, Settings, Taken};
use mirror_kit::node::{NOTICE, TAKEN};
use mirror_kit::{Input, Next, Node, Woken};
use mirror_stage::{READINESS, Stage};

/// The camera's pictures.
pub const FRAME: &str = "frame";
/// The pictures of a second camera, of another stream.
pub const FRAME_2: &str = "frame_2";
/// Visitors' pictures.
pub const FRAME_WEB: &str = "frame_web";
/// The prompts as the UNet reads them.
pub const EMBEDDING: &str = "embedding";
/// The settings of all streams.
pub const SETTINGS: &str = "settings";
/// The painted pictures.
pub const PICTURE: &str = "picture";
/// All inputs, with the types of their messages.
pub const INPUTS: &[(&str, &str)] = &[
    (FRAME, Frame::TYPE),
    (FRAME_2, Frame::TYPE),
    (FRAME_WEB, Frame::TYPE),
    (EMBEDDING, Embedding::TYPE),
    (SETTINGS, Settings::TYPE),
];
/// All outputs, with the types of their messages.
pub const OUTPUTS: &[(&str, &str)] =
    &[(PICTURE, Frame::TYPE), (TAKEN, Taken::TYPE), (READINESS, Readiness::TYPE), (NOTICE, Notice::TYPE)];

/// Runs the node until the mirror stops.
///
/// # Errors
/// A configuration or a pack that cannot be used; dora cannot send.
pub fn run() -> Result<()> {
    let mut node = Node::join()?.paced(&[FRAME, FRAME_2, FRAME_WEB], PICTURE);
    let (mut way, mut stage) = (Way::new(overlap()?)?, Stage::<Fused>::open(&mut node, KEYS)?);
    loop {
        match way.next(&mut node)? {
            Woken::Graph(Next::Stop) => return Ok(()),
            Woken::Graph(Next::Nothing) => {}
            Woken::Graph(Next::Input(input)) => take(&mut node, &mut stage, &mut way, &input)?,
            Woken::Other(finished) => way.show(&mut node, &mut stage, finished)?,
        }
        stage.tend(&mut node)?;
    }
}

fn take(node: &mut Node, stage: &mut Stage<Fused>, way: &mut Way, input: &Input) -> Result<()> {
    match input.port.as_str() {
        FRAME | FRAME_2 | FRAME_WEB => way.take(node, stage, input)?,
        SETTINGS => {
            let settings = node.accept::<Settings>(input).into_iter();
            settings.for_each(|settings| stage.settings(node, settings));
        }
        EMBEDDING => {
            let Some(embedding) = node.accept::<Embedding>(input) else { return Ok(()) };
            let settings = stage.of_pack(&embedding.stream, &embedding.pack).map(|(settings, _)| settings);
            let fade_ms = settings.map_or(0, |settings| settings.prompt_fade_ms);
            way.prompts.take(embedding, input.received_ns, fade_ms, |pack| stage.holds(pack));
        }
        port => node.refuse(port, &"this node has no such input"),
    }
    Ok(())
}
