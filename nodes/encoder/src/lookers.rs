//! Whose source pictures somebody looks at just now: they are sent along, and nobody else's are.

/// How long one word counts, in nanoseconds: it is said again twice a second.
const LEASE_NS: i64 = 2_500_000_000;
/// Streams at once: more than a mirror has cameras.
const STREAMS: usize = 16;

/// The streams whose source pictures are wanted, and until when.
#[derive(Debug, Default)]
pub struct Lookers(Vec<(String, i64)>);

impl Lookers {
    /// Somebody looks at that stream, as of `now_ns`. Beyond so many streams nobody new is heard.
    pub fn look(&mut self, stream: &str, now_ns: i64) {
        self.0.retain(|(name, until_ns)| name != stream && *until_ns > now_ns);
        if self.0.len() < STREAMS {
            self.0.push((stream.to_owned(), now_ns + LEASE_NS));
        }
    }

    /// Whether somebody does.
    #[must_use]
    pub fn want(&self, stream: &str, now_ns: i64) -> bool {
        self.0.iter().any(|(name, until_ns)| name == stream && *until_ns > now_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_counts_for_its_stream_and_for_a_while() {
        let mut lookers = Lookers::default();
        assert!(!lookers.want("house", 0));
        lookers.look("house", 0);
        assert!(lookers.want("house", LEASE_NS - 1) && !lookers.want("garden", 0));
        assert!(!lookers.want("house", LEASE_NS));
        lookers.look("house", LEASE_NS - 1);
        assert!(lookers.want("house", 2 * LEASE_NS - 2));
    }

    #[test]
    fn words_for_ever_new_streams_do_not_fill_the_memory() {
        let mut lookers = Lookers::default();
        (0..10_000).for_each(|number| lookers.look(&number.to_string(), 0));
        assert_eq!(lookers.0.len(), STREAMS);
        lookers.look("house", LEASE_NS);
        assert_eq!(lookers.0.len(), 1);
    }
}
