//! How soon nodes find each other: what dora's transport is told, over what dora tells it.
//!
//! dora's nodes talk through zenoh, each to each. As it comes, zenoh waits up to half a second for all neighbours before a node
//! may begin, and tries those that it did not reach only every second: a node that was killed was back, and had to wait for
//! that. On one machine, and in one building, neighbours that are there answer within milliseconds.

use eyre::{Result, WrapErr};
use std::fs;
use std::path::{Path, PathBuf};

/// The variable that names a file over dora's own configuration of zenoh; nodes inherit it from the daemon.
pub const OVERLAY: &str = "DORA_ZENOH_CONFIG_OVERLAY";
/// The one that replaces dora's own configuration. dora refuses both at once.
const WHOLE: &str = "ZENOH_CONFIG";
/// Where the file lies.
const FILE: &str = ".mirror/zenoh.json5";
/// What it says. `scouting.delay`: how long a node waits for its neighbours before it begins (500 by default). `connect.retry`: when
/// one that did not answer is tried again (1000, 4000 and 2 by default). All in milliseconds but the factor.
const TEXT: &str = "{
  scouting: { delay: 100 },
  connect: { retry: { period_init_ms: 50, period_max_ms: 500, period_increase_factor: 1.5 } },
}
";

/// The file for a dora that is about to be started in that project; `None`: whoever starts it has said something himself.
///
/// # Errors
/// It cannot be written.
pub fn overlay(root: &Path) -> Result<Option<PathBuf>> {
    if [OVERLAY, WHOLE].iter().any(|key| std::env::var_os(key).is_some()) {
        return Ok(None);
    }
    let path = root.join(FILE);
    // Another mirror of this project may be reading it.
    if fs::read_to_string(&path).ok().as_deref() != Some(TEXT) {
        let written = fs::create_dir_all(root.join(".mirror")).and_then(|()| fs::write(&path, TEXT));
        written.wrap_err_with(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(Some(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_there_when_dora_is_to_read_it() {
        let root = tempfile::tempdir().unwrap();
        for _ in 0..2 {
            let path = overlay(root.path()).unwrap().unwrap();
            assert_eq!(fs::read_to_string(path).unwrap(), TEXT);
        }
    }
}
