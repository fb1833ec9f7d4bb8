//! Configuration.

use crate::processors::Processors;
use eyre::{Result, bail};
use mirror_kit::config::{PACK, PACKS, PACKS_OPEN};
use mirror_kit::{Environment, Key, beside};
use mirror_models::Installed;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// The keys that this node reads.
pub const KEYS: &[Key] = &[
    Key {
        name: "CONTROL_SETTINGS",
        default: "{}",
        text: "Settings that `CONTROL_STREAM` starts with: a JSON object. The other settings start at their defaults.",
    },
    Key {
        name: "CONTROL_STATE",
        default: "",
        text: "The file that keeps the settings of all streams over the end of this node. Empty: none does.",
    },
    Key { name: "CONTROL_STREAM", default: "house", text: "The stream of the installation's own camera." },
    PACK,
    PACKS,
    PACKS_OPEN,
];

/// What the environment says.
#[derive(Debug)]
pub struct Config {
    /// Settings that [`stream`](Self::stream) starts with; not yet checked against the table.
    pub settings: Map<String, Value>,
    /// The file that keeps the settings.
    pub state: Option<PathBuf>,
    /// The stream that exists from the start; an update that names no stream is meant for it.
    pub stream: String,
    /// The processors of all packs.
    pub processors: Processors,
    /// How many packs may be in use at once.
    pub packs_open: usize,
    /// What was derived or left out while the packs were looked for, a line each.
    pub remarks: Vec<String>,
}

impl Config {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// A value that cannot be used: named.
    pub fn from_env() -> Result<Self> {
        Self::of(&Environment::read(KEYS)?)
    }

    /// The same for the node of that name: a second one, `control_2`, keeps its settings beside those of the first.
    #[must_use]
    pub fn of_node(mut self, name: &str) -> Self {
        let number = name.strip_prefix("control").unwrap_or_default();
        self.state = self.state.map(|path| beside(&path.to_string_lossy(), number).into());
        self
    }

    /// Reads that environment.
    ///
    /// # Errors
    /// As [`from_env`](Self::from_env).
    pub fn of(environment: &Environment) -> Result<Self> {
        let text = environment.text("CONTROL_SETTINGS");
        let settings = match serde_json::from_str(if text.trim().is_empty() { "{}" } else { text }) {
            Ok(Value::Object(settings)) => settings,
            Ok(_) => bail!("CONTROL_SETTINGS={text:?} is not a JSON object like {{\"prompt\": \"neon lights\"}}"),
            Err(error) => {
                bail!("CONTROL_SETTINGS={text:?} is not JSON ({error}); write {{\"prompt\": \"neon lights\"}}")
            }
        };
        let installed = Installed::find(Path::new(environment.text(PACK.name)), environment.text(PACKS.name))?;
        Ok(Self {
            settings,
            state: Some(environment.text("CONTROL_STATE").trim()).filter(|path| !path.is_empty()).map(PathBuf::from),
            stream: environment.text("CONTROL_STREAM").to_owned(),
            processors: Processors::installed(&installed)?,
            packs_open: environment.within(PACKS_OPEN.name, 1, 16)?,
            remarks: installed.remarks().to_vec(),
        })
    }
}
