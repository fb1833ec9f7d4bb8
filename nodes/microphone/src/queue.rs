//! Where the listening thread leaves its chunks, and what it has to say.

use crate::chunks::Chunk;
use eyre::Result;
use mirror_contract::Level;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Chunks that wait at most: some seconds. Then the oldest goes, and is counted.
const MOST: usize = 256;

/// What the event loop finds.
#[derive(Debug)]
pub enum Happening {
    /// A chunk, and how many have been lost before it.
    Sound(Chunk, i64),
    /// A line for people.
    Say(Level, String),
    /// The source has ended, well or not.
    End(Result<()>),
    /// Nothing has come.
    Nothing,
}

/// Between the listening thread and the event loop.
#[derive(Default)]
pub struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    chunks: VecDeque<Chunk>,
    lost: i64,
    says: VecDeque<(Level, String)>,
    end: Option<Result<()>>,
    stop: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is whole when the lock is let go: a thread that panicked has left nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves a chunk.
    pub fn put(&self, chunk: Chunk) {
        let mut state = self.lock();
        if state.chunks.len() == MOST {
            state.chunks.pop_front();
            state.lost += 1;
        }
        state.chunks.push_back(chunk);
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

    /// Waits for something to happen, but not longer than that. What was said comes first, the end last.
    pub fn next(&self, patience: Duration) -> Happening {
        let idle = |state: &mut State| state.chunks.is_empty() && state.says.is_empty() && state.end.is_none();
        let waited = self.changed.wait_timeout_while(self.lock(), patience, idle);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if let Some((level, text)) = state.says.pop_front() {
            Happening::Say(level, text)
        } else if let Some(chunk) = state.chunks.pop_front() {
            Happening::Sound(chunk, std::mem::take(&mut state.lost))
        } else if let Some(end) = state.end.take() {
            Happening::End(end)
        } else {
            Happening::Nothing
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

    const SOON: Duration = Duration::from_millis(5);

    fn chunk(number: i64) -> Chunk {
        Chunk { captured_ns: number, samples: Vec::new() }
    }

    #[test]
    fn chunks_come_in_their_order_after_what_was_said_and_before_the_end() {
        let queue = Queue::default();
        queue.end(Ok(()));
        (0..2).for_each(|number| queue.put(chunk(number)));
        queue.say(Level::Info, "one".to_owned());
        assert!(matches!(queue.next(SOON), Happening::Say(_, text) if text == "one"));
        assert!(matches!(queue.next(SOON), Happening::Sound(chunk, 0) if chunk.captured_ns == 0));
        assert!(matches!(queue.next(SOON), Happening::Sound(chunk, 0) if chunk.captured_ns == 1));
        assert!(matches!(queue.next(SOON), Happening::End(Ok(()))));
        assert!(matches!(queue.next(SOON), Happening::Nothing));
    }

    #[test]
    fn when_nobody_listens_the_oldest_sound_goes_and_is_counted() {
        let queue = Queue::default();
        (0..300).for_each(|number| queue.put(chunk(number)));
        assert!(matches!(queue.next(SOON), Happening::Sound(chunk, 44) if chunk.captured_ns == 44));
        assert!(matches!(queue.next(SOON), Happening::Sound(chunk, 0) if chunk.captured_ns == 45));
    }
}
