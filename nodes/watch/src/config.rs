//! The configuration.

use eyre::{Result, bail};
use mirror_kit::config::Unit;
use mirror_kit::{Environment, Key};
use std::time::Duration;

/// All keys.
pub const KEYS: &[Key] = &[Key {
    name: "WATCH_SECONDS",
    default: "10s",
    text: "How long a stage may put nothing out although something comes in; 0 watches nothing. The `s` may be left out.",
}];

/// The configuration, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// How long a stage may put nothing out; `None`: as long as it likes.
    pub patience: Option<Duration>,
}

impl Config {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// An unknown key under the prefix, a value that is not allowed: named in the error.
    pub fn from_env() -> Result<Self> {
        Self::of(&Environment::read(KEYS)?)
    }

    /// Reads the given environment.
    ///
    /// # Errors
    /// As [`from_env`](Self::from_env).
    pub fn of(environment: &Environment) -> Result<Self> {
        let seconds = environment.quantity("WATCH_SECONDS", Unit::SECONDS, [0.0, 86_400.0])?;
        if seconds > 0.0 && seconds < 1.0 {
            bail!("WATCH_SECONDS=\"{seconds}\": below 1 a healthy stage would be ended; 0 watches nothing");
        }
        Ok(Self { patience: (seconds > 0.0).then(|| Duration::from_secs_f64(seconds)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(seconds: &str) -> Result<Config> {
        Config::of(&Environment::given(KEYS, [("WATCH_SECONDS", seconds)])?)
    }

    #[test]
    fn nothing_is_watched_with_zero_seconds() {
        assert_eq!(config("0").expect("good").patience, None);
        assert_eq!(config("2.5s").expect("good").patience, Some(Duration::from_millis(2500)));
    }

    #[test]
    fn a_patience_that_would_end_healthy_stages_is_refused_by_name() {
        for text in ["0.2", "-1", "soon", "NaN", ""] {
            assert!(config(text).expect_err(text).to_string().contains("WATCH_SECONDS"), "{text}");
        }
    }
}
