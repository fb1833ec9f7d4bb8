//! Ports and event loop.

use crate::config::KEYS;
use crate::fade::Faded;
use crate::paint::{Painter, Request};
use eyre::Result;
use mirror_contract::{Embedding, HOUSE, Latent, Settings};
use mirror_kit::{Input, Node};
use mirror_stage::Stage;
use std::collections::HashMap;

pub use crate::ports::{DENOISED, EMBEDDING, INPUTS, LATENT, OUTPUTS, SETTINGS};

/// Runs the node until the mirror stops.
///
/// # Errors
/// A configuration or a pack that cannot be used; dora cannot send.
pub fn run() -> Result<()> {
    let mut node = Node::join()?.paced(&[LATENT], DENOISED);
    let (mut stage, mut embeddings) = (Stage::open(&mut node, KEYS)?, Embeddings::new());
    while let Some(input) = node.next() {
        match input.port.as_str() {
            SETTINGS => {
                let settings = node.accept::<Settings>(&input).into_iter();
                settings.for_each(|settings| stage.settings(&mut node, settings));
            }
            EMBEDDING => {
                let Some(embedding) = node.accept::<Embedding>(&input) else { continue };
                embeddings.retain(|pack, _| stage.holds(pack));
                let settings = stage.of_pack(&embedding.stream, &embedding.pack).map(|(settings, _)| settings);
                let fade_ms = settings.map_or(0, |settings| settings.prompt_fade_ms);
                let of_pack = embeddings.entry(embedding.pack.clone()).or_default();
                Faded::take(of_pack, embedding, input.received_ns, fade_ms);
            }
            LATENT => paint(&mut node, &mut stage, &mut embeddings, &input)?,
            port => node.refuse(port, &"this node has no such input"),
        }
        stage.tend(&mut node)?;
    }
    Ok(())
}

/// By pack, then by stream.
type Embeddings = HashMap<String, HashMap<String, Faded>>;

fn paint(node: &mut Node, stage: &mut Stage<Painter>, embeddings: &mut Embeddings, input: &Input) -> Result<()> {
    let Some(latent) = node.accept::<Latent>(input) else { return Ok(()) };
    // Now and not when it is painted: where the stages overlap, the next one is encoded meanwhile.
    node.take(&latent.header.stamp)?;
    let stream = &latent.header.stamp.stream;
    // Until the first prompt is embedded there is nothing to paint it as.
    let Some(of_pack) = embeddings.get_mut(&latent.pack) else { return Ok(()) };
    let whose = if of_pack.contains_key(stream) { stream } else { HOUSE };
    let Some(faded) = of_pack.get_mut(whose) else { return Ok(()) };
    let Some((settings, painter)) = stage.of_pack(stream, &latent.pack) else { return Ok(()) };
    let request = Request::of(settings, latent.header.stamp.frame_id);
    match painter.paint(latent, request, faded.words(input.received_ns)) {
        Ok(mut painted) => {
            node.sign(&mut painted.header, input.received_ns);
            node.send(DENOISED, painted)?;
        }
        Err(error) => node.refuse(LATENT, &format!("{error:#}")),
    }
    Ok(())
}
