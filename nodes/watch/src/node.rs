//! Ports and event loop.

use crate::busy::Busy;
use crate::config::Config;
use crate::graph::stages;
use crate::hang::Watch;
use crate::still::Processes;
use eyre::Result;
use mirror_contract::{Embedding, Frame, Latent, Level, Message, Notice, Settings};
use mirror_kit::Node;
use mirror_kit::node::{NOTICE, TICK};
use std::collections::{BTreeMap, BTreeSet, HashMap};
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
    // Of these it is known by what they put out.
    let expected: BTreeSet<String> = stages.iter().map(|stage| stage.node.clone()).collect();
    let mut watch = Watch::new(stages, patience.unwrap_or(Duration::MAX));
    let mut busy = Busy::default();
    let mut processes = Processes::of(node.dataflow());
    let (start, mut heard) = (Instant::now(), Duration::ZERO);
    while let Some(input) = node.next() {
        let now = start.elapsed();
        // Nothing for so long: it was this process that stood still, or the whole machine.
        if patience.is_some_and(|patience| now.saturating_sub(heard) >= patience / 2) {
            watch.forget_all();
            busy.forget_all();
        }
        heard = now;
        if let Some(output) = sources.get(&input.port) {
            watch.saw(output, now);
        } else if let (TICK, Some(patience)) = (input.port.as_str(), patience) {
            let seconds = patience.as_secs_f32();
            let silent = format!("has put nothing out for {seconds} s, although it had something to do");
            let mut told = processes.pulses(now);
            told.retain(|(node, ..)| !expected.contains(node));
            busy.look(&told, now);
            let stopped = processes.still(now, patience).into_iter();
            let stopped = stopped.map(|node| (node, "stands still".to_owned()));
            let hung = watch.hung(now).map(|stage| (stage.node.clone(), silent));
            let lost = busy.lost(now, patience).into_iter();
            let lost = lost.map(|node| (node, "does not come back from what it took up".to_owned()));
            // One that stands still does nothing else either, and is to be ended once.
            let mut found: BTreeMap<String, String> = BTreeMap::new();
            for (node, reason) in stopped.chain(hung).chain(lost) {
                found.entry(node).or_insert(reason);
            }
            for (hung, reason) in found {
                watch.forget(&hung);
                busy.forget(&hung);
                let ended = processes.end(&hung, now);
                let so = if ended { "it is started again" } else { "nothing here starts it again, it stays as it is" };
                node.notice(Level::Warning, &format!("{hung} {reason}: {so}"));
            }
        }
    }
    Ok(())
}
