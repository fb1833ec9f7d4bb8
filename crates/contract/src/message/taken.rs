//! "I have taken it up, send the next one."

use super::Message;
use crate::error::ContractError;
use crate::metadata::{Reader, Writer};
use crate::stamp::Stamp;
use arrow::array::UInt8Array;
use dora_node_api::{DoraArray, MetadataParameters};

/// Says upstream that a stage has taken up a message, so that the next one is not made in vain: work on a picture that
/// a newer one will replace is taken from the stages that finish pictures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// What was taken up.
    pub stamp: Stamp,
}

impl Message for Taken {
    const TYPE: &'static str = "mirror/media/v1/Taken";

    fn decode(_: &DoraArray, parameters: &MetadataParameters) -> Result<Self, ContractError> {
        Ok(Self { stamp: Stamp::read(&Reader { message: Self::TYPE, parameters })? })
    }

    fn encode(self) -> (MetadataParameters, DoraArray) {
        let mut writer = Writer::default();
        self.stamp.write(&mut writer);
        (writer.0, DoraArray::from_array(UInt8Array::from(vec![0u8; 0])))
    }
}
