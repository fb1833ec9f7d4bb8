//! The ways of painting that the installed packs offer.

use eyre::{Result, WrapErr, bail};
use mirror_contract::parameters::parameter;
use mirror_contract::{SettingError, Settings};
use mirror_models::{Installed, Processor, processor};
use serde_json::json;

/// All ways of painting; never none. Their names are unique.
#[derive(Debug, Clone, PartialEq)]
pub struct Processors(Vec<Processor>);

impl Processors {
    /// These processors. The first one is of the default pack.
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

    /// Those of the installed packs.
    ///
    /// # Errors
    /// A value that the parameter table does not allow: the pack is named.
    pub fn installed(installed: &Installed) -> Result<Self> {
        let processors = installed.processors().to_vec();
        for one in &processors {
            Self::of(vec![one.clone()]).wrap_err_with(|| format!("pack {}", one.pack))?;
        }
        Self::of(processors)
    }

    /// The processor of that name; every one also answers to `pack/name`.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Processor> {
        processor::find(&self.0, name)
    }

    /// The processor that a stream starts with: the parameter table's of the default pack, else that pack's first.
    #[must_use]
    pub fn first(&self) -> &Processor {
        let (usual, default) = (Settings::default().processor, &self.0[0]);
        self.find(&usual).filter(|one| one.pack == default.pack).unwrap_or(default)
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
    settings.set("strength", &json!(processor.strength))?;
    settings.pack.clone_from(&processor.pack);
    Ok(())
}
