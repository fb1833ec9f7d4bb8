//! A camera, or a stream of the network: pictures come when they come.

use super::{Feed, Step};
use crate::pace::Throttle;
use crate::picture::{Fit, Picture};
use eyre::{Result, bail};
use mirror_contract::now_ns;
use opencv::videoio::{VideoCapture, VideoCaptureTrait};
use std::time::Instant;

/// Brings the pictures of a camera.
pub struct Live {
    capture: VideoCapture,
    fit: Fit,
    throttle: Throttle,
    start: Instant,
}

impl Live {
    /// Brings what that camera takes, at most `fps` pictures a second, none larger than `shape`.
    #[must_use]
    pub fn new(capture: VideoCapture, shape: [usize; 2], fps: f64) -> Self {
        Self { capture, fit: Fit::new(shape), throttle: Throttle::new(fps), start: Instant::now() }
    }
}

impl Feed for Live {
    fn bring(&mut self, into: &mut Picture) -> Result<Step> {
        if !self.capture.grab()? {
            bail!("it sends no more pictures");
        }
        // Now it is there; decoding it is ours, and counts.
        let captured_ns = now_ns();
        if !self.throttle.admit(self.start.elapsed()) {
            return Ok(Step::Passed);
        }
        let mat = into.mat();
        if !self.capture.retrieve_def(mat)? {
            bail!("it sends pictures that cannot be decoded");
        }
        self.fit.reduce(mat)?;
        Ok(Step::Live(captured_ns))
    }
}
