//! Which node cannot go on, and why.
//!
//! dora starts a node again when it fails, for ever. A node that has crashed once is back at once and the mirror goes on;
//! one that cannot load its model fails again and again. The difference: in between, no picture was shown.

use crate::journal::Line;
use std::collections::HashMap;

/// What a failure means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// dora starts the node again.
    StartedAgain(String),
    /// The node has failed twice with no picture in between: the mirror cannot go on.
    Hopeless(String),
}

/// The failures of all nodes.
#[derive(Debug, Default)]
pub struct Failures {
    /// Per node: how many pictures had been shown when it last failed.
    last: HashMap<String, u64>,
}

impl Failures {
    /// Takes in a line of the log; `shown` counts the pictures up to now. `None`: the line is no failure.
    pub fn note(&mut self, line: &Line, shown: u64) -> Option<Verdict> {
        let text = fatal(line)?;
        match self.last.insert(line.node.clone(), shown) {
            Some(before) if before == shown => Some(Verdict::Hopeless(text)),
            _ => Some(Verdict::StartedAgain(text)),
        }
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
    let crash = text.contains("panicked at") || text.contains("error while loading shared libraries");
    crash.then(|| format!("{node}: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line {
        Line { node: "encoder".to_owned(), text: text.to_owned() }
    }

    #[test]
    fn a_node_that_fails_twice_without_a_picture_in_between_is_hopeless() {
        let mut failures = Failures::default();
        let line = line("ERROR encoder: models/x is not there");
        let text = || "encoder: models/x is not there".to_owned();
        assert_eq!(failures.note(&line, 0), Some(Verdict::StartedAgain(text())));
        assert_eq!(failures.note(&line, 0), Some(Verdict::Hopeless(text())));
    }

    #[test]
    fn a_node_that_fails_now_and_then_is_started_again() {
        let mut failures = Failures::default();
        let line = line("thread 'main' panicked at src/node.rs:1:2:");
        for shown in [10, 200, 300] {
            assert!(matches!(failures.note(&line, shown), Some(Verdict::StartedAgain(_))), "{shown}");
        }
    }

    #[test]
    fn an_error_that_does_not_end_the_node_is_no_failure() {
        let mut failures = Failures::default();
        for text in ["ERROR the camera is gone", " INFO encoder: ready", " WARN input frame refused"] {
            assert_eq!(failures.note(&line(text), 0), None, "{text}");
        }
    }

    #[test]
    fn a_missing_system_library_is_a_failure() {
        let text = "target/release/encoder: error while loading shared libraries: libopencv_core.so.406";
        assert!(Failures::default().note(&line(text), 0).is_some());
    }
}
