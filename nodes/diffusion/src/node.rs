//! Ports and event loop.

use crate::config::KEYS;
use crate::paint::{Painter, Request};
use eyre::Result;
use mirror_contract::{Embedding, HOUSE, Latent, Level, Message, Notice, Settings, Taken};
use mirror_inference::{Config, Runtime};
use mirror_kit::node::{NOTICE, TAKEN};
use mirror_kit::{Book, Input, Node};
use mirror_models::Pack;
use std::collections::HashMap;

/// The pictures in the latent space.
pub const LATENT: &str = "latent";
/// The prompts as the UNet reads them.
pub const EMBEDDING: &str = "embedding";
/// The settings of all streams.
pub const SETTINGS: &str = "settings";
/// The painted latents.
pub const DENOISED: &str = "denoised";
/// All inputs, with the types of their messages.
pub const INPUTS: &[(&str, &str)] =
    &[(LATENT, Latent::TYPE), (EMBEDDING, Embedding::TYPE), (SETTINGS, Settings::TYPE), (TAKEN, Taken::TYPE)];
/// All outputs, with the types of their messages.
pub const OUTPUTS: &[(&str, &str)] = &[(DENOISED, Latent::TYPE), (TAKEN, Taken::TYPE), (NOTICE, Notice::TYPE)];

/// Runs the node until the mirror stops.
///
/// # Errors
/// A configuration or a pack that cannot be used; dora cannot send.
pub fn run() -> Result<()> {
    let mut node = Node::join()?.paced(&[LATENT], DENOISED);
    let config = Config::read(KEYS)?;
    let pack = Pack::open(&config.pack)?;
    let runtime = Runtime::load()?;
    let mut painter = Painter::open(&runtime, &pack, &config.options)?;
    node.notice(Level::Info, &format!("pack {} on {}", pack.name, painter.provider()));
    let (mut book, mut embeddings) = (Book::default(), Embeddings::new());
    while let Some(input) = node.next() {
        match input.port.as_str() {
            SETTINGS => node.accept::<Settings>(&input).into_iter().for_each(|settings| book.write(settings)),
            EMBEDDING => {
                let embedding = node.accept::<Embedding>(&input).into_iter();
                embedding.for_each(|embedding| drop(embeddings.insert(embedding.stream.clone(), embedding)));
            }
            LATENT => paint(&mut node, &mut painter, &book, &embeddings, &input)?,
            port => node.refuse(port, &"this node has no such input"),
        }
    }
    Ok(())
}

type Embeddings = HashMap<String, Embedding>;

fn paint(node: &mut Node, painter: &mut Painter, book: &Book, embeddings: &Embeddings, input: &Input) -> Result<()> {
    let Some(latent) = node.accept::<Latent>(input) else { return Ok(()) };
    // Now and not when it is painted: where the stages overlap, the next one is encoded meanwhile.
    node.take(&latent.header.stamp)?;
    let stream = &latent.header.stamp.stream;
    // Until the first prompt is embedded there is nothing to paint it as.
    let Some(embedding) = embeddings.get(stream).or_else(|| embeddings.get(HOUSE)) else { return Ok(()) };
    let request = Request::of(book.of(stream), latent.header.stamp.frame_id);
    match painter.paint(latent, request, embedding) {
        Ok(mut painted) => {
            node.sign(&mut painted.header, input.received_ns);
            node.send(DENOISED, painted)?;
        }
        Err(error) => node.refuse(LATENT, &format!("{error:#}")),
    }
    Ok(())
}
