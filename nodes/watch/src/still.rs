//! The processes of the nodes: which stand still, what they tell, and how they are ended.

use mirror_kit::{Pulse, Pulses, processes};
use std::collections::HashMap;
use std::fs;
use std::time::Duration;

/// The nodes are looked for again so often: it means a look at every process of the machine.
const LOOK: Duration = Duration::from_secs(5);

/// The processes of a dataflow's nodes on this machine.
#[derive(Debug)]
pub struct Processes {
    dataflow: String,
    nodes: Vec<(String, i32)>,
    looked: Option<Duration>,
    /// Since when a process stands still.
    still: HashMap<i32, Duration>,
    pulses: Pulses,
}

impl Processes {
    /// Those of that dataflow.
    #[must_use]
    pub fn of(dataflow: String) -> Self {
        Self { dataflow, nodes: Vec::new(), looked: None, still: HashMap::new(), pulses: Pulses::default() }
    }

    fn look(&mut self, now: Duration) {
        let nodes = processes::nodes(&self.dataflow).into_iter();
        self.nodes = nodes.map(|process| (process.node, process.pid)).collect();
        self.looked = Some(now);
    }

    fn running(&mut self, now: Duration) -> &[(String, i32)] {
        if self.looked.is_none_or(|looked| now.saturating_sub(looked) >= LOOK) {
            self.look(now);
        }
        &self.nodes
    }

    /// What the processes tell of themselves, node by node.
    pub fn pulses(&mut self, now: Duration) -> Vec<(String, i32, Pulse)> {
        let running = self.running(now).to_vec();
        self.pulses.keep(&running.iter().map(|(_, pid)| *pid).collect());
        running.into_iter().filter_map(|(node, pid)| Some((node, pid, self.pulses.read(pid)?))).collect()
    }

    /// The nodes whose processes stand still for that long: stopped (SIGSTOP, Ctrl-Z), neither working nor waiting. One
    /// under a debugger is not meant.
    pub fn still(&mut self, now: Duration, patience: Duration) -> Vec<String> {
        let stands: Vec<(String, i32)> =
            self.running(now).iter().filter(|(_, pid)| state(*pid) == Some('T')).cloned().collect();
        let mut stopped = HashMap::new();
        let mut long = Vec::new();
        for (node, pid) in &stands {
            let since = *self.still.get(pid).unwrap_or(&now);
            stopped.insert(*pid, since);
            if now.saturating_sub(since) >= patience {
                long.push(node.clone());
            }
        }
        self.still = stopped;
        long
    }

    /// Ends a node at once; dora starts it again. `false`: it does not run on this machine.
    pub fn end(&mut self, node: &str, now: Duration) -> bool {
        // Never by what was seen seconds ago: the number may be somebody else's by now.
        self.look(now);
        let mut ended = false;
        for (_, pid) in self.nodes.iter().filter(|(name, _)| name == node) {
            // SAFETY: kill(2) touches no memory of this process.
            ended |= unsafe { libc::kill(*pid, libc::SIGKILL) } == 0;
        }
        ended
    }
}

/// A process's state: `R`, `S`, `D`, `T` … (proc(5), `/proc/<pid>/stat`).
fn state(pid: i32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.trim_start().chars().next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_process_that_was_stopped_is_found_after_a_while_and_ended() {
        let config = "dataflow_id: 5a-watch-test\nnode_id: diffusion\n";
        let mut child = Command::new("sleep").arg("600").env("DORA_NODE_CONFIG", config).spawn().expect("a process");
        let pid = i32::try_from(child.id()).expect("a number");
        while processes::nodes("5a-watch-test").is_empty() {
            std::thread::sleep(Duration::from_millis(5));
        }
        let mut nodes = Processes::of("5a-watch-test".to_owned());
        let seconds = Duration::from_secs;
        assert!(nodes.still(seconds(0), seconds(10)).is_empty());
        // SAFETY: kill(2) touches no memory of this process; the child is ours.
        unsafe { libc::kill(pid, libc::SIGSTOP) };
        while state(pid) != Some('T') {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(nodes.still(seconds(1), seconds(10)).is_empty(), "not yet");
        assert_eq!(nodes.still(seconds(11), seconds(10)), ["diffusion"]);
        assert!(!nodes.end("encoder", seconds(11)));
        assert!(nodes.end("diffusion", seconds(11)));
        assert!(!child.wait().expect("it ends").success());
    }
}
