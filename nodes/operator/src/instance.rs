//! One operator of a library: made, run and ended in one thread.

use crate::library::Library;
use crate::sample::{Painted, Sample};
use arrow::array::{Array, ArrayRef, AsArray, make_array};
use arrow::datatypes::{UInt8Type, UInt32Type};
use arrow::ffi::{from_ffi, to_ffi};
use dora_operator_api::types::safer_ffi::closure::ArcDynFn1;
use dora_operator_api::types::{DoraResult, DoraStatus, Input, Metadata, Output, RawEvent, SendOutput};
use eyre::{Result, WrapErr, bail, ensure, eyre};
use mirror_operator::operator::CHANNELS;
use mirror_operator::{PICTURE, SHAPE, SOURCE};
use std::ffi::c_void;
use std::sync::{Arc, Mutex, PoisonError};

/// What an operator has sent during one call: name and payload of each.
type Sent = Arc<Mutex<Vec<(String, Result<ArrayRef>)>>>;

/// An operator. Its raw pointer keeps it in the thread that made it: dora promises no more.
pub struct Instance {
    library: Library,
    context: *mut c_void,
    sender: SendOutput,
    sent: Sent,
}

impl Instance {
    /// Makes the library's operator.
    ///
    /// # Errors
    /// It cannot be made: its `default` panics.
    pub fn new(library: Library) -> Result<Self> {
        // SAFETY: the Abi agrees. Panics are caught within (dora_operator_api::raw).
        let made = unsafe { (library.init)() };
        made.result.into_result().map_err(|error| eyre!(error))?;
        ensure!(!made.operator_context.is_null(), "it could not be made, and does not say why");
        let sent = Sent::default();
        let sender = SendOutput { send_output: ArcDynFn1::new(Arc::new(receive(Arc::clone(&sent)))) };
        Ok(Self { library, context: made.operator_context, sender, sent })
    }

    /// Has a picture painted.
    ///
    /// # Errors
    /// The operator panics, returns an error or stops; it sends nothing, too much, or no picture of the size that it says.
    pub fn run(&mut self, sample: &Sample) -> Result<Painted> {
        if let Some(source) = &sample.source {
            self.hand(SOURCE, source, &sample.context)?;
        }
        self.hand(PICTURE, &sample.picture, &sample.context)?;
        let sent = std::mem::take(&mut *self.sent.lock().unwrap_or_else(PoisonError::into_inner));
        check(sent, sample.shape)
    }

    /// Hands it a picture where it lies, by that name.
    fn hand(&mut self, id: &str, picture: &ArrayRef, context: &str) -> Result<()> {
        let (data_array, schema) = to_ffi(&picture.to_data())?;
        let metadata = Metadata { open_telemetry_context: context.to_owned().into() };
        let input = Input { id: id.to_owned().into(), data_array: Some(data_array), schema, metadata };
        let mut event = RawEvent { input: Some(Box::new(input).into()), input_closed: None, stop: false, error: None };
        // SAFETY: the Abi agrees; the pointer is the library's own and has not been dropped. Panics are caught within.
        let outcome = unsafe { (self.library.on_event)(&mut event, &self.sender, self.context) };
        outcome.result.into_result().map_err(|error| eyre!(error))?;
        ensure!(matches!(outcome.status, DoraStatus::Continue), "it has stopped");
        Ok(())
    }
}

impl std::ops::Drop for Instance {
    fn drop(&mut self) {
        // SAFETY: the pointer is the library's own and is dropped here, once. Panics are caught within.
        let dropped = unsafe { (self.library.drop)(self.context) };
        if let Err(error) = dropped.into_result() {
            tracing::warn!("operator {}: {error}", self.library.name);
        }
    }
}

/// Takes over what the operator sends. The payload stays in the library's memory, and its library stays for good.
fn receive(sent: Sent) -> impl Fn(Output) -> DoraResult {
    move |Output { id, data_array, schema, .. }| {
        // SAFETY: register_operator!'s sender has made both from one array.
        let data = unsafe { from_ffi(data_array, &schema) };
        let data = data.map(make_array).wrap_err("it is no Arrow array");
        sent.lock().unwrap_or_else(PoisonError::into_inner).push((id.to_string(), data));
        DoraResult::SUCCESS
    }
}

/// The one picture among what was sent: of the shape that was sent with it, or of that one.
fn check(sent: Vec<(String, Result<ArrayRef>)>, mut shape: [usize; 2]) -> Result<Painted> {
    let mut picture = None;
    for (id, data) in sent {
        let data = data?;
        match id.as_str() {
            PICTURE if picture.is_none() => picture = Some(data),
            PICTURE => bail!("it has sent two pictures for one"),
            SHAPE => shape = sides(&data)?,
            id => bail!("it has sent an output {id:?}, there are {PICTURE:?} and {SHAPE:?}"),
        }
    }
    let data = picture.ok_or_else(|| eyre!("it has sent no picture"))?;
    let pixels = data.as_primitive_opt::<UInt8Type>().filter(|array| array.null_count() == 0);
    let pixels = pixels.ok_or_else(|| eyre!("it has sent {}, a picture is UInt8 without nulls", data.data_type()))?;
    let [height, width] = shape;
    let len = height.saturating_mul(width).saturating_mul(CHANNELS);
    ensure!(pixels.len() == len, "it has sent {} bytes for a picture of {len}", pixels.len());
    Ok(Painted { shape, pixels: pixels.values().clone() })
}

/// Height and width.
fn sides(data: &ArrayRef) -> Result<[usize; 2]> {
    let sides = data.as_primitive_opt::<UInt32Type>().filter(|array| array.null_count() == 0);
    match sides.map(|array| &array.values()[..]) {
        Some([height, width]) if *height > 0 && *width > 0 => Ok([*height as usize, *width as usize]),
        _ => bail!("it has sent a shape that is no height and width"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Float32Array, UInt8Array, UInt32Array};

    fn of(id: &str, array: impl Array + 'static) -> (String, Result<ArrayRef>) {
        (id.to_owned(), Ok(Arc::new(array)))
    }

    #[test]
    fn one_picture_of_the_same_size_or_of_the_size_that_it_says_is_taken() {
        let painted = check(vec![of(PICTURE, UInt8Array::from(vec![1u8, 2, 3]))], [1, 1]).expect("a picture");
        assert_eq!((painted.shape, &painted.pixels[..]), ([1, 1], &[1, 2, 3][..]));
        let shape = of(SHAPE, UInt32Array::from(vec![1u32, 2]));
        let painted = check(vec![shape, of(PICTURE, UInt8Array::from(vec![7u8; 6]))], [9, 9]).expect("a picture");
        assert_eq!((painted.shape, painted.pixels.len()), ([1, 2], 6));
    }

    #[test]
    fn everything_else_is_refused_in_words() {
        let three = || of(PICTURE, UInt8Array::from(vec![1u8, 2, 3]));
        let no_shape = "it has sent a shape that is no height and width";
        for (sent, words) in [
            (vec![], "it has sent no picture"),
            (vec![three(), three()], "it has sent two pictures for one"),
            (vec![of("frame", UInt8Array::from(vec![1u8, 2, 3]))], "it has sent an output \"frame\""),
            (vec![of(PICTURE, UInt8Array::from(vec![1u8, 2]))], "it has sent 2 bytes for a picture of 3"),
            (vec![of(PICTURE, UInt8Array::from(vec![Some(1u8), None, None]))], "it has sent UInt8, a picture is"),
            (vec![of(PICTURE, Float32Array::from(vec![1.0f32; 3]))], "it has sent Float32, a picture is"),
            (vec![of(SHAPE, UInt32Array::from(vec![1u32, 2])), three()], "it has sent 3 bytes for a picture of 6"),
            (vec![of(SHAPE, UInt32Array::from(vec![0u32, 2])), three()], no_shape),
            (vec![of(SHAPE, UInt8Array::from(vec![1u8, 1])), three()], no_shape),
        ] {
            let error = check(sent, [1, 1]).expect_err(words).to_string();
            assert!(error.starts_with(words), "{error}");
        }
    }
}
