//! Whose turn it is: a stage works on the newest picture, and only when the next stage has taken up the one before.
//!
//! Without this a fast stage works on pictures that a newer one replaces before anybody has looked at them, and takes
//! the processor from the stages that finish pictures.

/// Longest wait for the next stage, in nanoseconds. One that is gone or restarts must not stop the stages before it.
const PATIENCE_NS: i64 = 500_000_000;

/// The newest picture that waits, and whether the next stage is ready for it.
#[derive(Debug)]
pub struct Turn<T> {
    /// The graph connects the next stage's word.
    asks: bool,
    waiting: Option<T>,
    /// When the last picture was sent on, if the next stage has not taken it up yet.
    sent_ns: Option<i64>,
}

impl<T> Turn<T> {
    /// A stage whose graph connects the next stage's word, or does not: then it is always its turn.
    #[must_use]
    pub fn new(asks: bool) -> Self {
        Self { asks, waiting: None, sent_ns: None }
    }

    /// A picture has come. Gives back the older one that it replaces.
    pub fn come(&mut self, picture: T) -> Option<T> {
        self.waiting.replace(picture)
    }

    /// The next stage has taken up what was sent.
    pub fn taken(&mut self) {
        self.sent_ns = None;
    }

    /// The picture to work on now, if there is one and the next stage is ready for it.
    pub fn next(&mut self, now_ns: i64) -> Option<T> {
        let ready = !self.asks || self.sent_ns.is_none_or(|sent_ns| now_ns - sent_ns > PATIENCE_NS);
        if ready { self.waiting.take() } else { None }
    }

    /// A picture was sent on.
    pub fn sent(&mut self, now_ns: i64) {
        self.sent_ns = Some(now_ns);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_waits_until_the_one_before_is_taken_up() {
        let mut turn = Turn::new(true);
        assert_eq!(turn.come(1), None);
        assert_eq!(turn.next(0), Some(1));
        turn.sent(0);
        turn.come(2);
        assert_eq!(turn.next(1), None);
        turn.taken();
        assert_eq!(turn.next(2), Some(2));
    }

    #[test]
    fn the_newest_picture_wins_and_the_older_one_is_given_back_to_be_counted() {
        let mut turn = Turn::new(true);
        turn.sent(0);
        assert_eq!((turn.come(1), turn.come(2)), (None, Some(1)));
        turn.taken();
        assert_eq!((turn.next(1), turn.next(1)), (Some(2), None));
    }

    #[test]
    fn a_stage_that_never_answers_does_not_stop_the_one_before() {
        let mut turn = Turn::new(true);
        turn.sent(0);
        turn.come(1);
        assert_eq!(turn.next(PATIENCE_NS), None);
        assert_eq!(turn.next(PATIENCE_NS + 1), Some(1));
    }

    #[test]
    fn without_the_edge_every_picture_is_worked_on_at_once() {
        let mut turn = Turn::new(false);
        turn.sent(0);
        turn.come(1);
        assert_eq!(turn.next(0), Some(1));
    }
}
