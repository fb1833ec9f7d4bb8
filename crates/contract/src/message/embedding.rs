//! A prompt as the UNet reads it.

use super::{Message, payload};
use crate::error::ContractError;
use crate::keys;
use crate::metadata::{Reader, Writer};
use arrow::array::Float32Array;
use arrow::buffer::ScalarBuffer;
use dora_node_api::{DoraArray, MetadataParameters};

/// The embedding of a prompt and of its negative prompt: `[2, tokens, width]` f32, row 0 the prompt's.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding {
    /// The stream whose prompt it is.
    pub stream: String,
    /// The version of the settings that it was made from.
    pub version: i64,
    /// The prompt.
    pub prompt: String,
    /// The negative prompt.
    pub negative_prompt: String,
    /// The pack whose text encoder made it.
    pub pack: String,
    /// `[2, tokens, width]`.
    pub shape: [usize; 3],
    /// The values. On receipt this points into the shared memory of the sender.
    pub values: ScalarBuffer<f32>,
}

impl Message for Embedding {
    const TYPE: &'static str = "mirror/media/v1/Embedding";

    fn decode(data: &DoraArray, parameters: &MetadataParameters) -> Result<Self, ContractError> {
        let from = Reader { message: Self::TYPE, parameters };
        let values = payload::floats(Self::TYPE, data)?;
        let shape = from.integers(keys::SHAPE)?;
        let expected = "[2, tokens, width]";
        let axes = payload::check_shape(Self::TYPE, shape, expected, values.len())?;
        if axes[0] != 2 {
            return Err(ContractError::WrongShape { message: Self::TYPE, shape: shape.to_vec(), expected });
        }
        Ok(Self {
            stream: from.text(keys::STREAM)?.to_owned(),
            version: from.integer(keys::VERSION)?,
            prompt: from.text(keys::PROMPT)?.to_owned(),
            negative_prompt: from.text(keys::NEGATIVE_PROMPT)?.to_owned(),
            pack: from.text(keys::PACK)?.to_owned(),
            shape: axes,
            values,
        })
    }

    fn encode(self) -> (MetadataParameters, DoraArray) {
        let mut writer = Writer::default();
        writer.text(keys::STREAM, &self.stream);
        writer.integer(keys::VERSION, self.version);
        writer.text(keys::PROMPT, &self.prompt);
        writer.text(keys::NEGATIVE_PROMPT, &self.negative_prompt);
        writer.text(keys::PACK, &self.pack);
        writer.integers(keys::SHAPE, self.shape.map(|axis| axis as i64).to_vec());
        (writer.0, DoraArray::from_array(Float32Array::new(self.values, None)))
    }
}
