//! Where the grabbing thread leaves the newest picture, and what it has to say.

use crate::picture::Picture;
use eyre::Result;
use mirror_contract::Level;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A picture that has been taken.
#[derive(Default)]
pub struct Taken {
    /// The picture.
    pub picture: Picture,
    /// Counts the pictures from 0; a gap is a picture that a newer one has overtaken.
    pub frame_id: i64,
    /// When it was there: nanoseconds since the Unix epoch.
    pub captured_ns: i64,
    /// What it comes from, for people.
    pub source: Arc<str>,
}

/// What the event loop finds.
pub enum Happening {
    /// A picture lies in the [`Taken`] that was lent.
    Picture,
    /// A line for people.
    Say(Level, String),
    /// The source has ended, well or not.
    End(Result<()>),
    /// Nothing has come.
    Nothing,
}

/// One place for one picture: a newer one takes it, whoever was there.
#[derive(Default)]
pub struct Newest {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: bool,
    taken: Taken,
    source: Arc<str>,
    frames: i64,
    overtaken: i64,
    says: VecDeque<(Level, String)>,
    end: Option<Result<()>>,
    stop: bool,
}

impl Newest {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is whole when the lock is let go: a thread that panicked has left nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says what the pictures come from, from here on.
    pub fn opened(&self, source: &str) {
        self.lock().source = source.into();
    }

    /// Leaves a picture, and takes back the buffer of an older one.
    pub fn put(&self, picture: &mut Picture, captured_ns: i64) {
        let mut state = self.lock();
        if state.waiting {
            state.overtaken += 1;
        }
        std::mem::swap(&mut state.taken.picture, picture);
        state.taken.captured_ns = captured_ns;
        state.taken.source = Arc::clone(&state.source);
        state.taken.frame_id = state.frames;
        state.frames += 1;
        state.waiting = true;
        self.changed.notify_all();
    }

    /// Leaves a line for people. Lines are never lost.
    pub fn say(&self, level: Level, text: String) {
        self.lock().says.push_back((level, text));
        self.changed.notify_all();
    }

    /// The source has ended.
    pub fn end(&self, result: Result<()>) {
        self.lock().end = Some(result);
        self.changed.notify_all();
    }

    /// Waits for something to happen, but not longer than that. A picture is swapped into `taken`, whose buffer goes
    /// back to the thread. What was said comes before the picture after it, and both before the end.
    pub fn next(&self, patience: Duration, taken: &mut Taken) -> Happening {
        let idle = |state: &mut State| !state.waiting && state.says.is_empty() && state.end.is_none();
        let waited = self.changed.wait_timeout_while(self.lock(), patience, idle);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if let Some((level, text)) = state.says.pop_front() {
            Happening::Say(level, text)
        } else if state.waiting {
            state.waiting = false;
            std::mem::swap(&mut state.taken, taken);
            Happening::Picture
        } else if let Some(end) = state.end.take() {
            Happening::End(end)
        } else {
            Happening::Nothing
        }
    }

    /// How many pictures a newer one has overtaken since this was last asked.
    pub fn overtaken(&self) -> i64 {
        std::mem::take(&mut self.lock().overtaken)
    }

    /// Sleeps that long. `false`, at once: the mirror stops.
    pub fn pause(&self, wait: Duration) -> bool {
        let until = Instant::now() + wait;
        let mut state = self.lock();
        loop {
            let rest = until.saturating_duration_since(Instant::now());
            if state.stop || rest.is_zero() {
                return !state.stop;
            }
            let waited = self.changed.wait_timeout(state, rest);
            (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Whether the mirror stops.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.lock().stop
    }

    /// Tells the thread to stop.
    pub fn stop(&self) {
        self.lock().stop = true;
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    const SOON: Duration = Duration::from_millis(5);

    fn put(newest: &Newest, number: u64) {
        newest.put(&mut Picture::Pattern { number, shape: [4, 4] }, 1000 + i64::try_from(number).expect("small"));
    }

    #[test]
    fn only_the_newest_picture_waits_and_the_others_are_counted() {
        let (newest, mut taken) = (Newest::default(), Taken::default());
        (0..3).for_each(|number| put(&newest, number));
        assert!(matches!(newest.next(SOON, &mut taken), Happening::Picture));
        assert!(matches!(taken.picture, Picture::Pattern { number: 2, .. }));
        assert_eq!((taken.frame_id, taken.captured_ns, newest.overtaken()), (2, 1002, 2));
        assert!(matches!(newest.next(SOON, &mut taken), Happening::Nothing));
        put(&newest, 3);
        assert!(matches!(newest.next(SOON, &mut taken), Happening::Picture));
        assert_eq!((taken.frame_id, newest.overtaken()), (3, 0));
    }

    #[test]
    fn lines_come_first_and_the_end_last() {
        let (newest, mut taken) = (Newest::default(), Taken::default());
        newest.end(Ok(()));
        put(&newest, 0);
        newest.say(Level::Info, "one".to_owned());
        newest.say(Level::Info, "two".to_owned());
        assert!(matches!(newest.next(SOON, &mut taken), Happening::Say(_, text) if text == "one"));
        assert!(matches!(newest.next(SOON, &mut taken), Happening::Say(_, text) if text == "two"));
        assert!(matches!(newest.next(SOON, &mut taken), Happening::Picture));
        assert!(matches!(newest.next(SOON, &mut taken), Happening::End(Ok(()))));
    }

    #[test]
    fn a_pause_ends_at_once_when_the_mirror_stops() {
        let newest = Arc::new(Newest::default());
        assert!(newest.pause(SOON));
        let (pausing, start) = (Arc::clone(&newest), Instant::now());
        let thread = std::thread::spawn(move || pausing.pause(Duration::from_secs(60)));
        newest.stop();
        assert!(!thread.join().expect("no panic"));
        assert!(start.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn a_pause_is_not_cut_short_by_pictures_that_are_taken() {
        let newest = Newest::default();
        std::thread::scope(|scope| {
            scope.spawn(|| (0..5).for_each(|number| put(&newest, number)));
            let start = Instant::now();
            assert!(newest.pause(Duration::from_millis(30)));
            assert!(start.elapsed() >= Duration::from_millis(30));
        });
    }
}
