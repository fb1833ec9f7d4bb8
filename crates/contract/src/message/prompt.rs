//! A wish in words, before `control` has made it a setting.

use super::{Message, payload};
use crate::error::ContractError;
use crate::keys;
use crate::metadata::{Reader, Writer};
use arrow::array::StringArray;
use dora_node_api::{DoraArray, MetadataParameters};

/// What somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// The stream that is to be painted so.
    pub stream: String,
    /// Who asked: `chat`, `web`, `voice`.
    pub origin: String,
    /// The words.
    pub text: String,
}

impl Message for Prompt {
    const TYPE: &'static str = "mirror/media/v1/Prompt";

    fn decode(data: &DoraArray, parameters: &MetadataParameters) -> Result<Self, ContractError> {
        let from = Reader { message: Self::TYPE, parameters };
        Ok(Self {
            stream: from.text(keys::STREAM)?.to_owned(),
            origin: from.text(keys::ORIGIN)?.to_owned(),
            text: payload::text(Self::TYPE, data)?,
        })
    }

    fn encode(self) -> (MetadataParameters, DoraArray) {
        let mut writer = Writer::default();
        writer.text(keys::STREAM, &self.stream);
        writer.text(keys::ORIGIN, &self.origin);
        (writer.0, DoraArray::from_array(StringArray::from(vec![self.text])))
    }
}
