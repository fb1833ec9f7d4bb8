//! The configuration.

use eyre::{Result, ensure};
use mirror_kit::{Environment, Key};
use std::path::PathBuf;
use std::time::Duration;

/// The node's keys.
pub const KEYS: &[Key] = &[
    Key {
        name: "OPERATOR_LIBRARY",
        default: ".mirror/operator.so",
        text: "The library that is watched and swapped. `make operator NAME=…` puts one there",
    },
    Key {
        name: "OPERATOR_PATIENCE_MS",
        default: "2000",
        text: "Longest time for one picture, and for loading, in milliseconds: an operator that takes longer is taken out",
    },
];

/// The node's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The library that is watched.
    pub library: PathBuf,
    /// Longest time for one picture, and for loading.
    pub patience: Duration,
}

impl Config {
    /// Reads the given environment.
    ///
    /// # Errors
    /// A value that is not what its key asks for.
    pub fn of(environment: &Environment) -> Result<Self> {
        let library = environment.text("OPERATOR_LIBRARY").trim();
        ensure!(!library.is_empty(), "OPERATOR_LIBRARY is empty; it must name a file, as \".mirror/operator.so\" does");
        let patience = environment.within("OPERATOR_PATIENCE_MS", 10, 60_000)?;
        Ok(Self { library: library.into(), patience: Duration::from_millis(patience) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(pairs: &[(&str, &str)]) -> Result<Config> {
        Config::of(&Environment::given(KEYS, pairs.iter().copied())?)
    }

    #[test]
    fn the_defaults_are_a_configuration() {
        let config = config(&[]).expect("nothing is set");
        assert_eq!(config.library, PathBuf::from(".mirror/operator.so"));
    }

    #[test]
    fn a_wrong_value_names_its_key() {
        for (key, value) in [
            ("OPERATOR_LIBRARY", " "),
            ("OPERATOR_PATIENCE_MS", "0"),
            ("OPERATOR_PATIENCE_MS", "soon"),
            ("OPERATOR_LIB", ""),
        ] {
            let error = config(&[(key, value)]).expect_err(key).to_string();
            assert!(error.contains(key), "{error}");
        }
    }
}
