//! How long to wait before a source is tried again.

use std::time::Duration;

/// First wait.
const SHORTEST: Duration = Duration::from_millis(500);
/// No wait is longer; a source that has worked for as long as that is trusted again.
const LONGEST: Duration = Duration::from_secs(8);

/// Waits that double from 0.5 s to 8 s.
#[derive(Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The source has failed: how long to wait before the next try.
    pub fn failed(&mut self) -> Duration {
        let wait = SHORTEST.saturating_mul(1 << self.failures.min(8)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        wait
    }

    /// The source has worked for that long. One that dies again at once is not hammered.
    pub fn worked(&mut self, lived: Duration) {
        if lived >= LONGEST {
            self.failures = 0;
        }
    }

    /// Whether this failure is worth a line: the 1st, 2nd, 4th, 8th …, so that an outage of days stays readable.
    #[must_use]
    pub fn worth_saying(&self) -> bool {
        self.failures.is_power_of_two()
    }

    /// How often the source has failed since it last worked.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_from_half_a_second_to_eight() {
        let mut backoff = Backoff::default();
        let waits: Vec<f32> = (0..7).map(|_| backoff.failed().as_secs_f32()).collect();
        assert_eq!(waits, [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]);
    }

    #[test]
    fn an_outage_of_weeks_does_not_overflow() {
        let mut backoff = Backoff { failures: u32::MAX - 1 };
        for _ in 0..4 {
            assert_eq!(backoff.failed(), LONGEST);
        }
    }

    #[test]
    fn a_source_that_works_again_is_trusted_again() {
        let mut backoff = Backoff::default();
        backoff.failed();
        backoff.failed();
        backoff.worked(LONGEST);
        assert_eq!(backoff.failed(), SHORTEST);
    }

    #[test]
    fn a_source_that_dies_again_at_once_is_not_hammered() {
        let mut backoff = Backoff::default();
        backoff.failed();
        backoff.worked(Duration::from_secs(1));
        assert_eq!(backoff.failed(), Duration::from_secs(1));
    }

    #[test]
    fn a_long_outage_is_said_ever_more_rarely() {
        let mut backoff = Backoff::default();
        let said = (0..1000)
            .filter(|_| {
                backoff.failed();
                backoff.worth_saying()
            })
            .count();
        assert_eq!(said, 10);
    }
}
