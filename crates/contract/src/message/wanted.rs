//! "Somebody looks at what this stream's paintings are made from."

use super::Message;
use crate::error::ContractError;
use crate::keys;
use crate::metadata::{Reader, Writer};
use arrow::array::UInt8Array;
use dora_node_api::{DoraArray, MetadataParameters};

/// Says upstream that a stream's source pictures are looked at, and are to be sent along for the next seconds. Said again as long as
/// that is so: who says it may vanish, and nobody has to take it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Which stream.
    pub stream: String,
}

impl Message for Wanted {
    const TYPE: &'static str = "mirror/media/v1/Wanted";

    fn decode(_: &DoraArray, parameters: &MetadataParameters) -> Result<Self, ContractError> {
        let from = Reader { message: Self::TYPE, parameters };
        Ok(Self { stream: from.text(keys::STREAM)?.to_owned() })
    }

    fn encode(self) -> (MetadataParameters, DoraArray) {
        let mut writer = Writer::default();
        writer.text(keys::STREAM, &self.stream);
        (writer.0, DoraArray::from_array(UInt8Array::from(vec![0u8; 0])))
    }
}
