//! A stretch of sound.

use super::{Message, payload};
use crate::error::ContractError;
use crate::keys;
use crate::metadata::{Reader, Writer};
use crate::stamp::Stamp;
use crate::trace::Trace;
use arrow::array::Float32Array;
use arrow::buffer::ScalarBuffer;
use dora_node_api::{DoraArray, MetadataParameters};

/// Sound: one channel of f32 samples, −1 to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Audio {
    /// The stream, the chunk's number, and when its first sample was recorded.
    pub stamp: Stamp,
    /// The stages so far.
    pub trace: Trace,
    /// Samples a second: 16,000 from the microphone node on.
    pub sample_rate_hz: i64,
    /// The samples. On receipt this points into the shared memory of the sender.
    pub samples: ScalarBuffer<f32>,
}

impl Message for Audio {
    const TYPE: &'static str = "mirror/media/v1/Audio";

    fn decode(data: &DoraArray, parameters: &MetadataParameters) -> Result<Self, ContractError> {
        let from = Reader { message: Self::TYPE, parameters };
        let sample_rate_hz = from.integer(keys::SAMPLE_RATE_HZ)?;
        if sample_rate_hz <= 0 {
            let expected = "more than 0";
            return Err(ContractError::WrongKey { message: Self::TYPE, key: keys::SAMPLE_RATE_HZ, expected });
        }
        let (stamp, trace) = (Stamp::read(&from)?, Trace::read(&from)?);
        Ok(Self { stamp, trace, sample_rate_hz, samples: payload::floats(Self::TYPE, data)? })
    }

    fn encode(self) -> (MetadataParameters, DoraArray) {
        let mut writer = Writer::default();
        self.stamp.write(&mut writer);
        self.trace.write(&mut writer);
        writer.integer(keys::SAMPLE_RATE_HZ, self.sample_rate_hz);
        (writer.0, DoraArray::from_array(Float32Array::new(self.samples, None)))
    }
}
