//! Ports and event loop.

use crate::config::Config;
use crate::ledger::{Ledger, Turn};
use crate::memory::Memory;
use eyre::Result;
use mirror_contract::{Level, Notice, Prompt, Readiness, SettingsUpdate, now_ns};
use mirror_kit::node::{NOTICE, TICK};
use mirror_kit::{Input, Node};

pub use crate::ports::{INPUTS, OUTPUTS, PROMPT, READINESS, SETTINGS};

/// Runs the node until the mirror stops.
///
/// # Errors
/// A configuration that cannot be used; dora cannot send.
pub fn run() -> Result<()> {
    let mut node = Node::join()?;
    let Config { settings, state, stream, processors, packs_open, remarks } = Config::from_env()?.of_node(node.name());
    remarks.iter().for_each(|remark| node.notice(Level::Info, remark));
    // Milliseconds: versions of an earlier life of this node are lower, unless it took a thousand updates a second.
    let stages = node.connected().into_iter().filter_map(|port| Some(port.strip_prefix(READINESS)?.to_owned()));
    let ledger = Ledger::new(&stream, processors, now_ns() / 1_000_000);
    let mut ledger = ledger.waiting_for(stages, packs_open);
    let start = SettingsUpdate { stream, origin: "CONTROL_SETTINGS".to_owned(), values: settings };
    let (mut memory, remarks) = Memory::begin(state.as_deref(), &mut ledger, &start, &node.dataflow())?;
    remarks.iter().for_each(|(level, remark)| node.notice(*level, remark));
    publish(&mut node, &mut ledger)?;
    while let Some(input) = node.next() {
        match input.port.as_str() {
            TICK => {
                ledger.tick();
                publish(&mut node, &mut ledger)?;
                memory.fault().into_iter().for_each(|fault| node.notice(Level::Warning, &fault));
            }
            port if port.starts_with("update_") || port.starts_with(PROMPT) => update(&mut node, &mut ledger, &input)?,
            port if port.starts_with(READINESS) => hear(&mut node, &mut ledger, &input)?,
            port if port.starts_with("notice_") => {
                if let Some(notice) = node.accept::<Notice>(&input) {
                    node.send(NOTICE, notice)?;
                }
            }
            port => node.refuse(port, &"this node has no such input"),
        }
        memory.keep(&ledger);
    }
    Ok(())
}

fn publish(node: &mut Node, ledger: &mut Ledger) -> Result<()> {
    ledger.round().into_iter().try_for_each(|settings| node.send(SETTINGS, settings))
}

fn update(node: &mut Node, ledger: &mut Ledger, input: &Input) -> Result<()> {
    let said = input.port.starts_with(PROMPT);
    let update = if said { node.accept::<Prompt>(input).map(SettingsUpdate::from) } else { node.accept(input) };
    let Some(SettingsUpdate { stream, origin, values }) = update else { return Ok(()) };
    let outcome = ledger.update(&SettingsUpdate { stream: stream.clone(), origin: origin.clone(), values });
    outcome.refusals.iter().for_each(|text| tracing::warn!("{origin} asked for stream {stream:?}: {text}"));
    let refused = outcome.refusals.into_iter().map(|text| (Level::Warning, text));
    for (level, text) in refused.chain(outcome.begun.into_iter().map(|text| (Level::Info, text))) {
        node.send(NOTICE, Notice { stream: stream.clone(), origin: origin.clone(), level, text })?;
    }
    outcome.settings.map_or(Ok(()), |settings| node.send(SETTINGS, settings))
}

fn hear(node: &mut Node, ledger: &mut Ledger, input: &Input) -> Result<()> {
    let Some(readiness) = node.accept::<Readiness>(input) else { return Ok(()) };
    if readiness.is_start() {
        return publish(node, ledger);
    }
    let stage = input.port.strip_prefix(READINESS).unwrap_or_default();
    for Turn { settings, level, text } in ledger.hear(stage, &readiness) {
        tracing::info!("stream {:?}: {text}", settings.stream);
        let (stream, origin) = (settings.stream.clone(), node.name().to_owned());
        node.send(SETTINGS, settings)?;
        node.send(NOTICE, Notice { stream, origin, level, text })?;
    }
    Ok(())
}
