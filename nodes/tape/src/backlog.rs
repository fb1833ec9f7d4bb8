//! The queue between the graph and the disk: of so many bytes, not of so many messages.

use mirror_tape::Taped;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// What a message takes besides its payload: its metadata, roughly.
const ENVELOPE: usize = 1024;

/// Messages that wait for the disk.
pub struct Backlog {
    state: Mutex<State>,
    bell: Condvar,
    limit: usize,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Taped>,
    bytes: usize,
    dropped: u64,
    closed: bool,
}

impl Backlog {
    /// An empty queue for that many bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { state: Mutex::default(), bell: Condvar::new(), limit }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is whole when the lock is let go: a thread that panicked has left nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a message of that many bytes would find room; if not it counts as dropped. Asked before the message is
    /// copied, so that a disk that hangs costs the graph nothing.
    pub fn has_room(&self, bytes: usize) -> bool {
        let mut state = self.lock();
        let room = !state.closed && state.bytes + bytes + ENVELOPE <= self.limit;
        if !room {
            state.dropped += 1;
        }
        room
    }

    /// Takes a message in.
    pub fn push(&self, taped: Taped) {
        let mut state = self.lock();
        state.bytes += taped.payload.len() + ENVELOPE;
        state.waiting.push_back(taped);
        self.bell.notify_one();
    }

    /// The oldest message; waits for one. `None`: there will be no more.
    pub fn pop(&self) -> Option<Taped> {
        let mut state = self.lock();
        loop {
            if let Some(taped) = state.waiting.pop_front() {
                state.bytes -= taped.payload.len() + ENVELOPE;
                return Some(taped);
            }
            if state.closed {
                return None;
            }
            state = self.bell.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// No more messages are taken in; those that wait can still be had.
    pub fn close(&self) {
        self.lock().closed = true;
        self.bell.notify_all();
    }

    /// Nothing can be written any more: what waits is dropped, and all that comes.
    pub fn give_up(&self) {
        let mut state = self.lock();
        state.dropped += state.waiting.len() as u64;
        (state.closed, state.bytes) = (true, 0);
        state.waiting.clear();
        self.bell.notify_all();
    }

    /// How many messages found no room.
    pub fn dropped(&self) -> u64 {
        self.lock().dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mirror_tape::Payload;
    use std::collections::BTreeMap;

    fn message(log_ns: i64, bytes: usize) -> Taped {
        let payload = Payload::Bytes(vec![0; bytes]);
        Taped { topic: "camera/frame".to_owned(), log_ns, parameters: BTreeMap::default(), payload }
    }

    #[test]
    fn messages_leave_in_the_order_in_which_they_came() {
        let backlog = Backlog::new(1 << 20);
        for number in 0..3 {
            assert!(backlog.has_room(10));
            backlog.push(message(number, 10));
        }
        backlog.close();
        assert!(!backlog.has_room(10), "it is closed");
        let times: Vec<i64> = std::iter::from_fn(|| backlog.pop()).map(|taped| taped.log_ns).collect();
        assert_eq!((times, backlog.dropped()), (vec![0, 1, 2], 1));
    }

    #[test]
    fn what_finds_no_room_is_counted_and_room_comes_back() {
        let backlog = Backlog::new(10_000);
        assert!(backlog.has_room(6000));
        backlog.push(message(0, 6000));
        assert!(!backlog.has_room(6000) && !backlog.has_room(6000));
        assert_eq!(backlog.dropped(), 2);
        backlog.pop();
        assert!(backlog.has_room(6000));
    }

    #[test]
    fn a_disk_that_is_full_costs_what_waits_and_all_that_comes() {
        let backlog = Backlog::new(1 << 20);
        (0..3).for_each(|number| backlog.push(message(number, 10)));
        backlog.give_up();
        assert!(!backlog.has_room(1));
        assert_eq!((backlog.pop(), backlog.dropped()), (None, 4));
    }
}
