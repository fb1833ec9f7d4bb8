//! The nodes of a dataflow as the system sees them: proc(5), on this machine.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

/// A running node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// The process's number.
    pub pid: i32,
    /// The node's name in the dataflow.
    pub node: String,
    /// How many times dora has started it again after a failure.
    pub restarts: u32,
}

/// What a process uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Processor time since it started, of all its threads.
    pub processor: Duration,
    /// Memory that it has in use, in bytes; what it shares with other processes counts for each of them.
    pub memory: u64,
    /// How long ago it started.
    pub age: Duration,
}

/// What dora tells a node in its environment, as YAML: `dataflow_id: 01a1…`, `node_id: camera`, … `None`: no node, or a
/// process of somebody else.
#[must_use]
pub fn config(pid: i32) -> Option<String> {
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let config = environment.split(|byte| *byte == 0).find_map(|pair| pair.strip_prefix(b"DORA_NODE_CONFIG="))?;
    Some(String::from_utf8_lossy(config).into_owned())
}

/// All processes of this machine.
pub fn all() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The running nodes of a dataflow. A node that people started by hand is not among them: dora has told it nothing.
#[must_use]
pub fn nodes(dataflow: &str) -> Vec<Process> {
    all().filter_map(|pid| node(pid, &config(pid)?, dataflow)).collect()
}

/// The names of those nodes.
#[must_use]
pub fn names(dataflow: &str) -> BTreeSet<String> {
    nodes(dataflow).into_iter().map(|process| process.node).collect()
}

/// The dataflows whose nodes run on this machine.
#[must_use]
pub fn dataflows() -> BTreeSet<String> {
    all().filter_map(|pid| value(&config(pid)?, "dataflow_id").map(str::to_owned)).collect()
}

fn node(pid: i32, config: &str, dataflow: &str) -> Option<Process> {
    let restarts = value(config, "restart_count").and_then(|count| count.trim().parse().ok()).unwrap_or(0);
    (value(config, "dataflow_id")? == dataflow).then(|| Process {
        pid,
        node: value(config, "node_id").unwrap_or("a node").to_owned(),
        restarts,
    })
}

/// What is said of a key at the left edge: the dataflow file that stands below has keys of its own.
fn value<'a>(config: &'a str, key: &str) -> Option<&'a str> {
    config.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": "))
}

/// What a process uses. `None`: it has ended.
#[must_use]
pub fn usage(pid: i32) -> Option<Usage> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let uptime = fs::read_to_string("/proc/uptime").ok()?;
    of_stat(&stat, uptime.split_ascii_whitespace().next()?.parse().ok()?)
}

/// Out of `/proc/<pid>/stat`, and how long the machine has been up, in seconds.
fn of_stat(stat: &str, uptime_s: f64) -> Option<Usage> {
    // Field 2 is the program's name in brackets, and may hold anything.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    // proc(5) counts from 1, and the first two are gone.
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    let [user, system, started, pages] = [field(14)?, field(15)?, field(22)?, field(24)?];
    let (ticks, page) = (system_value(libc::_SC_CLK_TCK)?, system_value(libc::_SC_PAGESIZE)?);
    let seconds = |count: u64| count as f64 / ticks as f64;
    let age = (uptime_s - seconds(started)).max(0.0);
    let (processor, age) = (Duration::from_secs_f64(seconds(user + system)), Duration::from_secs_f64(age));
    Some(Usage { processor, memory: pages * page, age })
}

fn system_value(name: libc::c_int) -> Option<u64> {
    // SAFETY: sysconf(3) takes a number and touches no memory of this process.
    u64::try_from(unsafe { libc::sysconf(name) }).ok().filter(|value| *value > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_node_says_whose_it_is_and_how_often_it_was_started_again() {
        let config = "dataflow_id: 5a-processes-test\nnode_id: camera\ndataflow_descriptor:\n  nodes:\n  - id: x\nrestart_count: 3\n";
        let mut child = Command::new("sleep").arg("60").env("DORA_NODE_CONFIG", config).spawn().unwrap();
        // The environment is there once the program has taken over.
        let found = loop {
            let found = nodes("5a-processes-test");
            if !found.is_empty() {
                break found;
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let pid = i32::try_from(child.id()).unwrap();
        assert_eq!(found, [Process { pid, node: "camera".to_owned(), restarts: 3 }]);
        assert_eq!(nodes("5a-processes-test-of-others"), []);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(usage(pid), None);
    }

    #[test]
    fn a_process_that_works_uses_the_processor_and_memory() {
        let pid = i32::try_from(std::process::id()).unwrap();
        let before = usage(pid).unwrap();
        let begin = std::time::Instant::now();
        let mut numbers: Vec<u64> = Vec::new();
        while usage(pid).unwrap().processor == before.processor && begin.elapsed() < Duration::from_secs(30) {
            numbers.extend(0..1000);
        }
        let after = usage(pid).unwrap();
        assert!(after.processor > before.processor && after.memory > 1 << 16, "{before:?} {after:?}");
    }

    #[test]
    fn a_programs_name_with_brackets_and_blanks_in_it_does_not_shift_the_fields() {
        let stat = "7 (a ) b (c) S 1 7 7 0 -1 0 0 0 0 0 250 50 0 0 20 0 8 0 1000 900000 64 0 0";
        let usage = of_stat(stat, 40.0).unwrap();
        let ticks = system_value(libc::_SC_CLK_TCK).unwrap();
        assert_eq!(usage.processor, Duration::from_secs_f64(300.0 / ticks as f64));
        assert_eq!(usage.memory, 64 * system_value(libc::_SC_PAGESIZE).unwrap());
        assert_eq!(of_stat("7 (short) S 1", 40.0), None);
    }
}
