//! Who does not come back: a node that has taken something up, and is still at it after a time that nothing of its kind takes.

use mirror_kit::Pulse;
use std::collections::HashMap;
use std::time::Duration;

/// So many times the patience one message may take, whatever it is: a minute of speech on a small machine.
const PATIENCE: u32 = 6;
/// And so many times as long as the longest one of this node took.
const LONGEST: u32 = 4;

/// What is known of nodes at work. The clock is the caller's, and only rises.
#[derive(Debug, Default)]
pub struct Busy {
    nodes: HashMap<String, Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    pid: i32,
    /// How often it had taken something up, and since when it is at the last of it.
    at_work: Option<(u64, Duration)>,
    longest: Duration,
}

impl Busy {
    /// What the processes of all nodes tell now; who is not among them has ended.
    pub fn look(&mut self, told: &[(String, i32, Pulse)], now: Duration) {
        self.nodes.retain(|node, _| told.iter().any(|(one, ..)| one == node));
        for (node, pid, pulse) in told {
            self.saw(node, *pid, *pulse, now);
        }
    }

    fn saw(&mut self, node: &str, pid: i32, pulse: Pulse, now: Duration) {
        let seen = self.nodes.entry(node.to_owned()).or_default();
        if seen.pid != pid {
            *seen = Seen { pid, ..Seen::default() };
        }
        let is_at_work = pulse.taken_up > pulse.done;
        if let Some((_, since)) = seen.at_work.take_if(|(number, _)| !is_at_work || *number != pulse.taken_up) {
            seen.longest = seen.longest.max(now.saturating_sub(since));
        }
        if is_at_work {
            seen.at_work.get_or_insert((pulse.taken_up, now));
        }
    }

    /// The nodes that are at one thing for too long.
    #[must_use]
    pub fn lost(&self, now: Duration, patience: Duration) -> Vec<String> {
        let is_lost = |seen: &Seen| {
            let limit = patience.saturating_mul(PATIENCE).max(seen.longest.saturating_mul(LONGEST));
            seen.at_work.is_some_and(|(_, since)| now.saturating_sub(since) >= limit)
        };
        self.nodes.iter().filter(|(_, seen)| is_lost(seen)).map(|(node, _)| node.clone()).collect()
    }

    /// A node is started again.
    pub fn forget(&mut self, node: &str) {
        self.nodes.remove(node);
    }

    /// Everybody has a new start: this process itself has stood still.
    pub fn forget_all(&mut self) {
        self.nodes.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn told(node: &str, pid: i32, taken_up: u64, done: u64) -> (String, i32, Pulse) {
        (node.to_owned(), pid, Pulse { taken_up, done, ..Pulse::default() })
    }

    #[test]
    fn who_is_at_one_thing_for_a_minute_is_lost() {
        let mut busy = Busy::default();
        for second in 0..60 {
            let number = u64::from(second);
            busy.look(
                &[told("stt", 7, 3, 2), told("vad", 8, number + 1, number), told("rephrase", 9, 5, 5)],
                second * SECOND,
            );
            assert!(busy.lost(second * SECOND, 10 * SECOND).is_empty(), "{second}");
        }
        assert_eq!(busy.lost(60 * SECOND, 10 * SECOND), ["stt"]);
        busy.forget("stt");
        assert!(busy.lost(60 * SECOND, 10 * SECOND).is_empty());
    }

    #[test]
    fn who_is_always_slow_may_take_four_times_as_long_and_whoever_follows_him_may_not() {
        let mut busy = Busy::default();
        busy.look(&[told("stt", 7, 1, 0)], SECOND);
        busy.look(&[told("stt", 7, 1, 1)], 51 * SECOND);
        busy.look(&[told("stt", 7, 2, 1)], 60 * SECOND);
        assert!(busy.lost(259 * SECOND, 10 * SECOND).is_empty());
        assert_eq!(busy.lost(260 * SECOND, 10 * SECOND), ["stt"]);
        busy.look(&[told("stt", 12, 1, 0)], 300 * SECOND);
        assert!(busy.lost(359 * SECOND, 10 * SECOND).is_empty());
        assert_eq!(busy.lost(360 * SECOND, 10 * SECOND), ["stt"]);
    }

    #[test]
    fn who_has_ended_at_work_is_not_lost() {
        let mut busy = Busy::default();
        busy.look(&[told("display", 7, 1, 0)], SECOND);
        busy.look(&[], 2 * SECOND);
        assert!(busy.lost(100 * SECOND, 10 * SECOND).is_empty());
    }

    #[test]
    fn a_watch_that_has_stood_still_itself_takes_nobody_for_lost() {
        let mut busy = Busy::default();
        busy.look(&[told("stt", 7, 1, 0)], SECOND);
        busy.forget_all();
        busy.look(&[told("stt", 7, 1, 0)], 500 * SECOND);
        assert!(busy.lost(559 * SECOND, 10 * SECOND).is_empty());
        assert_eq!(busy.lost(560 * SECOND, 10 * SECOND), ["stt"]);
    }
}
