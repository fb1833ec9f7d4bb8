//! Which prompt is due when. The clock is the caller's.

/// Nanoseconds in a second.
const SECOND: f64 = 1e9;

/// How long an unanswered request waits before it is made again: `control` may have been restarted.
const REPEAT_NS: i64 = 1_000_000_000;

/// Where a recording stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// No picture has come yet.
    Waiting,
    /// None has come for too long.
    Hopeless,
    /// The prompt of that index is in turn.
    Prompt(usize),
    /// The time is up.
    Over,
}

/// Shares the time of a recording equally among its prompts.
#[derive(Debug, Clone)]
pub struct Schedule {
    prompts: usize,
    length_ns: i64,
    patience_until_ns: i64,
    started_ns: Option<i64>,
    /// The prompt asked for last, when, and whether the settings have it.
    asked: Option<(usize, i64, bool)>,
}

impl Schedule {
    /// So many prompts in so many seconds; `now_ns` is when the waiting for the first picture begins.
    #[must_use]
    pub fn new(prompts: usize, seconds: f64, patience_seconds: f64, now_ns: i64) -> Self {
        let patience_until_ns = now_ns.saturating_add((patience_seconds * SECOND) as i64);
        let length_ns = (seconds * SECOND) as i64;
        Self { prompts: prompts.max(1), length_ns, patience_until_ns, started_ns: None, asked: None }
    }

    /// A picture has come: the first one starts the recording.
    pub fn picture(&mut self, now_ns: i64) {
        self.started_ns.get_or_insert(now_ns);
    }

    /// When the first picture came.
    #[must_use]
    pub fn started_ns(&self) -> Option<i64> {
        self.started_ns
    }

    /// Seconds since the first picture; `None` before it.
    #[must_use]
    pub fn second(&self, now_ns: i64) -> Option<f64> {
        self.started_ns.map(|started| (now_ns - started) as f64 / SECOND)
    }

    /// Where the recording stands.
    #[must_use]
    pub fn phase(&self, now_ns: i64) -> Phase {
        let Some(started) = self.started_ns else {
            return if now_ns >= self.patience_until_ns { Phase::Hopeless } else { Phase::Waiting };
        };
        let passed = now_ns - started;
        if passed >= self.length_ns {
            return Phase::Over;
        }
        let share = passed.max(0) as f64 / self.length_ns as f64;
        Phase::Prompt(((share * self.prompts as f64) as usize).min(self.prompts - 1))
    }

    /// The prompt to ask for now: when its turn comes, and again as long as nobody has answered.
    pub fn due(&mut self, now_ns: i64) -> Option<usize> {
        let Phase::Prompt(index) = self.phase(now_ns) else { return None };
        if let Some((asked, at_ns, answered)) = self.asked
            && asked == index
            && (answered || now_ns - at_ns < REPEAT_NS)
        {
            return None;
        }
        self.asked = Some((index, now_ns, false));
        Some(index)
    }

    /// The prompt asked for last.
    #[must_use]
    pub fn asked(&self) -> Option<usize> {
        self.asked.map(|(index, ..)| index)
    }

    /// The settings have the prompt asked for last, or another one.
    pub fn answered(&mut self, yes: bool) {
        if let Some((_, _, answered)) = &mut self.asked {
            *answered = yes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: i64 = 1_000_000_000;

    #[test]
    fn the_time_is_shared_equally_from_the_first_picture_on() {
        let mut schedule = Schedule::new(4, 20.0, 60.0, 0);
        assert_eq!(schedule.phase(7 * S), Phase::Waiting);
        schedule.picture(7 * S);
        schedule.picture(9 * S);
        let phases = [7, 11, 12, 17, 26, 27].map(|second| schedule.phase(second * S));
        let expected = [0, 0, 1, 2, 3].map(Phase::Prompt);
        assert_eq!(phases[..5], expected);
        assert_eq!(phases[5], Phase::Over);
        assert_eq!(schedule.second(9 * S), Some(2.0));
    }

    #[test]
    fn each_prompt_is_asked_for_once_if_it_is_answered() {
        let mut schedule = Schedule::new(2, 4.0, 60.0, 0);
        assert_eq!(schedule.due(0), None);
        schedule.picture(0);
        let mut asked = Vec::new();
        for tenth in 0..50 {
            if let Some(index) = schedule.due(tenth * S / 10) {
                asked.push((tenth, index));
                schedule.answered(true);
            }
        }
        assert_eq!(asked, [(0, 0), (20, 1)]);
    }

    #[test]
    fn an_unanswered_request_is_made_again_after_a_second() {
        let mut schedule = Schedule::new(1, 10.0, 60.0, 0);
        schedule.picture(0);
        assert_eq!(schedule.due(0), Some(0));
        assert_eq!(schedule.due(S - 1), None);
        assert_eq!(schedule.due(S), Some(0));
        schedule.answered(true);
        assert_eq!(schedule.due(3 * S), None);
        schedule.answered(false);
        assert_eq!(schedule.due(4 * S), Some(0));
    }

    #[test]
    fn without_a_picture_patience_ends() {
        let mut schedule = Schedule::new(1, 10.0, 3.0, 2 * S);
        assert_eq!(schedule.phase(5 * S - 1), Phase::Waiting);
        assert_eq!(schedule.phase(5 * S), Phase::Hopeless);
        assert_eq!(schedule.due(5 * S), None);
    }
}
