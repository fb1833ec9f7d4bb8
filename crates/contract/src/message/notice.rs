//! Something that people should know.

use super::{Message, payload};
use crate::error::ContractError;
use crate::keys;
use crate::metadata::{Reader, Writer};
use arrow::array::StringArray;
use dora_node_api::{DoraArray, MetadataParameters};

/// How serious a notice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// As it should be: which camera, which pack.
    Info,
    /// Not as asked, and the mirror goes on: an update out of range, a camera that vanished.
    Warning,
    /// A part of the mirror cannot go on.
    Error,
}

impl Level {
    /// The level as it stands in the metadata.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A line for people: on the page, on the display, in the chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The stream that it is about.
    pub stream: String,
    /// The node that says it, or the origin of the update that it answers: `camera`, `chat`.
    pub origin: String,
    /// How serious it is.
    pub level: Level,
    /// The line.
    pub text: String,
}

impl Notice {
    /// The display's notice that somebody has closed the window: whoever has started the mirror ends it then.
    pub const WINDOW_CLOSED: &str = "window closed";
}

impl Message for Notice {
    const TYPE: &'static str = "mirror/media/v1/Notice";

    fn decode(data: &DoraArray, parameters: &MetadataParameters) -> Result<Self, ContractError> {
        let from = Reader { message: Self::TYPE, parameters };
        let level = match from.text(keys::LEVEL)? {
            "info" => Level::Info,
            "warning" => Level::Warning,
            "error" => Level::Error,
            _ => {
                let expected = "info, warning or error";
                return Err(ContractError::WrongKey { message: Self::TYPE, key: keys::LEVEL, expected });
            }
        };
        Ok(Self {
            stream: from.text(keys::STREAM)?.to_owned(),
            origin: from.text(keys::ORIGIN)?.to_owned(),
            level,
            text: payload::text(Self::TYPE, data)?,
        })
    }

    fn encode(self) -> (MetadataParameters, DoraArray) {
        let mut writer = Writer::default();
        writer.text(keys::STREAM, &self.stream);
        writer.text(keys::ORIGIN, &self.origin);
        writer.text(keys::LEVEL, self.level.name());
        (writer.0, DoraArray::from_array(StringArray::from(vec![self.text])))
    }
}
