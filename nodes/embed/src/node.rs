//! Ports and event loop.

use crate::config::KEYS;
use crate::embed::Embedder;
use eyre::Result;
use mirror_contract::{Embedding, Level, Message, Notice, Settings};
use mirror_inference::{Config, Runtime};
use mirror_kit::Node;
use mirror_kit::node::NOTICE;
use mirror_models::Pack;

/// The settings of all streams. They come again every second, and so do the embeddings: a diffusion node that has just
/// started gets its prompt without asking.
pub const SETTINGS: &str = "settings";
/// The prompts as the UNet reads them.
pub const EMBEDDING: &str = "embedding";
/// All inputs, with the types of their messages.
pub const INPUTS: &[(&str, &str)] = &[(SETTINGS, Settings::TYPE)];
/// All outputs, with the types of their messages.
pub const OUTPUTS: &[(&str, &str)] = &[(EMBEDDING, Embedding::TYPE), (NOTICE, Notice::TYPE)];

/// Runs the node until the mirror stops.
///
/// # Errors
/// A configuration or a pack that cannot be used; dora cannot send.
pub fn run() -> Result<()> {
    let mut node = Node::join()?;
    let config = Config::read(KEYS)?;
    let pack = Pack::open(&config.pack)?;
    let runtime = Runtime::load()?;
    let mut embedder = Embedder::open(&runtime, &pack, &config.options)?;
    node.notice(Level::Info, &format!("pack {} on {}", pack.name, embedder.provider()));
    while let Some(input) = node.next() {
        if input.port != SETTINGS {
            node.refuse(&input.port, &"this node has no such input");
            continue;
        }
        let Some(Settings { stream, version, prompt, negative_prompt, .. }) = node.accept(&input) else { continue };
        match embedder.embed(&stream, version, &prompt, &negative_prompt) {
            Ok(embedding) => node.send(EMBEDDING, embedding)?,
            Err(error) => node.refuse(SETTINGS, &format!("{error:#}")),
        }
    }
    Ok(())
}
