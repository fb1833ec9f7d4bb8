//! Keeps the state file: on a thread of its own, so that a slow disk does not hold settings up, whole or not at all, and a
//! few times a second at most.

use eyre::{Result, WrapErr};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Between two writings: the first change is on the disk at once, those of a hand on a slider are not each.
const PERIOD: Duration = Duration::from_millis(250);

/// A file that is written again and again, whose newest text alone counts.
pub struct Keeper {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    bell: Condvar,
}

#[derive(Default)]
struct State {
    text: Option<String>,
    fault: Option<String>,
    closed: bool,
}

impl Keeper {
    /// A keeper of that file; its folder is made if need be.
    ///
    /// # Errors
    /// There is no thread to write with.
    pub fn start(path: PathBuf) -> Result<Self> {
        let shared = Arc::new(Shared::default());
        let worker = Arc::clone(&shared);
        let thread = thread::Builder::new().name("keeper".to_owned()).spawn(move || worker.run(&path));
        Ok(Self { shared, thread: Some(thread.wrap_err("no thread to keep the settings with")?) })
    }

    /// Writes this soon.
    pub fn keep(&self, text: String) {
        self.shared.lock().text = Some(text);
        self.shared.bell.notify_all();
    }

    /// What is wrong with the file since this was last asked.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        self.shared.lock().fault.take()
    }
}

impl Drop for Keeper {
    /// What was to be kept is, before the node ends.
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.bell.notify_all();
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported where it happened.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is whole when the lock is let go: a thread that panicked has left nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, path: &Path) {
        loop {
            let mut state = self.lock();
            let text = loop {
                if let Some(text) = state.text.take() {
                    break text;
                }
                if state.closed {
                    return;
                }
                state = self.bell.wait(state).unwrap_or_else(PoisonError::into_inner);
            };
            drop(state);
            if let Err(error) = replace(path, &text) {
                self.lock().fault = Some(format!("the settings cannot be kept: {error:#}"));
            }
            let state = self.lock();
            let closed = |state: &mut State| !state.closed;
            drop(self.bell.wait_timeout_while(state, PERIOD, closed).unwrap_or_else(PoisonError::into_inner));
        }
    }
}

/// Replaces a file at once: who reads it, even after the power has failed, finds the old text or the new one.
///
/// # Errors
/// The file cannot be written; it is as it was.
pub fn replace(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).wrap_err_with(|| folder.display().to_string())?;
    let partial = path.with_extension("part");
    let mut file = File::create(&partial).wrap_err_with(|| partial.display().to_string())?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    written.wrap_err_with(|| partial.display().to_string())?;
    fs::rename(&partial, path).wrap_err_with(|| path.display().to_string())?;
    // The folder holds the name: without this the old one may be back after a power failure.
    File::open(folder).and_then(|folder| folder.sync_all()).wrap_err_with(|| folder.display().to_string())
}
