//! Ports and event loop.

use crate::config::KEYS;
use crate::embed::Embedder;
use eyre::Result;
use mirror_contract::{Embedding, Message, Notice, Readiness, Settings};
use mirror_kit::Node;
use mirror_kit::node::NOTICE;
use mirror_stage::{READINESS, Stage};

/// The settings of all streams. They come again every second, and so do the embeddings: a diffusion node that has just
/// started gets its prompt without asking.
pub const SETTINGS: &str = "settings";
/// The prompts as the UNet reads them.
pub const EMBEDDING: &str = "embedding";
/// All inputs, with the types of their messages.
pub const INPUTS: &[(&str, &str)] = &[(SETTINGS, Settings::TYPE)];
/// All outputs, with the types of their messages.
pub const OUTPUTS: &[(&str, &str)] =
    &[(EMBEDDING, Embedding::TYPE), (READINESS, Readiness::TYPE), (NOTICE, Notice::TYPE)];

/// Runs the node until the mirror stops.
///
/// # Errors
/// A configuration or a pack that cannot be used; dora cannot send.
pub fn run() -> Result<()> {
    let mut node = Node::join()?;
    let mut stage = Stage::<Embedder>::open(&mut node, KEYS)?;
    while let Some(input) = node.next() {
        if input.port != SETTINGS {
            node.refuse(&input.port, &"this node has no such input");
            continue;
        }
        let Some(settings) = node.accept::<Settings>(&input) else { continue };
        stage.settings(&mut node, settings.clone());
        embed(&mut node, &mut stage, &settings, &settings.pack)?;
        if !settings.next_pack.is_empty() {
            embed(&mut node, &mut stage, &settings, &settings.next_pack)?;
        }
        // After the embedding: when the stream comes to the next pack, its prompt is there.
        stage.report(&mut node)?;
    }
    Ok(())
}

/// Embeds the prompts for a pack, once it is open.
fn embed(node: &mut Node, stage: &mut Stage<Embedder>, settings: &Settings, pack: &str) -> Result<()> {
    let Some(embedder) = stage.part(pack) else { return Ok(()) };
    let Settings { stream, version, prompt, negative_prompt, .. } = settings;
    match embedder.embed(stream, *version, prompt, negative_prompt) {
        Ok(embedding) => node.send(EMBEDDING, embedding)?,
        Err(error) => node.refuse(SETTINGS, &format!("{error:#}")),
    }
    Ok(())
}
