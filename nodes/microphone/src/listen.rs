//! The thread that brings the sound: it paces files, and opens a microphone that has vanished anew.

use crate::chunks::Chunks;
use crate::config::Config;
use crate::feed::{Feed, Step, Stretch};
use crate::open::{Opened, open};
use crate::queue::{Happening, Queue};
use eyre::{Result, WrapErr};
use mirror_contract::now_ns;
use mirror_kit::pace::Pace;
use mirror_kit::source::{Over, Start, keep_open};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A thread that hangs in a driver is left behind after that; the process ends with it.
const FAREWELL: Duration = Duration::from_millis(150);

/// The listening thread, from outside.
pub struct Listener {
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    /// Starts the thread. What goes wrong with the source at the first start comes as [`Happening::End`].
    ///
    /// # Errors
    /// The system has no thread to give.
    pub fn start(config: Config, start: Start) -> Result<Self> {
        let queue = Arc::new(Queue::default());
        let shared = Arc::clone(&queue);
        let listen = move || shared.end(run(&shared, start, config.chunk, || open(&config)));
        let thread =
            thread::Builder::new().name("listen".to_owned()).spawn(listen).wrap_err("no thread for the microphone")?;
        Ok(Self { queue, thread: Some(thread) })
    }

    /// What happens next, at most that much later; see [`Queue::next`].
    #[must_use]
    pub fn next(&self, patience: Duration) -> Happening {
        self.queue.next(patience)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.queue.stop();
        let until = Instant::now() + FAREWELL;
        let Some(thread) = self.thread.take() else { return };
        while !thread.is_finished() && Instant::now() < until {
            thread::sleep(Duration::from_millis(2));
        }
        if thread.is_finished() && thread.join().is_err() {
            tracing::error!("the listening thread has failed: see the lines above");
        }
    }
}

/// Opens the source, brings its sound, and opens it again whenever it has vanished.
///
/// # Errors
/// A source that cannot be opened at the first start: then something is wrong with what was asked for.
fn run(queue: &Queue, start: Start, chunk: usize, open: impl FnMut() -> Result<Opened>) -> Result<()> {
    let say = |level, text| queue.say(level, text);
    keep_open(start, open, |feed| play(feed.as_mut(), chunk, queue), say, |wait| queue.pause(wait))
}

/// Brings sound, that of files at its time, as long as there is any.
fn play(feed: &mut dyn Feed, chunk: usize, queue: &Queue) -> Over<Box<dyn Feed>> {
    let (mut chunks, mut pace, mut stretch) = (Chunks::new(chunk), Pace::default(), Stretch::default());
    let start = Instant::now();
    while !queue.is_stopped() {
        let captured_ns = match feed.bring(&mut stretch) {
            Ok(Step::Live(captured_ns)) => captured_ns,
            Ok(Step::Due(time)) => {
                if !queue.pause(pace.wait(time, start.elapsed())) {
                    return Over::Stopped;
                }
                // It is there when its last sample is.
                let length = Duration::from_secs_f64(stretch.samples.len() as f64 / f64::from(stretch.rate_hz.max(1)));
                now_ns() - i64::try_from(length.as_nanos()).unwrap_or(0)
            }
            Ok(Step::Remark(level, text)) => {
                queue.say(level, text);
                continue;
            }
            Ok(Step::Instead(opened)) => return Over::Replaced(opened),
            Ok(Step::Nothing) => continue,
            Err(reason) => return Over::Vanished(reason),
        };
        if let Err(reason) = chunks.push(&stretch, captured_ns, |chunk| queue.put(chunk)) {
            return Over::Vanished(reason);
        }
    }
    Over::Stopped
}
