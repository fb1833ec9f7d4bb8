//! A tensor that stays bound to one input or output.

use crate::port::Element;
use half::f16;
use half::slice::HalfFloatSliceExt;
use ort::Result;
use ort::memory::Allocator;
use ort::session::IoBinding;
use ort::value::Tensor;

/// The tensor. ONNX Runtime reads and writes its memory directly.
pub(crate) enum Store {
    F32(Tensor<f32>),
    /// The graph wants half floats; the caller sees floats through the staging buffer.
    F16(Tensor<f16>, Vec<f32>),
    I64(Tensor<i64>),
    /// As `F16`: the caller sees 64-bit integers.
    I32(Tensor<i32>, Vec<i64>),
}

pub(crate) struct Slot {
    pub name: String,
    pub shape: Vec<usize>,
    pub store: Store,
}

impl Slot {
    pub fn new(name: &str, element: Element, shape: &[usize]) -> Result<Self> {
        let allocator = Allocator::default();
        let len = shape.iter().product();
        let axes = shape.to_vec();
        let store = match element {
            Element::F32 => Store::F32(Tensor::new(&allocator, axes)?),
            Element::F16 => Store::F16(Tensor::new(&allocator, axes)?, vec![0.0; len]),
            Element::I64 => Store::I64(Tensor::new(&allocator, axes)?),
            Element::I32 => Store::I32(Tensor::new(&allocator, axes)?, vec![0; len]),
        };
        Ok(Self { name: name.to_owned(), shape: shape.to_vec(), store })
    }

    pub fn bind_input(&self, binding: &mut IoBinding) -> Result<()> {
        match &self.store {
            Store::F32(tensor) => binding.bind_input(&*self.name, tensor),
            Store::F16(tensor, _) => binding.bind_input(&*self.name, tensor),
            Store::I64(tensor) => binding.bind_input(&*self.name, tensor),
            Store::I32(tensor, _) => binding.bind_input(&*self.name, tensor),
        }
    }

    pub fn bind_output(&mut self, binding: &mut IoBinding) -> Result<()> {
        match &mut self.store {
            Store::F32(tensor) => binding.bind_output(&*self.name, tensor),
            Store::F16(tensor, _) => binding.bind_output(&*self.name, tensor),
            Store::I64(tensor) => binding.bind_output(&*self.name, tensor),
            Store::I32(tensor, _) => binding.bind_output(&*self.name, tensor),
        }
    }

    /// Lets `fill` write floats; `false` if the slot holds integers.
    pub fn write(&mut self, fill: impl FnOnce(&mut [f32])) -> bool {
        match &mut self.store {
            Store::F32(tensor) => fill(tensor.extract_tensor_mut().1),
            Store::F16(tensor, staging) => {
                fill(staging);
                tensor.extract_tensor_mut().1.convert_from_f32_slice(staging);
            }
            Store::I64(_) | Store::I32(..) => return false,
        }
        true
    }

    /// Lets `fill` write integers; `false` if the slot holds floats.
    pub fn write_integers(&mut self, fill: impl FnOnce(&mut [i64])) -> bool {
        match &mut self.store {
            Store::I64(tensor) => fill(tensor.extract_tensor_mut().1),
            Store::I32(tensor, staging) => {
                fill(staging);
                for (narrow, wide) in tensor.extract_tensor_mut().1.iter_mut().zip(staging) {
                    // Token ids and timesteps are far below 2³¹; anything else stops at the nearest end.
                    *narrow = i32::try_from(*wide).unwrap_or(if *wide < 0 { i32::MIN } else { i32::MAX });
                }
            }
            Store::F32(_) | Store::F16(..) => return false,
        }
        true
    }

    /// The floats; `None` if the slot holds integers.
    pub fn floats(&mut self) -> Option<&[f32]> {
        match &mut self.store {
            Store::F32(tensor) => Some(tensor.extract_tensor().1),
            Store::F16(tensor, staging) => {
                tensor.extract_tensor().1.convert_to_f32_slice(staging);
                Some(staging)
            }
            Store::I64(_) | Store::I32(..) => None,
        }
    }
}
