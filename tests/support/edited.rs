//! A dataflow file that a test edits.

use crate::root;
use eyre::{Result, ensure};
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU16, Ordering};

/// A copy of a dataflow file, beside `types/` as that one. It goes with the test.
pub struct Edited(PathBuf);

impl Edited {
    /// A copy of that one: `dataflow.yml`.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn copy(name: &str) -> Result<Self> {
        static COPIES: AtomicU16 = AtomicU16::new(0);
        let (process, number) = (std::process::id(), COPIES.fetch_add(1, Ordering::Relaxed));
        let path = root().join(format!("dataflow.run-edited-{process}-{number}.yml"));
        fs::copy(root().join(name), &path)?;
        Ok(Self(path))
    }

    /// Where it is.
    #[must_use]
    pub fn name(&self) -> String {
        self.0.to_string_lossy().into_owned()
    }

    /// Puts another text in the place of the first one that is that.
    ///
    /// # Errors
    /// There is none.
    pub fn replace(&self, from: &str, to: &str) -> Result<()> {
        let text = fs::read_to_string(&self.0)?;
        ensure!(text.contains(from), "{from} is not in the file");
        Ok(fs::write(&self.0, text.replacen(from, to, 1))?)
    }
}

impl Drop for Edited {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
