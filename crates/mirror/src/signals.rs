//! Ctrl-C, and the signals that mean the same: SIGTERM, SIGHUP.

use eyre::{Result, WrapErr};
use std::sync::atomic::{AtomicUsize, Ordering};

static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Takes the signals over. From here on they only count: the program looks at them when it can act on them.
///
/// # Errors
/// The signals cannot be taken over.
pub fn listen() -> Result<()> {
    ctrlc::set_handler(|| {
        COUNT.fetch_add(1, Ordering::SeqCst);
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
