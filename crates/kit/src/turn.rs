//! Whose turn it is: a stage works on the newest picture of a stream, on one stream after the other, and only when the next
//! stage has taken up the picture before, or is about to.
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

/// What the next stage says of the pictures that it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// Nothing: it is always this stage's turn.
    Nothing,
    /// That it has taken a picture up: then the next one is worked on.
    Taken,
    /// That it is done with a picture. While it has one in hand, or on the way, the next one is worked on, and no more: one that
    /// comes when it is done finds it waiting. As often as after [`Taken`](Self::Taken), and without waiting for a word to come back
    /// from a stage that had nothing else to do.
    Finished,
}

/// The newest picture of each stream that waits, and whether the next stage is ready for one. Once all streams have had their
/// turn, nothing is allocated.
#[derive(Debug)]
pub struct Turn<T> {
    /// The stream of a picture.
    of: fn(&T) -> &str,
    /// What the graph connects.
    word: Word,
    /// In the order in which their streams began to wait.
    waiting: VecDeque<T>,
    /// The streams that have had their turn; the one whose turn was last is last.
    served: VecDeque<String>,
    /// When the last picture was sent on, if the next stage has not said its word of it yet; and the first since its last word.
    sent_ns: Option<[i64; 2]>,
    /// The last picture that was sent on: its stream and its number.
    sent: (String, i64),
    /// Of the picture before that one, the word is missing too.
    behind: bool,
    /// How long the next stage's word takes: the longest lately.
    answer_ns: i64,
}

impl<T> Turn<T> {
    /// A stage of a graph that connects that word of the next stage.
    #[must_use]
    pub fn new(word: Word, of: fn(&T) -> &str) -> Self {
        let (waiting, served) = (VecDeque::new(), VecDeque::new());
        Self { of, word, waiting, served, sent_ns: None, sent: (String::new(), 0), behind: false, answer_ns: 0 }
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

    /// The next stage has said its word of a picture: of that number, of that stream.
    pub fn said(&mut self, (stream, frame_id): (&str, i64), now_ns: i64) {
        let Some([sent_ns, first_ns]) = self.sent_ns.take() else { return };
        // One slow answer may be that of a stage that was started again: it is believed by and by. And a stage that was slow
        // once is soon believed to be fast again.
        let most_ns = 2 * self.answer_ns.max(PATIENCE_NS / PATIENCE_TIMES);
        self.answer_ns = (now_ns - first_ns).min(most_ns).max(self.answer_ns - self.answer_ns / 4);
        self.behind = false;
        // What is done may be the picture before; what is taken up is the newest in any case.
        let is_last = self.sent.0 == stream && self.sent.1 == frame_id;
        if self.word == Word::Finished && !is_last {
            self.sent_ns = Some([sent_ns; 2]);
        }
    }

    /// The picture to work on now, if there is one and the next stage is ready for it: of the streams that wait, the one whose
    /// turn was longest ago.
    pub fn next(&mut self, now_ns: i64) -> Option<T> {
        let patience = (PATIENCE_TIMES * self.answer_ns).clamp(PATIENCE_NS, PATIENCE_MOST_NS);
        let patient = self.sent_ns.is_some_and(|[sent_ns, _]| now_ns - sent_ns <= patience);
        let waits = match self.word {
            Word::Nothing => false,
            Word::Taken => patient,
            Word::Finished => patient && self.behind,
        };
        if waits || self.waiting.is_empty() {
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

    /// A picture was sent on: that number, of that stream.
    pub fn sent(&mut self, (stream, frame_id): (&str, i64), now_ns: i64) {
        self.behind = self.sent_ns.is_some();
        let first_ns = self.sent_ns.map_or(now_ns, |[_, first_ns]| first_ns);
        self.sent_ns = Some([now_ns, first_ns]);
        self.sent.0.clear();
        self.sent.0.push_str(stream);
        self.sent.1 = frame_id;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    /// A picture: its stream and its number.
    type Picture = (String, usize);

    /// A picture that was sent on.
    const ONE: (&str, i64) = ("house", 1);

    fn hearing(word: Word) -> Turn<Picture> {
        Turn::new(word, |(stream, _)| stream)
    }

    fn come(turn: &mut Turn<Picture>, stream: &str, picture: usize) -> Option<usize> {
        turn.come((stream.to_owned(), picture)).map(|(_, picture)| picture)
    }

    fn next(turn: &mut Turn<Picture>, now_ns: i64) -> Option<usize> {
        turn.next(now_ns).map(|(_, picture)| picture)
    }

    #[test]
    fn a_picture_waits_until_the_one_before_is_taken_up() {
        let mut turn = hearing(Word::Taken);
        assert_eq!(come(&mut turn, "house", 1), None);
        assert_eq!(next(&mut turn, 0), Some(1));
        turn.sent(ONE, 0);
        come(&mut turn, "house", 2);
        assert_eq!(next(&mut turn, 1), None);
        turn.said(ONE, 2);
        assert_eq!(next(&mut turn, 2), Some(2));
    }

    #[test]
    fn the_newest_picture_of_a_stream_wins_and_the_older_one_is_given_back_to_be_counted() {
        let mut turn = hearing(Word::Taken);
        turn.sent(ONE, 0);
        assert_eq!(
            (come(&mut turn, "house", 1), come(&mut turn, "house", 2), come(&mut turn, "guest", 3)),
            (None, Some(1), None)
        );
        turn.said(ONE, 1);
        assert_eq!((next(&mut turn, 1), next(&mut turn, 1), next(&mut turn, 1)), (Some(2), Some(3), None));
    }

    #[test]
    fn a_stage_that_never_answers_does_not_stop_the_one_before() {
        let mut turn = hearing(Word::Taken);
        turn.sent(ONE, 0);
        come(&mut turn, "house", 1);
        assert_eq!(next(&mut turn, PATIENCE_NS), None);
        assert_eq!(next(&mut turn, PATIENCE_NS + 1), Some(1));
    }

    #[test]
    fn a_stage_that_is_known_to_be_slow_is_waited_for_and_one_that_is_fast_again_is_not() {
        const SECOND: i64 = 1_000_000_000;
        let mut turn = hearing(Word::Taken);
        for answer in 0..6 {
            // Of two pictures that were sent on the first is meant: so long it took.
            turn.sent(ONE, 2 * answer * SECOND);
            turn.sent(ONE, (2 * answer + 1) * SECOND);
            turn.said(ONE, 2 * (answer + 1) * SECOND);
        }
        turn.sent(ONE, 12 * SECOND);
        come(&mut turn, "house", 1);
        assert_eq!(next(&mut turn, 20 * SECOND), None);
        assert_eq!(next(&mut turn, 20 * SECOND + 1), Some(1));
        turn.said(ONE, 20 * SECOND + 2);
        for picture in 0..40 {
            let now_ns = 21 * SECOND + picture;
            turn.sent(ONE, now_ns);
            turn.said(ONE, now_ns);
        }
        turn.sent(ONE, 30 * SECOND);
        come(&mut turn, "house", 2);
        assert_eq!(next(&mut turn, 30 * SECOND + PATIENCE_NS + 1), Some(2));
    }

    #[test]
    fn one_slow_answer_of_a_stage_that_was_started_again_does_not_make_the_next_picture_wait_for_long() {
        const MILLISECOND: i64 = 1_000_000;
        let mut turn = hearing(Word::Taken);
        turn.sent(ONE, 0);
        turn.said(ONE, 400 * MILLISECOND);
        turn.sent(ONE, 400 * MILLISECOND);
        come(&mut turn, "house", 1);
        assert_eq!(next(&mut turn, 400 * MILLISECOND + 2 * PATIENCE_NS + 1), Some(1));
    }

    #[test]
    fn a_picture_is_made_ready_while_the_next_stage_has_one_in_hand_and_no_second_one() {
        let mut turn = hearing(Word::Finished);
        let turn_of = |turn: &mut Turn<Picture>, picture: usize, now_ns: i64| {
            come(turn, "house", picture);
            next(turn, now_ns)
        };
        assert_eq!(turn_of(&mut turn, 1, 0), Some(1));
        turn.sent(("house", 1), 0);
        // The first one is in hand: the second one is made, and lies there when it is done.
        assert_eq!(turn_of(&mut turn, 2, 1), Some(2));
        turn.sent(("house", 2), 2);
        assert_eq!(turn_of(&mut turn, 3, 3), None);
        turn.said(("house", 1), 4);
        assert_eq!(next(&mut turn, 4), Some(3));
        turn.sent(("house", 3), 5);
        assert_eq!(turn_of(&mut turn, 4, 5), None);
        // A stage that has nothing else to do is done with both at once, and nothing is behind.
        turn.said(("house", 2), 6);
        turn.said(("house", 3), 7);
        assert_eq!(next(&mut turn, 7), Some(4));
        turn.sent(("house", 4), 8);
        assert_eq!(turn_of(&mut turn, 5, 8), Some(5));
    }

    #[test]
    fn pictures_that_get_lost_on_the_way_do_not_narrow_the_way_for_those_behind_them() {
        let mut turn = hearing(Word::Finished);
        for picture in 1..=2 {
            turn.sent(("house", picture), 0);
        }
        come(&mut turn, "house", 3);
        assert_eq!(next(&mut turn, PATIENCE_NS), None);
        // Of neither a word has come, and none comes any more: the next stage was started again.
        assert_eq!(next(&mut turn, PATIENCE_NS + 1), Some(3));
        turn.sent(("house", 3), PATIENCE_NS + 1);
        turn.said(("house", 3), PATIENCE_NS + 2);
        turn.sent(("house", 4), PATIENCE_NS + 3);
        come(&mut turn, "house", 5);
        assert_eq!(next(&mut turn, PATIENCE_NS + 3), Some(5));
    }

    #[test]
    fn the_word_of_another_streams_picture_of_the_same_number_is_not_taken_for_the_last_ones() {
        let mut turn = hearing(Word::Finished);
        turn.sent(("house", 7), 0);
        turn.sent(("garden", 7), 1);
        turn.said(("house", 7), 2);
        turn.sent(("house", 8), 3);
        come(&mut turn, "garden", 8);
        assert_eq!(next(&mut turn, 3), None, "the garden's picture is still in hand");
    }

    #[test]
    fn without_the_edge_every_picture_is_worked_on_at_once() {
        let mut turn = hearing(Word::Nothing);
        turn.sent(ONE, 0);
        come(&mut turn, "house", 1);
        assert_eq!(next(&mut turn, 0), Some(1));
    }

    #[test]
    fn a_camera_that_brings_far_more_pictures_than_others_gets_no_more_turns() {
        let mut turn = hearing(Word::Taken);
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
        let mut turn = hearing(Word::Taken);
        let crowded = (0..10_000).filter_map(|stream| come(&mut turn, &stream.to_string(), stream)).count();
        assert_eq!((crowded, turn.waiting.len()), (10_000 - WAITING, WAITING));
        for stream in 0..10_000 {
            come(&mut turn, &stream.to_string(), stream);
            next(&mut turn, 0);
        }
        assert_eq!(turn.served.len(), REMEMBERED);
    }
}
