//! Which node cannot go on, and why.
//!
//! dora starts a node again when it fails, for ever, or not at all if nothing flows into it any more. A node that has
//! crashed once is back at once and the mirror goes on; one that cannot load its model fails again and again. The
//! difference: in between, no picture was shown.

use crate::journal::Line;
use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

/// How long dora has for starting a node again before it is looked for.
const PATIENCE: Duration = Duration::from_millis(1500);

/// What became of a node that has failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// dora has started it again.
    StartedAgain(String),
    /// It has failed again with no picture in between, or is gone: the mirror cannot go on.
    Hopeless(String),
}

/// The failures of all nodes.
#[derive(Debug, Default)]
pub struct Failures {
    last: HashMap<String, Failure>,
}

#[derive(Debug)]
struct Failure {
    text: String,
    at: Instant,
    /// How many pictures had been shown.
    shown: u64,
    settled: bool,
}

impl Failures {
    /// Takes in a line of the log; `shown` counts the pictures up to now. Gives the failure if it is a hopeless one.
    pub fn note(&mut self, line: &Line, shown: u64, now: Instant) -> Option<Verdict> {
        let text = fatal(line)?;
        let failure = Failure { text: text.clone(), at: now, shown, settled: false };
        let before = self.last.insert(line.node.clone(), failure)?;
        (before.shown == shown).then_some(Verdict::Hopeless(text))
    }

    /// What has become of the nodes that failed a moment ago, each told once; `running` are those that run.
    pub fn settle(&mut self, now: Instant, running: impl FnOnce() -> BTreeSet<String>) -> Vec<Verdict> {
        let open = |failure: &Failure| !failure.settled && now.duration_since(failure.at) >= PATIENCE;
        // Looking for processes costs more than not looking.
        if !self.last.values().any(open) {
            return Vec::new();
        }
        let running = running();
        let mut verdicts = Vec::new();
        for (node, failure) in self.last.iter_mut().filter(|(_, failure)| open(failure)) {
            failure.settled = true;
            let text = failure.text.clone();
            verdicts.push(if running.contains(node) { Verdict::StartedAgain(text) } else { Verdict::Hopeless(text) });
        }
        verdicts
    }
}

/// The words with which a node ended: the line of `mirror_kit::start`, a panic, or the loader's.
#[must_use]
pub fn fatal(line: &Line) -> Option<String> {
    let Line { node, text } = line;
    let text = text.trim();
    if let Some(error) = text.strip_prefix("ERROR ")
        && error.starts_with(&format!("{node}: "))
    {
        return Some(error.to_owned());
    }
    // A thread of zenoh's that outlives its statics when a process ends says so, whatever the process ended of.
    let is_late = text.contains("/static_init-");
    let crash = (text.contains("panicked at") && !is_late) || text.contains("error while loading shared libraries");
    crash.then(|| format!("{node}: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line {
        Line { node: "encoder".to_owned(), text: text.to_owned() }
    }

    fn nobody() -> BTreeSet<String> {
        BTreeSet::new()
    }

    #[test]
    fn what_a_thread_of_the_transport_says_at_the_end_of_a_process_is_not_why_it_ended() {
        let said = "thread 'net-0' (12935) panicked at /x/static_init-1.0.4/src/generic_lazy.rs:954:45:";
        assert_eq!(fatal(&line(said)), None);
    }

    #[test]
    fn a_node_that_fails_twice_without_a_picture_in_between_is_hopeless() {
        let (mut failures, now) = (Failures::default(), Instant::now());
        let line = line("ERROR encoder: models/x is not there");
        assert_eq!(failures.note(&line, 0, now), None);
        let verdict = Verdict::Hopeless("encoder: models/x is not there".to_owned());
        assert_eq!(failures.note(&line, 0, now), Some(verdict));
    }

    #[test]
    fn a_node_that_fails_now_and_then_is_started_again() {
        let (mut failures, mut now) = (Failures::default(), Instant::now());
        let line = line("thread 'main' panicked at src/node.rs:1:2:");
        for shown in [10, 200, 300] {
            assert_eq!(failures.note(&line, shown, now), None);
            now += PATIENCE;
            let verdicts = failures.settle(now, || BTreeSet::from(["encoder".to_owned()]));
            assert!(matches!(&verdicts[..], [Verdict::StartedAgain(_)]), "{verdicts:?}");
        }
    }

    #[test]
    fn a_node_that_is_not_started_again_is_hopeless_once_there_was_time_for_it() {
        let (mut failures, now) = (Failures::default(), Instant::now());
        failures.note(&line("ERROR encoder: no such file"), 7, now);
        assert!(failures.settle(now, nobody).is_empty());
        let verdicts = failures.settle(now + PATIENCE, nobody);
        assert_eq!(verdicts, [Verdict::Hopeless("encoder: no such file".to_owned())]);
        assert!(failures.settle(now + 2 * PATIENCE, nobody).is_empty());
    }

    #[test]
    fn an_error_that_does_not_end_the_node_is_no_failure() {
        let mut failures = Failures::default();
        for text in ["ERROR the camera is gone", " INFO encoder: ready", " WARN input frame refused"] {
            assert_eq!(failures.note(&line(text), 0, Instant::now()), None, "{text}");
        }
    }

    #[test]
    fn a_missing_system_library_is_a_failure() {
        let text = "target/release/encoder: error while loading shared libraries: libopencv_core.so.406";
        assert!(fatal(&line(text)).is_some());
    }
}
