//! Whether the word that a picture was taken up can wait until the picture is done.
//!
//! Saying it costs half a millisecond of the moment in which the stage begins its work: two processes wake up. It hurries only
//! where the next picture comes before this one is done; in a lull nobody waits for it.

/// Pictures whose distances are remembered.
const REMEMBERED: usize = 16;
/// A camera's pictures come so much earlier than expected, in nanoseconds.
const MARGIN_NS: i64 = 2_000_000;

/// When pictures came, and how long this stage takes. Nothing is allocated.
#[derive(Debug, Clone, Default)]
pub struct Lull {
    /// When the newest picture was captured.
    captured_ns: Option<i64>,
    /// How far apart the last ones were captured, of whatever streams.
    apart_ns: [i64; REMEMBERED],
    /// How many distances were ever noted.
    noted: usize,
    /// When the picture in hand was taken up.
    taken_ns: Option<i64>,
    /// How long a picture takes: the longest lately.
    takes_ns: i64,
}

impl Lull {
    /// A picture that was captured then is taken up now. Whether no other one is expected before it is done: as close behind it as
    /// the closest of the last ones were. Unknown is no.
    pub fn take(&mut self, captured_ns: i64, now_ns: i64) -> bool {
        if let Some(before_ns) = self.captured_ns.replace(captured_ns) {
            self.apart_ns[self.noted % REMEMBERED] = (captured_ns - before_ns).abs();
            self.noted += 1;
        }
        let known = self.taken_ns.replace(now_ns).is_none() && self.takes_ns > 0 && self.noted >= REMEMBERED;
        let next_ns = captured_ns + self.apart_ns.iter().min().copied().unwrap_or_default();
        known && next_ns > now_ns + self.takes_ns + MARGIN_NS
    }

    /// The picture in hand is done.
    pub fn done(&mut self, now_ns: i64) {
        let Some(taken_ns) = self.taken_ns.take() else { return };
        self.takes_ns = (now_ns - taken_ns).max(self.takes_ns - self.takes_ns / 8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    /// Pictures so far apart that are taken up so long after they were captured, and take so long: whether the last word could wait.
    fn after(count: i64, apart: i64, age: i64, takes: i64) -> (Lull, bool) {
        let (mut lull, mut waits) = (Lull::default(), false);
        for picture in 1..=count {
            let captured_ns = picture * apart;
            waits = lull.take(captured_ns, captured_ns + age);
            lull.done(captured_ns + age + takes);
        }
        (lull, waits)
    }

    #[test]
    fn a_word_waits_where_the_picture_is_done_before_the_next_one_comes() {
        assert!(after(40, 70 * MS, 30 * MS, 13 * MS).1);
        assert!(!after(40, 33 * MS, 30 * MS, 13 * MS).1);
    }

    #[test]
    fn as_long_as_too_few_pictures_were_seen_no_word_waits() {
        assert!(!after(REMEMBERED as i64, 70 * MS, 30 * MS, 13 * MS).1);
    }

    #[test]
    fn one_picture_that_comes_close_behind_makes_words_hurry_for_a_while() {
        let (mut lull, waits) = after(40, 70 * MS, 30 * MS, 13 * MS);
        assert!(waits);
        let mut captured_ns = 40 * 70 * MS + 33 * MS;
        let mut hurried = 0;
        while !lull.take(captured_ns, captured_ns + 30 * MS) {
            lull.done(captured_ns + 43 * MS);
            captured_ns += 70 * MS;
            hurried += 1;
        }
        assert_eq!(hurried, REMEMBERED);
    }

    #[test]
    fn pictures_of_several_streams_at_once_hurry() {
        let mut lull = Lull::default();
        for picture in 0..40 {
            for stream in 0..2 {
                let captured_ns = picture * 70 * MS + stream * MS;
                assert!(!lull.take(captured_ns, captured_ns + 10 * MS));
                lull.done(captured_ns + 12 * MS);
            }
        }
    }

    #[test]
    fn a_stage_that_was_slow_once_is_expected_to_be_slow_for_a_while() {
        let (mut lull, _) = after(40, 70 * MS, 30 * MS, 13 * MS);
        let captured_ns = 41 * 70 * MS;
        assert!(lull.take(captured_ns, captured_ns + 30 * MS));
        lull.done(captured_ns + 80 * MS);
        let captured_ns = captured_ns + 70 * MS;
        assert!(!lull.take(captured_ns, captured_ns + 30 * MS));
    }

    #[test]
    fn a_picture_that_was_never_done_makes_the_next_word_hurry() {
        let (mut lull, _) = after(40, 70 * MS, 30 * MS, 13 * MS);
        let captured_ns = 41 * 70 * MS;
        assert!(lull.take(captured_ns, captured_ns + 30 * MS));
        assert!(!lull.take(captured_ns + 70 * MS, captured_ns + 100 * MS));
    }
}
