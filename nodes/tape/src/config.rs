//! The configuration.

use eyre::{Result, bail};
use mirror_contract::VISITOR;
use mirror_kit::config::Unit;
use mirror_kit::{Environment, Key};
use mirror_tape::{Limits, Pictures};
use std::path::PathBuf;
use std::time::Duration;

/// All keys.
pub const KEYS: &[Key] = &[
    Key {
        name: "TAPE_OUT",
        default: "",
        text: "The file to record into, `x.mcap`; its folder is made if need be. Empty: nothing is recorded.",
    },
    Key {
        name: "TAPE_PICTURES",
        default: "jpeg",
        text: "How pictures are recorded: `jpeg`, a tenth of the bytes, or `raw`, as they are.",
    },
    Key {
        name: "TAPE_VISITORS",
        default: "off",
        text: "Whether what visitors bring is recorded too, `on` or `off`: their pictures, voices, words and settings. They came to look, and have not been asked.",
    },
    Key {
        name: "TAPE_SECONDS",
        default: "0s",
        text: "How long to record; 0 is until the mirror stops. The `s` may be left out.",
    },
    Key {
        name: "TAPE_FILE_MIB",
        default: "2048MiB",
        text: "A file that is larger goes on in the next one, `x-2.mcap`; 0 is never. The `MiB` may be left out.",
    },
    Key {
        name: "TAPE_FREE_MIB",
        default: "1024MiB",
        text: "The recording ends when the disk has no more free than this. The `MiB` may be left out.",
    },
    Key {
        name: "TAPE_BACKLOG_MIB",
        default: "128MiB",
        text: "How much may wait for the disk in memory; what comes then is dropped and counted. The `MiB` may be left out.",
    },
];

/// The configuration, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The file; `None`: nothing is recorded.
    pub out: Option<PathBuf>,
    /// How pictures are recorded.
    pub pictures: Pictures,
    /// What visitors bring is recorded too.
    pub visitors: bool,
    /// How long to record; `None`: until the mirror stops.
    pub seconds: Option<Duration>,
    /// How large the recording may become.
    pub limits: Limits,
    /// How many bytes may wait for the disk.
    pub backlog_bytes: usize,
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
        let pictures = match environment.text("TAPE_PICTURES").trim() {
            "jpeg" => Pictures::Jpeg,
            "raw" => Pictures::Raw,
            other => bail!("TAPE_PICTURES=\"{other}\" is neither jpeg nor raw"),
        };
        let out = environment.text("TAPE_OUT").trim();
        let seconds = environment.quantity("TAPE_SECONDS", Unit::SECONDS, [0.0, 31_536_000.0])?;
        let bytes =
            |name| environment.quantity(name, Unit::MIB, [0.0, 16_777_216.0]).map(|mib| (mib * 1_048_576.0) as u64);
        let limits = Limits { file_bytes: bytes("TAPE_FILE_MIB")?, free_bytes: bytes("TAPE_FREE_MIB")? };
        let backlog_bytes = usize::try_from(bytes("TAPE_BACKLOG_MIB")?)?;
        if backlog_bytes == 0 {
            bail!("TAPE_BACKLOG_MIB=0 leaves no room for a message: 128MiB");
        }
        let visitors = environment.switch("TAPE_VISITORS")?;
        let seconds = (seconds > 0.0).then(|| Duration::from_secs_f64(seconds));
        let out = (!out.is_empty()).then(|| out.into());
        Ok(Self { out, pictures, visitors, seconds, limits, backlog_bytes })
    }

    /// Whether messages of that stream are recorded; those of no stream are everybody's.
    #[must_use]
    pub fn wants(&self, stream: &str) -> bool {
        self.visitors || !stream.starts_with(VISITOR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(pairs: &[(&str, &str)]) -> Result<Config> {
        Config::of(&Environment::given(KEYS, pairs.iter().copied())?)
    }

    #[test]
    fn without_a_word_nothing_is_recorded() {
        let config = config(&[]).expect("the defaults are fine");
        assert_eq!((config.out, config.seconds, config.pictures), (None, None, Pictures::Jpeg));
        assert_eq!(config.limits, Limits { file_bytes: 2 << 30, free_bytes: 1 << 30 });
    }

    #[test]
    fn what_visitors_bring_is_recorded_only_if_somebody_says_so() {
        let [house, all] = [&[][..], &[("TAPE_VISITORS", "on")]].map(|pairs| config(pairs).expect("good"));
        for stream in ["", "house", "garden"] {
            assert!(house.wants(stream) && all.wants(stream), "{stream}");
        }
        assert!(!house.wants("visitor/anna") && all.wants("visitor/anna"));
    }

    #[test]
    fn numbers_may_have_their_unit() {
        let config = config(&[("TAPE_SECONDS", "1.5s"), ("TAPE_FILE_MIB", "8"), ("TAPE_OUT", "x.mcap")]).expect("good");
        assert_eq!(config.seconds, Some(Duration::from_millis(1500)));
        assert_eq!((config.limits.file_bytes, config.out), (8 << 20, Some("x.mcap".into())));
    }

    #[test]
    fn errors_name_the_key() {
        for (name, value) in [
            ("TAPE_PICTURES", "png"),
            ("TAPE_VISITORS", "perhaps"),
            ("TAPE_SECONDS", "-1s"),
            ("TAPE_FILE_MIB", "much"),
            ("TAPE_FREE_MIB", "NaN"),
            ("TAPE_BACKLOG_MIB", "0"),
            ("TAPE_FILE", "x.mcap"),
        ] {
            let error = config(&[(name, value)]).expect_err(name).to_string();
            assert!(error.contains(name), "{error}");
        }
    }
}
