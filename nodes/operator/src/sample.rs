//! A picture on its way to an operator, and what comes back.

use arrow::array::{ArrayRef, UInt8Array};
use arrow::buffer::ScalarBuffer;
use mirror_contract::{Frame, Header, Stamp};
use mirror_kit::{Book, Sources};
use mirror_operator::{Context, Settings};
use std::sync::Arc;

/// The pixels that an operator has made. They lie in its own memory.
pub type Pixels = ScalarBuffer<u8>;

/// A picture for an operator.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Its bytes where they lie: `[height, width, 3]` u8.
    pub picture: ArrayRef,
    /// The picture that it was painted from, of the same shape, if it is still here.
    pub source: Option<ArrayRef>,
    /// Its height and width.
    pub shape: [usize; 2],
    /// What names it ([`Context`]).
    pub context: String,
}

/// A picture that an operator has made.
#[derive(Debug, Clone, PartialEq)]
pub struct Painted {
    /// Its height and width.
    pub shape: [usize; 2],
    /// Its bytes: `[height, width, 3]` u8.
    pub pixels: Pixels,
}

impl Sample {
    /// A picture that has come, with the settings and the source that belong to it. No pixel is copied.
    #[must_use]
    pub fn of(frame: &Frame, book: &Book, sources: &Sources) -> Self {
        let Frame { header, height, width, pixels } = frame;
        let Header { stamp: Stamp { stream, frame_id, captured_ns }, painting, .. } = header;
        let begun = painting.as_ref().and_then(|painting| book.of_pack(stream, &painting.pack));
        let settings = begun.unwrap_or_else(|| book.of(stream));
        let settings = Settings {
            // The table allows 128 to 1024.
            size: settings.size as usize,
            mirror: settings.mirror,
            opacity: settings.opacity as f32,
            // Whether this picture was painted, whatever the next one will be.
            passthrough: painting.as_ref().map_or(settings.passthrough, |painting| painting.passthrough),
        };
        let (height, width, frame_id, captured_ns) = (*height, *width, *frame_id, *captured_ns);
        let array = |pixels: &Pixels| -> ArrayRef { Arc::new(UInt8Array::new(pixels.clone(), None)) };
        let source = sources.find(&header.stamp).filter(|source| [source.height, source.width] == [height, width]);
        Self {
            picture: array(pixels),
            source: source.map(|source| array(&source.pixels)),
            shape: [height, width],
            context: Context { height, width, frame_id, captured_ns, settings, stream }.to_string(),
        }
    }

    /// A small picture of all colours, for a mirror that has seen none yet.
    #[must_use]
    pub fn synthetic() -> Self {
        let (height, width) = (48, 64);
        let pixel = |index: usize| [index % width * 4, index / width * 5, 255 - index % width * 4].map(|it| it as u8);
        let pixels: Vec<u8> = (0..height * width).flat_map(pixel).collect();
        let context = Context { height, width, stream: "trial", ..Context::default() }.to_string();
        Self { picture: Arc::new(UInt8Array::from(pixels)), source: None, shape: [height, width], context }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mirror_contract::Painting;

    fn frame(frame_id: i64, side: usize) -> Frame {
        let stamp = Stamp { stream: "garden".to_owned(), frame_id, captured_ns: 0 };
        Frame { header: Header::of(stamp), height: side, width: side, pixels: vec![9; side * side * 3].into() }
    }

    #[test]
    fn an_operator_is_told_the_settings_of_the_pictures_stream_and_given_its_source_of_the_same_shape() {
        let (mut book, mut sources) = (Book::default(), Sources::default());
        let settings =
            mirror_contract::Settings { size: 256, opacity: 0.25, ..mirror_contract::Settings::of("garden") };
        book.write(settings);
        [frame(1, 2), frame(2, 4)].into_iter().for_each(|frame| sources.keep(frame));
        let mut picture = frame(1, 2);
        picture.header.painting = Some(Painting {
            prompt: String::new(),
            pack: "starter".to_owned(),
            provider: "CPU".to_owned(),
            passthrough: true,
        });
        let sample = Sample::of(&picture, &book, &sources);
        let context = Context::read(&sample.context).expect("a context");
        assert_eq!((context.frame_id, context.stream, context.settings.size), (1, "garden", 256));
        assert_eq!((context.settings.opacity, context.settings.passthrough), (0.25, true));
        assert_eq!(sample.source.map(|source| source.len()), Some(12));
        assert!(Sample::of(&frame(2, 2), &book, &sources).source.is_none(), "another shape");
    }

    #[test]
    fn settings_that_nobody_has_made_are_those_of_the_table() {
        let sample = Sample::of(&frame(1, 2), &Book::default(), &Sources::default());
        let context = Context::read(&sample.context).expect("a context");
        assert_eq!(context.settings, Settings::default());
    }

    #[test]
    fn the_synthetic_picture_is_as_large_as_it_says() {
        let sample = Sample::synthetic();
        let context = Context::read(&sample.context).expect("a context");
        assert_eq!([context.height, context.width], sample.shape);
        assert_eq!(sample.picture.len(), context.height * context.width * 3);
    }
}
