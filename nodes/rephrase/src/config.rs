//! The configuration.

use crate::policy::Policy;
use crate::system::Instructions;
use eyre::{Result, WrapErr, bail};
use mirror_kit::{Environment, Key};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The node's keys.
pub const KEYS: &[Key] = &[
    Key {
        name: "REPHRASE_MODEL",
        default: "models/starter/voice/rephrase.gguf",
        text: "An instruct model in GGUF, such as `qwen2.5-0.5b-instruct-q4_k_m.gguf`; `none` paints what was said, word \
               for word.",
    },
    Key {
        name: "REPHRASE_SYSTEM",
        default: "nodes/rephrase/system.txt",
        text: "The model's instructions, a file that is read again whenever it changes; `none` gives it none.",
    },
    Key { name: "REPHRASE_DEADLINE_MS", default: "800", text: "What takes longer is painted word for word, and said." },
    Key { name: "REPHRASE_THREADS", default: "0", text: "Threads of the model; 0 is half of the cores." },
    Key {
        name: "REPHRASE_TEMPERATURE",
        default: "0",
        text: "0 always takes the likeliest word; above, the same wish is described differently every time.",
    },
    Key { name: "REPHRASE_CACHE", default: "64", text: "Answers that are remembered; 0 asks the model every time." },
    Key {
        name: "REPHRASE_POLICY",
        default: "family",
        text: "`family` leaves the picture as it is when something on the list of refused content is asked for; `off` \
               paints everything.",
    },
    Key {
        name: "REPHRASE_REFUSED",
        default: "nodes/rephrase/refused.txt",
        text: "The list of refused content: words and phrases, one a line, `*` for any ending.",
    },
];

/// The node's configuration.
#[derive(Debug)]
pub struct Config {
    /// The model's file; `None` paints word for word.
    pub model: Option<PathBuf>,
    /// The model's instructions.
    pub instructions: Instructions,
    /// Longest wait for an answer.
    pub deadline: Duration,
    /// Threads; 0 is half of the cores.
    pub threads: usize,
    /// 0: the likeliest word.
    pub temperature: f32,
    /// Answers that are remembered.
    pub cache: usize,
    /// What is not painted.
    pub policy: Policy,
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
        let path = |key| Some(environment.text(key).trim()).filter(|text| !text.eq_ignore_ascii_case("none"));
        for key in ["REPHRASE_MODEL", "REPHRASE_SYSTEM"] {
            if environment.text(key).trim().is_empty() {
                bail!("{key} is empty; it must name a file, or say none");
            }
        }
        let system = path("REPHRASE_SYSTEM").map(Path::new);
        let policy = match environment.text("REPHRASE_POLICY").trim() {
            "off" => Policy::off(),
            "family" => {
                let list = environment.text("REPHRASE_REFUSED").trim();
                Policy::open(Path::new(list)).wrap_err_with(|| format!("REPHRASE_REFUSED={list}"))?
            }
            other => bail!("REPHRASE_POLICY=\"{other}\" is neither off nor family"),
        };
        let deadline = environment.within("REPHRASE_DEADLINE_MS", 50, 60_000)?;
        Ok(Self {
            model: path("REPHRASE_MODEL").map(PathBuf::from),
            instructions: Instructions::open(system).wrap_err("REPHRASE_SYSTEM")?,
            deadline: Duration::from_millis(deadline),
            threads: environment.within("REPHRASE_THREADS", 0, 64)?,
            temperature: environment.within("REPHRASE_TEMPERATURE", 0.0, 2.0)?,
            cache: environment.within("REPHRASE_CACHE", 0, 10_000)?,
            policy,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(pairs: &[(&str, &str)]) -> Result<Config> {
        let own = [("REPHRASE_SYSTEM", "system.txt"), ("REPHRASE_REFUSED", "refused.txt")];
        let pairs = own.iter().chain(pairs).copied();
        Config::of(&Environment::given(KEYS, pairs)?)
    }

    #[test]
    fn without_settings_a_public_mirror_is_fit_for_families_and_quick() {
        let config = config(&[]).expect("defaults are right");
        assert!(config.policy.refuses("a naked man").is_some());
        assert_eq!((config.temperature, config.deadline), (0.0, Duration::from_millis(800)));
        assert!(config.model.is_some());
    }

    #[test]
    fn the_model_the_instructions_and_the_policy_can_be_left_out() {
        let pairs = [("REPHRASE_MODEL", "none"), ("REPHRASE_SYSTEM", "None"), ("REPHRASE_POLICY", "off")];
        let config = config(&pairs).expect("it is right");
        assert!(config.model.is_none() && config.policy.refuses("a naked man").is_none());
    }

    #[test]
    fn a_wrong_value_names_its_key() {
        for (key, value) in [
            ("REPHRASE_MODEL", " "),
            ("REPHRASE_SYSTEM", "/nowhere/system.txt"),
            ("REPHRASE_DEADLINE_MS", "0"),
            ("REPHRASE_THREADS", "many"),
            ("REPHRASE_TEMPERATURE", "-1"),
            ("REPHRASE_CACHE", "-1"),
            ("REPHRASE_POLICY", "strict"),
            ("REPHRASE_REFUSED", "/nowhere/refused.txt"),
            ("REPHRASE_PROMPT", "x"),
        ] {
            let error = format!("{:#}", config(&[(key, value)]).expect_err(key));
            assert!(error.contains(key), "{error}");
        }
    }
}
