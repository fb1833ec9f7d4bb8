//! The configuration.

use eyre::{Result, bail};
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
        let text = environment.text("WATCH_SECONDS").trim();
        match text.strip_suffix('s').unwrap_or(text).trim().parse::<f64>() {
            Ok(0.0) => Ok(Self { patience: None }),
            Ok(seconds) if (1.0..=86_400.0).contains(&seconds) => {
                Ok(Self { patience: Some(Duration::from_secs_f64(seconds)) })
            }
            _ => bail!("WATCH_SECONDS=\"{text}\" is neither 0 nor a number of seconds from 1 to 86400: 10 or 10s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(seconds: &str) -> Result<Config> {
        Config::of(&Environment::of(KEYS, [("WATCH_SECONDS".to_owned(), seconds.to_owned())])?)
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
