//! The line of text that names a picture.
//!
//! Of a message's metadata, dora hands a Rust operator one text only. The host writes into it what an operator needs to
//! know: `height=512;width=512;frame_id=7;captured_ns=1700000000000000000;stream=house`. Everything else of the metadata
//! stays with the host, which puts it on the picture that comes back.

use std::fmt::{self, Display, Formatter};
use thiserror::Error;

/// Size and stamp of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context<'a> {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Counts the pictures of the stream from 0.
    pub frame_id: i64,
    /// When the camera took it: nanoseconds since the Unix epoch.
    pub captured_ns: i64,
    /// Which camera or visitor. It stands last: it may hold any character.
    pub stream: &'a str,
}

/// A line that names no picture.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the metadata {0:?} is not height=…;width=…;frame_id=…;captured_ns=…;stream=…")]
pub struct NoContext(String);

impl<'a> Context<'a> {
    /// Reads the line.
    ///
    /// # Errors
    /// A part is missing, in another place, or no number.
    pub fn read(line: &'a str) -> Result<Self, NoContext> {
        let read = || {
            let mut parts = line.splitn(5, ';');
            let mut part = |key: &str| parts.next()?.strip_prefix(key)?.strip_prefix('=');
            Some(Self {
                height: part("height")?.parse().ok()?,
                width: part("width")?.parse().ok()?,
                frame_id: part("frame_id")?.parse().ok()?,
                captured_ns: part("captured_ns")?.parse().ok()?,
                stream: part("stream")?,
            })
        };
        read().ok_or_else(|| NoContext(line.to_owned()))
    }
}

impl Display for Context<'_> {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        let Self { height, width, frame_id, captured_ns, stream } = self;
        write!(to, "height={height};width={width};frame_id={frame_id};captured_ns={captured_ns};stream={stream}")
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
        ) {
            let context = Context { height, width, frame_id, captured_ns, stream: &stream };
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
        for line in
            ["", "height=1;width=2;frame_id=3;captured_ns=4", "height=1;width=x;frame_id=3;captured_ns=4;stream=a"]
        {
            let error = Context::read(line).expect_err("a part is missing").to_string();
            assert!(error.contains(&format!("{line:?}")), "{error}");
        }
    }
}
