//! Ports and event loop.

use crate::config::Config;
use crate::ledger::Ledger;
use eyre::{Result, bail};
use mirror_contract::{Level, Message, Notice, Settings, SettingsUpdate, now_ns};
use mirror_kit::node::{NOTICE, TICK};
use mirror_kit::{Input, Node};

/// All inputs that a dataflow may give this node, with the types of their messages; the tick has none.
pub const INPUTS: &[(&str, &str)] = &[
    ("update_web", SettingsUpdate::TYPE),
    ("update_chat", SettingsUpdate::TYPE),
    ("update_recorder", SettingsUpdate::TYPE),
    ("notice_camera", Notice::TYPE),
    ("notice_encoder", Notice::TYPE),
    ("notice_embed", Notice::TYPE),
    ("notice_diffusion", Notice::TYPE),
    ("notice_decoder", Notice::TYPE),
    ("notice_display", Notice::TYPE),
    ("notice_recorder", Notice::TYPE),
    ("notice_web", Notice::TYPE),
    (TICK, ""),
];
/// All settings of a stream, whenever one changes and at every tick.
pub const SETTINGS: &str = "settings";
/// All outputs, with the types of their messages.
pub const OUTPUTS: &[(&str, &str)] = &[(SETTINGS, Settings::TYPE), (NOTICE, Notice::TYPE)];

/// Runs the node until the mirror stops.
///
/// # Errors
/// A configuration that cannot be used; dora cannot send.
pub fn run() -> Result<()> {
    let mut node = Node::join()?;
    let Config { settings, stream, processors } = Config::from_env()?;
    // Milliseconds: versions of an earlier life of this node are lower, unless it took a thousand updates a second.
    let mut ledger = Ledger::new(&stream, processors, now_ns() / 1_000_000);
    let start = SettingsUpdate { stream: stream.clone(), origin: "CONTROL_SETTINGS".to_owned(), values: settings };
    if let Some(refusal) = ledger.update(&start).refusals.first() {
        bail!("CONTROL_SETTINGS for stream {stream:?}: {refusal}");
    }
    publish(&mut node, &ledger)?;
    while let Some(input) = node.next() {
        match input.port.as_str() {
            TICK => publish(&mut node, &ledger)?,
            port if port.starts_with("update_") => update(&mut node, &mut ledger, &input)?,
            port if port.starts_with("notice_") => {
                if let Some(notice) = node.accept::<Notice>(&input) {
                    node.send(NOTICE, notice)?;
                }
            }
            port => node.refuse(port, &"this node has no such input"),
        }
    }
    Ok(())
}

fn publish(node: &mut Node, ledger: &Ledger) -> Result<()> {
    ledger.pages().try_for_each(|settings| node.send(SETTINGS, settings.clone()))
}

fn update(node: &mut Node, ledger: &mut Ledger, input: &Input) -> Result<()> {
    let Some(update) = node.accept::<SettingsUpdate>(input) else { return Ok(()) };
    let outcome = ledger.update(&update);
    for text in outcome.refusals {
        tracing::warn!("{} asked for stream {:?}: {text}", update.origin, update.stream);
        let SettingsUpdate { stream, origin, .. } = update.clone();
        node.send(NOTICE, Notice { stream, origin, level: Level::Warning, text })?;
    }
    outcome.settings.map_or(Ok(()), |settings| node.send(SETTINGS, settings))
}
