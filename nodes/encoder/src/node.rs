//! Ports and event loop.

use crate::config::KEYS;
use crate::desk::Desk;
use crate::encode::Encoder;
use eyre::Result;
use mirror_contract::{Frame, Latent, Settings, Wanted};
use mirror_kit::{Environment, Input, Node};
use mirror_stage::Stage;

pub use crate::ports::{BEFORE, FRAME, FRAME_2, FRAME_WEB, INPUTS, LATENT, OUTPUTS, SETTINGS, SOURCE, WANTED};

/// Runs the node until the mirror stops.
///
/// # Errors
/// A configuration or a pack that cannot be used; dora cannot send.
pub fn run() -> Result<()> {
    let mut node = Node::join()?.paced(&[FRAME, FRAME_2, FRAME_WEB], LATENT);
    let mut desk = Desk::of(&Environment::read(KEYS)?, &node)?;
    let mut stage = Stage::open(&mut node, KEYS)?;
    while let Some(input) = node.next() {
        match input.port.as_str() {
            FRAME | FRAME_2 | FRAME_WEB => encode(&mut node, &mut stage, &mut desk, &input)?,
            SETTINGS => {
                let settings = node.accept::<Settings>(&input).into_iter();
                settings.for_each(|settings| stage.settings(&mut node, settings));
            }
            WANTED => {
                let wanted = node.accept::<Wanted>(&input).into_iter();
                wanted.for_each(|wanted| desk.lookers.look(&wanted.stream, input.received_ns));
            }
            port => node.refuse(port, &"this node has no such input"),
        }
        stage.tend(&mut node)?;
    }
    Ok(())
}

fn encode(node: &mut Node, stage: &mut Stage<Encoder>, desk: &mut Desk, input: &Input) -> Result<()> {
    let Some(frame) = node.accept::<Frame>(input) else { return Ok(()) };
    // Visitors' pictures come one by one: the next one may come while this one is encoded.
    if input.port == FRAME_WEB {
        node.take(&frame.header.stamp)?;
    }
    let Some((settings, encoder)) = stage.of(&frame.header.stamp.stream) else { return Ok(()) };
    let copies = desk.copies(node, settings, &frame.header.stamp.stream, input.received_ns);
    // The table allows 128 to 1024.
    let (size, shape) = (settings.size as usize, [frame.height, frame.width]);
    // Visitors' pictures come here directly, whatever stands before this node.
    let mirror = settings.mirror && (desk.mirrors || input.port == FRAME_WEB);
    let taken = if copies.is_empty() {
        encoder.take_unseen(&frame.pixels, shape, size, mirror)
    } else {
        desk.seen.resize(size * size * Frame::CHANNELS, 0);
        encoder.take(&frame.pixels, shape, size, mirror, &mut desk.seen)
    };
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
    let (header, seen) = (&frame.header, &desk.seen);
    let send = |node: &mut Node, ports: &[&str]| {
        ports.iter().try_for_each(|port| node.send_frame(port, header, [size; 2], |into| into.copy_from_slice(seen)))
    };
    send(node, copies.first)?;
    node.send(LATENT, latent)?;
    send(node, copies.then)
}
