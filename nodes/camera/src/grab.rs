//! The thread that brings the pictures: it paces them, and opens a source that has vanished anew.

use crate::config::Config;
use crate::feed::{Feed, Step};
use crate::newest::{Happening, Newest, Taken};
use crate::open::{Opened, open};
use crate::picture::Picture;
use eyre::{Result, WrapErr};
use mirror_contract::{Level, now_ns};
use mirror_kit::pace::Pace;
use mirror_kit::source::{Over, keep_open};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A thread that hangs in a camera's driver is left behind after that; the process ends with it.
const FAREWELL: Duration = Duration::from_millis(150);

/// The grabbing thread, from outside.
pub struct Grabber {
    newest: Arc<Newest>,
    thread: Option<JoinHandle<()>>,
}

impl Grabber {
    /// Starts the thread. What goes wrong with the source comes as [`Happening::End`].
    ///
    /// # Errors
    /// The system has no thread to give.
    pub fn start(config: Config) -> Result<Self> {
        let newest = Arc::new(Newest::default());
        let shared = Arc::clone(&newest);
        let grab = move || shared.end(run(&shared, || open(&config)));
        let thread = thread::Builder::new().name("grab".to_owned()).spawn(grab).wrap_err("no thread for the camera")?;
        Ok(Self { newest, thread: Some(thread) })
    }

    /// What happens next, at most that much later; see [`Newest::next`].
    pub fn next(&self, patience: Duration, taken: &mut Taken) -> Happening {
        self.newest.next(patience, taken)
    }

    /// Pictures overtaken by newer ones since this was last asked.
    #[must_use]
    pub fn overtaken(&self) -> i64 {
        self.newest.overtaken()
    }
}

impl Drop for Grabber {
    fn drop(&mut self) {
        self.newest.stop();
        let until = Instant::now() + FAREWELL;
        let Some(thread) = self.thread.take() else { return };
        while !thread.is_finished() && Instant::now() < until {
            thread::sleep(Duration::from_millis(2));
        }
        if thread.is_finished() && thread.join().is_err() {
            tracing::error!("the grabbing thread has failed: see the lines above");
        }
    }
}

/// Opens the source, brings its pictures, and opens it again whenever it has vanished.
///
/// # Errors
/// A source that cannot be opened at the start: then something is wrong with what was asked for.
fn run(newest: &Newest, open: impl Fn() -> Result<Opened>) -> Result<()> {
    let open = || open().inspect(|opened| newest.opened(&opened.text));
    let say = |level, text| newest.say(level, text);
    keep_open(open, |feed| play(feed.as_mut(), newest), say, |wait| newest.pause(wait))
}

/// Brings pictures, each at its time, as long as there are any.
fn play(feed: &mut dyn Feed, newest: &Newest) -> Over {
    let (mut pace, mut picture) = (Pace::default(), Picture::default());
    let start = Instant::now();
    loop {
        // Whatever the feed does, the mirror can stop.
        if newest.is_stopped() {
            return Over::Stopped;
        }
        match feed.bring(&mut picture) {
            Ok(Step::Live(captured_ns)) => newest.put(&mut picture, captured_ns),
            Ok(Step::Due(time)) => {
                // Decoded ahead of its time: it is there when it is due, whatever decoding takes.
                if !newest.pause(pace.wait(time, start.elapsed())) {
                    return Over::Stopped;
                }
                newest.put(&mut picture, now_ns());
            }
            Ok(Step::Passed) => {}
            Ok(Step::Remark(text)) => newest.say(Level::Warning, text),
            Ok(Step::End) => return Over::Ended,
            Err(reason) => return Over::Vanished(reason),
        }
    }
}
