//! Ports and event loop.

use crate::compose::{Composer, Layers};
use crate::config::KEYS;
use crate::decode::Decoder;
use crate::sources::Sources;
use eyre::Result;
use mirror_contract::{Frame, Latent, Level, Message, Notice, Settings, Taken};
use mirror_inference::{Config, Runtime};
use mirror_kit::node::{NOTICE, TAKEN};
use mirror_kit::{Book, Input, Node};
use mirror_models::Pack;

/// The painted latents.
pub const DENOISED: &str = "denoised";
/// The pictures that they were made from.
pub const SOURCE: &str = "source";
/// The settings of all streams.
pub const SETTINGS: &str = "settings";
/// The painted pictures.
pub const PICTURE: &str = "picture";
/// Said when the picture was sent on: for an encoder that waits until nothing is under way.
pub const FINISHED: &str = "finished";
/// All inputs, with the types of their messages.
pub const INPUTS: &[(&str, &str)] = &[(DENOISED, Latent::TYPE), (SOURCE, Frame::TYPE), (SETTINGS, Settings::TYPE)];
/// All outputs, with the types of their messages.
pub const OUTPUTS: &[(&str, &str)] =
    &[(PICTURE, Frame::TYPE), (TAKEN, Taken::TYPE), (FINISHED, Taken::TYPE), (NOTICE, Notice::TYPE)];

/// Runs the node until the mirror stops.
///
/// # Errors
/// A configuration or a pack that cannot be used; dora cannot send.
pub fn run() -> Result<()> {
    let mut node = Node::join()?;
    let config = Config::read(KEYS)?;
    let pack = Pack::open(&config.pack)?;
    let runtime = Runtime::load()?;
    let mut composer = Composer::new(Decoder::open(&runtime, &pack, &config.options)?);
    node.notice(Level::Info, &format!("pack {} on {}", pack.name, composer.decoder().provider()));
    let (mut book, mut sources) = (Book::default(), Sources::default());
    while let Some(input) = node.next() {
        match input.port.as_str() {
            SOURCE => node.accept::<Frame>(&input).into_iter().for_each(|frame| sources.keep(frame)),
            SETTINGS => node.accept::<Settings>(&input).into_iter().for_each(|it| book.write(it)),
            DENOISED => {
                let Some(latent) = node.accept::<Latent>(&input) else { continue };
                let stamp = latent.header.stamp.clone();
                node.take(&stamp)?;
                show(&mut node, &mut composer, &sources, book.of(&stamp.stream), &input, latent)?;
                node.send(FINISHED, Taken { stamp })?;
            }
            port => node.refuse(port, &"this node has no such input"),
        }
    }
    Ok(())
}

fn show(
    node: &mut Node,
    composer: &mut Composer,
    sources: &Sources,
    settings: &Settings,
    input: &Input,
    latent: Latent,
) -> Result<()> {
    let Latent { mut header, shape, values, .. } = latent;
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
