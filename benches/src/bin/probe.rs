//! A node for tests and benchmarks: looks at messages, or sends them, for a while, and writes down what it saw.
//!
//! | key | default | what |
//! |---|---|---|
//! | `PROBE_OUT` | | the file that the findings are written to, as JSON |
//! | `PROBE_SECONDS` | `5s` | how long it looks, from the first message on |
//! | `PROBE_SKIP` | `30` | messages at the start that do not count |
//! | `PROBE_LOOK` | `10` | of so many messages one is looked up: whether it lies in shared memory. That takes longer than a hop |
//! | `PROBE_SEND` | `nothing` | `frame`: 512 × 512 pictures; `latent`: 64 KiB latents; 100 a second |

use eyre::{Result, WrapErr, bail};
use mirror_benches::shared::is_shared;
use mirror_contract::{Frame, Header, Latent, Stamp, now_ns};
use mirror_kit::figures::Spread;
use mirror_kit::{Environment, Input, Key, Next, Node};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

const KEYS: &[Key] = &[
    Key { name: "PROBE_OUT", default: "", text: "" },
    Key { name: "PROBE_SECONDS", default: "5s", text: "" },
    Key { name: "PROBE_SKIP", default: "30", text: "" },
    Key { name: "PROBE_LOOK", default: "10", text: "" },
    Key { name: "PROBE_SEND", default: "nothing", text: "" },
];
/// Between two messages that the probe sends.
const PERIOD: Duration = Duration::from_millis(10);

/// What was seen on one input.
#[derive(Default)]
struct Seen {
    /// Of so many messages one is looked up.
    every: u64,
    count: u64,
    bytes: usize,
    in_shared_memory: u64,
    first_ns: i64,
    last_ns: i64,
    ages: Vec<i64>,
    hops: Vec<i64>,
    stages: BTreeMap<String, Vec<i64>>,
    /// From the stage before sending to this one taking up.
    edges: BTreeMap<String, Vec<i64>>,
    drops: BTreeMap<String, i64>,
    streams: BTreeMap<String, u64>,
}

impl Seen {
    fn note(&mut self, header: &Header, address: *const u8, bytes: usize, received_ns: i64) -> Result<()> {
        if self.count == 0 {
            self.first_ns = received_ns;
        }
        self.count += 1;
        self.last_ns = received_ns;
        self.bytes = bytes;
        // Looking it up takes longer than a hop.
        if self.count % self.every == 1 % self.every && is_shared(address)? {
            self.in_shared_memory += self.every;
        }
        *self.streams.entry(header.stamp.stream.clone()).or_default() += 1;
        self.ages.push(received_ns - header.stamp.captured_ns);
        let sent_ns = header.trace.0.last().map_or(header.stamp.captured_ns, |stage| stage.sent_ns);
        self.hops.push(received_ns - sent_ns);
        let mut sent_ns = header.stamp.captured_ns;
        for stage in &header.trace.0 {
            self.edges.entry(stage.stage.clone()).or_default().push(stage.received_ns - sent_ns);
            sent_ns = stage.sent_ns;
            self.stages.entry(stage.stage.clone()).or_default().push(stage.sent_ns - stage.received_ns);
            self.drops.insert(stage.stage.clone(), stage.drops);
        }
        Ok(())
    }

    fn report(&mut self) -> Value {
        let seconds = (self.last_ns - self.first_ns) as f64 / 1e9;
        let spreads = |times: &mut BTreeMap<String, Vec<i64>>| -> BTreeMap<String, Spread> {
            times.iter_mut().map(|(stage, times)| (stage.clone(), Spread::of(times))).collect()
        };
        let (stages, edges) = (spreads(&mut self.stages), spreads(&mut self.edges));
        json!({
            "count": self.count,
            "bytes": self.bytes,
            "in_shared_memory": self.in_shared_memory.min(self.count),
            "fps": if seconds > 0.0 { (self.count - 1) as f64 / seconds } else { 0.0 },
            "age_ms": Spread::of(&mut self.ages),
            "hop_ms": Spread::of(&mut self.hops),
            "stages": stages,
            "edges": edges,
            "drops": self.drops,
            "streams": self.streams,
        })
    }
}

fn main() -> ExitCode {
    mirror_kit::start("probe", run)
}

fn run() -> Result<()> {
    let mut node = Node::join()?;
    let environment = Environment::read(KEYS)?;
    let seconds = environment.text("PROBE_SECONDS").trim_end_matches('s');
    let seconds: u64 = seconds.parse().wrap_err("PROBE_SECONDS is not a number of seconds")?;
    let skip: u64 = environment.parse("PROBE_SKIP", "a number of messages")?;
    let every: u64 = environment.within("PROBE_LOOK", 1, 1000)?;
    match environment.text("PROBE_SEND") {
        "nothing" => look(&mut node, Duration::from_secs(seconds), [skip, every], environment.text("PROBE_OUT")),
        "frame" => send(&mut node, true),
        "latent" => send(&mut node, false),
        other => bail!("PROBE_SEND=\"{other}\" is not nothing, frame or latent"),
    }
}

/// Sends until the dataflow stops.
fn send(node: &mut Node, frame: bool) -> Result<()> {
    let pixels = vec![128u8; 512 * 512 * Frame::CHANNELS];
    let values = vec![0.5f32; 4 * 64 * 64];
    let mut due = Instant::now();
    for frame_id in 0.. {
        due += PERIOD;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        if matches!(node.poll(), Next::Stop) {
            break;
        }
        let stamp = Stamp { stream: "probe".to_owned(), frame_id, captured_ns: now_ns() };
        let mut header = Header::of(stamp);
        let now = now_ns();
        node.sign(&mut header, now);
        if frame {
            node.send_frame("frame", &header, [512, 512], |into| into.copy_from_slice(&pixels))?;
        } else {
            let shape = [1, 4, 64, 64];
            node.send("latent", Latent { header, pack: "none".to_owned(), shape, values: values.clone().into() })?;
        }
    }
    Ok(())
}

/// Looks for so long, then writes the findings; of each input so many messages are skipped, and then every so many looked up.
fn look(node: &mut Node, patience: Duration, [skip, every]: [u64; 2], out: &str) -> Result<()> {
    let mut seen: BTreeMap<String, Seen> = BTreeMap::new();
    let mut skipped: BTreeMap<String, u64> = BTreeMap::new();
    let mut until: Option<Instant> = None;
    while let Some(input) = node.next() {
        if until.is_some_and(|until| Instant::now() > until) {
            break;
        }
        let count = skipped.entry(input.port.clone()).or_default();
        if *count < skip {
            *count += 1;
            continue;
        }
        until.get_or_insert_with(|| Instant::now() + patience);
        let seen = seen.entry(input.port.clone()).or_insert_with(|| Seen { every, ..Seen::default() });
        note(seen, &input)?;
    }
    let report: BTreeMap<String, Value> = seen.iter_mut().map(|(port, seen)| (port.clone(), seen.report())).collect();
    let partial = format!("{out}.part");
    std::fs::write(&partial, serde_json::to_vec_pretty(&report)?)
        .wrap_err_with(|| format!("{partial} cannot be written"))?;
    std::fs::rename(&partial, out).wrap_err_with(|| format!("{out} cannot be written"))?;
    tracing::info!("findings written");
    Ok(())
}

fn note(seen: &mut Seen, input: &Input) -> Result<()> {
    if let Ok(frame) = input.decode::<Frame>() {
        return seen.note(&frame.header, frame.pixels.as_ptr(), frame.pixels.len(), input.received_ns);
    }
    let latent = input.decode::<Latent>().wrap_err("the probe knows frames and latents")?;
    let address = latent.values.as_ptr().cast();
    seen.note(&latent.header, address, size_of_val(&latent.values[..]), input.received_ns)
}
