//! Ways of painting that a pack offers by name.

use eyre::{Result, WrapErr};
use serde::Deserialize;
use std::fs;
use std::path::Path;

/// The file in a pack that lists its processors.
const FILE: &str = "mirror.toml";

/// A way of painting: choosing it sets these parameters.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Processor {
    /// What people call it: `turbo`.
    pub name: String,
    /// UNet evaluations a picture.
    pub steps: i64,
    /// Guidance scale; 1 is none.
    pub guidance_scale: f64,
    /// Strength.
    pub strength: f64,
    /// What it is good for, for people.
    pub text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    processor: Vec<Processor>,
}

/// The processors of the pack in that directory. One without a list of its own has `turbo`, one step without guidance,
/// which is how distilled models are run.
///
/// # Errors
/// A list that cannot be read.
pub fn processors(directory: &Path) -> Result<Vec<Processor>> {
    let path = directory.join(FILE);
    if !path.exists() {
        let text = "One step, no guidance.".to_owned();
        return Ok(vec![Processor { name: "turbo".to_owned(), steps: 1, guidance_scale: 1.0, strength: 1.0, text }]);
    }
    let text = fs::read_to_string(&path).wrap_err_with(|| format!("{} cannot be read", path.display()))?;
    let file: File =
        toml::from_str(&text).wrap_err_with(|| format!("{} is not a list of processors", path.display()))?;
    Ok(file.processor)
}
