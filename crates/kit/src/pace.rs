//! When something that has a time of its own is due: a picture of a film, a stretch of a recording. The clock is the
//! caller's.

use std::time::Duration;

/// Plays pictures or sound at their own times: the n-th wait ends at `start + time of the n-th`, so that errors never add up.
#[derive(Debug, Default)]
pub struct Pace {
    /// What the clock shows at media time 0.
    start: Option<Duration>,
}

/// Up to here a late picture is made up for by the next waits; beyond, the whole film is shifted instead: after a
/// suspended machine, what is late must not come in one burst.
const CATCH_UP: Duration = Duration::from_millis(100);

impl Pace {
    /// How long to wait, at `now`, before what has the time `media` is played.
    pub fn wait(&mut self, media: Duration, now: Duration) -> Duration {
        let start = *self.start.get_or_insert(now.saturating_sub(media));
        let due = start + media;
        if now > due + CATCH_UP {
            self.start = Some(now.saturating_sub(media));
        }
        due.saturating_sub(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn the_first_picture_is_shown_at_once() {
        assert_eq!(Pace::default().wait(5 * MS, 1000 * MS), Duration::ZERO);
    }

    #[test]
    fn waits_that_end_late_do_not_add_up() {
        let mut pace = Pace::default();
        let mut now = Duration::ZERO;
        for picture in 0..10_000 {
            now += pace.wait(picture * 40 * MS, now) + 3 * MS;
        }
        assert_eq!(now, 9_999 * 40 * MS + 3 * MS);
    }

    #[test]
    fn after_a_long_halt_pictures_do_not_come_in_a_burst() {
        let mut pace = Pace::default();
        pace.wait(Duration::ZERO, Duration::ZERO);
        assert_eq!(pace.wait(40 * MS, 10_000 * MS), Duration::ZERO);
        assert_eq!(pace.wait(80 * MS, 10_000 * MS), 40 * MS);
    }

    #[test]
    fn a_short_delay_is_made_up_for() {
        let mut pace = Pace::default();
        pace.wait(Duration::ZERO, Duration::ZERO);
        assert_eq!(pace.wait(40 * MS, 100 * MS), Duration::ZERO);
        assert_eq!(pace.wait(80 * MS, 100 * MS), Duration::ZERO);
        assert_eq!(pace.wait(120 * MS, 100 * MS), 20 * MS);
    }
}
