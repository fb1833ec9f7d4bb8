//! The last few source pictures, so that a painting is laid over the one that it was made from.

use mirror_contract::{Frame, Stamp};
use std::collections::VecDeque;

/// As many as can be under way between encoder and decoder. Each pins a piece of the encoder's shared memory.
const KEPT: usize = 6;

/// Source pictures by stamp.
#[derive(Debug, Default)]
pub struct Sources(VecDeque<Frame>);

impl Sources {
    /// Keeps a picture; the oldest one goes.
    pub fn keep(&mut self, frame: Frame) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(frame);
    }

    /// The pixels of the picture with that stamp, if it is still here and has that height and width.
    #[must_use]
    pub fn pixels(&self, stamp: &Stamp, size: [usize; 2]) -> Option<&[u8]> {
        let frame = self.find(stamp).filter(|frame| [frame.height, frame.width] == size)?;
        Some(&frame.pixels)
    }

    /// The picture with that stamp, if it is still here.
    #[must_use]
    pub fn find(&self, stamp: &Stamp) -> Option<&Frame> {
        self.0.iter().rev().find(|frame| frame.header.stamp == *stamp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mirror_contract::Header;

    fn frame(stream: &str, frame_id: i64) -> Frame {
        let stamp = Stamp { stream: stream.to_owned(), frame_id, captured_ns: 0 };
        let header = Header::of(stamp);
        Frame { header, height: 1, width: 1, pixels: vec![0, 0, 0].into() }
    }

    #[test]
    fn a_picture_is_found_by_its_stream_and_its_number() {
        let mut sources = Sources::default();
        sources.keep(frame("house", 1));
        sources.keep(frame("guest", 2));
        assert!(sources.find(&frame("house", 1).header.stamp).is_some());
        assert!(sources.find(&frame("house", 2).header.stamp).is_none());
    }

    #[test]
    fn only_the_last_few_are_kept() {
        let mut sources = Sources::default();
        for frame_id in 0..100 {
            sources.keep(frame("house", frame_id));
        }
        assert!(sources.find(&frame("house", 99).header.stamp).is_some());
        assert!(sources.find(&frame("house", 99 - KEPT as i64).header.stamp).is_none());
    }
}
