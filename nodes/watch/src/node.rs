//! Ports and event loop.

use crate::config::Config;
use crate::graph::stages;
use crate::search::Search;
use eyre::Result;
use mirror_contract::{Embedding, Frame, Latent, Level, Message, Notice, Settings};
use mirror_kit::Node;
use mirror_kit::node::{NOTICE, TICK};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// All inputs, with the types of their messages: the outputs that are watched. Their contents are not looked at.
pub const INPUTS: &[(&str, &str)] = &[
    ("frame", Frame::TYPE),
    ("frame_2", Frame::TYPE),
    ("frame_web", Frame::TYPE),
    ("latent", Latent::TYPE),
    ("denoised", Latent::TYPE),
    ("picture", Frame::TYPE),
    ("picture_preprocess", Frame::TYPE),
    ("picture_postprocess", Frame::TYPE),
    ("picture_operator", Frame::TYPE),
    ("picture_posterise", Frame::TYPE),
    ("embedding", Embedding::TYPE),
    ("settings", Settings::TYPE),
    (TICK, ""),
];
/// All outputs, with the types of their messages.
pub const OUTPUTS: &[(&str, &str)] = &[(NOTICE, Notice::TYPE)];

/// Runs the node until the mirror stops.
///
/// # Errors
/// A configuration that cannot be used; a graph that cannot be joined.
pub fn run() -> Result<()> {
    let mut node = Node::join()?;
    let Config { patience } = Config::from_env()?;
    let sources = node.connected().into_iter().filter_map(|port| Some((port.clone(), node.source_of(&port)?)));
    let sources: HashMap<String, String> = sources.filter(|(port, _)| port != TICK).collect();
    let seen: Vec<String> = sources.values().cloned().collect();
    // One that may miss messages cannot say of anybody that he puts nothing out; who stands still is found all the same.
    let stages = if node.hears_all() { stages(&node.members(), &seen) } else { Vec::new() };
    let mut search = patience.map(|patience| Search::of(node.dataflow(), stages, patience));
    let (start, mut heard) = (Instant::now(), Duration::ZERO);
    while let Some(input) = node.next() {
        let now = start.elapsed();
        let (Some(search), Some(patience)) = (&mut search, patience) else { continue };
        // Nothing for so long: it was this process that stood still, or the whole machine.
        if now.saturating_sub(heard) >= patience / 2 {
            search.forget_all();
        }
        heard = now;
        if let Some(output) = sources.get(&input.port) {
            search.saw(output, now);
        } else if input.port == TICK {
            for (hung, reason) in search.found(now) {
                let ended = search.end(&hung, now);
                let so = if ended { "it is started again" } else { "nothing here starts it again, it stays as it is" };
                node.notice(Level::Warning, &format!("{hung} {reason}: {so}"));
            }
        }
    }
    Ok(())
}
