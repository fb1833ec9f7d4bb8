//! The thread that brings the pictures: it paces them, and opens a source that has vanished anew.

use crate::config::Config;
use crate::feed::{Feed, Step};
use crate::newest::{Happening, Newest, Taken};
use crate::open::{Opened, open};
use crate::picture::Picture;
use eyre::{Result, WrapErr};
use mirror_contract::{Level, now_ns};
use mirror_kit::pace::Pace;
use mirror_kit::source::{Over, Start, keep_open};
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
    /// Starts the thread. What goes wrong with the source at the first start comes as [`Happening::End`].
    ///
    /// # Errors
    /// The system has no thread to give.
    pub fn start(config: Config, start: Start) -> Result<Self> {
        let newest = Arc::new(Newest::default());
        let shared = Arc::clone(&newest);
        let grab = move || shared.end(run(&shared, start, || open(&config)));
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
/// A source that cannot be opened at the first start: then something is wrong with what was asked for.
fn run(newest: &Newest, start: Start, open: impl Fn() -> Result<Opened>) -> Result<()> {
    let open = || open().inspect(|opened| newest.opened(&opened.text));
    let say = |level, text| newest.say(level, text);
    keep_open(start, open, |feed| play(feed.as_mut(), newest), say, |wait| newest.pause(wait))
}

/// Brings pictures, each at its time, as long as there are any.
fn play(feed: &mut dyn Feed, newest: &Newest) -> Over<Box<dyn Feed>> {
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
            Ok(Step::Instead(opened)) => {
                newest.opened(&opened.text);
                return Over::Replaced(opened);
            }
            Ok(Step::End) => return Over::Ended,
            Err(reason) => return Over::Vanished(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auto::{Cameras, auto};
    use crate::config::KEYS;
    use eyre::ensure;
    use mirror_kit::Environment;
    use std::path::{Path, PathBuf};
    use std::sync::atomic::{AtomicBool, Ordering};

    const CLIP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/clip.mp4");
    const SOON: Duration = Duration::from_millis(5);

    /// A camera that can be unplugged.
    #[derive(Clone)]
    struct Plug(Arc<AtomicBool>);

    impl Plug {
        fn put(&self, is_in: bool) {
            self.0.store(is_in, Ordering::SeqCst);
        }

        fn is_in(&self) -> bool {
            self.0.load(Ordering::SeqCst)
        }

        fn cameras(&self) -> Cameras {
            let (here, camera) = (self.clone(), self.clone());
            let list = move || if here.is_in() { vec![PathBuf::from("/dev/video7")] } else { Vec::new() };
            let open = move |path: &Path| {
                let text = format!("camera {}", path.display());
                Ok(Opened { feed: Box::new(camera.clone()), text, level: Level::Info })
            };
            Cameras { every: SOON, list: Box::new(list), open: Box::new(open) }
        }
    }

    impl Feed for Plug {
        fn bring(&mut self, into: &mut Picture) -> Result<Step> {
            ensure!(self.is_in(), "unplugged");
            thread::sleep(SOON);
            *into = Picture::Pattern { number: 0, shape: [4, 4] };
            Ok(Step::Live(now_ns()))
        }
    }

    /// Waits for a picture of that source. What is said until then is added to `said`.
    fn shows(newest: &Newest, source: &str, said: &mut Vec<String>) -> bool {
        let (until, mut taken) = (Instant::now() + Duration::from_secs(30), Taken::default());
        while Instant::now() < until {
            match newest.next(SOON, &mut taken) {
                Happening::Say(_, text) => said.push(text),
                Happening::Brought(()) if taken.source.starts_with(source) => return true,
                Happening::End(_) => return false,
                Happening::Brought(()) | Happening::Nothing => {}
            }
        }
        false
    }

    #[test]
    fn the_clip_stands_in_for_a_camera_that_is_unplugged_until_it_is_plugged_in_again() {
        let environment = Environment::given(KEYS, [("CAMERA_CLIP", CLIP)]).expect("a key");
        let config = Config::of(&environment).expect("a clip");
        let (newest, plug, mut said) = (Newest::default(), Plug(Arc::new(AtomicBool::new(true))), Vec::new());
        let shown = thread::scope(|scope| {
            scope.spawn(|| newest.end(run(&newest, Start::First, || auto(&config, plug.cameras()))));
            let mut shows = |source| shows(&newest, source, &mut said);
            let before = shows("camera /dev/video7");
            plug.put(false);
            let meanwhile = shows("there is no camera");
            plug.put(true);
            let after = shows("camera /dev/video7");
            newest.stop();
            [before, meanwhile, after]
        });
        assert_eq!(shown, [true; 3], "{said:?}");
        let clip = format!("there is no camera: the clip is shown instead: film {CLIP}, 30.000 fps");
        let expected = [
            "camera /dev/video7".to_owned(),
            "camera /dev/video7 has vanished (unplugged): trying again in 0.5 s".to_owned(),
            format!("back: {clip}"),
            "camera /dev/video7".to_owned(),
        ];
        assert_eq!(said, expected);
    }
}
