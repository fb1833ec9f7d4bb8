//! All that is known of who hangs, together: by what nodes put out, by what they tell, by how their processes stand.

use crate::busy::Busy;
use crate::graph::Stage;
use crate::hang::Watch;
use crate::still::Processes;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The search for whoever hangs.
#[derive(Debug)]
pub struct Search {
    patience: Duration,
    /// The nodes that are known by what they put out.
    expected: BTreeSet<String>,
    watch: Watch,
    busy: Busy,
    processes: Processes,
}

impl Search {
    /// Among the nodes of that dataflow, of which these stages are expected to put something out.
    #[must_use]
    pub fn of(dataflow: String, stages: Vec<Stage>, patience: Duration) -> Self {
        let expected = stages.iter().map(|stage| stage.node.clone()).collect();
        let (watch, processes) = (Watch::new(stages, patience), Processes::of(dataflow));
        Self { patience, expected, watch, busy: Busy::default(), processes }
    }

    /// An output was seen.
    pub fn saw(&mut self, output: &str, now: Duration) {
        self.watch.saw(output, now);
    }

    /// Everybody has a new start: this process itself has stood still.
    pub fn forget_all(&mut self) {
        self.watch.forget_all();
        self.busy.forget_all();
    }

    /// Who hangs, and how that shows.
    #[must_use]
    pub fn found(&mut self, now: Duration) -> BTreeMap<String, String> {
        let mut told = self.processes.pulses(now);
        told.retain(|(node, ..)| !self.expected.contains(node));
        self.busy.look(&told, now);
        let seconds = self.patience.as_secs_f32();
        let silent = format!("has put nothing out for {seconds} s, although it had something to do");
        let stopped = self.processes.still(now, self.patience).into_iter();
        let stopped = stopped.map(|node| (node, "stands still".to_owned()));
        let hung = self.watch.hung(now).map(|stage| (stage.node.clone(), silent));
        let lost = self.busy.lost(now, self.patience).into_iter();
        let lost = lost.map(|node| (node, "does not come back from what it took up".to_owned()));
        // One that stands still does nothing else either, and is to be ended once.
        let mut found = BTreeMap::new();
        for (node, reason) in stopped.chain(hung).chain(lost) {
            found.entry(node).or_insert(reason);
        }
        found
    }

    /// Ends a node at once; dora starts it again. `false`: it does not run on this machine.
    pub fn end(&mut self, node: &str, now: Duration) -> bool {
        self.watch.forget(node);
        self.busy.forget(node);
        self.processes.end(node, now)
    }
}
