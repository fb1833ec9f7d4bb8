//! Visitors' streams: they end some time, and there may be more of them than can be spoken of at once.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};

/// After so many ticks without a word a visitor is gone: ten minutes. `web` says every minute which are there.
pub const GONE: u32 = 600;
/// Visitors whose settings are said with one tick. With what else comes they fit into the queues of the nodes (64 messages).
pub const AT_ONCE: usize = 16;

/// Who is there, as far as is known.
#[derive(Debug, Default)]
pub struct Visitors {
    /// Ticks since the last word, by stream.
    idle: BTreeMap<String, u32>,
    /// Of whom was spoken last.
    spoken: String,
}

impl Visitors {
    /// A word of that stream has come.
    pub fn hear(&mut self, stream: &str) {
        self.idle.insert(stream.to_owned(), 0);
    }

    /// That stream is forgotten.
    pub fn forget(&mut self, stream: &str) {
        self.idle.remove(stream);
    }

    /// A tick has passed: who is gone by now.
    pub fn tick(&mut self) -> Vec<String> {
        self.idle.values_mut().for_each(|idle| *idle += 1);
        let gone: Vec<String> =
            self.idle.iter().filter(|(_, idle)| **idle > GONE).map(|(stream, _)| stream.clone()).collect();
        gone.iter().for_each(|stream| self.forget(stream));
        gone
    }

    /// Of whom is to be spoken now: of a few, and next time of the next ones.
    pub fn round(&mut self) -> Vec<String> {
        let after = self.idle.range::<str, _>((Excluded(self.spoken.as_str()), Unbounded));
        let round = after.chain(self.idle.iter()).map(|(stream, _)| stream.clone());
        let round: Vec<String> = round.take(AT_ONCE.min(self.idle.len())).collect();
        if let Some(last) = round.last() {
            self.spoken.clone_from(last);
        }
        round
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_visitor_of_whom_nothing_was_heard_for_ten_minutes_is_gone() {
        let mut visitors = Visitors::default();
        visitors.hear("visitor/anna");
        visitors.hear("visitor/bert");
        assert!((0..GONE).all(|_| visitors.tick().is_empty()));
        visitors.hear("visitor/anna");
        assert_eq!(visitors.tick(), ["visitor/bert"]);
        assert_eq!(visitors.round(), ["visitor/anna"]);
    }

    #[test]
    fn everybody_is_spoken_of_in_turn_and_nobody_twice_at_once() {
        let mut visitors = Visitors::default();
        assert_eq!(visitors.round(), [""; 0]);
        for visitor in 0..100 {
            visitors.hear(&format!("visitor/{visitor}"));
        }
        let rounds: Vec<Vec<String>> = (0..7).map(|_| visitors.round()).collect();
        assert!(rounds.iter().all(|round| round.iter().collect::<BTreeSet<_>>().len() == AT_ONCE));
        assert_eq!(rounds.iter().flatten().collect::<BTreeSet<_>>().len(), 100);
    }
}
