//! A dataflow file that a command has made of another one. It goes with the value.

use eyre::{Result, WrapErr};
use serde_yaml_ng::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// Such a file: in the project's root, beside `types/`, where dora looks for them.
#[derive(Debug)]
pub struct Variant(PathBuf);

impl Variant {
    /// Writes it.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(root: &Path, graph: &Value) -> Result<Self> {
        let path = root.join(format!("dataflow.run-{}.yml", std::process::id()));
        let text = serde_yaml_ng::to_string(graph).wrap_err("the graph cannot be written")?;
        fs::write(&path, text).wrap_err_with(|| format!("{} cannot be written", path.display()))?;
        Ok(Self(path))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Variant {
    fn drop(&mut self) {
        // It is in nobody's way.
        let _ = fs::remove_file(&self.0);
    }
}
