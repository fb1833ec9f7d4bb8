//! Typed access to a payload.

use crate::error::ContractError;
use arrow::array::{Array, AsArray};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::{ArrowPrimitiveType, Float32Type, UInt8Type};
use dora_node_api::DoraArray;

fn values<T: ArrowPrimitiveType>(
    message: &'static str,
    expected: &'static str,
    data: &DoraArray,
) -> Result<ScalarBuffer<T::Native>, ContractError> {
    let array = data.as_array();
    let Some(typed) = array.as_primitive_opt::<T>() else {
        return Err(ContractError::WrongType { message, expected, actual: array.data_type().to_string() });
    };
    match typed.null_count() {
        0 => Ok(typed.values().clone()),
        count => Err(ContractError::Nulls { message, count }),
    }
}

/// The bytes of a payload, still where they lie.
pub(super) fn bytes(message: &'static str, data: &DoraArray) -> Result<ScalarBuffer<u8>, ContractError> {
    values::<UInt8Type>(message, "UInt8", data)
}

/// The 32-bit floats of a payload, still where they lie.
pub(super) fn floats(message: &'static str, data: &DoraArray) -> Result<ScalarBuffer<f32>, ContractError> {
    values::<Float32Type>(message, "Float32", data)
}

/// The one text of a payload.
pub(super) fn text(message: &'static str, data: &DoraArray) -> Result<String, ContractError> {
    let array = data.as_array();
    let Some(strings) = array.as_string_opt::<i32>() else {
        return Err(ContractError::WrongType { message, expected: "Utf8", actual: array.data_type().to_string() });
    };
    if strings.len() != 1 {
        let reason = format!("payload must hold one text, it holds {}", strings.len());
        return Err(ContractError::WrongText { message, reason });
    }
    match strings.null_count() {
        0 => Ok(strings.value(0).to_owned()),
        count => Err(ContractError::Nulls { message, count }),
    }
}

/// Checks a shape: `RANK` axes, none of them empty, and as many elements as the payload has.
pub(super) fn check_shape<const RANK: usize>(
    message: &'static str,
    shape: &[i64],
    expected: &'static str,
    len: usize,
) -> Result<[usize; RANK], ContractError> {
    let wrong = || ContractError::WrongShape { message, shape: shape.to_vec(), expected };
    let mut axes = [0; RANK];
    if shape.len() != RANK {
        return Err(wrong());
    }
    for (axis, size) in axes.iter_mut().zip(shape) {
        *axis = usize::try_from(*size).ok().filter(|size| *size > 0).ok_or_else(wrong)?;
    }
    let product = axes.iter().try_fold(1usize, |product, axis| product.checked_mul(*axis)).ok_or_else(wrong)?;
    if product == len {
        Ok(axes)
    } else {
        Err(ContractError::WrongLength { message, shape: shape.to_vec(), expected: product, actual: len })
    }
}
