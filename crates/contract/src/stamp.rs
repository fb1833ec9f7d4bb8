//! Which frame of which stream, and when it was captured.

use crate::error::ContractError;
use crate::keys;
use crate::metadata::{Reader, Writer};
use dora_node_api::{MetadataParameters, Parameter};
use std::time::{SystemTime, UNIX_EPOCH};

/// The stream of the installation's own camera. A stream that has no settings of its own is painted as this one is.
pub const HOUSE: &str = "house";

/// What the names of visitors' streams begin with. Such a stream ends some time; the installation's cameras stay.
pub const VISITOR: &str = "visitor/";

/// Identity of a frame. Every message that was made from the frame carries it on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// Which camera or visitor: `house` for the camera of the installation.
    pub stream: String,
    /// Counts the frames of the stream from 0.
    pub frame_id: i64,
    /// When the camera took it: nanoseconds since the Unix epoch, so that machines with synchronised clocks agree.
    pub captured_ns: i64,
}

impl Stamp {
    /// The stream that a message of whatever type belongs to; empty if it names none.
    #[must_use]
    pub fn stream_of(parameters: &MetadataParameters) -> &str {
        match parameters.get(keys::STREAM) {
            Some(Parameter::String(stream)) => stream,
            _ => "",
        }
    }

    pub(crate) fn read(from: &Reader) -> Result<Self, ContractError> {
        Ok(Self {
            stream: from.text(keys::STREAM)?.to_owned(),
            frame_id: from.integer(keys::FRAME_ID)?,
            captured_ns: from.integer(keys::CAPTURED_NS)?,
        })
    }

    pub(crate) fn write(&self, to: &mut Writer) {
        to.text(keys::STREAM, &self.stream);
        to.integer(keys::FRAME_ID, self.frame_id);
        to.integer(keys::CAPTURED_NS, self.captured_ns);
    }
}

/// The clock of every stamp: nanoseconds since the Unix epoch.
#[must_use]
pub fn now_ns() -> i64 {
    // A clock before 1970 reads 0; one after 2262 saturates.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}
