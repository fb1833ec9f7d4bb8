//! Between the thread that reads a source and the event loop: what it has brought, what it has to say, and its end.

use eyre::Result;
use mirror_contract::Level;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What the event loop finds.
#[derive(Debug)]
pub enum Found<T> {
    /// What the thread has brought.
    Brought(T),
    /// A line for people.
    Say(Level, String),
    /// The source has ended, well or not.
    End(Result<()>),
    /// Nothing has come.
    Nothing,
}

/// A place for `goods`: one picture, a queue of sound. What replaces what is theirs to say.
#[derive(Default)]
pub struct Handover<G> {
    state: Mutex<State<G>>,
    changed: Condvar,
}

#[derive(Default)]
struct State<G> {
    goods: G,
    says: VecDeque<(Level, String)>,
    end: Option<Result<()>>,
    stop: bool,
}

impl<G> Handover<G> {
    fn lock(&self) -> MutexGuard<'_, State<G>> {
        // Every change is whole when the lock is let go: a thread that panicked has left nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the goods, and wakes whoever waits for them.
    pub fn change<T>(&self, change: impl FnOnce(&mut G) -> T) -> T {
        let changed = change(&mut self.lock().goods);
        self.changed.notify_all();
        changed
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

    /// Waits for something to happen, but not longer than that. What was said comes before what `take` finds among the
    /// goods, and both before the end.
    pub fn next<T>(&self, patience: Duration, mut take: impl FnMut(&mut G) -> Option<T>) -> Found<T> {
        let until = Instant::now() + patience;
        let mut state = self.lock();
        loop {
            if let Some((level, text)) = state.says.pop_front() {
                return Found::Say(level, text);
            }
            if let Some(goods) = take(&mut state.goods) {
                return Found::Brought(goods);
            }
            if let Some(end) = state.end.take() {
                return Found::End(end);
            }
            let rest = until.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return Found::Nothing;
            }
            (state, _) = self.changed.wait_timeout(state, rest).unwrap_or_else(PoisonError::into_inner);
        }
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
            (state, _) = self.changed.wait_timeout(state, rest).unwrap_or_else(PoisonError::into_inner);
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
