//! Ports and event loop.

use crate::compose::{Composer, Layers};
use crate::config::KEYS;
use eyre::Result;
use mirror_contract::{Frame, Latent, Message, Notice, Readiness, Settings, Taken};
use mirror_kit::node::{FINISHED, NOTICE, TAKEN};
use mirror_kit::{Input, Node, Sources};
use mirror_stage::{READINESS, Stage};

/// The painted latents.
pub const DENOISED: &str = "denoised";
/// The pictures that they were made from.
pub const SOURCE: &str = "source";
/// The settings of all streams.
pub const SETTINGS: &str = "settings";
/// The painted pictures.
pub const PICTURE: &str = "picture";
/// All inputs, with the types of their messages.
pub const INPUTS: &[(&str, &str)] =
    &[(DENOISED, Latent::TYPE), (SOURCE, Frame::TYPE), (SETTINGS, Settings::TYPE), (TAKEN, Taken::TYPE)];
/// All outputs, with the types of their messages.
pub const OUTPUTS: &[(&str, &str)] = &[
    (PICTURE, Frame::TYPE),
    (TAKEN, Taken::TYPE),
    (FINISHED, Taken::TYPE),
    (READINESS, Readiness::TYPE),
    (NOTICE, Notice::TYPE),
];

/// Runs the node until the mirror stops.
///
/// # Errors
/// A configuration or a pack that cannot be used; dora cannot send.
pub fn run() -> Result<()> {
    let mut node = Node::join()?.paced_where_asked(&[DENOISED], PICTURE);
    let (mut stage, mut sources) = (Stage::open(&mut node, KEYS)?, Sources::default());
    while let Some(input) = node.next() {
        match input.port.as_str() {
            SOURCE => node.accept::<Frame>(&input).into_iter().for_each(|frame| sources.keep(frame)),
            SETTINGS => {
                let settings = node.accept::<Settings>(&input).into_iter();
                settings.for_each(|settings| stage.settings(&mut node, settings));
            }
            DENOISED => {
                let Some(latent) = node.accept::<Latent>(&input) else { continue };
                let stamp = latent.header.stamp.clone();
                node.take_in_time(&stamp)?;
                show(&mut node, &mut stage, &sources, &input, latent)?;
                node.done(&stamp)?;
            }
            port => node.refuse(port, &"this node has no such input"),
        }
        stage.tend(&mut node)?;
    }
    Ok(())
}

fn show(node: &mut Node, stage: &mut Stage<Composer>, sources: &Sources, input: &Input, latent: Latent) -> Result<()> {
    let Latent { mut header, shape, values, pack } = latent;
    let Some((settings, composer)) = stage.of_pack(&header.stamp.stream, &pack) else { return Ok(()) };
    let size = composer.decoder().picture_shape(shape);
    let passthrough = header.painting.as_ref().is_some_and(|it| it.passthrough);
    let source = sources.pixels(&header.stamp, size);
    let layers = Layers { source, opacity: settings.opacity as f32, passthrough };
    if let Err(error) = composer.decode(&values, shape, &layers) {
        node.refuse(DENOISED, &format!("{error:#}"));
        return Ok(());
    }
    node.sign(&mut header, input.received_ns);
    let mut written = Ok(());
    node.send_frame(PICTURE, &header, size, |into| written = composer.write(&layers, into))?;
    written
}
