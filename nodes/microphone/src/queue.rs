//! Where the listening thread leaves its chunks, and what it has to say.

use crate::chunks::Chunk;
use mirror_kit::handover::{Found, Handover};
use std::collections::VecDeque;
use std::ops::Deref;
use std::time::Duration;

/// Chunks that wait at most: some seconds. Then the oldest goes, and is counted.
const MOST: usize = 256;

/// What the event loop finds: a chunk, and how many have been lost before it.
pub type Happening = Found<(Chunk, i64)>;

/// Between the listening thread and the event loop.
#[derive(Default)]
pub struct Queue(Handover<Waiting>);

/// What waits there.
#[derive(Default)]
pub struct Waiting {
    chunks: VecDeque<Chunk>,
    lost: i64,
}

impl Queue {
    /// Leaves a chunk.
    pub fn put(&self, chunk: Chunk) {
        self.0.change(|waiting| {
            if waiting.chunks.len() == MOST {
                waiting.chunks.pop_front();
                waiting.lost += 1;
            }
            waiting.chunks.push_back(chunk);
        });
    }

    /// Waits for something to happen, but not longer than that. What was said comes first, the end last.
    pub fn next(&self, patience: Duration) -> Happening {
        self.0.next(patience, |waiting| Some((waiting.chunks.pop_front()?, std::mem::take(&mut waiting.lost))))
    }
}

/// Lines for people, the end and the wish to stop are as everywhere.
impl Deref for Queue {
    type Target = Handover<Waiting>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mirror_contract::Level;

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
        assert!(matches!(queue.next(SOON), Happening::Brought((chunk, 0)) if chunk.captured_ns == 0));
        assert!(matches!(queue.next(SOON), Happening::Brought((chunk, 0)) if chunk.captured_ns == 1));
        assert!(matches!(queue.next(SOON), Happening::End(Ok(()))));
        assert!(matches!(queue.next(SOON), Happening::Nothing));
    }

    #[test]
    fn when_nobody_listens_the_oldest_sound_goes_and_is_counted() {
        let queue = Queue::default();
        (0..300).for_each(|number| queue.put(chunk(number)));
        assert!(matches!(queue.next(SOON), Happening::Brought((chunk, 44)) if chunk.captured_ns == 44));
        assert!(matches!(queue.next(SOON), Happening::Brought((chunk, 0)) if chunk.captured_ns == 45));
    }
}
