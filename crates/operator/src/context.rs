//! The line of text that names a picture.
//!
//! Of a message's metadata, dora hands a Rust operator one text only. The host writes into it what an operator needs to
//! know: `height=512;width=512;frame_id=7;captured_ns=1700000000000000000;size=512;mirror=1;opacity=1;passthrough=0;stream=house`.
//! Everything else of the metadata stays with the host, which puts it on the picture that comes back.

use std::fmt::{self, Display, Formatter};
use thiserror::Error;

/// The settings that say how pixels come in and go out, as they are for this picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Rows and columns of the square that is painted.
    pub size: usize,
    /// Left and right are swapped.
    pub mirror: bool,
    /// How much the painting covers the camera's picture, from 0 to 1.
    pub opacity: f32,
    /// The camera's picture is shown, and nothing is painted.
    pub passthrough: bool,
}

/// Those of a mirror that nobody has set: the defaults of the parameter table (`crates/contract`).
impl Default for Settings {
    fn default() -> Self {
        Self { size: 512, mirror: true, opacity: 1.0, passthrough: false }
    }
}

/// Size, stamp and settings of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Context<'a> {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Counts the pictures of the stream from 0.
    pub frame_id: i64,
    /// When the camera took it: nanoseconds since the Unix epoch.
    pub captured_ns: i64,
    /// How pixels come in and go out.
    pub settings: Settings,
    /// Which camera or visitor. It stands last: it may hold any character.
    pub stream: &'a str,
}

/// A line that names no picture.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "the metadata {0:?} is not height=…;width=…;frame_id=…;captured_ns=…;size=…;mirror=…;opacity=…;passthrough=…;stream=…"
)]
pub struct NoContext(String);

impl<'a> Context<'a> {
    /// Reads the line.
    ///
    /// # Errors
    /// A part is missing, in another place, or no number.
    pub fn read(line: &'a str) -> Result<Self, NoContext> {
        let read = || {
            let mut parts = line.splitn(9, ';');
            let mut part = |key: &str| parts.next()?.strip_prefix(key)?.strip_prefix('=');
            let switch = |text: &str| ["0", "1"].into_iter().position(|value| value == text).map(|on| on == 1);
            Some(Self {
                height: part("height")?.parse().ok()?,
                width: part("width")?.parse().ok()?,
                frame_id: part("frame_id")?.parse().ok()?,
                captured_ns: part("captured_ns")?.parse().ok()?,
                settings: Settings {
                    size: part("size")?.parse().ok()?,
                    mirror: switch(part("mirror")?)?,
                    opacity: part("opacity")?.parse().ok()?,
                    passthrough: switch(part("passthrough")?)?,
                },
                stream: part("stream")?,
            })
        };
        read().ok_or_else(|| NoContext(line.to_owned()))
    }
}

impl Display for Context<'_> {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        let Self { height, width, frame_id, captured_ns, settings, stream } = self;
        let Settings { size, mirror, opacity, passthrough } = settings;
        let [mirror, passthrough] = [mirror, passthrough].map(|on| u8::from(*on));
        write!(to, "height={height};width={width};frame_id={frame_id};captured_ns={captured_ns};")?;
        // A number of floating point is written so that the same one is read.
        write!(to, "size={size};mirror={mirror};opacity={opacity};passthrough={passthrough};stream={stream}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_written_is_read_whatever_the_stream_is_called(
            height: usize, width: usize, frame_id: i64, captured_ns: i64, stream: String,
            size: usize, mirror: bool, opacity: u8, passthrough: bool,
        ) {
            let settings = Settings { size, mirror, opacity: f32::from(opacity) / 255.0, passthrough };
            let context = Context { height, width, frame_id, captured_ns, settings, stream: &stream };
            let line = context.to_string();
            prop_assert_eq!(Context::read(&line), Ok(context));
        }

        #[test]
        fn no_line_makes_it_panic(line: String) {
            let _ = Context::read(&line);
        }
    }

    #[test]
    fn a_line_that_lacks_a_part_is_quoted() {
        let whole = Context { stream: "a", ..Context::default() }.to_string();
        assert!(Context::read(&whole).is_ok());
        for line in ["", &whole.replace(";stream=a", ""), &whole.replace("mirror=1", "mirror=2"), &whole[1..]] {
            let error = Context::read(line).expect_err("a part is missing").to_string();
            assert!(error.contains(&format!("{line:?}")), "{error}");
        }
    }
}
