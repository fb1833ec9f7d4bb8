//! What goes into and comes out of a graph.

use ort::value::{Outlet, TensorElementType, ValueType};
use std::fmt;

/// The element types that the graphs of packs use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// 32-bit float.
    F32,
    /// 16-bit float.
    F16,
    /// 64-bit integer.
    I64,
    /// 32-bit integer.
    I32,
}

/// An input or output of a graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// Its name: `latent_sample`.
    pub name: String,
    /// Its element type; `None` if it is one that no pack uses.
    pub element: Option<Element>,
    /// Its axes; `None` where the size is free.
    pub axes: Vec<Option<usize>>,
}

impl Port {
    pub(crate) fn of(outlet: &Outlet) -> Self {
        let (element, axes) = match outlet.dtype() {
            ValueType::Tensor { ty, shape, .. } => {
                let element = match ty {
                    TensorElementType::Float32 => Some(Element::F32),
                    TensorElementType::Float16 => Some(Element::F16),
                    TensorElementType::Int64 => Some(Element::I64),
                    TensorElementType::Int32 => Some(Element::I32),
                    _ => None,
                };
                (element, shape.iter().map(|axis| usize::try_from(*axis).ok()).collect())
            }
            _ => (None, Vec::new()),
        };
        Self { name: outlet.name().to_owned(), element, axes }
    }

    /// Whether a tensor of that shape fits.
    #[must_use]
    pub fn fits(&self, shape: &[usize]) -> bool {
        self.axes.len() == shape.len()
            && self.axes.iter().zip(shape).all(|(axis, size)| axis.is_none_or(|axis| axis == *size))
    }
}

impl fmt::Display for Port {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let axis = |axis: &Option<usize>| axis.map_or_else(|| "?".to_owned(), |size| size.to_string());
        let axes = self.axes.iter().map(axis).collect::<Vec<_>>().join(", ");
        write!(formatter, "{} [{axes}]", self.name)
    }
}
