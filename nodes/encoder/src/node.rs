//! Ports and event loop.

use crate::config::{KEYS, mirrors};
use crate::encode::Encoder;
use eyre::Result;
use mirror_contract::{Frame, Latent, Settings};
use mirror_kit::{Environment, Input, Node};
use mirror_stage::Stage;

pub use crate::ports::{FRAME, FRAME_2, FRAME_WEB, INPUTS, LATENT, OUTPUTS, SETTINGS, SOURCE};

/// Runs the node until the mirror stops.
///
/// # Errors
/// A configuration or a pack that cannot be used; dora cannot send.
pub fn run() -> Result<()> {
    let mut node = Node::join()?.paced(&[FRAME, FRAME_2, FRAME_WEB], LATENT);
    let mirrors = mirrors(&Environment::read(KEYS)?)?;
    let (mut stage, mut seen) = (Stage::open(&mut node, KEYS)?, Vec::new());
    while let Some(input) = node.next() {
        match input.port.as_str() {
            FRAME | FRAME_2 | FRAME_WEB => encode(&mut node, &mut stage, (&mut seen, mirrors), &input)?,
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
    // Visitors' pictures come one by one: the next one may come while this one is encoded.
    if input.port == FRAME_WEB {
        node.take(&frame.header.stamp)?;
    }
    let Some((settings, encoder)) = stage.of(&frame.header.stamp.stream) else { return Ok(()) };
    // The table allows 128 to 1024.
    let size = settings.size as usize;
    seen.resize(size * size * Frame::CHANNELS, 0);
    // Visitors' pictures come here directly, whatever stands before this node.
    let mirror = settings.mirror && (mirrors || input.port == FRAME_WEB);
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
