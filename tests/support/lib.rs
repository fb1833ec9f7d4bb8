//! What the whole-house tests share.

pub mod browser;
pub mod nodes;
pub mod npy;
pub mod running;

use std::path::{Path, PathBuf};

/// The root of the repository.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the repository is there")
}
