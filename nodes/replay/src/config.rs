//! The configuration.

use eyre::{Result, bail};
use mirror_kit::{Environment, Key};
use std::path::PathBuf;

/// All keys.
pub const KEYS: &[Key] = &[
    Key {
        name: "REPLAY_FILE",
        default: "out/mirror.mcap",
        text: "The recording. Files that go on with it, `mirror-2.mcap`, are played after it.",
    },
    Key {
        name: "REPLAY_PACE",
        default: "recorded",
        text: "When messages are sent: `recorded`, as they came, or `fast`, the next picture when the one before is painted.",
    },
    Key {
        name: "REPLAY_TOPICS",
        default: "",
        text: "What is played, with `,` between: `camera/frame,control/settings`. Empty: all that the graph connects.",
    },
];

/// When messages are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As they came.
    Recorded,
    /// A picture when the one before is painted, all else at once.
    Fast,
}

/// The configuration, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The recording.
    pub file: PathBuf,
    /// When messages are sent.
    pub pace: Pace,
    /// What is played; empty: all.
    pub topics: Vec<String>,
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
        let pace = match environment.text("REPLAY_PACE").trim() {
            "recorded" => Pace::Recorded,
            "fast" => Pace::Fast,
            other => bail!("REPLAY_PACE=\"{other}\" is neither recorded nor fast"),
        };
        let file = environment.text("REPLAY_FILE").trim();
        if file.is_empty() {
            bail!("REPLAY_FILE is empty: it must name a recording");
        }
        let topics = environment.text("REPLAY_TOPICS").split(',').map(str::trim).filter(|topic| !topic.is_empty());
        Ok(Self { file: file.into(), pace, topics: topics.map(str::to_owned).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(pairs: &[(&str, &str)]) -> Result<Config> {
        Config::of(&Environment::given(KEYS, pairs.iter().copied())?)
    }

    #[test]
    fn topics_are_trimmed_and_empty_ones_left_out() {
        let config = config(&[("REPLAY_TOPICS", " camera/frame, ,control/settings"), ("REPLAY_PACE", "fast")]);
        let config = config.expect("good");
        assert_eq!((config.topics.len(), config.pace), (2, Pace::Fast));
        assert_eq!(config.topics[1], "control/settings");
    }

    #[test]
    fn errors_name_the_key() {
        for (name, value) in [("REPLAY_PACE", "slow"), ("REPLAY_FILE", " "), ("REPLAY_SPEED", "2")] {
            let error = config(&[(name, value)]).expect_err(name).to_string();
            assert!(error.contains(name), "{error}");
        }
    }
}
