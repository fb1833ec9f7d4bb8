//! The ways of painting that the pack offers.

use eyre::{Result, WrapErr, bail};
use mirror_contract::parameters::parameter;
use mirror_contract::{SettingError, Settings};
use mirror_models::Processor;
use serde_json::json;
use std::path::Path;

/// All ways of painting; never none.
#[derive(Debug, Clone, PartialEq)]
pub struct Processors(Vec<Processor>);

impl Processors {
    /// These processors.
    ///
    /// # Errors
    /// None at all, two of one name, or a value that the parameter table does not allow.
    pub fn of(processors: Vec<Processor>) -> Result<Self> {
        if processors.is_empty() {
            bail!("there is no processor");
        }
        for (index, processor) in processors.iter().enumerate() {
            let name = &processor.name;
            if name.is_empty() || !parameter("processor").is_some_and(|row| row.allows(&json!(name))) {
                bail!("processor {name:?}: the name is empty or too long");
            }
            if processors[..index].iter().any(|other| other.name == *name) {
                bail!("there are two processors called {name:?}");
            }
            apply(processor, &mut Settings::default()).wrap_err_with(|| format!("processor {name:?}"))?;
        }
        Ok(Self(processors))
    }

    /// Those of the pack in that directory.
    ///
    /// # Errors
    /// A list that cannot be used.
    pub fn of_pack(pack: &Path) -> Result<Self> {
        Self::of(mirror_models::processor::processors(pack)?).wrap_err_with(|| pack.display().to_string())
    }

    /// The processor of that name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Processor> {
        self.0.iter().find(|processor| processor.name == name)
    }

    /// The processor that a stream starts with: the parameter table's, else the pack's first.
    #[must_use]
    pub fn first(&self) -> &Processor {
        self.find(&Settings::default().processor).unwrap_or(&self.0[0])
    }

    /// All names, for people: `turbo, standard`.
    #[must_use]
    pub fn names(&self) -> String {
        self.0.iter().map(|processor| processor.name.as_str()).collect::<Vec<_>>().join(", ")
    }
}

/// Sets what choosing a processor sets.
///
/// # Errors
/// A value that the parameter table does not allow; those before it are set.
pub fn apply(processor: &Processor, settings: &mut Settings) -> Result<(), SettingError> {
    settings.set("processor", &json!(processor.name))?;
    settings.set("steps", &json!(processor.steps))?;
    settings.set("guidance_scale", &json!(processor.guidance_scale))?;
    settings.set("strength", &json!(processor.strength))
}
