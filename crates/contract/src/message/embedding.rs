//! A prompt as the UNet reads it.

use super::{Message, payload};
use crate::error::ContractError;
use crate::keys;
use crate::metadata::{Reader, Writer};
use arrow::array::Float32Array;
use arrow::buffer::ScalarBuffer;
use dora_node_api::{DoraArray, MetadataParameters};

/// The embedding of a prompt and of its negative prompt: `[2, tokens, width]` f32, row 0 the prompt's.
///
/// The payload holds the hidden states and, behind them, the pooled embedding of packs that have one.
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
    /// What SDXL's UNet reads besides: each prompt as one vector.
    pub pooled: Option<Pooled>,
}

/// The pooled embeddings of a prompt and of its negative prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct Pooled {
    /// `[2, width]`, row 0 the prompt's.
    pub shape: [usize; 2],
    /// The values. On receipt this points into the shared memory of the sender.
    pub values: ScalarBuffer<f32>,
}

const EXPECTED: &str = "[2, tokens, width]";
const POOLED_EXPECTED: &str = "[2, width] of the pooled embedding";

impl Message for Embedding {
    const TYPE: &'static str = "mirror/media/v1/Embedding";

    fn decode(data: &DoraArray, parameters: &MetadataParameters) -> Result<Self, ContractError> {
        let from = Reader { message: Self::TYPE, parameters };
        let all = payload::floats(Self::TYPE, data)?;
        let pooled_shape = if from.has(keys::POOLED_SHAPE) { Some(from.integers(keys::POOLED_SHAPE)?) } else { None };
        // The pooled part is what lies at the end; a length that fits neither shape is found below.
        let pooled_len = pooled_shape.map_or(0, |shape| shape.iter().fold(1i64, |len, axis| len.saturating_mul(*axis)));
        let start = all.len() - usize::try_from(pooled_len).unwrap_or(0).min(all.len());
        let shape = rows(from.integers(keys::SHAPE)?, EXPECTED, start)?;
        let pooled = match pooled_shape {
            Some(shape) => {
                let values = all.slice(start, all.len() - start);
                Some(Pooled { shape: rows(shape, POOLED_EXPECTED, values.len())?, values })
            }
            None => None,
        };
        Ok(Self {
            stream: from.text(keys::STREAM)?.to_owned(),
            version: from.integer(keys::VERSION)?,
            prompt: from.text(keys::PROMPT)?.to_owned(),
            negative_prompt: from.text(keys::NEGATIVE_PROMPT)?.to_owned(),
            pack: from.text(keys::PACK)?.to_owned(),
            shape,
            values: all.slice(0, start),
            pooled,
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
        let values = match self.pooled {
            None => self.values,
            Some(pooled) => {
                writer.integers(keys::POOLED_SHAPE, pooled.shape.map(|axis| axis as i64).to_vec());
                [&*self.values, &*pooled.values].concat().into()
            }
        };
        (writer.0, DoraArray::from_array(Float32Array::new(values, None)))
    }
}

/// Checks a shape whose first axis is the prompt and the negative prompt.
fn rows<const RANK: usize>(shape: &[i64], expected: &'static str, len: usize) -> Result<[usize; RANK], ContractError> {
    let axes: [usize; RANK] = payload::check_shape(Embedding::TYPE, shape, expected, len)?;
    if axes[0] == 2 {
        Ok(axes)
    } else {
        Err(ContractError::WrongShape { message: Embedding::TYPE, shape: shape.to_vec(), expected })
    }
}
