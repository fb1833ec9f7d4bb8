//! Configuration from the environment.

use eyre::Result;
use mirror_inference::{Choice, Options};
use mirror_kit::{Environment, Key};
use std::path::PathBuf;

/// All keys of this node.
pub const KEYS: &[Key] = &[
    Key { name: "ENCODER_THREADS", default: "0", text: "Threads of the encoder; 0 is one a core" },
    Key {
        name: "ENCODER_SPINNING",
        default: "off",
        text: "Waiting threads stay awake: faster only if this node has cores of its own",
    },
    Key { name: "MIRROR_PACK", default: "models/starter", text: "Directory of the model pack" },
    Key { name: "MIRROR_PROVIDER", default: "auto", text: "What runs the models: auto, cpu, cuda or tensorrt" },
];

/// What the keys say.
#[derive(Debug, Clone)]
pub struct Config {
    /// Directory of the model pack.
    pub pack: PathBuf,
    /// How the model is run.
    pub options: Options,
}

impl Config {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// An unknown key or a value that cannot be used.
    pub fn from_env() -> Result<Self> {
        Self::of(&Environment::read(KEYS)?)
    }

    /// Reads the given environment.
    ///
    /// # Errors
    /// A value that cannot be used.
    pub fn of(environment: &Environment) -> Result<Self> {
        let options = Options {
            provider: environment.parse("MIRROR_PROVIDER", Choice::EXPECTED)?,
            threads: environment.within("ENCODER_THREADS", 0, 256)?,
            spinning: environment.switch("ENCODER_SPINNING")?,
        };
        Ok(Self { pack: environment.text("MIRROR_PACK").into(), options })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(name: &str, value: &str) -> String {
        let environment = Environment::of(KEYS, [(name.to_owned(), value.to_owned())]);
        environment.and_then(|environment| Config::of(&environment)).expect_err("it is wrong").to_string()
    }

    #[test]
    fn a_provider_that_does_not_exist_is_refused_with_those_that_do() {
        assert_eq!(error("MIRROR_PROVIDER", "npu"), "MIRROR_PROVIDER=\"npu\" is not auto, cpu, cuda or tensorrt");
    }

    #[test]
    fn an_unknown_key_is_refused() {
        assert!(error("ENCODER_PACK", "x").starts_with("ENCODER_PACK is not a setting of this node"));
    }
}
