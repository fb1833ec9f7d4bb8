//! Pictures → JPEG, on a thread of its own: those of all streams, one after the other.
//!
//! Latest wins twice: a picture that comes while the one before of its stream is being encoded replaces it in the slot, and a
//! client that is slow finds only the newest one in the watch. Nothing is encoded while nobody watches.

use crate::config::Config;
use crate::meter::Meter;
use crate::traces::Traces;
use bytes::Bytes;
use eyre::Result;
use mirror_contract::{Frame, Painting, Settings, StageTime, Stamp, now_ns};
use mirror_kit::{Figures, Summary};
use std::collections::VecDeque;
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
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// How it was painted: prompt, pack, provider.
    pub painting: Option<Painting>,
    /// The settings that were in force when its frame went into the graph.
    pub settings: Arc<Settings>,
    /// When it was encoded: nanoseconds since the Unix epoch.
    pub shown_ns: i64,
    /// The JPEG file.
    pub jpeg: Bytes,
    /// What it was made from, as a JPEG file: while somebody compares.
    pub before: Option<Bytes>,
    /// The same as a part of a stream: headers, file, and the boundary of the *next* part, because some browsers show a
    /// part only when they see its end.
    pub part: Bytes,
}

impl Picture {
    fn of(shot: Shot, jpeg: &[u8], before: Option<Bytes>) -> Self {
        let Shot { frame, settings, .. } = shot;
        let (stamp, painting) = (frame.header.stamp, frame.header.painting);
        let (len, frame_id) = (jpeg.len(), stamp.frame_id);
        let head = format!("Content-Type: image/jpeg\r\nContent-Length: {len}\r\nX-Frame-Id: {frame_id}\r\n\r\n");
        let part: Bytes = [head.as_bytes(), jpeg, b"\r\n", OPENING].concat().into();
        let (width, height, shown_ns) = (frame.width, frame.height, now_ns());
        let jpeg = part.slice(head.len()..head.len() + len);
        Self { stamp, width, height, painting, settings, shown_ns, jpeg, before, part }
    }
}

/// A picture that is to be shown.
#[derive(Debug)]
pub struct Shot {
    /// The picture.
    pub frame: Frame,
    /// What it was made from: while somebody compares.
    pub before: Option<Frame>,
    /// The settings that were in force when its frame went into the graph.
    pub settings: Arc<Settings>,
    /// When it was taken up: nanoseconds since the Unix epoch.
    pub received_ns: i64,
    /// How many others were dropped on the way here so far.
    pub drops: i64,
}

/// Where the pictures of one stream are shown.
pub struct Easel {
    output: watch::Sender<Option<Arc<Picture>>>,
    slot: Mutex<Slot>,
    shown: Mutex<Shown>,
}

#[derive(Default)]
struct Slot {
    waiting: Option<Shot>,
    /// What waits is in the figures already, because nobody watched when it came.
    counted: bool,
    overtaken: i64,
}

#[derive(Default)]
struct Shown {
    figures: Figures,
    last_ns: Option<i64>,
}

#[derive(Default)]
struct Queue {
    easels: VecDeque<Arc<Easel>>,
    is_closed: bool,
}

/// Where pictures go in and JPEGs come out. Its thread ends with [`close`](Press::close).
pub struct Press {
    queue: Mutex<Queue>,
    bell: Condvar,
    /// The stream that the page is for: its pictures are counted for Prometheus and traced.
    house: Arc<Easel>,
    meter: Meter,
    traces: Option<Traces>,
}

fn image(frame: &Frame) -> Image<&[u8]> {
    let (width, height) = (frame.width, frame.height);
    Image { pixels: &frame.pixels[..], width, pitch: width * Frame::CHANNELS, height, format: PixelFormat::RGB }
}

/// A thread that panicked has left nothing half done here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Easel {
    fn new() -> Arc<Self> {
        Arc::new(Self { output: watch::Sender::new(None), slot: Mutex::default(), shown: Mutex::default() })
    }

    /// The figures of the five seconds before `now_ns`, and the milliseconds since the last picture.
    #[must_use]
    pub fn figures(&self, now_ns: i64) -> (Summary, Option<i64>) {
        let mut shown = lock(&self.shown);
        let silent_ms = shown.last_ns.map(|last| (now_ns - last).max(0) / 1_000_000);
        (shown.figures.summary(now_ns), silent_ms)
    }

    fn is_watched(&self) -> bool {
        self.output.receiver_count() > 0
    }
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
        let (queue, bell, house, meter) = (Mutex::default(), Condvar::new(), Easel::new(), Meter::default());
        let press = Arc::new(Self { queue, bell, house, meter, traces });
        let worker = press.clone();
        thread::Builder::new().name("press".to_owned()).spawn(move || worker.run(&mut compressor))?;
        Ok(press)
    }

    /// The easel of the stream that the page is for.
    #[must_use]
    pub fn easel(&self) -> Arc<Easel> {
        self.house.clone()
    }

    /// An easel for another stream.
    #[must_use]
    pub fn new_easel(&self) -> Arc<Easel> {
        Easel::new()
    }

    /// Puts a picture of that easel's stream in.
    pub fn offer(&self, easel: &Arc<Easel>, shot: Shot) {
        let is_watched = easel.is_watched();
        if !is_watched {
            // Whoever comes next must not see what was shown when the last one left.
            easel.output.send_if_modified(|newest| newest.take().is_some());
            self.shown(easel, &shot.frame, None);
            // It pins its sender's memory: that of one stream may, that of many visitors may not.
            if !Arc::ptr_eq(easel, &self.house) {
                lock(&easel.slot).waiting = None;
                return;
            }
        }
        let mut slot = lock(&easel.slot);
        slot.counted = !is_watched;
        if slot.waiting.replace(shot).is_some() && is_watched {
            slot.overtaken += 1;
        }
        drop(slot);
        // Now, and not before: whoever subscribes after this look rings, and finds it in the slot.
        if easel.is_watched() {
            self.ring(easel);
        }
    }

    /// That easel has a picture that may be encoded.
    fn ring(&self, easel: &Arc<Easel>) {
        let mut queue = lock(&self.queue);
        if !queue.easels.iter().any(|waiting| Arc::ptr_eq(waiting, easel)) {
            queue.easels.push_back(easel.clone());
        }
        drop(queue);
        self.bell.notify_one();
    }

    /// The newest picture of that easel's stream, and each one after it.
    #[must_use]
    pub fn subscribe(&self, easel: &Arc<Easel>) -> watch::Receiver<Option<Arc<Picture>>> {
        let receiver = easel.output.subscribe();
        // What has waited unseen is encoded now.
        self.ring(easel);
        receiver
    }

    /// The milliseconds since the last picture of the page's stream; `None` before the first.
    #[must_use]
    pub fn silent_ms(&self, now_ns: i64) -> Option<i64> {
        lock(&self.house.shown).last_ns.map(|last| (now_ns - last).max(0) / 1_000_000)
    }

    /// The counters.
    #[must_use]
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    fn shown(&self, easel: &Arc<Easel>, frame: &Frame, stage: Option<StageTime>) {
        let now = now_ns();
        let mut header = frame.header.clone();
        header.trace.0.extend(stage);
        if Arc::ptr_eq(easel, &self.house) {
            self.meter.shown(&header, now);
            if let Some(traces) = &self.traces {
                traces.shown(&header, now);
            }
        }
        let mut shown = lock(&easel.shown);
        shown.last_ns = Some(now);
        shown.figures.shown(&header, now);
    }

    /// Ends its thread.
    pub fn close(&self) {
        lock(&self.queue).is_closed = true;
        self.bell.notify_one();
    }

    fn next(&self) -> Option<Arc<Easel>> {
        let mut queue = lock(&self.queue);
        loop {
            if queue.is_closed {
                return None;
            }
            if let Some(easel) = queue.easels.pop_front() {
                return Some(easel);
            }
            queue = self.bell.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn run(&self, compressor: &mut Compressor) {
        let mut failed: u64 = 0;
        while let Some(easel) = self.next() {
            // One that nobody watches waits in its slot for somebody who rings.
            let mut slot = lock(&easel.slot);
            let waiting = if easel.is_watched() { slot.waiting.take() } else { None };
            let Some(shot) = waiting else { continue };
            let (counted, overtaken) = (slot.counted, slot.overtaken);
            drop(slot);
            match compressor.compress_to_owned(image(&shot.frame)) {
                Ok(jpeg) => {
                    // First counted, then sent: whoever has seen a picture finds it in the figures.
                    if !counted {
                        let (stage, drops, received_ns) = ("web".to_owned(), shot.drops + overtaken, shot.received_ns);
                        let stage = StageTime { stage, received_ns, sent_ns: now_ns(), drops };
                        self.shown(&easel, &shot.frame, Some(stage));
                    }
                    let before = shot.before.as_ref().map(|before| compressor.compress_to_owned(image(before)));
                    // A painting without it is a painting all the same.
                    let before = before.and_then(Result::ok).map(|before| Bytes::copy_from_slice(&before));
                    easel.output.send_replace(Some(Arc::new(Picture::of(shot, &jpeg, before))));
                }
                Err(error) => {
                    failed += 1;
                    if failed.is_power_of_two() {
                        let Frame { width, height, .. } = shot.frame;
                        tracing::warn!(
                            "a picture of {width} × {height} could not be encoded ({failed} so far): {error}"
                        );
                    }
                }
            }
        }
    }
}
