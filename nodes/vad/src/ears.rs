//! An ear for each stream that is listened to.

use std::collections::HashMap;

/// Streams that are listened to at a time.
pub const MOST: usize = 64;
/// A stream that has been still for this long, in nanoseconds, makes room for another one. A microphone sends silence too:
/// still is one that is gone.
const STILL_NS: i64 = 10_000_000_000;

/// Ears by stream.
#[derive(Debug)]
pub struct Ears<E>(HashMap<String, (E, i64)>);

impl<E> Default for Ears<E> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<E> Ears<E> {
    /// The ear of a stream that is heard now; a new one if it has none. `None`: all are in use.
    pub fn of(&mut self, stream: &str, now_ns: i64, new: impl FnOnce() -> E) -> Option<&mut E> {
        if !self.0.contains_key(stream) {
            if self.0.len() >= MOST {
                self.0.retain(|_, (_, heard_ns)| now_ns - *heard_ns < STILL_NS);
            }
            if self.0.len() >= MOST {
                return None;
            }
            self.0.insert(stream.to_owned(), (new(), now_ns));
        }
        let (ear, heard_ns) = self.0.get_mut(stream)?;
        *heard_ns = now_ns;
        Some(ear)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stream_keeps_its_own_ear() {
        let mut ears = Ears::default();
        for (stream, expected) in [("house", 1), ("anna", 2), ("house", 1), ("anna", 2)] {
            assert_eq!(ears.of(stream, 0, || expected).copied(), Some(expected));
        }
    }

    #[test]
    fn streams_that_are_gone_make_room_and_those_that_are_heard_do_not() {
        let mut ears = Ears::default();
        for stream in 0..MOST {
            assert!(ears.of(&stream.to_string(), 0, || stream).is_some());
        }
        assert!(ears.of("one more", STILL_NS - 1, || 0).is_none());
        assert_eq!(ears.of("7", STILL_NS, || 0).copied(), Some(7));
        assert!(ears.of("one more", STILL_NS, || 1000).is_some());
        assert_eq!(ears.of("7", STILL_NS, || 0).copied(), Some(7));
        assert_eq!(ears.0.len(), 2);
    }
}
