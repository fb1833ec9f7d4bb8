//! Which picture stands at which place of a film of constant rate.

/// Pictures a second in the film.
pub const FPS: u32 = 30;

/// Longest stretch without a picture that the film shows in full, in places: 10 s. A longer one is cut to this.
const LONGEST_GAP: i64 = 10 * FPS as i64;

/// Nanoseconds in a second.
const SECOND: i64 = 1_000_000_000;

/// Puts pictures at their places: real time, whatever rate they come at.
#[derive(Debug, Clone, Default)]
pub struct Pace {
    start_ns: Option<i64>,
    written: i64,
}

impl Pace {
    /// The place of a picture captured then: how many times the picture before it is to be repeated first. `None`: its
    /// place is taken, it is left out.
    pub fn place(&mut self, captured_ns: i64) -> Option<u32> {
        let start = *self.start_ns.get_or_insert(captured_ns);
        // The nearest place.
        let place = ((captured_ns - start) * i64::from(FPS) + SECOND / 2).div_euclid(SECOND);
        let gap = place - self.written;
        if gap < 0 {
            return None;
        }
        if gap > LONGEST_GAP {
            // What comes later comes earlier by as much.
            self.start_ns = Some(start + (gap - LONGEST_GAP) * SECOND / i64::from(FPS));
        }
        let repeats = gap.min(LONGEST_GAP);
        self.written += repeats + 1;
        u32::try_from(repeats).ok()
    }

    /// How many places are filled.
    #[must_use]
    pub fn written(&self) -> i64 {
        self.written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(pace: &mut Pace, times: impl IntoIterator<Item = i64>) -> Vec<Option<u32>> {
        times.into_iter().map(|time| pace.place(time)).collect()
    }

    #[test]
    fn pictures_at_the_films_rate_follow_each_other() {
        let mut pace = Pace::default();
        // 2 ms early or late, as cameras are.
        let times = (0..300).map(|frame| 5 * SECOND + frame * SECOND / 30 + (frame % 3 - 1) * 2_000_000);
        assert!(places(&mut pace, times).iter().all(|place| *place == Some(0)));
        assert_eq!(pace.written(), 300);
    }

    #[test]
    fn a_slow_mirror_repeats_and_stays_in_real_time() {
        let mut pace = Pace::default();
        let times = (0..=40).map(|frame| frame * SECOND / 8);
        places(&mut pace, times);
        assert_eq!(pace.written(), 5 * 30 + 1);
    }

    #[test]
    fn a_fast_mirror_leaves_out_and_stays_in_real_time() {
        let mut pace = Pace::default();
        let times = (0..=500).map(|frame| frame * SECOND / 100);
        let left_out = places(&mut pace, times).iter().filter(|place| place.is_none()).count();
        assert_eq!(pace.written(), 5 * 30 + 1);
        assert_eq!(left_out, 501 - 151);
    }

    #[test]
    fn a_clock_that_goes_back_leaves_out() {
        let mut pace = Pace::default();
        assert_eq!(places(&mut pace, [10 * SECOND, 9 * SECOND, 10 * SECOND + SECOND / 30]), [Some(0), None, Some(0)]);
    }

    #[test]
    fn a_very_long_gap_is_cut() {
        let mut pace = Pace::default();
        let times = [0, 3600 * SECOND, 3600 * SECOND + SECOND / 30];
        assert_eq!(places(&mut pace, times), [Some(0), Some(300), Some(0)]);
    }
}
