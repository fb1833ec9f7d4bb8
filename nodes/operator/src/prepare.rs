//! The thread that gets a new operator ready beside the one that paints: it waits for the file, copies it, tries it in a
//! process of its own, loads it, and has it paint once, so that nothing of this delays a picture.

use crate::config::Config;
use crate::host::Runs;
use crate::lives::{Lives, MOST};
use crate::sample::Sample;
use crate::trial;
use crate::watch::{Change, EVERY, Mark, PATIENCE, Watch};
use crate::whole;
use crate::worker::Worker;
use eyre::{Result, WrapErr, ensure};
use mirror_contract::{Level, now_ns};
use mirror_kit::handover::{Found, Handover};
use mirror_kit::start::one_line;
use mirror_kit::words::REFUSED;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use tempfile::{Builder, TempPath};

/// What has become of the watched file.
#[derive(Debug)]
pub enum News {
    /// A new operator has passed its trial, is loaded, and has painted a picture.
    Ready(Worker),
    /// The file is gone.
    Gone,
}

/// Between the event loop and the thread.
#[derive(Default)]
struct Goods {
    news: Option<News>,
    newest: Option<Sample>,
}

/// The thread, from outside. It stops when this is dropped.
pub struct Preparation {
    shared: Arc<Handover<Goods>>,
    lives: Lives,
}

impl Preparation {
    /// Starts to watch the file.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub fn start(config: Config) -> Result<Self> {
        let (shared, lives) = (Arc::new(Handover::default()), Lives::of(&config.library));
        let theirs = Arc::clone(&shared);
        let watch = move || watch(&config, &theirs);
        thread::Builder::new().name("prepare".to_owned()).spawn(watch).wrap_err("no thread to prepare operators in")?;
        Ok(Self { shared, lives })
    }

    /// What has happened since the last call: without waiting.
    pub fn news(&self) -> Found<News> {
        self.shared.next(Duration::ZERO, |goods| goods.news.take())
    }

    /// The newest picture: a new operator is tried on it. It is kept until the next one comes.
    pub fn newest(&self, sample: Sample) {
        self.shared.change(|goods| goods.newest = Some(sample));
    }
}

impl Drop for Preparation {
    fn drop(&mut self) {
        self.shared.stop();
        // The node ends, and ends well: whatever library is live has not taken it down.
        self.lives.end();
    }
}

fn watch(config: &Config, shared: &Handover<Goods>) {
    let path = config.library.as_path();
    let lives = Lives::of(path);
    let mut watch = Watch::new(Instant::now());
    if Mark::of(path).is_none() {
        let text = format!("no operator ({} is not there): pictures pass unchanged", path.display());
        shared.say(Level::Info, text);
    }
    while shared.pause(EVERY) {
        match watch.look(Instant::now(), Mark::of(path)) {
            None => {}
            Some(Change::Gone) => {
                watch.take(None);
                lives.end();
                shared.change(|goods| goods.news = Some(News::Gone));
            }
            Some(Change::Came(mark, still)) => {
                let copied = copy(path);
                // Changed meanwhile, or not whole yet: the next look says more.
                if Mark::of(path) != Some(mark) || (copied.is_err() && still < PATIENCE) {
                    continue;
                }
                watch.take(Some(mark));
                let newest = shared.change(|goods| goods.newest.clone());
                let ready = spared(&lives, mark).and(copied).and_then(|copy| ready(&copy, newest, config.patience));
                match ready {
                    Ok(worker) => {
                        if let Err(error) = lives.begin(mark, now_s()) {
                            tracing::warn!("a library that ends the host will not be left out: {error}");
                        }
                        shared.change(|goods| goods.news = Some(News::Ready(worker)));
                    }
                    Err(error) => {
                        shared.say(Level::Warning, format!("{REFUSED}{}", one_line(&error)));
                    }
                }
            }
        }
    }
}

/// Whether the library has not just taken the host down too often.
fn spared(lives: &Lives, mark: Mark) -> Result<()> {
    let lost = lives.lost(mark, now_s()).len();
    ensure!(
        lost < MOST,
        "it was live when the host ended {lost} times within a minute: change it, or put it there again"
    );
    Ok(())
}

fn now_s() -> i64 {
    now_ns() / 1_000_000_000
}

/// A private copy beside the file, gone when it is dropped: what is loaded from it stays, and writing over the original
/// does not touch it.
fn copy(path: &Path) -> Result<TempPath> {
    let bytes = fs::read(path).wrap_err_with(|| format!("{} cannot be read", path.display()))?;
    whole::check(&bytes)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let copy = Builder::new().prefix(".operator-").suffix(".so").tempfile_in(folder);
    let mut copy = copy.wrap_err_with(|| format!("no copy can be made in {}", folder.display()))?;
    copy.write_all(&bytes).wrap_err_with(|| format!("no copy can be made in {}", folder.display()))?;
    Ok(copy.into_temp_path())
}

/// From a copy to an operator that has painted.
fn ready(copy: &Path, newest: Option<Sample>, patience: Duration) -> Result<Worker> {
    let sample = newest.unwrap_or_else(Sample::synthetic);
    // A name without a `/` would be looked for among the system's libraries.
    let copy: PathBuf = copy.canonicalize()?;
    trial::pass(&copy, &sample, patience)?;
    let mut worker = Worker::start(copy, patience)?;
    worker.run(&sample).wrap_err("on its first picture")?;
    Ok(worker)
}
