//! A picture.

use super::{Message, payload};
use crate::error::ContractError;
use crate::keys;
use crate::message::header::Header;
use crate::metadata::{Reader, Writer};
use arrow::array::UInt8Array;
use arrow::buffer::ScalarBuffer;
use dora_node_api::{DoraArray, MetadataParameters};

/// A picture: `[height, width, 3]` u8, RGB, rows from the top.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Stamp, trace, painting.
    pub header: Header,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// `height × width × 3` bytes. On receipt this points into the shared memory of the sender.
    pub pixels: ScalarBuffer<u8>,
}

impl Frame {
    /// Colours of a pixel: red, green, blue.
    pub const CHANNELS: usize = 3;

    /// The metadata of a frame whose pixels are written in place, into the shared memory that is sent.
    #[must_use]
    pub fn parameters(header: &Header, height: usize, width: usize) -> MetadataParameters {
        let mut writer = Writer::default();
        header.write(&mut writer);
        writer.integers(keys::SHAPE, [height, width, Self::CHANNELS].map(|axis| axis as i64).to_vec());
        writer.0
    }
}

impl Message for Frame {
    const TYPE: &'static str = "mirror/media/v1/Frame";

    fn decode(data: &DoraArray, parameters: &MetadataParameters) -> Result<Self, ContractError> {
        let from = Reader { message: Self::TYPE, parameters };
        let pixels = payload::bytes(Self::TYPE, data)?;
        let shape = from.integers(keys::SHAPE)?;
        let expected = "[height, width, 3]";
        let [height, width, channels] = payload::check_shape(Self::TYPE, shape, expected, pixels.len())?;
        if channels != Self::CHANNELS {
            return Err(ContractError::WrongShape { message: Self::TYPE, shape: shape.to_vec(), expected });
        }
        Ok(Self { header: Header::read(&from)?, height, width, pixels })
    }

    fn encode(self) -> (MetadataParameters, DoraArray) {
        let parameters = Self::parameters(&self.header, self.height, self.width);
        (parameters, DoraArray::from_array(UInt8Array::new(self.pixels, None)))
    }
}
