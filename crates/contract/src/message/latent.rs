//! A picture in the latent space of a pack.

use super::{Message, payload};
use crate::error::ContractError;
use crate::keys;
use crate::message::header::Header;
use crate::metadata::{Reader, Writer};
use arrow::array::Float32Array;
use arrow::buffer::ScalarBuffer;
use dora_node_api::{DoraArray, MetadataParameters};

/// A latent: `[1, channels, height, width]` f32, NCHW, multiplied by the pack's scaling factor: about N(0, 1).
#[derive(Debug, Clone, PartialEq)]
pub struct Latent {
    /// Stamp, trace, painting.
    pub header: Header,
    /// The pack whose latent space this is: another pack's latents are noise to a UNet.
    pub pack: String,
    /// `[1, channels, height, width]`.
    pub shape: [usize; 4],
    /// The values. On receipt this points into the shared memory of the sender.
    pub values: ScalarBuffer<f32>,
}

impl Message for Latent {
    const TYPE: &'static str = "mirror/media/v1/Latent";

    fn decode(data: &DoraArray, parameters: &MetadataParameters) -> Result<Self, ContractError> {
        let from = Reader { message: Self::TYPE, parameters };
        let values = payload::floats(Self::TYPE, data)?;
        let shape = from.integers(keys::SHAPE)?;
        let expected = "[1, channels, height, width]";
        let axes = payload::check_shape(Self::TYPE, shape, expected, values.len())?;
        if axes[0] != 1 {
            return Err(ContractError::WrongShape { message: Self::TYPE, shape: shape.to_vec(), expected });
        }
        Ok(Self { header: Header::read(&from)?, pack: from.text(keys::LATENT_PACK)?.to_owned(), shape: axes, values })
    }

    fn encode(self) -> (MetadataParameters, DoraArray) {
        let mut writer = Writer::default();
        self.header.write(&mut writer);
        writer.text(keys::LATENT_PACK, &self.pack);
        writer.integers(keys::SHAPE, self.shape.map(|axis| axis as i64).to_vec());
        (writer.0, DoraArray::from_array(Float32Array::new(self.values, None)))
    }
}
