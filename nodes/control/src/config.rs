//! Configuration.

use crate::processors::Processors;
use eyre::{Result, WrapErr, bail};
use mirror_kit::{Environment, Key};
use serde_json::{Map, Value};
use std::path::Path;

/// The keys that this node reads.
pub const KEYS: &[Key] = &[
    Key {
        name: "CONTROL_SETTINGS",
        default: "{}",
        text: "Settings that `CONTROL_STREAM` starts with: a JSON object. The other settings start at their defaults.",
    },
    Key { name: "CONTROL_STREAM", default: "house", text: "The stream of the installation's own camera." },
    Key {
        name: "MIRROR_PACK",
        default: "models/starter",
        text: "The model pack: a directory. Its `mirror.toml`, where it has one, lists the processors.",
    },
];

/// What the environment says.
#[derive(Debug)]
pub struct Config {
    /// Settings that [`stream`](Self::stream) starts with; not yet checked against the table.
    pub settings: Map<String, Value>,
    /// The stream that exists from the start; an update that names no stream is meant for it.
    pub stream: String,
    /// The processors of the pack.
    pub processors: Processors,
}

impl Config {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// A value that cannot be used: named.
    pub fn from_env() -> Result<Self> {
        Self::of(&Environment::read(KEYS)?)
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
        let processors = Processors::of_pack(Path::new(environment.text("MIRROR_PACK"))).wrap_err("MIRROR_PACK")?;
        Ok(Self { settings, stream: environment.text("CONTROL_STREAM").to_owned(), processors })
    }
}
