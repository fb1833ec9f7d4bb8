//! The configuration.

use crate::node::PROMPT;
use crate::report::Report;
use eyre::{Result, bail, eyre};
use mirror_contract::parameters::parameter;
use mirror_kit::config::Unit;
use mirror_kit::{Environment, Key};
use std::path::PathBuf;

/// All keys.
pub const KEYS: &[Key] = &[
    Key {
        name: "RECORDER_OUT",
        default: "out/demo",
        text: "The directory that is written into; it is made if need be.",
    },
    Key {
        name: "RECORDER_PROMPTS",
        default: "a pencil drawing;neon lights;a watercolor painting;a mosaic of tiles",
        text: "The prompts in turn, separated by `;`. Empty: those that are said, as they come in at `prompt`.",
    },
    Key {
        name: "RECORDER_SECONDS",
        default: "20s",
        text: "How long to record, from the first picture on, shared equally by the prompts. The `s` may be left out.",
    },
    Key {
        name: "RECORDER_PATIENCE_SECONDS",
        default: "60s",
        text: "How long to wait for the first picture. The `s` may be left out.",
    },
];

/// Shortest and longest time that a key may give, in seconds.
const SECONDS: [f64; 2] = [0.1, 86_400.0];

/// The configuration, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The directory that is written into.
    pub out: PathBuf,
    /// What to ask for, none of it empty; no prompt at all: the recorder listens.
    pub prompts: Vec<String>,
    /// How long to record.
    pub seconds: f64,
    /// How long to wait for the first picture.
    pub patience_seconds: f64,
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
        let out = environment.text("RECORDER_OUT").trim();
        if out.is_empty() {
            bail!("RECORDER_OUT is empty: it must name a directory");
        }
        let prompts = environment.text("RECORDER_PROMPTS").split(';').map(str::trim).filter(|text| !text.is_empty());
        let prompts: Vec<String> = prompts.map(str::to_owned).collect();
        if prompts.is_empty() && !environment.text("RECORDER_PROMPTS").trim().is_empty() {
            bail!("RECORDER_PROMPTS has no prompt between its semicolons; leave it empty to record what is said");
        }
        let row = parameter("prompt").ok_or_else(|| eyre!("the parameter table has no prompt"))?;
        if let Some(prompt) = prompts.iter().find(|prompt| !row.allows(&prompt.as_str().into())) {
            let start: String = prompt.chars().take(32).collect();
            bail!("RECORDER_PROMPTS: \"{start}…\" is not {}", row.range());
        }
        Ok(Self {
            out: PathBuf::from(out),
            prompts,
            seconds: environment.quantity("RECORDER_SECONDS", Unit::SECONDS, SECONDS)?,
            patience_seconds: environment.quantity("RECORDER_PATIENCE_SECONDS", Unit::SECONDS, SECONDS)?,
        })
    }

    /// Whether there is anything to record.
    ///
    /// # Errors
    /// Nothing is to be asked for, and nothing that is said is connected.
    pub fn check_connected(&self, inputs: &[String]) -> Result<()> {
        if self.prompts.is_empty() && !inputs.iter().any(|port| port == PROMPT) {
            bail!(
                "RECORDER_PROMPTS is empty and nothing is connected to \"{PROMPT}\": name a prompt, or connect rephrase/prompt"
            );
        }
        Ok(())
    }

    /// Whether anything was recorded.
    ///
    /// # Errors
    /// No picture was shown.
    pub fn check_shown(&self, report: &Report) -> Result<()> {
        if report.frames.displayed == 0 {
            let (out, patience) = (self.out.display(), self.patience_seconds);
            bail!(
                "no picture was shown (waited up to {patience} s): the reason is in the log of an earlier stage; see {out}/report.json"
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(pairs: &[(&str, &str)]) -> Result<Config> {
        Config::of(&Environment::given(KEYS, pairs.iter().copied())?)
    }

    #[test]
    fn the_defaults_are_four_prompts_in_twenty_seconds() {
        let config = config(&[]).expect("the defaults are fine");
        assert_eq!((config.prompts.len(), config.seconds, config.patience_seconds), (4, 20.0, 60.0));
    }

    #[test]
    fn seconds_may_have_their_unit() {
        for text in ["7.5", "7.5s", " 7.5 s "] {
            assert_eq!(config(&[("RECORDER_SECONDS", text)]).expect(text).seconds, 7.5);
        }
    }

    #[test]
    fn prompts_are_trimmed_and_empty_ones_left_out() {
        let config = config(&[("RECORDER_PROMPTS", " neon ;; oil, on canvas;")]).expect("two prompts");
        assert_eq!(config.prompts, ["neon", "oil, on canvas"]);
    }

    #[test]
    fn without_prompts_the_recorder_listens() {
        assert!(config(&[("RECORDER_PROMPTS", " ")]).expect("it listens").prompts.is_empty());
    }

    #[test]
    fn a_recorder_that_listens_to_nothing_is_refused() {
        let listens = config(&[("RECORDER_PROMPTS", "")]).expect("it listens");
        let error = listens.check_connected(&["picture".to_owned()]).expect_err("nothing is connected").to_string();
        assert!(error.contains("connect rephrase/prompt"), "{error}");
        assert!(listens.check_connected(&["prompt".to_owned()]).is_ok());
    }

    #[test]
    fn errors_name_the_key() {
        let long = "x".repeat(2001);
        for (name, value) in [
            ("RECORDER_OUT", " "),
            ("RECORDER_PROMPTS", "; ;"),
            ("RECORDER_PROMPTS", &long),
            ("RECORDER_SECONDS", "long"),
            ("RECORDER_SECONDS", "0"),
            ("RECORDER_SECONDS", "NaN"),
            ("RECORDER_PATIENCE_SECONDS", "-1s"),
            ("RECORDER_LENGTH", "20"),
        ] {
            let error = config(&[(name, value)]).expect_err(name).to_string();
            assert!(error.contains(name), "{error}");
        }
    }
}
