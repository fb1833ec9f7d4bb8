//! Who is there: the nodes of the dataflow file, and what the system says of those that run on this machine.

use mirror_kit::processes::{self, Usage};
use mirror_kit::{Member, Node};
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
    last: Mutex<Option<Sample>>,
}

type Samples = HashMap<i32, (processes::Process, Usage)>;

#[derive(Debug)]
struct Sample {
    at: Instant,
    used: Samples,
}

impl Sample {
    fn take(dataflow: &str) -> Self {
        let at = Instant::now();
        let nodes = processes::nodes(dataflow).into_iter();
        let used = nodes.filter_map(|process| Some((process.pid, (process.clone(), processes::usage(process.pid)?))));
        Self { at, used: used.collect() }
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
        let before = last.take().filter(|sample| sample.at.elapsed() < LONGEST);
        let before = before.unwrap_or_else(|| Sample::take(&self.dataflow));
        sleep(SHORTEST.saturating_sub(before.at.elapsed()));
        let now = Sample::take(&self.dataflow);
        let entries = self.members.iter().map(|member| entry(member, &before, &now)).collect();
        *last = Some(now);
        entries
    }
}

fn entry(member: &Member, before: &Sample, now: &Sample) -> Entry {
    // While a node is replaced there are two of it: the newer one counts.
    let own = now.used.values().filter(|(process, _)| process.node == member.id);
    let own = own.min_by_key(|(_, usage)| usage.age);
    let process = own.map(|(process, usage)| {
        let earlier = before.used.get(&process.pid).map_or(Duration::ZERO, |(_, usage)| usage.processor);
        let span = now.at.duration_since(before.at).min(usage.age.max(SHORTEST));
        let used = usage.processor.saturating_sub(earlier);
        Running {
            pid: process.pid,
            cpu_percent: 100.0 * used.as_secs_f64() / span.as_secs_f64(),
            cpu_s: usage.processor.as_secs_f64(),
            memory_bytes: usage.memory,
            up_s: usage.age.as_secs_f64(),
            restarts: process.restarts,
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
        child.kill().expect("killed");
        child.wait().expect("ended");
        assert_eq!(census.take()[0].state, State::Gone);
    }
}
