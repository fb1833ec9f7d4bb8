//! Configuration.

use eyre::Result;
use mirror_kit::{Environment, Key};

/// The keys that this program reads.
pub const KEYS: &[Key] =
    &[Key { name: "CHAT_STREAM", default: "house", text: "The stream whose settings are talked about." }];

/// What the environment says.
#[derive(Debug)]
pub struct Config {
    /// The stream whose settings are talked about.
    pub stream: String,
}

impl Config {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// An unknown key.
    pub fn from_env() -> Result<Self> {
        Ok(Self { stream: Environment::read(KEYS)?.text("CHAT_STREAM").to_owned() })
    }
}
