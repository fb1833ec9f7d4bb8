//! Whose turn it is: a stage works on the newest picture of a stream, on one stream after the other, and only when the next
//! stage has taken up the picture before.
//!
//! Without this a fast stage works on pictures that a newer one replaces before anybody has looked at them, and takes
//! the processor from the stages that finish pictures; and the stream whose pictures come most often would be the only one
//! that is painted.

use std::collections::VecDeque;

/// Longest wait for the next stage, in nanoseconds, as long as it is not known to be slow. One that is gone or restarts must
/// not stop the stages before it.
const PATIENCE_NS: i64 = 250_000_000;
/// A next stage that takes long is given so many times the time that it takes …
const PATIENCE_TIMES: i64 = 4;
/// … but no more than this, in nanoseconds.
const PATIENCE_MOST_NS: i64 = 20_000_000_000;
/// Streams whose pictures may wait at once. Each picture pins a piece of its sender's shared memory.
const WAITING: usize = 8;
/// Streams of which it is known when their turn was: more than there can be at once.
const REMEMBERED: usize = 256;

/// The newest picture of each stream that waits, and whether the next stage is ready for one. Once all streams have had their
/// turn, nothing is allocated.
#[derive(Debug)]
pub struct Turn<T> {
    /// The stream of a picture.
    of: fn(&T) -> &str,
    /// The graph connects the next stage's word.
    asks: bool,
    /// In the order in which their streams began to wait.
    waiting: VecDeque<T>,
    /// The streams that have had their turn; the one whose turn was last is last.
    served: VecDeque<String>,
    /// When the last picture was sent on, if the next stage has not taken it up yet; and the first since its last word.
    sent_ns: Option<[i64; 2]>,
    /// How long the next stage takes to take a picture up: the longest lately.
    answer_ns: i64,
}

impl<T> Turn<T> {
    /// A stage whose graph connects the next stage's word, or does not: then it is always its turn.
    #[must_use]
    pub fn new(asks: bool, of: fn(&T) -> &str) -> Self {
        Self { of, asks, waiting: VecDeque::new(), served: VecDeque::new(), sent_ns: None, answer_ns: 0 }
    }

    /// A picture has come. Gives back the one that is not worked on because of it: the older one of the same
    /// stream; where too many streams wait, the one that waits longest.
    pub fn come(&mut self, picture: T) -> Option<T> {
        let of = self.of;
        if let Some(waiting) = self.waiting.iter_mut().find(|waiting| of(waiting) == of(&picture)) {
            return Some(std::mem::replace(waiting, picture));
        }
        let crowded = if self.waiting.len() == WAITING { self.waiting.pop_front() } else { None };
        self.waiting.push_back(picture);
        crowded
    }

    /// The next stage has taken up what was sent.
    pub fn taken(&mut self, now_ns: i64) {
        if let Some([_, first_ns]) = self.sent_ns.take() {
            // One slow answer may be that of a stage that was started again: it is believed by and by. And a stage that was slow
            // once is soon believed to be fast again.
            let most_ns = 2 * self.answer_ns.max(PATIENCE_NS / PATIENCE_TIMES);
            self.answer_ns = (now_ns - first_ns).min(most_ns).max(self.answer_ns - self.answer_ns / 4);
        }
    }

    /// The picture to work on now, if there is one and the next stage is ready for it: of the streams that wait, the one whose
    /// turn was longest ago.
    pub fn next(&mut self, now_ns: i64) -> Option<T> {
        let patience = (PATIENCE_TIMES * self.answer_ns).clamp(PATIENCE_NS, PATIENCE_MOST_NS);
        let ready = !self.asks || self.sent_ns.is_none_or(|[sent_ns, _]| now_ns - sent_ns > patience);
        if !ready || self.waiting.is_empty() {
            return None;
        }
        let turn = |stream: &str| self.served.iter().position(|served| served == stream);
        // `None` is before all others: a stream that never had a turn. The first of equals wins.
        let at = (0..self.waiting.len()).min_by_key(|at| turn((self.of)(&self.waiting[*at])))?;
        let picture = self.waiting.remove(at)?;
        self.serve((self.of)(&picture));
        Some(picture)
    }

    /// Notes that it was this stream's turn.
    fn serve(&mut self, stream: &str) {
        let known = self.served.iter().position(|served| served == stream).and_then(|at| self.served.remove(at));
        if known.is_none() && self.served.len() == REMEMBERED {
            self.served.pop_front();
        }
        self.served.push_back(known.unwrap_or_else(|| stream.to_owned()));
    }

    /// A picture was sent on.
    pub fn sent(&mut self, now_ns: i64) {
        let first_ns = self.sent_ns.map_or(now_ns, |[_, first_ns]| first_ns);
        self.sent_ns = Some([now_ns, first_ns]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    /// A picture: its stream and its number.
    type Picture = (String, usize);

    fn asking(asks: bool) -> Turn<Picture> {
        Turn::new(asks, |(stream, _)| stream)
    }

    fn come(turn: &mut Turn<Picture>, stream: &str, picture: usize) -> Option<usize> {
        turn.come((stream.to_owned(), picture)).map(|(_, picture)| picture)
    }

    fn next(turn: &mut Turn<Picture>, now_ns: i64) -> Option<usize> {
        turn.next(now_ns).map(|(_, picture)| picture)
    }

    #[test]
    fn a_picture_waits_until_the_one_before_is_taken_up() {
        let mut turn = asking(true);
        assert_eq!(come(&mut turn, "house", 1), None);
        assert_eq!(next(&mut turn, 0), Some(1));
        turn.sent(0);
        come(&mut turn, "house", 2);
        assert_eq!(next(&mut turn, 1), None);
        turn.taken(2);
        assert_eq!(next(&mut turn, 2), Some(2));
    }

    #[test]
    fn the_newest_picture_of_a_stream_wins_and_the_older_one_is_given_back_to_be_counted() {
        let mut turn = asking(true);
        turn.sent(0);
        assert_eq!(
            (come(&mut turn, "house", 1), come(&mut turn, "house", 2), come(&mut turn, "guest", 3)),
            (None, Some(1), None)
        );
        turn.taken(1);
        assert_eq!((next(&mut turn, 1), next(&mut turn, 1), next(&mut turn, 1)), (Some(2), Some(3), None));
    }

    #[test]
    fn a_stage_that_never_answers_does_not_stop_the_one_before() {
        let mut turn = asking(true);
        turn.sent(0);
        come(&mut turn, "house", 1);
        assert_eq!(next(&mut turn, PATIENCE_NS), None);
        assert_eq!(next(&mut turn, PATIENCE_NS + 1), Some(1));
    }

    #[test]
    fn a_stage_that_is_known_to_be_slow_is_waited_for_and_one_that_is_fast_again_is_not() {
        const SECOND: i64 = 1_000_000_000;
        let mut turn = asking(true);
        for answer in 0..6 {
            // Of two pictures that were sent on the first is meant: so long it took.
            turn.sent(2 * answer * SECOND);
            turn.sent((2 * answer + 1) * SECOND);
            turn.taken(2 * (answer + 1) * SECOND);
        }
        turn.sent(12 * SECOND);
        come(&mut turn, "house", 1);
        assert_eq!(next(&mut turn, 20 * SECOND), None);
        assert_eq!(next(&mut turn, 20 * SECOND + 1), Some(1));
        turn.taken(20 * SECOND + 2);
        for picture in 0..40 {
            let now_ns = 21 * SECOND + picture;
            turn.sent(now_ns);
            turn.taken(now_ns);
        }
        turn.sent(30 * SECOND);
        come(&mut turn, "house", 2);
        assert_eq!(next(&mut turn, 30 * SECOND + PATIENCE_NS + 1), Some(2));
    }

    #[test]
    fn one_slow_answer_of_a_stage_that_was_started_again_does_not_make_the_next_picture_wait_for_long() {
        const MILLISECOND: i64 = 1_000_000;
        let mut turn = asking(true);
        turn.sent(0);
        turn.taken(400 * MILLISECOND);
        turn.sent(400 * MILLISECOND);
        come(&mut turn, "house", 1);
        assert_eq!(next(&mut turn, 400 * MILLISECOND + 2 * PATIENCE_NS + 1), Some(1));
    }

    #[test]
    fn without_the_edge_every_picture_is_worked_on_at_once() {
        let mut turn = asking(false);
        turn.sent(0);
        come(&mut turn, "house", 1);
        assert_eq!(next(&mut turn, 0), Some(1));
    }

    #[test]
    fn a_camera_that_brings_far_more_pictures_than_others_gets_no_more_turns() {
        let mut turn = asking(true);
        let mut turns: HashMap<String, usize> = HashMap::new();
        // Visitors come one after the other, as they are admitted; the camera is always there again.
        let mut visitors = ["one", "two", "three"].into_iter().cycle();
        come(&mut turn, visitors.next().expect("endless"), 0);
        for _ in 0..400 {
            for _ in 0..5 {
                come(&mut turn, "house", 0);
            }
            let (served, _) = turn.next(0).expect("somebody waits");
            if served != "house" {
                come(&mut turn, visitors.next().expect("endless"), 0);
            }
            *turns.entry(served).or_default() += 1;
        }
        assert_eq!(turns.values().copied().collect::<Vec<_>>(), [100; 4], "{turns:?}");
    }

    #[test]
    fn streams_that_come_and_go_do_not_fill_the_memory() {
        let mut turn = asking(true);
        let crowded = (0..10_000).filter_map(|stream| come(&mut turn, &stream.to_string(), stream)).count();
        assert_eq!((crowded, turn.waiting.len()), (10_000 - WAITING, WAITING));
        for stream in 0..10_000 {
            come(&mut turn, &stream.to_string(), stream);
            next(&mut turn, 0);
        }
        assert_eq!(turn.served.len(), REMEMBERED);
    }
}
