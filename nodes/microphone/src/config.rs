//! The configuration.

use crate::source::Source;
use eyre::{Result, bail};
use mirror_kit::{Environment, Key};
use std::time::Duration;

/// The node's keys.
pub const KEYS: &[Key] = &[
    Key {
        name: "MICROPHONE_SOURCE",
        default: "auto",
        text: "Where sound comes from: `auto` (the first microphone that works, else none), `default` (the system's), \
               a device by its name or a part of it, a WAV file, a folder of them, or `none`.",
    },
    Key { name: "MICROPHONE_STREAM", default: "house", text: "The stream that is painted as the microphone hears it." },
    Key { name: "MICROPHONE_CHUNK_MS", default: "30", text: "Length of the chunks that are sent, in milliseconds." },
    Key {
        name: "MICROPHONE_PAUSE_SECONDS",
        default: "1.5",
        text: "Silence before the first file, between files, and before they start again.",
    },
    Key {
        name: "MICROPHONE_LOOP",
        default: "off",
        text: "Whether files start again at their end; otherwise silence follows.",
    },
];

/// The node's configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Where sound comes from.
    pub source: Source,
    /// The stream that it belongs to.
    pub stream: String,
    /// Length of a chunk, in samples of 16 kHz.
    pub chunk: usize,
    /// Silence before each file.
    pub pause: Duration,
    /// Whether files start again.
    pub looping: bool,
}

impl Config {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// An unknown key under the node's prefix, or a value that is not what its key asks for.
    pub fn from_env() -> Result<Self> {
        Self::of(&Environment::read(KEYS)?)
    }

    /// Reads the given environment.
    ///
    /// # Errors
    /// As [`from_env`](Self::from_env).
    pub fn of(environment: &Environment) -> Result<Self> {
        let stream = environment.text("MICROPHONE_STREAM").trim().to_owned();
        if stream.is_empty() {
            bail!("MICROPHONE_STREAM is empty; it must name the stream, as \"house\" does");
        }
        Ok(Self {
            source: Source::parse(environment.text("MICROPHONE_SOURCE"))?,
            stream,
            chunk: environment.within::<usize>("MICROPHONE_CHUNK_MS", 10, 200)? * crate::chunks::RATE_HZ as usize
                / 1000,
            pause: Duration::from_secs_f64(environment.within("MICROPHONE_PAUSE_SECONDS", 0.0, 3600.0)?),
            looping: environment.switch("MICROPHONE_LOOP")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(pairs: &[(&str, &str)]) -> Result<Config> {
        Config::of(&Environment::given(KEYS, pairs.iter().copied())?)
    }

    #[test]
    fn without_settings_the_first_microphone_is_taken() {
        let config = config(&[]).expect("defaults are right");
        assert_eq!((config.source, config.stream.as_str(), config.chunk), (Source::Auto, "house", 480));
    }

    #[test]
    fn a_wrong_value_names_its_key() {
        for (key, value) in [
            ("MICROPHONE_SOURCE", ""),
            ("MICROPHONE_STREAM", " "),
            ("MICROPHONE_CHUNK_MS", "5"),
            ("MICROPHONE_PAUSE_SECONDS", "-1"),
            ("MICROPHONE_LOOP", "perhaps"),
            ("MICROPHONE_SORCE", "auto"),
        ] {
            let error = config(&[(key, value)]).expect_err(key).to_string();
            assert!(error.contains(key), "{error}");
        }
    }
}
