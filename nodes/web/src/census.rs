//! Who is there: the nodes of the dataflow file, and what the system says of those that run on this machine.

use mirror_kit::figures::Spread;
use mirror_kit::processes::{self, Usage};
use mirror_kit::{Member, Node, Pulse, Pulses};
use serde::Serialize;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Shortest time over which the use of the processor is measured: the kernel counts in hundredths of a second.
const SHORTEST: Duration = Duration::from_millis(300);
/// A longer one would hide what is now.
const LONGEST: Duration = Duration::from_secs(10);

/// Whether a node runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It runs on this machine.
    Running,
    /// It should run on this machine, and does not.
    Gone,
    /// The dataflow file gives it to a machine by name: from here nobody can tell.
    Elsewhere,
    /// People start it when they want it: from here nobody can tell.
    ByHand,
}

/// An edge into a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edge {
    /// The input.
    pub port: String,
    /// Where it comes from: `decoder/picture`, `dora/timer/millis/500`.
    pub from: String,
}

/// A node's process.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Running {
    /// The process's number.
    pub pid: i32,
    /// What it uses of one core, in percent: two cores full are 200.
    pub cpu_percent: f64,
    /// Processor time since it started, in seconds.
    pub cpu_s: f64,
    /// Memory in use, in bytes; what is shared counts for each process that has it.
    pub memory_bytes: u64,
    /// How long it runs, in seconds.
    pub up_s: f64,
    /// How many times dora has started it again after a failure.
    pub restarts: u32,
    /// What it tells of its work; nothing where it is no node of this kind.
    pub work: Option<Work>,
}

/// What comes to a node and goes from it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Work {
    /// Messages that have come: pictures alone where it works on pictures.
    pub came: u64,
    /// Those a second, of late.
    pub in_per_s: f64,
    /// Messages that it has sent, but for notices.
    pub went: u64,
    /// Those a second, of late.
    pub out_per_s: f64,
    /// How old what it shows is; nothing where it shows nothing.
    pub age_ms: Option<Spread>,
}

/// A node, as it is now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// Its name in the dataflow file.
    pub id: String,
    /// Its inputs.
    pub inputs: Vec<Edge>,
    /// Whether it runs.
    pub state: State,
    /// Its process, if it runs here.
    pub process: Option<Running>,
}

/// Counts the nodes of one dataflow.
#[derive(Debug, Default)]
pub struct Census {
    dataflow: String,
    page: String,
    members: Vec<Member>,
    last: Mutex<Last>,
}

#[derive(Debug, Default)]
struct Last {
    sample: Option<Sample>,
    pulses: Pulses,
}

/// A node's process, as it was found.
#[derive(Debug)]
struct Found {
    process: processes::Process,
    usage: Usage,
    pulse: Option<Pulse>,
}

#[derive(Debug)]
struct Sample {
    at: Instant,
    used: HashMap<i32, Found>,
}

impl Sample {
    fn take(dataflow: &str, pulses: &mut Pulses) -> Self {
        let at = Instant::now();
        let nodes = processes::nodes(dataflow).into_iter();
        let used = nodes.filter_map(|process| {
            let (usage, pulse) = (processes::usage(process.pid)?, pulses.read(process.pid));
            Some((process.pid, Found { process, usage, pulse }))
        });
        let used: HashMap<_, _> = used.collect();
        pulses.keep(&used.keys().copied().collect());
        Self { at, used }
    }
}

impl Census {
    /// Of the dataflow that this node belongs to.
    #[must_use]
    pub fn of(node: &Node) -> Self {
        Self::new(node.dataflow(), node.name(), node.members())
    }

    /// Of a dataflow by its number, with the name of the node that serves the page, and the nodes of its file.
    #[must_use]
    pub fn new(dataflow: String, page: &str, members: Vec<Member>) -> Self {
        Self { dataflow, page: page.to_owned(), members, last: Mutex::default() }
    }

    /// The name of the node that serves the page.
    #[must_use]
    pub fn page(&self) -> &str {
        &self.page
    }

    /// dora's number of this run of the dataflow.
    #[must_use]
    pub fn dataflow(&self) -> &str {
        &self.dataflow
    }

    /// Counts. Takes a third of a second where nobody has asked of late.
    #[must_use]
    pub fn take(&self) -> Vec<Entry> {
        // A thread that panicked has left nothing half done here.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let Last { sample, pulses } = &mut *last;
        let before = sample.take().filter(|sample| sample.at.elapsed() < LONGEST);
        let before = before.unwrap_or_else(|| Sample::take(&self.dataflow, pulses));
        sleep(SHORTEST.saturating_sub(before.at.elapsed()));
        let now = Sample::take(&self.dataflow, pulses);
        let entries = self.members.iter().map(|member| entry(member, &before, &now)).collect();
        *sample = Some(now);
        entries
    }
}

fn entry(member: &Member, before: &Sample, now: &Sample) -> Entry {
    // While a node is replaced there are two of it: the newer one counts.
    let own = now.used.values().filter(|found| found.process.node == member.id);
    let own = own.min_by_key(|found| found.usage.age);
    let process = own.map(|Found { process, usage, pulse }| {
        let earlier = before.used.get(&process.pid);
        let used = usage.processor.saturating_sub(earlier.map_or(Duration::ZERO, |found| found.usage.processor));
        let span = now.at.duration_since(before.at).min(usage.age.max(SHORTEST)).as_secs_f64();
        let earlier = earlier.and_then(|found| found.pulse).unwrap_or_default();
        Running {
            pid: process.pid,
            cpu_percent: 100.0 * used.as_secs_f64() / span,
            cpu_s: usage.processor.as_secs_f64(),
            memory_bytes: usage.memory,
            up_s: usage.age.as_secs_f64(),
            restarts: process.restarts,
            work: pulse.map(|pulse| work(earlier, pulse, span)),
        }
    });
    let state = match (&process, member.is_dynamic, &member.machine) {
        (Some(_), ..) => State::Running,
        (None, true, _) => State::ByHand,
        (None, false, Some(_)) => State::Elsewhere,
        (None, false, None) => State::Gone,
    };
    let edge = |(port, from): &(String, String)| Edge { port: port.clone(), from: from.clone() };
    Entry { id: member.id.clone(), inputs: member.inputs.iter().map(edge).collect(), state, process }
}

/// What a node has done over so many seconds.
fn work(before: Pulse, now: Pulse, span_s: f64) -> Work {
    let rate = |before: u64, now: u64| now.saturating_sub(before) as f64 / span_s;
    let [p50, p99] = now.age_us.map(|us| us as f64 / 1e3);
    Work {
        came: now.came,
        in_per_s: rate(before.came, now.came),
        went: now.went,
        out_per_s: rate(before.went, now.went),
        age_ms: (now.age_us != [0, 0]).then_some(Spread { p50, p99 }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn member(id: &str) -> Member {
        let inputs = vec![("picture".to_owned(), "decoder/picture".to_owned())];
        Member { id: id.to_owned(), is_dynamic: id == "chat", inputs, ..Member::default() }
    }

    #[test]
    fn a_node_that_runs_one_that_is_gone_and_one_that_nobody_can_tell_of() {
        let config = "dataflow_id: 5a-census-test\nnode_id: camera\nrestart_count: 2\n";
        let mut child = Command::new("sleep").arg("60").env("DORA_NODE_CONFIG", config).spawn().expect("sleep");
        let afar = Member { machine: Some("tower".to_owned()), ..member("decoder") };
        let members = vec![member("camera"), member("encoder"), member("chat"), afar];
        let census = Census::new("5a-census-test".to_owned(), "web", members);
        while processes::nodes("5a-census-test").is_empty() {
            sleep(Duration::from_millis(5));
        }
        let entries = census.take();
        let states: Vec<State> = entries.iter().map(|entry| entry.state).collect();
        assert_eq!(states, [State::Running, State::Gone, State::ByHand, State::Elsewhere]);
        let process = entries[0].process.as_ref().expect("a process");
        assert_eq!((process.pid, process.restarts), (i32::try_from(child.id()).expect("a number"), 2));
        assert!(process.memory_bytes > 0 && process.cpu_percent < 50.0, "{process:?}");
        assert_eq!(process.work, None, "sleep is no node of this house");
        child.kill().expect("killed");
        child.wait().expect("ended");
        assert_eq!(census.take()[0].state, State::Gone);
    }

    #[test]
    fn what_a_node_does_is_told_by_the_second() {
        let before = Pulse { came: 100, went: 50, ..Pulse::default() };
        let now = Pulse { came: 130, went: 51, age_us: [41_500, 63_000], ..before };
        let spread = Spread { p50: 41.5, p99: 63.0 };
        let expected = Work { came: 130, in_per_s: 15.0, went: 51, out_per_s: 0.5, age_ms: Some(spread) };
        assert_eq!(work(before, now, 2.0), expected);
        assert_eq!(work(now, before, 2.0).age_ms, None);
    }
}
