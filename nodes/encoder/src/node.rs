//! Ports and event loop.

use crate::config::{KEYS, mirrors};
use crate::encode::Encoder;
use eyre::Result;
use mirror_contract::{Frame, Latent, Message, Notice, Readiness, Settings, Taken};
use mirror_kit::node::{NOTICE, TAKEN};
use mirror_kit::{Environment, Input, Node};
use mirror_stage::{READINESS, Stage};

/// The camera's pictures.
pub const FRAME: &str = "frame";
/// The pictures of a second camera, of another stream.
pub const FRAME_2: &str = "frame_2";
/// The settings of all streams.
pub const SETTINGS: &str = "settings";
/// The picture as the model sees it.
pub const SOURCE: &str = "source";
/// The picture in the latent space.
pub const LATENT: &str = "latent";
/// All inputs, with the types of their messages.
pub const INPUTS: &[(&str, &str)] =
    &[(FRAME, Frame::TYPE), (FRAME_2, Frame::TYPE), (SETTINGS, Settings::TYPE), (TAKEN, Taken::TYPE)];
/// All outputs, with the types of their messages.
pub const OUTPUTS: &[(&str, &str)] =
    &[(LATENT, Latent::TYPE), (SOURCE, Frame::TYPE), (READINESS, Readiness::TYPE), (NOTICE, Notice::TYPE)];

/// Runs the node until the mirror stops.
///
/// # Errors
/// A configuration or a pack that cannot be used; dora cannot send.
pub fn run() -> Result<()> {
    let mut node = Node::join()?.paced(&[FRAME, FRAME_2], LATENT);
    let mirrors = mirrors(&Environment::read(KEYS)?)?;
    let (mut stage, mut seen) = (Stage::open(&mut node, KEYS)?, Vec::new());
    while let Some(input) = node.next() {
        match input.port.as_str() {
            FRAME | FRAME_2 => encode(&mut node, &mut stage, (&mut seen, mirrors), &input)?,
            SETTINGS => {
                let settings = node.accept::<Settings>(&input).into_iter();
                settings.for_each(|settings| stage.settings(&mut node, settings));
            }
            port => node.refuse(port, &"this node has no such input"),
        }
        stage.tend(&mut node)?;
    }
    Ok(())
}

fn encode(
    node: &mut Node,
    stage: &mut Stage<Encoder>,
    (seen, mirrors): (&mut Vec<u8>, bool),
    input: &Input,
) -> Result<()> {
    let Some(frame) = node.accept::<Frame>(input) else { return Ok(()) };
    let Some((settings, encoder)) = stage.of(&frame.header.stamp.stream) else { return Ok(()) };
    // The table allows 128 to 1024.
    let size = settings.size as usize;
    seen.resize(size * size * Frame::CHANNELS, 0);
    let mirror = settings.mirror && mirrors;
    let taken = encoder.take(&frame.pixels, [frame.height, frame.width], size, mirror, seen);
    let (values, shape) = match taken.and_then(|()| encoder.encode()) {
        Ok(encoded) => encoded,
        // The next size or the next frame may do: the mirror goes on.
        Err(error) => {
            node.refuse(FRAME, &format!("{error:#}"));
            return Ok(());
        }
    };
    let mut header = frame.header.clone();
    node.sign(&mut header, input.received_ns);
    let latent = Latent { header, pack: encoder.pack().to_owned(), shape, values: values.into() };
    let send_source =
        |node: &mut Node| node.send_frame(SOURCE, &frame.header, [size, size], |into| into.copy_from_slice(seen));
    // The UNet waits for the latent, and the decoder for the source only when there is nothing to paint.
    if settings.passthrough {
        send_source(node)?;
        return node.send(LATENT, latent);
    }
    node.send(LATENT, latent)?;
    send_source(node)
}
