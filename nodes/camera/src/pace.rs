//! Which pictures are too many. The clock is the caller's.

use std::time::Duration;

/// Lets pass no more pictures a second than it is told; a camera's jitter costs none.
#[derive(Debug)]
pub struct Throttle {
    period: Duration,
    /// When the next one is due.
    due: Option<Duration>,
}

impl Throttle {
    /// At most `fps` pictures a second; `fps` is above 0.
    #[must_use]
    pub fn new(fps: f64) -> Self {
        Self { period: Duration::from_secs_f64(1.0 / fps), due: None }
    }

    /// Whether the picture of time `at` may pass. Times rise.
    pub fn admit(&mut self, at: Duration) -> bool {
        let due = self.due.unwrap_or(at);
        // A quarter of a period early is jitter.
        if at + self.period / 4 < due {
            return false;
        }
        // What was not used is not saved up for a burst.
        self.due = Some(due.max(at.saturating_sub(self.period)) + self.period);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn admitted(fps: f64, times: impl Iterator<Item = Duration>) -> usize {
        let mut throttle = Throttle::new(fps);
        times.filter(|at| throttle.admit(*at)).count()
    }

    #[test]
    fn a_camera_of_the_asked_rate_loses_nothing_to_jitter() {
        let jitter = [0, 7, 3, 5, 1].map(|ms| ms * MS);
        let times = (0..300).map(|at: u32| at * Duration::from_secs(1) / 30 + jitter[at as usize % 5]);
        assert_eq!(admitted(30.0, times), 300);
    }

    #[test]
    fn a_faster_camera_is_held_to_the_asked_rate() {
        for rate in [31, 40, 50, 60, 90, 120, 240, 1000] {
            let times = (0..10 * rate).map(|at| at * Duration::from_secs(1) / rate);
            let count = admitted(30.0, times);
            assert!((295..=301).contains(&count), "{count} pictures in 10 s at {rate} fps");
        }
    }

    #[test]
    fn a_pause_is_not_saved_up_for_a_burst() {
        let mut throttle = Throttle::new(10.0);
        assert!(throttle.admit(Duration::ZERO));
        let burst = (0..10).filter(|at| throttle.admit(10_000 * MS + *at * MS)).count();
        assert!(burst <= 2, "{burst}");
    }
}
