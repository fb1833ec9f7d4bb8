//! Settings and partial updates of them, as messages.

use super::{Message, payload};
use crate::error::ContractError;
use crate::keys;
use crate::metadata::{Reader, Writer};
use crate::settings::Settings;
use arrow::array::StringArray;
use dora_node_api::{DoraArray, MetadataParameters};
use serde_json::{Map, Value};

impl Message for Settings {
    const TYPE: &'static str = "mirror/media/v1/Settings";

    fn decode(data: &DoraArray, parameters: &MetadataParameters) -> Result<Self, ContractError> {
        let from = Reader { message: Self::TYPE, parameters };
        let mut settings = Self {
            stream: from.text(keys::STREAM)?.to_owned(),
            version: from.integer(keys::VERSION)?,
            pack: if from.has(keys::PACK) { from.text(keys::PACK)?.to_owned() } else { String::new() },
            next_pack: if from.has(keys::NEXT_PACK) { from.text(keys::NEXT_PACK)?.to_owned() } else { String::new() },
            ..Self::default()
        };
        let wrong = |reason: String| ContractError::WrongText { message: Self::TYPE, reason };
        for (name, value) in object(Self::TYPE, data)? {
            settings.set(&name, &value).map_err(|error| wrong(error.to_string()))?;
        }
        Ok(settings)
    }

    fn encode(self) -> (MetadataParameters, DoraArray) {
        let mut writer = Writer::default();
        writer.text(keys::STREAM, &self.stream);
        writer.integer(keys::VERSION, self.version);
        writer.text(keys::PACK, &self.pack);
        writer.text(keys::NEXT_PACK, &self.next_pack);
        let text = Value::Object(self.values()).to_string();
        (writer.0, DoraArray::from_array(StringArray::from(vec![text])))
    }
}

/// A wish to change some of a stream's settings. `control` checks it against the table.
#[derive(Debug, Clone, PartialEq)]
pub struct SettingsUpdate {
    /// The stream whose settings are to change.
    pub stream: String,
    /// Who asks: `chat`, `web`, `osc`. An error goes back to it.
    pub origin: String,
    /// Parameter names and their new values.
    pub values: Map<String, Value>,
}

impl Message for SettingsUpdate {
    const TYPE: &'static str = "mirror/media/v1/SettingsUpdate";

    fn decode(data: &DoraArray, parameters: &MetadataParameters) -> Result<Self, ContractError> {
        let from = Reader { message: Self::TYPE, parameters };
        Ok(Self {
            stream: from.text(keys::STREAM)?.to_owned(),
            origin: from.text(keys::ORIGIN)?.to_owned(),
            values: object(Self::TYPE, data)?,
        })
    }

    fn encode(self) -> (MetadataParameters, DoraArray) {
        let mut writer = Writer::default();
        writer.text(keys::STREAM, &self.stream);
        writer.text(keys::ORIGIN, &self.origin);
        let text = Value::Object(self.values).to_string();
        (writer.0, DoraArray::from_array(StringArray::from(vec![text])))
    }
}

/// The JSON object of a payload.
fn object(message: &'static str, data: &DoraArray) -> Result<Map<String, Value>, ContractError> {
    match serde_json::from_str(&payload::text(message, data)?) {
        Ok(Value::Object(values)) => Ok(values),
        Ok(_) => Err(ContractError::WrongText { message, reason: "payload must be a JSON object".to_owned() }),
        Err(error) => Err(ContractError::WrongText { message, reason: format!("payload is not JSON: {error}") }),
    }
}
