//! The configuration.

use eyre::{Result, bail};
use mirror_contract::VISITOR;
use mirror_kit::{Environment, Key};

/// All keys.
pub const KEYS: &[Key] = &[
    Key {
        name: "DISPLAY_WINDOW",
        default: "auto",
        text: "`on` opens a window, `off` does not, `auto` does if there is a screen.",
    },
    Key { name: "DISPLAY_WIDTH", default: "512", text: "Width of the window at the start, in pixels." },
    Key { name: "DISPLAY_HEIGHT", default: "512", text: "Height of the window at the start, in pixels." },
    Key { name: "DISPLAY_FULLSCREEN", default: "off", text: "`on` starts with the full screen." },
    Key { name: "DISPLAY_FIGURES", default: "off", text: "`on` starts with the figures on the picture." },
    Key {
        name: "DISPLAY_STREAM",
        default: "",
        text: "The stream that is shown; empty shows all cameras of the mirror, but no visitor's.",
    },
    Key { name: "DISPLAY_TITLE", default: "Mirror", text: "Title of the window." },
];

/// Whether there is to be a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// If there is a screen.
    Auto,
    /// Without one the node ends with an error.
    On,
    /// The node only measures.
    Off,
}

/// The configuration, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Whether there is to be a window.
    pub window: Wanted,
    /// Rows and columns of the window at the start.
    pub size: [usize; 2],
    /// Full screen at the start.
    pub fullscreen: bool,
    /// Figures on the picture at the start.
    pub figures: bool,
    /// The stream that is shown; empty shows whatever comes.
    pub stream: String,
    /// Title of the window.
    pub title: String,
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
        let window = match environment.text("DISPLAY_WINDOW").trim().to_ascii_lowercase().as_str() {
            "auto" => Wanted::Auto,
            // A dataflow file may say `on` without quotes, which YAML reads as true.
            "on" | "true" => Wanted::On,
            "off" | "false" => Wanted::Off,
            other => bail!("DISPLAY_WINDOW=\"{other}\" is not auto, on or off"),
        };
        let title = environment.text("DISPLAY_TITLE").to_owned();
        if title.contains('\0') {
            bail!("DISPLAY_TITLE must not contain a null character");
        }
        Ok(Self {
            window,
            size: [environment.within("DISPLAY_HEIGHT", 64, 8192)?, environment.within("DISPLAY_WIDTH", 64, 8192)?],
            fullscreen: environment.switch("DISPLAY_FULLSCREEN")?,
            figures: environment.switch("DISPLAY_FIGURES")?,
            stream: environment.text("DISPLAY_STREAM").to_owned(),
            title,
        })
    }

    /// Whether pictures of that stream are to be shown.
    #[must_use]
    pub fn shows(&self, stream: &str) -> bool {
        if self.stream.is_empty() { !stream.starts_with(VISITOR) } else { stream == self.stream }
    }

    /// Whether a notice about that stream is to be shown; one about none is for all.
    #[must_use]
    pub fn concerns(&self, stream: &str) -> bool {
        stream.is_empty() || self.shows(stream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(pairs: &[(&str, &str)]) -> Result<Config> {
        Config::of(&Environment::given(KEYS, pairs.iter().copied())?)
    }

    #[test]
    fn without_keys_there_is_a_window_if_there_is_a_screen() {
        let config = config(&[]).expect("the defaults are fine");
        assert_eq!((config.window, config.size, config.fullscreen), (Wanted::Auto, [512, 512], false));
    }

    #[test]
    fn the_variable_of_x11_is_not_ours() {
        assert!(config(&[("DISPLAY", ":0")]).is_ok());
    }

    #[test]
    fn another_streams_pictures_and_notices_are_not_shown() {
        let all = config(&[]).expect("the defaults are fine");
        assert!(all.shows("house") && all.shows("garden") && all.concerns("garden"));
        let garden = config(&[("DISPLAY_STREAM", "garden")]).expect("a stream");
        assert!(garden.shows("garden") && garden.concerns("garden") && garden.concerns(""));
        assert!(!garden.shows("house") && !garden.concerns("house"));
    }

    #[test]
    fn what_visitors_see_is_not_shown_in_the_house_unless_it_is_asked_for() {
        let all = config(&[]).expect("the defaults are fine");
        assert!(!all.shows("visitor/anna") && !all.concerns("visitor/anna"));
        assert!(config(&[("DISPLAY_STREAM", "visitor/anna")]).expect("a stream").shows("visitor/anna"));
    }

    #[test]
    fn errors_name_the_key() {
        for (name, value) in [
            ("DISPLAY_WINDOW", "maybe"),
            ("DISPLAY_WIDTH", "wide"),
            ("DISPLAY_HEIGHT", "0"),
            ("DISPLAY_FULLSCREEN", "2"),
            ("DISPLAY_FIGURES", ""),
            ("DISPLAY_SIZE", "512"),
        ] {
            let error = config(&[(name, value)]).expect_err(name).to_string();
            assert!(error.contains(name), "{error}");
        }
    }
}
