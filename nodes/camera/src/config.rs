//! The configuration.

use crate::source::Source;
use eyre::{Result, bail};
use mirror_kit::{Environment, Key};
use std::path::PathBuf;
use std::time::Duration;

/// The node's keys.
pub const KEYS: &[Key] = &[
    Key {
        name: "CAMERA_SOURCE",
        default: "auto",
        text: "Where pictures come from: `auto` (the first camera that works, else the bundled clip), `0` or `/dev/video2`, \
               a film, a picture, a folder of pictures, `rtsp://…`, `http://…`, or `pattern` (a moving test picture).",
    },
    Key {
        name: "CAMERA_STREAM",
        default: "house",
        text: "The stream that the pictures belong to: one name for each camera.",
    },
    Key {
        name: "CAMERA_WIDTH",
        default: "1280",
        text: "Columns asked of a camera and of the pattern. Larger pictures are reduced to fit, upright ones upright.",
    },
    Key { name: "CAMERA_HEIGHT", default: "720", text: "Rows, in the same way." },
    Key {
        name: "CAMERA_FPS",
        default: "30",
        text: "Most pictures a second. A film that has fewer keeps its own pace.",
    },
    Key {
        name: "CAMERA_LOOP",
        default: "on",
        text: "Whether films and pictures start again at their end; `off` ends the node, with success.",
    },
    Key { name: "CAMERA_IMAGE_SECONDS", default: "3", text: "How long each picture of a folder is shown." },
    Key { name: "CAMERA_CLIP", default: "assets/clip.mp4", text: "What `auto` shows when there is no camera." },
    Key {
        name: "CAMERA_TIMEOUT_SECONDS",
        default: "5",
        text: "How long a stream of the network may take to answer, or to send its next picture.",
    },
];

/// The node's configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Where pictures come from.
    pub source: Source,
    /// The stream that they belong to.
    pub stream: String,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Most pictures a second.
    pub fps: f64,
    /// Whether what ends starts again.
    pub looping: bool,
    /// How long each picture of a folder is shown.
    pub image_time: Duration,
    /// What `auto` shows when there is no camera.
    pub clip: PathBuf,
    /// Patience with the network.
    pub timeout: Duration,
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
        let stream = environment.text("CAMERA_STREAM").trim().to_owned();
        if stream.is_empty() {
            bail!("CAMERA_STREAM is empty; it must name the stream, as \"house\" does");
        }
        let seconds = |key| environment.within(key, 0.1, 86_400.0).map(Duration::from_secs_f64);
        Ok(Self {
            source: Source::parse(environment.text("CAMERA_SOURCE"))?,
            stream,
            width: environment.within("CAMERA_WIDTH", 16, 7680)?,
            height: environment.within("CAMERA_HEIGHT", 16, 4320)?,
            fps: environment.within("CAMERA_FPS", 0.1, 240.0)?,
            looping: environment.switch("CAMERA_LOOP")?,
            image_time: seconds("CAMERA_IMAGE_SECONDS")?,
            clip: environment.text("CAMERA_CLIP").into(),
            timeout: seconds("CAMERA_TIMEOUT_SECONDS")?,
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
    fn without_settings_the_first_camera_is_taken() {
        let config = config(&[]).expect("defaults are right");
        assert_eq!((config.source, config.stream.as_str()), (Source::Auto, "house"));
        assert_eq!((config.width, config.height, config.fps), (1280, 720, 30.0));
    }

    #[test]
    fn a_wrong_value_names_its_key() {
        for (key, value) in [
            ("CAMERA_SOURCE", ""),
            ("CAMERA_STREAM", " "),
            ("CAMERA_WIDTH", "0"),
            ("CAMERA_HEIGHT", "tall"),
            ("CAMERA_FPS", "NaN"),
            ("CAMERA_LOOP", "perhaps"),
            ("CAMERA_IMAGE_SECONDS", "-1"),
            ("CAMERA_TIMEOUT_SECONDS", "inf"),
            ("CAMERA_SORCE", "auto"),
        ] {
            let error = config(&[(key, value)]).expect_err(key).to_string();
            assert!(error.contains(key), "{error}");
        }
    }
}
