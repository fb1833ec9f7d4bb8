//! The configuration.

use crate::words::{Gates, Refused};
use eyre::{Result, WrapErr, bail};
use mirror_kit::{Environment, Key};
use std::path::{Path, PathBuf};

/// The node's keys.
pub const KEYS: &[Key] = &[
    Key {
        name: "STT_MODEL",
        default: "models/starter/voice/whisper.bin",
        text: "A whisper model in ggml format: any `ggml-*.bin` of whisper.cpp, quantised or not.",
    },
    Key {
        name: "STT_LANGUAGE",
        default: "en",
        text: "The language that is spoken: `en`, `de`, `fr` …, or `auto`. An English model knows English only.",
    },
    Key {
        name: "STT_TRANSLATE",
        default: "off",
        text: "Whether a multilingual model translates what it hears to English.",
    },
    Key {
        name: "STT_BEAM_SIZE",
        default: "1",
        text: "How many readings of a sentence are followed at once, 1 to 8. More are heard better and take longer; 1 is greedy.",
    },
    Key { name: "STT_THREADS", default: "0", text: "Threads of the model; 0 is half of the cores." },
    Key {
        name: "STT_NO_SPEECH",
        default: "0.6",
        text: "From which probability of \"nobody speaks\" on nothing was said, 0 to 1; 1 takes everything.",
    },
    Key {
        name: "STT_LOG_PROBABILITY",
        default: "auto",
        text: "The least mean log-probability of what was written; lower, and the model has guessed. `auto` is -1.0, and -0.25 for what was written letter by letter, as the starter's model writes words that it does not know.",
    },
    Key {
        name: "STT_REFUSED",
        default: "",
        text: "A file of sentences that whisper writes when nobody speaks, one a line; without it, the list of this node.",
    },
];

/// The node's configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// The model's file.
    pub model: PathBuf,
    /// The language that is spoken; `None` is found out.
    pub language: Option<String>,
    /// What is heard is translated to English.
    pub translate: bool,
    /// Readings that are followed at once; 1 is greedy.
    pub beam_size: usize,
    /// Threads; 0 is half of the cores.
    pub threads: usize,
    /// What counts as said.
    pub gates: Gates,
    /// What nobody said.
    pub refused: Refused,
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
        let language = environment.text("STT_LANGUAGE").trim().to_lowercase();
        if language.is_empty() || !language.bytes().all(|byte| byte.is_ascii_lowercase()) {
            bail!("STT_LANGUAGE=\"{language}\" is neither auto nor a language like en, de or fr");
        }
        let refused = match environment.text("STT_REFUSED").trim() {
            "" => Refused::default(),
            path => Refused::open(Path::new(path)).wrap_err_with(|| format!("STT_REFUSED={path}"))?,
        };
        Ok(Self {
            model: environment.text("STT_MODEL").trim().into(),
            language: (language != "auto").then_some(language),
            translate: environment.switch("STT_TRANSLATE")?,
            beam_size: environment.within("STT_BEAM_SIZE", 1, 8)?,
            threads: environment.within("STT_THREADS", 0, 64)?,
            gates: Gates {
                no_speech: environment.within("STT_NO_SPEECH", 0.0, 1.0)?,
                log_probability: match environment.text("STT_LOG_PROBABILITY").trim() {
                    "auto" => None,
                    _ => Some(environment.within("STT_LOG_PROBABILITY", -100.0, 0.0)?),
                },
            },
            refused,
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
    fn a_language_is_a_code_or_is_found_out() {
        assert_eq!(config(&[]).expect("defaults are right").language.as_deref(), Some("en"));
        assert_eq!(config(&[("STT_LANGUAGE", " DE ")]).expect("German").language.as_deref(), Some("de"));
        assert_eq!(config(&[("STT_LANGUAGE", "auto")]).expect("any").language, None);
    }

    #[test]
    fn a_wrong_value_names_its_key() {
        for (key, value) in [
            ("STT_LANGUAGE", "en-us"),
            ("STT_TRANSLATE", "maybe"),
            ("STT_THREADS", "-1"),
            ("STT_BEAM_SIZE", "9"),
            ("STT_NO_SPEECH", "2"),
            ("STT_LOG_PROBABILITY", "1"),
            ("STT_REFUSED", "/nowhere/list.txt"),
            ("STT_BEAMS", "5"),
        ] {
            let error = format!("{:#}", config(&[(key, value)]).expect_err(key));
            assert!(error.contains(key), "{error}");
        }
    }
}
