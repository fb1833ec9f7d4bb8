//! Pictures → JPEG, on a thread of its own.
//!
//! Latest wins twice: a picture that comes while the one before is being encoded replaces it in the slot, and a client
//! that is slow finds only the newest one in the watch. Nothing is encoded while nobody watches.

use crate::config::Config;
use crate::meter::Meter;
use crate::traces::Traces;
use bytes::Bytes;
use eyre::Result;
use mirror_contract::{Frame, StageTime, Stamp, now_ns};
use mirror_kit::{Figures, Summary};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use tokio::sync::watch;
use turbojpeg::{Compressor, Image, PixelFormat, Subsamp};

/// What stands between the parts of a stream of pictures.
pub const BOUNDARY: &str = "mirror";
/// What a stream of pictures begins with.
pub const OPENING: &[u8] = b"--mirror\r\n";

/// An encoded picture.
#[derive(Debug, Clone)]
pub struct Picture {
    /// Which frame it was made from.
    pub stamp: Stamp,
    /// The JPEG file.
    pub jpeg: Bytes,
    /// The same as a part of a stream: headers, file, and the boundary of the *next* part, because some browsers show a
    /// part only when they see its end.
    pub part: Bytes,
}

impl Picture {
    fn of(stamp: Stamp, jpeg: &[u8]) -> Self {
        let (len, frame_id) = (jpeg.len(), stamp.frame_id);
        let head = format!("Content-Type: image/jpeg\r\nContent-Length: {len}\r\nX-Frame-Id: {frame_id}\r\n\r\n");
        let part: Bytes = [head.as_bytes(), jpeg, b"\r\n", OPENING].concat().into();
        Self { stamp, jpeg: part.slice(head.len()..head.len() + len), part }
    }
}

/// A picture that waits to be encoded.
struct Waiting {
    frame: Frame,
    received_ns: i64,
    drops: i64,
    /// It is in the figures already, because nobody watched when it came.
    counted: bool,
}

#[derive(Default)]
struct Slot {
    waiting: Option<Waiting>,
    overtaken: i64,
    is_closed: bool,
}

/// Where pictures go in and JPEGs come out. Its thread ends with [`close`](Press::close).
pub struct Press {
    slot: Mutex<Slot>,
    bell: Condvar,
    output: watch::Sender<Option<Arc<Picture>>>,
    figures: Mutex<Shown>,
    meter: Meter,
    traces: Option<Traces>,
}

#[derive(Default)]
struct Shown {
    figures: Figures,
    last_ns: Option<i64>,
}

/// A thread that panicked has left nothing half done here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Press {
    /// A press with its thread.
    ///
    /// # Errors
    /// The JPEG library does not start; traces are to go to an address that is none.
    pub fn start(config: &Config) -> Result<Arc<Self>> {
        let traces = Traces::to(&config.traces)?;
        let mut compressor = Compressor::new()?;
        compressor.set_quality(config.quality)?;
        compressor.set_subsamp(Subsamp::Sub2x2)?;
        let (output, _) = watch::channel(None);
        let (slot, bell, figures, meter) = (Mutex::default(), Condvar::new(), Mutex::default(), Meter::default());
        let press = Arc::new(Self { slot, bell, output, figures, meter, traces });
        let worker = press.clone();
        thread::Builder::new().name("press".to_owned()).spawn(move || worker.run(&mut compressor))?;
        Ok(press)
    }

    /// Puts a picture in: taken up at `received_ns`, after `drops` others were dropped on the way.
    pub fn offer(&self, frame: Frame, received_ns: i64, drops: i64) {
        let is_watched = self.output.receiver_count() > 0;
        if !is_watched {
            // Whoever comes next must not see what was shown when the last one left.
            self.output.send_if_modified(|newest| newest.take().is_some());
            self.shown(&frame, None);
        }
        let mut slot = lock(&self.slot);
        let waiting = Waiting { frame, received_ns, drops, counted: !is_watched };
        if slot.waiting.replace(waiting).is_some() && is_watched {
            slot.overtaken += 1;
        }
        drop(slot);
        self.bell.notify_one();
    }

    /// The newest picture, and each one after it.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Option<Arc<Picture>>> {
        let receiver = self.output.subscribe();
        // Under the lock: the press either sees the new watcher or hears the bell.
        drop(lock(&self.slot));
        self.bell.notify_one();
        receiver
    }

    /// The figures of the five seconds before `now_ns`, and the milliseconds since the last picture.
    #[must_use]
    pub fn figures(&self, now_ns: i64) -> (Summary, Option<i64>) {
        let silent_ms = self.silent_ms(now_ns);
        (lock(&self.figures).figures.summary(now_ns), silent_ms)
    }

    /// The milliseconds since the last picture; `None` before the first.
    #[must_use]
    pub fn silent_ms(&self, now_ns: i64) -> Option<i64> {
        lock(&self.figures).last_ns.map(|last| (now_ns - last).max(0) / 1_000_000)
    }

    /// The counters.
    #[must_use]
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    fn shown(&self, frame: &Frame, stage: Option<StageTime>) {
        let now = now_ns();
        let mut header = frame.header.clone();
        header.trace.0.extend(stage);
        self.meter.shown(&header, now);
        if let Some(traces) = &self.traces {
            traces.shown(&header, now);
        }
        let mut shown = lock(&self.figures);
        shown.last_ns = Some(now);
        shown.figures.shown(&header, now);
    }

    /// Ends its thread.
    pub fn close(&self) {
        lock(&self.slot).is_closed = true;
        self.bell.notify_one();
    }

    fn next(&self) -> Option<(Waiting, i64)> {
        let mut slot = lock(&self.slot);
        loop {
            if slot.is_closed {
                return None;
            }
            if self.output.receiver_count() > 0
                && let Some(waiting) = slot.waiting.take()
            {
                return Some((waiting, slot.overtaken));
            }
            slot = self.bell.wait(slot).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn run(&self, compressor: &mut Compressor) {
        let mut failed: u64 = 0;
        while let Some((waiting, overtaken)) = self.next() {
            let Waiting { frame, received_ns, drops, counted } = waiting;
            let (width, height) = (frame.width, frame.height);
            let image = Image {
                pixels: &frame.pixels[..],
                width,
                pitch: width * Frame::CHANNELS,
                height,
                format: PixelFormat::RGB,
            };
            match compressor.compress_to_owned(image) {
                Ok(jpeg) => {
                    let picture = Picture::of(frame.header.stamp.clone(), &jpeg);
                    // First counted, then sent: whoever has seen a picture finds it in the figures.
                    if !counted {
                        let (stage, drops) = ("web".to_owned(), drops + overtaken);
                        self.shown(&frame, Some(StageTime { stage, received_ns, sent_ns: now_ns(), drops }));
                    }
                    self.output.send_replace(Some(Arc::new(picture)));
                }
                Err(error) => {
                    failed += 1;
                    if failed.is_power_of_two() {
                        tracing::warn!(
                            "a picture of {width} × {height} could not be encoded ({failed} so far): {error}"
                        );
                    }
                }
            }
        }
    }
}
