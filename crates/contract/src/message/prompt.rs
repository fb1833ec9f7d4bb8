//! A wish in words, before `control` has made it a setting.

use super::settings::SettingsUpdate;
use super::{Message, payload};
use crate::error::ContractError;
use crate::keys;
use crate::metadata::{Reader, Writer};
use crate::stamp::Stamp;
use crate::trace::Trace;
use arrow::array::StringArray;
use dora_node_api::{DoraArray, MetadataParameters};

/// What somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// The stream that is to be painted so, the number of the wish, and when its last word was said.
    pub stamp: Stamp,
    /// The stages so far: hearing, writing down, putting into other words.
    pub trace: Trace,
    /// Who asked: `chat`, `web`, `voice`.
    pub origin: String,
    /// The words.
    pub text: String,
}

impl From<Prompt> for SettingsUpdate {
    /// The words become the prompt of the stream in which they were said.
    fn from(Prompt { stamp, origin, text, .. }: Prompt) -> Self {
        let values = [("prompt".to_owned(), text.into())].into_iter().collect();
        Self { stream: stamp.stream, origin, values }
    }
}

impl Message for Prompt {
    const TYPE: &'static str = "mirror/media/v1/Prompt";

    fn decode(data: &DoraArray, parameters: &MetadataParameters) -> Result<Self, ContractError> {
        let from = Reader { message: Self::TYPE, parameters };
        Ok(Self {
            stamp: Stamp::read(&from)?,
            trace: Trace::read(&from)?,
            origin: from.text(keys::ORIGIN)?.to_owned(),
            text: payload::text(Self::TYPE, data)?,
        })
    }

    fn encode(self) -> (MetadataParameters, DoraArray) {
        let mut writer = Writer::default();
        self.stamp.write(&mut writer);
        self.trace.write(&mut writer);
        writer.text(keys::ORIGIN, &self.origin);
        (writer.0, DoraArray::from_array(StringArray::from(vec![self.text])))
    }
}
