//! What is kept over the end of this node: the settings of all streams, as one JSON object.
//!
//! ```json
//! {"mirror": 1, "run": "01a1…", "streams": [{"stream": "house", "settings": {"prompt": "neon lights", "strength": 0.8, …}}]}
//! ```
//!
//! `run` is the run of the dataflow that it was written in. The most recent stream comes first. Settings come back as an update does: checked against the table, and against the
//! processors that are installed now.

use crate::ledger::Ledger;
use eyre::{Result, WrapErr, bail, eyre};
use mirror_contract::SettingsUpdate;
use serde_json::{Map, Value, json};

/// The layout of the object; another one is not read.
const LAYOUT: i64 = 1;
/// Who asks for settings that come back.
pub const ORIGIN: &str = "CONTROL_STATE";

/// The settings of all streams, as they are in that run of the dataflow.
#[must_use]
pub fn write(ledger: &Ledger, run: &str) -> String {
    let stream = |(stream, settings): (String, Map<String, Value>)| json!({"stream": stream, "settings": settings});
    let streams: Vec<Value> = ledger.wishes().map(stream).collect();
    let mut text =
        serde_json::to_string_pretty(&json!({"mirror": LAYOUT, "run": run, "streams": streams})).unwrap_or_default();
    text.push('\n');
    text
}

/// Brings settings back. Says which run of the dataflow they are of and, a line each, what could not be brought back.
///
/// # Errors
/// It is not what [`write`] writes; nothing has changed then.
pub fn read(text: &str, ledger: &mut Ledger) -> Result<(String, Vec<String>)> {
    let state: Value = serde_json::from_str(text).wrap_err("it is not JSON")?;
    if state["mirror"] != LAYOUT {
        bail!("it is not of layout {LAYOUT}");
    }
    let streams = state["streams"].as_array().ok_or_else(|| eyre!("it has no streams"))?;
    let mut updates = Vec::new();
    for stream in streams {
        let name = stream["stream"].as_str().ok_or_else(|| eyre!("a stream has no name"))?.to_owned();
        let values = stream["settings"].as_object().ok_or_else(|| eyre!("stream {name:?} has no settings"))?.clone();
        updates.push(SettingsUpdate { stream: name, origin: ORIGIN.to_owned(), values });
    }
    // The oldest first: the last one to be updated is the most recent one.
    let refusals = updates.iter().rev().flat_map(|update| {
        let refusals = ledger.update(update).refusals.into_iter();
        refusals.map(|refusal| format!("stream {:?} of the last time: {refusal}", update.stream)).collect::<Vec<_>>()
    });
    Ok((state["run"].as_str().unwrap_or_default().to_owned(), refusals.collect()))
}
