//! Counters for Prometheus: every picture of the stream that is shown, every stage of its way.

use crate::census::{Entry, State};
use crate::streams::tally::Tally;
use mirror_contract::Header;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// Upper ends of the classes that times are counted in, in seconds: from a message's way to a model of seconds.
const CLASSES: [f64; 14] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 5.0];

fn times() -> Histogram {
    Histogram::new(CLASSES)
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Stage {
    stage: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Node {
    node: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Painting {
    pack: String,
    provider: String,
    source: String,
}

type Times = Family<Stage, Histogram, fn() -> Histogram>;
type Seconds = Gauge<f64, AtomicU64>;

/// What is known at the moment somebody asks.
#[derive(Debug)]
pub struct Now<'a> {
    /// The nodes.
    pub nodes: &'a [Entry],
    /// How many watch pictures.
    pub watching: usize,
    /// How many listen to events.
    pub listening: usize,
    /// How many visitors have cameras here.
    pub visitors: usize,
    /// What became of visitors' pictures.
    pub totals: Tally,
    /// Milliseconds since the last picture; `None` before the first.
    pub silent_ms: Option<i64>,
}

/// All of them.
#[derive(Debug)]
pub struct Meter {
    registry: Registry,
    pictures: Counter,
    age: Histogram,
    work: Times,
    wait: Times,
    drops: Family<Stage, Counter>,
    painting: Family<Painting, Gauge>,
    silent: Seconds,
    watching: Gauge,
    listening: Gauge,
    visitors: Gauge,
    visited: Family<Outcome, Counter>,
    up: Family<Node, Gauge>,
    restarts: Family<Node, Counter>,
    processor: Family<Node, Counter<f64, AtomicU64>>,
    memory: Family<Node, Gauge>,
    received: Family<Node, Counter>,
    sent: Family<Node, Counter>,
}

impl Default for Meter {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("mirror");
        let (work, wait): (Times, Times) = (Family::new_with_constructor(times), Family::new_with_constructor(times));
        let meter = Self {
            pictures: Counter::default(),
            age: times(),
            work,
            wait,
            drops: Family::default(),
            painting: Family::default(),
            silent: Gauge::default(),
            watching: Gauge::default(),
            listening: Gauge::default(),
            visitors: Gauge::default(),
            visited: Family::default(),
            up: Family::default(),
            restarts: Family::default(),
            processor: Family::default(),
            memory: Family::default(),
            received: Family::default(),
            sent: Family::default(),
            registry: Registry::default(),
        };
        registry.register("pictures", "Pictures shown", meter.pictures.clone());
        let seconds = || Unit::Seconds;
        registry.register_with_unit(
            "age",
            "From the camera's stamp to the picture shown",
            seconds(),
            meter.age.clone(),
        );
        let text = "From a stage's taking a picture up to its sending it on";
        registry.register_with_unit("stage", text, seconds(), meter.work.clone());
        let text = "From the stage before sending a picture to this one taking it up";
        registry.register_with_unit("edge", text, seconds(), meter.wait.clone());
        let text = "Messages that a stage has dropped since it started, because newer ones came";
        registry.register("stage_drops", text, meter.drops.clone());
        let text = "1 for what the newest picture was painted with";
        registry.register("painting", text, meter.painting.clone());
        registry.register_with_unit(
            "silent",
            "Since the last picture; -1 before the first",
            seconds(),
            meter.silent.clone(),
        );
        registry.register("watching", "Connections that get pictures", meter.watching.clone());
        registry.register("listening", "Connections that get events", meter.listening.clone());
        registry.register("visitors", "Visitors who have cameras here", meter.visitors.clone());
        registry.register("visitor_pictures", "What became of visitors' pictures", meter.visited.clone());
        registry.register("node_up", "Whether a node of this machine runs", meter.up.clone());
        let text = "How often dora has started a node again after a failure";
        registry.register("node_restarts", text, meter.restarts.clone());
        registry.register_with_unit("node_cpu", "Processor time of a node", seconds(), meter.processor.clone());
        let text = "Memory that a node has in use; what is shared counts for each";
        registry.register_with_unit("node_memory", text, Unit::Bytes, meter.memory.clone());
        let text = "Messages that have come to a node; pictures alone where it works on pictures";
        registry.register("node_received", text, meter.received.clone());
        registry.register("node_sent", "Messages that a node has sent, but for notices", meter.sent.clone());
        Self { registry, ..meter }
    }
}

/// Times of clocks that do not quite agree may lie below zero.
fn seconds(nanoseconds: i64) -> f64 {
    nanoseconds.max(0) as f64 / 1e9
}

impl Meter {
    /// A picture with that header was shown at that time.
    pub fn shown(&self, header: &Header, shown_ns: i64) {
        self.pictures.inc();
        self.age.observe(seconds(shown_ns - header.stamp.captured_ns));
        let mut before_ns = None;
        for time in &header.trace.0 {
            let stage = Stage { stage: time.stage.clone() };
            self.work.get_or_create(&stage).observe(seconds(time.sent_ns - time.received_ns));
            if let Some(before_ns) = before_ns.replace(time.sent_ns) {
                self.wait.get_or_create(&stage).observe(seconds(time.received_ns - before_ns));
            }
            // A stage that was started again begins at 0 again, as counters may.
            self.drops.get_or_create(&stage).inner().store(time.drops.max(0).unsigned_abs(), Ordering::Relaxed);
        }
        let Some(it) = &header.painting else { return };
        let labels = Painting { pack: it.pack.clone(), provider: it.provider.clone(), source: header.source.clone() };
        let is_new = self.painting.get(&labels).is_none();
        if is_new {
            self.painting.clear();
            self.painting.get_or_create(&labels).set(1);
        }
    }

    /// All of them as text (OpenMetrics 1.0), with what is known now.
    ///
    /// # Errors
    /// A label that cannot be written.
    pub fn text(&self, now: &Now) -> Result<String, fmt::Error> {
        self.silent.set(now.silent_ms.map_or(-1.0, |ms| ms as f64 / 1e3));
        self.watching.set(i64::try_from(now.watching).unwrap_or(i64::MAX));
        self.listening.set(i64::try_from(now.listening).unwrap_or(i64::MAX));
        self.visitors.set(i64::try_from(now.visitors).unwrap_or(i64::MAX));
        let Tally { offered: _, replaced, lost, broken, painted } = now.totals;
        for (outcome, count) in [("painted", painted), ("replaced", replaced), ("lost", lost), ("broken", broken)] {
            self.visited.get_or_create(&Outcome { outcome }).inner().store(count, Ordering::Relaxed);
        }
        for entry in now.nodes {
            let node = Node { node: entry.id.clone() };
            if matches!(entry.state, State::Running | State::Gone) {
                self.up.get_or_create(&node).set(i64::from(entry.state == State::Running));
            }
            if let Some(process) = &entry.process {
                self.restarts.get_or_create(&node).inner().store(u64::from(process.restarts), Ordering::Relaxed);
                self.processor.get_or_create(&node).inner().store(process.cpu_s.to_bits(), Ordering::Relaxed);
                self.memory.get_or_create(&node).set(i64::try_from(process.memory_bytes).unwrap_or(i64::MAX));
                if let Some(work) = &process.work {
                    self.received.get_or_create(&node).inner().store(work.came, Ordering::Relaxed);
                    self.sent.get_or_create(&node).inner().store(work.went, Ordering::Relaxed);
                }
            } else {
                self.memory.remove(&node);
            }
        }
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
