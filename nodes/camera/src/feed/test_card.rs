//! The moving test picture.

use super::{Feed, Step};
use crate::picture::Picture;
use eyre::Result;
use std::time::Duration;

/// Brings test pictures, numbered from 0.
pub struct TestCard {
    shape: [usize; 2],
    fps: f64,
    number: u64,
}

impl TestCard {
    /// Test pictures of `[height, width]`, so many a second.
    #[must_use]
    pub fn new(shape: [usize; 2], fps: f64) -> Self {
        Self { shape, fps, number: 0 }
    }
}

impl Feed for TestCard {
    fn bring(&mut self, into: &mut Picture) -> Result<Step> {
        *into = Picture::Pattern { number: self.number, shape: self.shape };
        let due = Duration::from_secs_f64(self.number as f64 / self.fps);
        self.number += 1;
        Ok(Step::Due(due))
    }
}
