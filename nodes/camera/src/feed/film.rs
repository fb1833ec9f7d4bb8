//! A film: plays at its own pace, and starts again at its end.

use super::{Feed, Step};
use crate::pace::Throttle;
use crate::picture::{Fit, Picture};
use eyre::{Result, bail};
use opencv::videoio::{self, VideoCapture, VideoCaptureTrait, VideoCaptureTraitConst};
use std::time::Duration;

/// The rate of a film that does not say its own.
const USUAL_FPS: f64 = 25.0;
/// A film that says more is mistaken.
const GREATEST_FPS: f64 = 1000.0;
/// Times further apart than that are a fault of the film, not a pause in it.
const LONGEST_GAP: Duration = Duration::from_secs(10);

/// Brings the pictures of a film.
pub struct Film {
    capture: VideoCapture,
    reopen: Box<dyn Fn() -> Result<VideoCapture> + Send>,
    looping: bool,
    fit: Fit,
    throttle: Throttle,
    /// Pictures that the film says it has; 0 if it does not.
    count: u64,
    period: Duration,
    /// Whether the first picture of this round has been grabbed already.
    grabbed: bool,
    /// Pictures of this round so far, and those that could not be decoded.
    frames: u64,
    unreadable: u64,
    /// When the round began, and the time of its newest picture within it.
    offset: Duration,
    time: Duration,
    /// The film's own clock at its newest picture.
    clock: Option<Duration>,
    complained: bool,
    over: bool,
}

impl Film {
    /// Plays what `open` opens, at most `fps` pictures a second, none larger than `shape`.
    ///
    /// # Errors
    /// A film of which not even one picture can be read.
    pub fn new(
        open: impl Fn() -> Result<VideoCapture> + Send + 'static,
        shape: [usize; 2],
        fps: f64,
        looping: bool,
    ) -> Result<Self> {
        let capture = open()?;
        let own = capture.get(videoio::CAP_PROP_FPS).unwrap_or(0.0);
        let own = if own > 0.0 && own <= GREATEST_FPS { own } else { USUAL_FPS };
        // A float to integer cast saturates, and takes NaN to 0.
        let count = capture.get(videoio::CAP_PROP_FRAME_COUNT).unwrap_or(0.0) as u64;
        let mut film = Self {
            capture,
            reopen: Box::new(open),
            looping,
            fit: Fit::new(shape),
            throttle: Throttle::new(fps),
            count,
            period: Duration::from_secs_f64(1.0 / own),
            grabbed: false,
            frames: 0,
            unreadable: 0,
            offset: Duration::ZERO,
            time: Duration::ZERO,
            clock: None,
            complained: false,
            over: false,
        };
        if !film.capture.grab()? {
            bail!("not one picture of it can be read");
        }
        film.grabbed = true;
        Ok(film)
    }

    /// Whether it says how many pictures it has: a stream without end does not.
    #[must_use]
    pub fn is_finite(&self) -> bool {
        self.count > 0
    }

    /// Its pictures a second.
    #[must_use]
    pub fn fps(&self) -> f64 {
        self.period.as_secs_f64().recip()
    }

    /// Gives the capture away: it is a stream after all.
    #[must_use]
    pub fn into_capture(self) -> VideoCapture {
        self.capture
    }

    /// The time of the picture that has just been grabbed, from the film's first one on.
    fn advance(&mut self) -> Duration {
        let millis = self.capture.get(videoio::CAP_PROP_POS_MSEC).unwrap_or(0.0);
        let clock = (millis.is_finite() && millis >= 0.0).then(|| Duration::from_secs_f64(millis / 1e3));
        if self.frames > 0 {
            // The film's own times, where they make sense; else its rate.
            let gap = clock.zip(self.clock).and_then(|(new, old)| new.checked_sub(old));
            let gap = gap.filter(|gap| !gap.is_zero() && *gap <= LONGEST_GAP);
            self.time += gap.unwrap_or(self.period);
        }
        self.clock = clock;
        self.frames += 1;
        self.offset + self.time
    }

    /// The round is over: what of the film could not be read.
    fn complaint(&mut self) -> Option<String> {
        let (read, count) = (self.frames - self.unreadable, self.count);
        // Some containers only estimate their count.
        let missing = count.saturating_sub(self.frames) > 1 + count / 100;
        if self.complained || !(missing || self.unreadable > 0) {
            return None;
        }
        self.complained = true;
        let all = count.max(self.frames);
        let lost = all - read;
        Some(format!("{lost} of its {all} pictures cannot be read: it is damaged or cut short; the rest is shown"))
    }

    /// Starts again at the first picture.
    fn rewind(&mut self) -> Result<()> {
        self.offset += self.time + self.period;
        (self.time, self.clock, self.frames, self.unreadable) = (Duration::ZERO, None, 0, 0);
        let wound_back = self.capture.set(videoio::CAP_PROP_POS_FRAMES, 0.0)? && self.capture.grab()?;
        if !wound_back {
            self.capture = (self.reopen)()?;
            if !self.capture.grab()? {
                bail!("not one picture of it can be read any more");
            }
        }
        self.grabbed = true;
        Ok(())
    }
}

impl Feed for Film {
    fn bring(&mut self, into: &mut Picture) -> Result<Step> {
        if self.over {
            return Ok(Step::End);
        }
        if !std::mem::take(&mut self.grabbed) && !self.capture.grab()? {
            let complaint = self.complaint();
            if self.looping {
                self.rewind()?;
            } else {
                self.over = true;
            }
            return Ok(complaint.map_or(Step::Passed, Step::Remark));
        }
        let time = self.advance();
        if !self.throttle.admit(time) {
            return Ok(Step::Passed);
        }
        let mat = into.mat();
        if !self.capture.retrieve_def(mat)? {
            self.unreadable += 1;
            return Ok(Step::Passed);
        }
        self.fit.reduce(mat)?;
        Ok(Step::Due(time))
    }
}
