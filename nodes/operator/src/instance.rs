//! One operator of a library: made, run and ended in one thread.

use crate::library::Library;
use arrow::array::{Array, ArrayRef, AsArray, make_array};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::UInt8Type;
use arrow::ffi::{from_ffi, to_ffi};
use dora_operator_api::types::safer_ffi::closure::ArcDynFn1;
use dora_operator_api::types::{DoraResult, DoraStatus, Input, Metadata, Output, RawEvent, SendOutput};
use eyre::{Result, WrapErr, bail, ensure, eyre};
use mirror_operator::PICTURE;
use std::ffi::c_void;
use std::sync::{Arc, Mutex, PoisonError};

/// The pixels that an operator has made. They lie in its own memory.
pub type Pixels = ScalarBuffer<u8>;

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

    /// Has a picture painted: `picture` are the bytes where they lie, `context` names them.
    ///
    /// # Errors
    /// The operator panics, returns an error or stops; it sends nothing, too much, or no picture of the same size.
    pub fn run(&mut self, picture: &ArrayRef, context: &str) -> Result<Pixels> {
        let (data_array, schema) = to_ffi(&picture.to_data())?;
        let metadata = Metadata { open_telemetry_context: context.to_owned().into() };
        let input = Input { id: PICTURE.to_owned().into(), data_array: Some(data_array), schema, metadata };
        let mut event = RawEvent { input: Some(Box::new(input).into()), input_closed: None, stop: false, error: None };
        // SAFETY: the Abi agrees; the pointer is the library's own and has not been dropped. Panics are caught within.
        let outcome = unsafe { (self.library.on_event)(&mut event, &self.sender, self.context) };
        let sent = std::mem::take(&mut *self.sent.lock().unwrap_or_else(PoisonError::into_inner));
        outcome.result.into_result().map_err(|error| eyre!(error))?;
        ensure!(matches!(outcome.status, DoraStatus::Continue), "it has stopped");
        check(sent, picture.len())
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

/// The one picture among what was sent, of that many bytes.
fn check(sent: Vec<(String, Result<ArrayRef>)>, len: usize) -> Result<Pixels> {
    let count = sent.len();
    let mut sent = sent.into_iter();
    let (Some((id, data)), None) = (sent.next(), sent.next()) else {
        bail!("it has sent {count} outputs for one picture, it must send one");
    };
    ensure!(id == PICTURE, "it has sent an output {id:?}, it must be called {PICTURE:?}");
    let data = data?;
    let pixels = data.as_primitive_opt::<UInt8Type>().filter(|array| array.null_count() == 0);
    let pixels = pixels.ok_or_else(|| eyre!("it has sent {}, a picture is UInt8 without nulls", data.data_type()))?;
    ensure!(pixels.len() == len, "it has sent {} bytes for a picture of {len}", pixels.len());
    Ok(pixels.values().clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Float32Array, UInt8Array};

    fn of(id: &str, array: impl Array + 'static) -> (String, Result<ArrayRef>) {
        (id.to_owned(), Ok(Arc::new(array)))
    }

    #[test]
    fn one_picture_of_the_same_size_is_taken() {
        let pixels = check(vec![of(PICTURE, UInt8Array::from(vec![1u8, 2, 3]))], 3).expect("a picture");
        assert_eq!(&pixels[..], [1, 2, 3]);
    }

    #[test]
    fn everything_else_is_refused_in_words() {
        let three = || of(PICTURE, UInt8Array::from(vec![1u8, 2, 3]));
        for (sent, words) in [
            (vec![], "it has sent 0 outputs"),
            (vec![three(), three()], "it has sent 2 outputs"),
            (vec![of("frame", UInt8Array::from(vec![1u8, 2, 3]))], "it has sent an output \"frame\""),
            (vec![of(PICTURE, UInt8Array::from(vec![1u8, 2]))], "it has sent 2 bytes for a picture of 3"),
            (vec![of(PICTURE, UInt8Array::from(vec![Some(1u8), None, None]))], "it has sent UInt8, a picture is"),
            (vec![of(PICTURE, Float32Array::from(vec![1.0f32; 3]))], "it has sent Float32, a picture is"),
        ] {
            let error = check(sent, 3).expect_err(words).to_string();
            assert!(error.starts_with(words), "{error}");
        }
    }
}
