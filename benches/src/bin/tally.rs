//! A node for tests and benchmarks: sends numbered pictures at an even pace, or writes down every one that comes, as one
//! JSON object a line.
//!
//! | key | default | what |
//! |---|---|---|
//! | `TALLY_SEND` | `0` | pictures a second to send on `picture`; 0 looks instead |
//! | `TALLY_SIZE` | `512` | their rows and columns |
//! | `TALLY_OUT` | | where what was seen is written to |

use eyre::{Result, WrapErr, eyre};
use mirror_benches::shared::is_shared;
use mirror_contract::{Frame, Header, Notice, Stamp, Taken, now_ns};
use mirror_kit::node::{TAKEN, TICK};
use mirror_kit::{Environment, Key, Next, Node};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

const KEYS: &[Key] = &[
    Key { name: "TALLY_SEND", default: "0", text: "" },
    Key { name: "TALLY_SIZE", default: "512", text: "" },
    Key { name: "TALLY_OUT", default: "", text: "" },
];

fn main() -> ExitCode {
    mirror_kit::start("tally", run)
}

fn run() -> Result<()> {
    let mut node = Node::join()?;
    let environment = Environment::read(KEYS)?;
    let fps: f64 = environment.parse("TALLY_SEND", "a number")?;
    if fps > 0.0 {
        let size = environment.within("TALLY_SIZE", 8, 4096)?;
        send(&mut node, size, Duration::from_secs_f64(1.0 / fps))
    } else {
        look(&mut node, environment.text("TALLY_OUT"))
    }
}

/// Grey pictures, until the dataflow stops.
fn send(node: &mut Node, size: usize, period: Duration) -> Result<()> {
    let mut due = Instant::now();
    for frame_id in 0.. {
        due += period;
        sleep(due.saturating_duration_since(Instant::now()));
        if matches!(node.poll(), Next::Stop) {
            break;
        }
        let now = now_ns();
        let mut header = Header::of(Stamp { stream: "tally".to_owned(), frame_id, captured_ns: now });
        node.sign(&mut header, now);
        node.send_frame("picture", &header, [size, size], |into| into.fill(100))?;
    }
    Ok(())
}

/// Writes lines down in a thread of its own, until nobody has one any more: a disk that is slow must not make pictures look late.
fn scribe(out: &str) -> Result<(Sender<Value>, JoinHandle<io::Result<()>>)> {
    let mut out = File::create(out)?;
    let (sender, lines) = channel::<Value>();
    let write = move || lines.iter().try_for_each(|line| writeln!(out, "{line}"));
    Ok((sender, thread::Builder::new().name("scribe".to_owned()).spawn(write)?))
}

/// Pictures by number, times in nanoseconds since the Unix epoch, first pixel, drops so far; what was taken up; and notices.
fn look(node: &mut Node, out: &str) -> Result<()> {
    let (lines, scribe) = scribe(out)?;
    while let Some(input) = node.next() {
        // A timer, so that this sink outlives the end of what feeds it.
        if input.port == TICK {
            continue;
        }
        let line = if input.port == TAKEN {
            let Some(taken) = node.accept::<Taken>(&input) else { continue };
            json!({ "taken": taken.stamp.frame_id, "stream": taken.stamp.stream, "sent_ns": taken.stamp.captured_ns })
        } else if let Ok(Frame { header, pixels, .. }) = input.decode() {
            let last = header.trace.0.last();
            json!({
                "port": input.port,
                "picture": header.stamp.frame_id,
                "sent_ns": header.stamp.captured_ns,
                "received_ns": input.received_ns,
                "stage_ns": last.map(|stage| stage.sent_ns - stage.received_ns),
                "stages": header.trace.0.iter().map(|stage| stage.stage.as_str()).collect::<Vec<_>>(),
                "drops": header.trace.0.iter().map(|stage| stage.drops).sum::<i64>() + node.drops(),
                "pixel": &pixels[..3],
                "bytes": pixels.len(),
                // Where an operator for tests has seen it.
                "first_bytes": u64::from_ne_bytes(pixels.first_chunk().copied().unwrap_or_default()),
                "shared": is_shared(pixels.as_ptr())?,
            })
        } else if let Some(notice) = node.accept::<Notice>(&input) {
            json!({ "notice": notice.text, "level": notice.level.name(), "origin": notice.origin, "received_ns": input.received_ns })
        } else {
            continue;
        };
        if lines.send(line).is_err() {
            break;
        }
    }
    drop(lines);
    scribe.join().map_err(|_| eyre!("the thread that writes has ended"))?.wrap_err("what was seen cannot be written")
}
