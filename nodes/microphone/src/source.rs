//! What `MICROPHONE_SOURCE` says.

use eyre::{Result, bail};
use std::fmt;
use std::path::PathBuf;

/// Where sound is to come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The first microphone that works, else none.
    Auto,
    /// The system's default microphone.
    Default,
    /// A microphone by its name or a part of it: `hw:CARD=1,DEV=0`, `pulse`, `webcam`.
    Device(String),
    /// A WAV file, or a folder of them.
    Path(PathBuf),
    /// No sound.
    None,
}

/// What can stand there, for errors.
pub const KINDS: &str = "auto, default, a microphone's name, a .wav file, a folder of .wav files, or none";

impl Source {
    /// Reads the text. Nothing is looked up: whether a device or a file is there shows when it is opened.
    ///
    /// # Errors
    /// An empty text.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.is_empty() {
            bail!("MICROPHONE_SOURCE is empty; it can be {KINDS}");
        }
        if text.contains('\0') {
            bail!("MICROPHONE_SOURCE holds a NUL character; it can be {KINDS}");
        }
        let lower = text.to_lowercase();
        Ok(match lower.as_str() {
            "auto" => Self::Auto,
            "default" => Self::Default,
            "none" => Self::None,
            // Names of ALSA's devices have colons, commas and equal signs, but no slash.
            _ if text.contains('/') || lower.ends_with(".wav") || lower.ends_with(".wave") => Self::Path(text.into()),
            _ => Self::Device(text.to_owned()),
        })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, to: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Auto => to.write_str("auto"),
            Self::Default => to.write_str("default"),
            Self::Device(name) => to.write_str(name),
            Self::Path(path) => write!(to, "{}", path.display()),
            Self::None => to.write_str("none"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_kind_is_told_apart() {
        let parsed = |text| Source::parse(text).expect("a source");
        assert_eq!(parsed("auto"), Source::Auto);
        assert_eq!(parsed(" Default "), Source::Default);
        assert_eq!(parsed("none"), Source::None);
        assert_eq!(parsed("hw:CARD=1,DEV=0"), Source::Device("hw:CARD=1,DEV=0".to_owned()));
        assert_eq!(parsed("USB webcam"), Source::Device("USB webcam".to_owned()));
        assert_eq!(parsed("speech.WAV"), Source::Path("speech.WAV".into()));
        assert_eq!(parsed("my recordings/"), Source::Path("my recordings/".into()));
    }

    #[test]
    fn an_empty_source_is_refused_with_what_it_can_be() {
        let error = Source::parse("  ").expect_err("empty").to_string();
        assert_eq!(error, format!("MICROPHONE_SOURCE is empty; it can be {KINDS}"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = Source::parse(&text).map(|source| source.to_string());
        }
    }
}
