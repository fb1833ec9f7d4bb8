//! The trait, and its way from and to dora's messages.

use crate::context::Context;
use dora_operator_api::arrow_v59::array::{Array, AsArray, UInt8Array};
use dora_operator_api::arrow_v59::datatypes::UInt8Type;
use dora_operator_api::types::Metadata;
use dora_operator_api::{DoraArray, DoraOperator, DoraOutputSender, DoraStatus, Event};

/// The one input and the one output of every operator.
pub const PICTURE: &str = "picture";
/// Colours of a pixel: red, green, blue.
pub const CHANNELS: usize = 3;

/// A picture that came in: it lies in the sender's shared memory and is only read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Picture<'a> {
    /// Size and stamp.
    pub context: Context<'a>,
    /// `[height, width, 3]` u8, RGB, rows from the top.
    pub pixels: &'a [u8],
}

/// One picture in, one picture of the same size out.
///
/// It is made when its library is loaded, and dropped some time after another one has taken its place, in the thread
/// that it runs in. A panic in it is an error.
pub trait Operator: Default {
    /// Writes the new picture: `into` is `[height, width, 3]` u8 as [`Picture::pixels`], and full of zeros.
    ///
    /// # Errors
    /// In words for people. The mirror goes back to the operator before this one and shows the words.
    fn apply(&mut self, picture: &Picture, into: &mut [u8]) -> Result<(), String>;
}

/// An [`Operator`] as dora sees it.
#[derive(Debug, Default)]
pub struct Shell<O>(O);

impl<O: Operator> Shell<O> {
    fn apply(&mut self, metadata: &Metadata, data: &DoraArray) -> Result<Vec<u8>, String> {
        let context = Context::read(&metadata.open_telemetry_context).map_err(|error| error.to_string())?;
        let array = data.as_array().as_primitive_opt::<UInt8Type>().filter(|array| array.null_count() == 0);
        let pixels =
            array.ok_or_else(|| format!("a picture is UInt8 without nulls, this is {}", data.type_name()))?.values();
        let len = context.height.checked_mul(context.width).and_then(|area| area.checked_mul(CHANNELS));
        if len != Some(pixels.len()) {
            return Err(format!(
                "a picture of {} × {} does not have {} bytes",
                context.width,
                context.height,
                pixels.len()
            ));
        }
        let mut into = vec![0; pixels.len()];
        self.0.apply(&Picture { context, pixels }, &mut into)?;
        Ok(into)
    }
}

impl<O: Operator> DoraOperator for Shell<O> {
    fn on_event(&mut self, event: &Event, sender: &mut DoraOutputSender) -> Result<DoraStatus, String> {
        match event {
            Event::Input { id, metadata, data } if *id == PICTURE => {
                let pixels = self.apply(metadata, data)?;
                sender.send(PICTURE, DoraArray::from_array(UInt8Array::from(pixels)))?;
                Ok(DoraStatus::Continue)
            }
            Event::Input { id, .. } => Err(format!("this operator has no input {id:?}, only {PICTURE:?}")),
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

    const ONE_BY_TWO: &str = "height=1;width=2;frame_id=3;captured_ns=4;stream=house";

    #[test]
    fn a_picture_is_turned_into_another_one_of_its_size() {
        let data = DoraArray::from_array(UInt8Array::from(vec![1u8, 2, 3, 4, 5, 6]));
        let painted = Shell(Red).apply(&metadata(ONE_BY_TWO), &data).expect("a picture");
        assert_eq!(painted, [1, 0, 0, 4, 0, 0]);
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
            let error = Shell(Red).apply(&metadata(line), data).expect_err(words);
            assert!(error.starts_with(words), "{error}");
        }
    }
}
