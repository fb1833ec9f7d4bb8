//! What each stage took: carried with the frame, so that any sink can show the whole path.

use crate::error::ContractError;
use crate::keys;
use crate::metadata::{Reader, Writer};

/// One stage's part in a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageTime {
    /// The stage: `encoder`.
    pub stage: String,
    /// When its input came in: nanoseconds since the Unix epoch.
    pub received_ns: i64,
    /// When its output went out: nanoseconds since the Unix epoch.
    pub sent_ns: i64,
    /// How many of its inputs it has dropped since it started.
    pub drops: i64,
}

/// The stages that a frame went through, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trace(pub Vec<StageTime>);

impl Trace {
    pub(crate) fn read(from: &Reader) -> Result<Self, ContractError> {
        let stages = from.texts(keys::TRACE_STAGES)?;
        let times = from.integers(keys::TRACE_NS)?;
        let drops = from.integers(keys::TRACE_DROPS)?;
        if times.len() != 2 * stages.len() {
            let expected = "two times for each of trace_stages";
            return Err(ContractError::WrongKey { message: from.message, key: keys::TRACE_NS, expected });
        }
        if drops.len() != stages.len() {
            let expected = "one count for each of trace_stages";
            return Err(ContractError::WrongKey { message: from.message, key: keys::TRACE_DROPS, expected });
        }
        let stage = |(index, stage): (usize, &String)| StageTime {
            stage: stage.clone(),
            received_ns: times[2 * index],
            sent_ns: times[2 * index + 1],
            drops: drops[index],
        };
        Ok(Self(stages.iter().enumerate().map(stage).collect()))
    }

    pub(crate) fn write(&self, to: &mut Writer) {
        to.texts(keys::TRACE_STAGES, self.0.iter().map(|stage| stage.stage.clone()).collect());
        to.integers(keys::TRACE_NS, self.0.iter().flat_map(|stage| [stage.received_ns, stage.sent_ns]).collect());
        to.integers(keys::TRACE_DROPS, self.0.iter().map(|stage| stage.drops).collect());
    }
}
