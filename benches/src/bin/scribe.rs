//! A node for tests: writes down the sound, the words and the notices that come to it, one JSON object a line.
//!
//! | key | default | what |
//! |---|---|---|
//! | `SCRIBE_OUT` | | the file that is written to |

use eyre::Result;
use mirror_contract::{Audio, Notice, Prompt, Settings, Trace};
use mirror_kit::{Environment, Input, Key, Node};
use serde_json::{Value, json};
use std::fs::File;
use std::io::Write;
use std::process::ExitCode;

const KEYS: &[Key] = &[Key { name: "SCRIBE_OUT", default: "", text: "" }];

fn main() -> ExitCode {
    mirror_kit::start("scribe", run)
}

fn run() -> Result<()> {
    let mut node = Node::join()?;
    let environment = Environment::read(KEYS)?;
    let mut out = File::create(environment.text("SCRIBE_OUT"))?;
    while let Some(input) = node.next() {
        if let Some(mut line) = read(&mut node, &input) {
            line["port"] = input.port.as_str().into();
            line["received_ns"] = input.received_ns.into();
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

/// What came in, by the family of the port's name.
fn read(node: &mut Node, input: &Input) -> Option<Value> {
    let family = input.port.split('_').next().unwrap_or_default();
    Some(match family {
        "sound" | "utterance" => {
            let Audio { stamp, trace, sample_rate_hz, samples } = node.accept(input)?;
            let loudness =
                (samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len().max(1) as f32).sqrt();
            json!({
                "number": stamp.frame_id, "captured_ns": stamp.captured_ns, "stream": stamp.stream, "rate": sample_rate_hz,
                "samples": samples.len(), "loudness": loudness, "stages": stages(&trace),
            })
        }
        "prompt" => {
            let Prompt { stamp, trace, origin, text } = node.accept(input)?;
            json!({
                "number": stamp.frame_id, "captured_ns": stamp.captured_ns, "stream": stamp.stream, "origin": origin,
                "text": text, "stages": stages(&trace),
            })
        }
        "settings" => {
            let settings: Settings = node.accept(input)?;
            json!({ "stream": settings.stream, "version": settings.version, "prompt": settings.prompt })
        }
        _ => {
            let notice: Notice = node.accept(input)?;
            json!({ "origin": notice.origin, "level": notice.level.name(), "text": notice.text })
        }
    })
}

/// Name and milliseconds of each stage.
fn stages(trace: &Trace) -> Value {
    let stage =
        |stage: &mirror_contract::StageTime| json!([stage.stage, (stage.sent_ns - stage.received_ns) as f64 / 1e6]);
    trace.0.iter().map(stage).collect()
}
