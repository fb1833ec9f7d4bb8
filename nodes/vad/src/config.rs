//! The configuration.

use crate::cut::{Limits, ms};
use eyre::{Result, bail};
use mirror_kit::{Environment, Key};

/// The node's keys.
pub const KEYS: &[Key] = &[
    Key {
        name: "VAD_AGGRESSIVENESS",
        default: "3",
        text: "How sure the detector must be that a moment is speech, from 0 (takes much) to 3 (takes little).",
    },
    Key {
        name: "VAD_SILENCE_MS",
        default: "350",
        text: "So long a silence ends an utterance: what is said is understood that much later, and shorter pauses do \
               not cut a sentence in two.",
    },
    Key {
        name: "VAD_PREROLL_MS",
        default: "300",
        text: "Sound before the first detected moment that belongs to the utterance: soft first consonants.",
    },
    Key { name: "VAD_MIN_SPEECH_MS", default: "250", text: "Utterances with less speech than that are none." },
    Key {
        name: "VAD_MAX_SPEECH_MS",
        default: "15000",
        text: "Longer utterances are cut at their quietest moment. Whisper hears 30 s at once.",
    },
    Key {
        name: "VAD_VOICE_CHECK",
        default: "on",
        text: "Whether an utterance must sound like a voice: noise, keys, doors and instruments do not. `off` lets \
               whispering pass.",
    },
];

/// The node's configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// 0 to 3.
    pub aggressiveness: u8,
    /// Where utterances begin and end.
    pub limits: Limits,
    /// Utterances must sound like a voice.
    pub voice_check: bool,
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
        let frames = |key, min, max| environment.within::<usize>(key, min, max).map(ms);
        let limits = Limits {
            silence: frames("VAD_SILENCE_MS", 100, 5_000)?,
            preroll: frames("VAD_PREROLL_MS", 0, 2_000)?,
            min_speech: frames("VAD_MIN_SPEECH_MS", 20, 5_000)?,
            max_speech: frames("VAD_MAX_SPEECH_MS", 1_000, 30_000)?,
        };
        if limits.min_speech >= limits.max_speech {
            bail!("VAD_MIN_SPEECH_MS is not less than VAD_MAX_SPEECH_MS: nothing would be an utterance");
        }
        Ok(Self {
            aggressiveness: environment.within("VAD_AGGRESSIVENESS", 0, 3)?,
            limits,
            voice_check: environment.switch("VAD_VOICE_CHECK")?,
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
    fn limits_are_counted_in_frames_of_20_ms() {
        let limits = config(&[("VAD_SILENCE_MS", "405")]).expect("it is right").limits;
        assert_eq!((limits.silence, limits.preroll, limits.min_speech, limits.max_speech), (21, 15, 13, 750));
    }

    #[test]
    fn a_wrong_value_names_its_key() {
        for (key, value) in [
            ("VAD_AGGRESSIVENESS", "4"),
            ("VAD_SILENCE_MS", "short"),
            ("VAD_PREROLL_MS", "-1"),
            ("VAD_MIN_SPEECH_MS", "0"),
            ("VAD_MAX_SPEECH_MS", "60000"),
            ("VAD_VOICE_CHECK", "maybe"),
            ("VAD_THRESHOLD", "0.5"),
        ] {
            let error = config(&[(key, value)]).expect_err(key).to_string();
            assert!(error.contains(key), "{error}");
        }
        let error = config(&[("VAD_MIN_SPEECH_MS", "5000"), ("VAD_MAX_SPEECH_MS", "1000")]).expect_err("crossed");
        assert!(error.to_string().contains("VAD_MIN_SPEECH_MS is not less"), "{error}");
    }
}
