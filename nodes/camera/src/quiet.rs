//! Keeps the libraries below from writing lines of their own: ours names the thing and the remedy.

use eyre::Result;
use opencv::core;
use std::fs::OpenOptions;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

/// Keeps OpenCV and FFmpeg quiet for good, and OpenCV from taking every core for a colour conversion.
///
/// # Errors
/// OpenCV's.
///
/// # Safety
/// It sets environment variables: no other thread may run yet.
pub unsafe fn quiet() -> Result<()> {
    // -8 is FFmpeg's AV_LOG_QUIET.
    for (key, value) in [("OPENCV_FFMPEG_LOGLEVEL", "-8"), ("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "3")] {
        if std::env::var_os(key).is_none() {
            // SAFETY: the caller says that no other thread runs.
            unsafe { std::env::set_var(key, value) };
        }
    }
    core::set_log_level(core::LogLevel::LOG_LEVEL_SILENT)?;
    core::set_num_threads(1)?;
    Ok(())
}

/// Keeps everything quiet that writes to standard error, while it lives: libpng and libjpeg know no other way.
pub struct Hush {
    stderr: Option<OwnedFd>,
}

impl Hush {
    /// From now on. If the system refuses, nothing changes: a line too many does no harm.
    #[must_use]
    pub fn new() -> Self {
        let stderr = std::io::stderr().as_fd().try_clone_to_owned().ok();
        let nowhere = OpenOptions::new().write(true).open("/dev/null").ok();
        let stderr = stderr.zip(nowhere).map(|(stderr, nowhere)| {
            lead_to(&nowhere);
            stderr
        });
        Self { stderr }
    }
}

impl Default for Hush {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Hush {
    fn drop(&mut self) {
        if let Some(stderr) = &self.stderr {
            lead_to(stderr);
        }
    }
}

/// Standard error leads there from now on.
fn lead_to(file: &impl AsRawFd) {
    // SAFETY: both descriptors are open: `file` owns its own, and standard error lives as long as the process.
    unsafe { libc::dup2(file.as_raw_fd(), libc::STDERR_FILENO) };
}
