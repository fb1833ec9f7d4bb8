//! Whether a stage can paint with a pack.

use super::{Message, payload};
use crate::error::ContractError;
use crate::keys;
use crate::metadata::{Reader, Writer};
use arrow::array::StringArray;
use dora_node_api::{DoraArray, MetadataParameters};

/// What a stage says of a pack that a stream is to be painted with next: it is open, or why it cannot be opened. Of no pack: that
/// the stage has just been started, and knows no settings yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// The pack; empty: the stage has just been started.
    pub pack: String,
    /// Why it cannot be opened; `None`: it is open.
    pub fault: Option<String>,
}

impl Readiness {
    /// The word of a stage that has just been started: whoever has settings may say them now.
    #[must_use]
    pub fn started() -> Self {
        Self { pack: String::new(), fault: None }
    }

    /// Whether it is that word.
    #[must_use]
    pub fn is_start(&self) -> bool {
        self.pack.is_empty()
    }
}

impl Message for Readiness {
    const TYPE: &'static str = "mirror/media/v1/Readiness";

    fn decode(data: &DoraArray, parameters: &MetadataParameters) -> Result<Self, ContractError> {
        let from = Reader { message: Self::TYPE, parameters };
        let fault = Some(payload::text(Self::TYPE, data)?).filter(|fault| !fault.is_empty());
        Ok(Self { pack: from.text(keys::PACK)?.to_owned(), fault })
    }

    fn encode(self) -> (MetadataParameters, DoraArray) {
        let mut writer = Writer::default();
        writer.text(keys::PACK, &self.pack);
        (writer.0, DoraArray::from_array(StringArray::from(vec![self.fault.unwrap_or_default()])))
    }
}
