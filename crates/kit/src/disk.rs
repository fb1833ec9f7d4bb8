//! How much room a disk has: what records looks before it is full.

use eyre::{Result, WrapErr, bail};
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// How many bytes people may still write to the disk that a folder is on.
///
/// # Errors
/// There is no such folder.
pub fn free_bytes(folder: &Path) -> Result<u64> {
    let path = CString::new(folder.as_os_str().as_bytes())?;
    // SAFETY: all zeroes is a value of this plain C struct.
    let mut disk: libc::statvfs = unsafe { std::mem::zeroed() };
    // SAFETY: the path ends with a zero, and the struct outlives the call, which only writes to it.
    if unsafe { libc::statvfs(path.as_ptr(), &raw mut disk) } != 0 {
        return Err(std::io::Error::last_os_error()).wrap_err_with(|| folder.display().to_string());
    }
    Ok(disk.f_bavail * disk.f_frsize)
}

/// Whether a folder has so many bytes free as a recording leaves to others.
///
/// # Errors
/// It has not: with both numbers and the remedy.
pub fn check(folder: &Path, free: u64, least: u64) -> Result<()> {
    if free <= least {
        let (shown, mib) = (folder.display(), |bytes: u64| bytes >> 20);
        bail!("{shown} has {} MiB free, and a recording leaves {} MiB: make room", mib(free), mib(least));
    }
    Ok(())
}

/// The folder that a file is in, or will be.
#[must_use]
pub fn folder(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// How many bytes a folder's disk has free.
type Free = dyn Fn(&Path) -> Result<u64> + Send;

/// What a recording leaves free on its disk.
pub struct Room {
    least: u64,
    free: Box<Free>,
}

impl Room {
    /// So many bytes.
    #[must_use]
    pub fn of(least: u64) -> Self {
        Self::told(least, free_bytes)
    }

    /// So many bytes, of as many as `free` says: a disk that fills up without one.
    #[must_use]
    pub fn told(least: u64, free: impl Fn(&Path) -> Result<u64> + Send + 'static) -> Self {
        Self { least, free: Box::new(free) }
    }

    /// Ten megabytes, on a disk that has more of them for so many looks and then no more: one that fills up.
    #[must_use]
    pub fn for_looks(looks: u64) -> Self {
        const LEAST: u64 = 10 << 20;
        let left = AtomicU64::new(looks);
        let look = move || left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).unwrap_or(0);
        Self::told(LEAST, move |_| Ok(LEAST + look()))
    }

    /// Whether the disk that a file is on has more than that.
    ///
    /// # Errors
    /// As [`check`]; no such folder.
    pub fn check(&self, file: &Path) -> Result<()> {
        let folder = folder(file);
        check(folder, (self.free)(folder)?, self.least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_has_room_and_not_more_than_there_is() -> Result<()> {
        let here = tempfile::tempdir()?;
        let free = free_bytes(here.path())?;
        assert!(free > 0 && check(here.path(), free, 0).is_ok());
        let error = check(here.path(), 5 << 20, 7 << 20).expect_err("too little").to_string();
        assert!(error.ends_with("has 5 MiB free, and a recording leaves 7 MiB: make room"), "{error}");
        assert!(free_bytes(&here.path().join("nowhere")).is_err());
        assert_eq!(folder(Path::new("x.mcap")), Path::new("."));
        Ok(())
    }
}
