//! The trait, and its way from and to dora's messages.

use crate::context::Context;
use dora_operator_api::arrow_v59::array::{Array, ArrayRef, AsArray, UInt8Array, UInt32Array};
use dora_operator_api::arrow_v59::datatypes::UInt8Type;
use dora_operator_api::types::Metadata;
use dora_operator_api::{DoraArray, DoraOperator, DoraOutputSender, DoraStatus, Event};

/// What every operator paints, and the output that every operator has.
pub const PICTURE: &str = "picture";
/// The input that comes before [`PICTURE`] if the graph has it: the picture that it was painted from.
pub const SOURCE: &str = "source";
/// The output that comes before [`PICTURE`] if the new picture has another size: its height and width, two UInt32.
pub const SHAPE: &str = "shape";
/// Colours of a pixel: red, green, blue.
pub const CHANNELS: usize = 3;

/// A picture that came in: it lies in the sender's shared memory and is only read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Picture<'a> {
    /// Size, stamp, settings.
    pub context: Context<'a>,
    /// `[height, width, 3]` u8, RGB, rows from the top.
    pub pixels: &'a [u8],
    /// The picture that it was painted from, of the same shape, if the graph gives the host one and it is still there.
    pub source: Option<&'a [u8]>,
}

/// One picture in, one picture out.
///
/// It is made when its library is loaded, and dropped some time after another one has taken its place, in the thread
/// that it runs in. A panic in it is an error.
pub trait Operator: Default {
    /// Rows and columns of the picture that comes out: those of the one that went in, unless an operator says otherwise.
    fn size(&self, context: &Context) -> [usize; 2] {
        [context.height, context.width]
    }

    /// Writes the new picture: `into` is `[height, width, 3]` u8 of the [`size`](Self::size), as [`Picture::pixels`], and full of
    /// zeros.
    ///
    /// # Errors
    /// In words for people. The mirror goes back to the operator before this one and shows the words.
    fn apply(&mut self, picture: &Picture, into: &mut [u8]) -> Result<(), String>;
}

/// An [`Operator`] as dora sees it.
#[derive(Debug, Default)]
pub struct Shell<O> {
    operator: O,
    /// What the next picture was painted from.
    source: Option<ArrayRef>,
    /// The picture before: its memory is written again once the host has let go of it.
    before: Option<UInt8Array>,
}

impl<O: Operator> Shell<O> {
    fn apply(&mut self, metadata: &Metadata, data: &DoraArray) -> Result<([usize; 2], UInt8Array), String> {
        let context = Context::read(&metadata.open_telemetry_context).map_err(|error| error.to_string())?;
        let pixels = pixels(data.as_array())?;
        if bytes([context.height, context.width]) != Some(pixels.len()) {
            return Err(format!(
                "a picture of {} × {} does not have {} bytes",
                context.width,
                context.height,
                pixels.len()
            ));
        }
        let source = self.source.take();
        let source = source.as_ref().map(crate::operator::pixels).transpose()?;
        let source = source.filter(|source| source.len() == pixels.len());
        let size = self.operator.size(&context);
        let len = bytes(size).ok_or_else(|| format!("a picture of {} × {} is too large", size[1], size[0]))?;
        // The memory of the picture before, if nobody reads it any more: new pages cost more than the zeros.
        let before = self.before.take().map(|array| array.into_parts().1.into_inner());
        let mut into: Vec<u8> = before.and_then(|buffer| buffer.into_vec().ok()).unwrap_or_default();
        into.clear();
        into.resize(len, 0);
        self.operator.apply(&Picture { context, pixels, source }, &mut into)?;
        let painted = UInt8Array::from(into);
        self.before = Some(painted.clone());
        Ok((size, painted))
    }
}

/// The pixels of a message.
fn pixels(array: &ArrayRef) -> Result<&[u8], String> {
    let bytes = array.as_primitive_opt::<UInt8Type>().filter(|array| array.null_count() == 0);
    let bytes = bytes.ok_or_else(|| format!("a picture is UInt8 without nulls, this is {}", array.data_type()))?;
    Ok(bytes.values())
}

/// How many bytes a picture has.
fn bytes([height, width]: [usize; 2]) -> Option<usize> {
    height.checked_mul(width).and_then(|area| area.checked_mul(CHANNELS)).filter(|len| *len <= isize::MAX as usize)
}

impl<O: Operator> DoraOperator for Shell<O> {
    fn on_event(&mut self, event: &Event, sender: &mut DoraOutputSender) -> Result<DoraStatus, String> {
        match event {
            Event::Input { id, metadata, data } if *id == PICTURE => {
                let (size, pixels) = self.apply(metadata, data)?;
                let [height, width] = size.map(|side| u32::try_from(side).unwrap_or(u32::MAX));
                let shape = Context::read(&metadata.open_telemetry_context).map(|it| [it.height, it.width]);
                if shape != Ok(size) {
                    sender.send(SHAPE, DoraArray::from_array(UInt32Array::from(vec![height, width])))?;
                }
                sender.send(PICTURE, DoraArray::from_array(pixels))?;
                Ok(DoraStatus::Continue)
            }
            Event::Input { id, data, .. } if *id == SOURCE => {
                self.source = Some(ArrayRef::clone(data.as_array()));
                Ok(DoraStatus::Continue)
            }
            Event::Input { id, .. } => {
                Err(format!("this operator has no input {id:?}, only {PICTURE:?} and {SOURCE:?}"))
            }
            Event::InputParseError { id, error } => Err(format!("input {id:?} cannot be read: {error}")),
            Event::Stop => Ok(DoraStatus::Stop),
            _ => Ok(DoraStatus::Continue),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dora_operator_api::arrow_v59::array::Float32Array;

    /// Keeps the red.
    #[derive(Default)]
    struct Red;

    impl Operator for Red {
        fn apply(&mut self, picture: &Picture, into: &mut [u8]) -> Result<(), String> {
            for (into, from) in into.chunks_exact_mut(CHANNELS).zip(picture.pixels.chunks_exact(CHANNELS)) {
                into[0] = from[0];
            }
            Ok(())
        }
    }

    fn metadata(line: &str) -> Metadata {
        Metadata { open_telemetry_context: line.to_owned().into() }
    }

    const ONE_BY_TWO: &str =
        "height=1;width=2;frame_id=3;captured_ns=4;size=512;mirror=1;opacity=1;passthrough=0;stream=house";

    fn shell<O: Operator>() -> Shell<O> {
        Shell { operator: O::default(), source: None, before: None }
    }

    #[test]
    fn a_picture_is_turned_into_another_one_of_its_size() {
        let data = DoraArray::from_array(UInt8Array::from(vec![1u8, 2, 3, 4, 5, 6]));
        let (size, painted) = shell::<Red>().apply(&metadata(ONE_BY_TWO), &data).expect("a picture");
        assert_eq!((size, &painted.values()[..]), ([1, 2], &[1, 0, 0, 4, 0, 0][..]));
    }

    #[test]
    fn the_memory_of_a_picture_is_used_again_when_the_host_has_let_go_of_it_and_not_before() {
        let data = DoraArray::from_array(UInt8Array::from(vec![1u8, 2, 3, 4, 5, 6]));
        let mut shell = shell::<Red>();
        let mut paint = || shell.apply(&metadata(ONE_BY_TWO), &data).expect("a picture").1;
        let place = |array: &UInt8Array| array.values().as_ptr() as usize;
        let first = paint();
        let second = paint();
        assert_ne!(place(&first), place(&second));
        assert_eq!(first, second);
        let was = place(&second);
        drop(second);
        assert_eq!(place(&paint()), was);
        assert_eq!(&first.values()[..], [1, 0, 0, 4, 0, 0]);
    }

    /// Three rows of what the picture was painted from.
    #[derive(Default)]
    struct Below;

    impl Operator for Below {
        fn size(&self, context: &Context) -> [usize; 2] {
            [3, context.width]
        }

        fn apply(&mut self, picture: &Picture, into: &mut [u8]) -> Result<(), String> {
            let below = picture.source.ok_or("nothing lies below")?;
            into.chunks_exact_mut(below.len()).for_each(|row| row.copy_from_slice(below));
            Ok(())
        }
    }

    #[test]
    fn an_operator_is_given_what_a_picture_was_painted_from_once_and_may_choose_a_size() {
        let data = DoraArray::from_array(UInt8Array::from(vec![0u8; 6]));
        let mut shell = shell::<Below>();
        shell.source = Some(std::sync::Arc::new(UInt8Array::from(vec![1u8, 2, 3, 4, 5, 6])));
        let (size, painted) = shell.apply(&metadata(ONE_BY_TWO), &data).expect("a picture");
        assert_eq!((size, &painted.values()[12..]), ([3, 2], &[1, 2, 3, 4, 5, 6][..]));
        assert_eq!(shell.apply(&metadata(ONE_BY_TWO), &data).err().as_deref(), Some("nothing lies below"));
        // One of another shape is not the one that it was painted from.
        shell.source = Some(std::sync::Arc::new(UInt8Array::from(vec![1u8, 2, 3])));
        assert!(shell.apply(&metadata(ONE_BY_TWO), &data).is_err());
    }

    #[test]
    fn what_is_no_picture_is_refused_in_words() {
        let five = DoraArray::from_array(UInt8Array::from(vec![0u8; 5]));
        let floats = DoraArray::from_array(Float32Array::from(vec![0.0f32; 6]));
        for (line, data, words) in [
            (ONE_BY_TWO, &five, "a picture of 2 × 1 does not have 5 bytes"),
            (ONE_BY_TWO, &floats, "a picture is UInt8 without nulls, this is Float32"),
            ("", &five, "the metadata \"\" is not height="),
        ] {
            let error = shell::<Red>().apply(&metadata(line), data).expect_err(words);
            assert!(error.starts_with(words), "{error}");
        }
    }
}
