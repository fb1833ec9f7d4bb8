//! What the whole-house tests share.

pub mod browser;
pub mod desktop;
pub mod edited;
pub mod mjpeg;
pub mod nodes;
pub mod npy;
pub mod running;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{fs, io};

/// The root of the repository.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the repository is there")
}

/// One mirror at a time, as long as this is held: two of them would share the cores, and neither would show what it can.
pub fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    // A test that failed has left nothing half done here.
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Copies a folder with all that is in it.
///
/// # Errors
/// A file cannot be read or written.
pub fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let (path, copied) = entry.map(|entry| (entry.path(), to.join(entry.file_name())))?;
        if path.is_dir() { copy(&path, &copied)? } else { fs::copy(&path, &copied).map(drop)? }
    }
    Ok(())
}
