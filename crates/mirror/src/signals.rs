//! Ctrl-C, and the signals that mean the same: SIGTERM, SIGHUP.

use eyre::{Result, WrapErr};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A signal that follows another within this time is the same one, told twice: `timeout` does, and some shells.
const TWICE: Duration = Duration::from_millis(500);

static COUNT: AtomicU8 = AtomicU8::new(0);
static LAST: Mutex<Option<Instant>> = Mutex::new(None);

/// Takes the signals over. From here on they only count: the program looks at them when it can act on them.
///
/// # Errors
/// The signals cannot be taken over.
pub fn listen() -> Result<()> {
    // The handler runs in a thread of its own, so it may lock.
    ctrlc::set_handler(|| {
        let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|last| last.elapsed() > TWICE) {
            COUNT.fetch_add(1, Ordering::SeqCst);
        }
        *last = Some(Instant::now());
    })
    .wrap_err("Ctrl-C cannot be watched")
}

/// Somebody wants the program to stop.
#[must_use]
pub fn stop() -> bool {
    COUNT.load(Ordering::SeqCst) > 0
}

/// Somebody does not want to wait for it any longer.
#[must_use]
pub fn kill() -> bool {
    COUNT.load(Ordering::SeqCst) > 1
}
