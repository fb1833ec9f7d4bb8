//! Why something cannot be done with a stream: each a line for people.

use super::NAME_MAX;
use crate::check::Fault;

/// A stream cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// All places are taken.
    #[error("the mirror is full: {0} visitors have their cameras here; try again later")]
    Full(usize),
    /// All places of this address are taken.
    #[error("{0} cameras from one address are all there may be; close another one first")]
    Crowded(usize),
    /// Somebody else has it.
    #[error("a stream of that name is somebody else's; choose another name")]
    Taken,
    /// It is no name.
    #[error("the name of a stream is 1 to {NAME_MAX} letters, digits and -_.~, and not that of a camera of the mirror")]
    Name,
    /// The graph takes no visitors' pictures.
    #[error("this mirror takes no visitors' cameras: its graph has no edge from web/frame")]
    Closed,
}

/// A stream cannot be watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WatchError {
    /// There is none of that name.
    #[error("there is no such stream; it may have ended")]
    Unknown,
    /// All places are taken.
    #[error("all places are taken (WEB_CLIENTS_MAX); try again later")]
    Full,
}

/// Settings cannot be changed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ChangeError {
    /// What the parameter table does not allow, one for each setting.
    #[error("{}", texts(.0))]
    Refused(Vec<Fault>),
    /// There is no such stream, or somebody else owns it by now.
    #[error("there is no such stream; it may have ended")]
    Unknown,
    /// The graph is behind.
    #[error("too many changes at once; try again in a moment")]
    Busy,
}

impl ChangeError {
    /// The same as a list: what is not about one setting is about the whole.
    #[must_use]
    pub fn faults(self) -> Vec<Fault> {
        match self {
            Self::Refused(faults) => faults,
            other => vec![Fault::whole(other.to_string())],
        }
    }
}

fn texts(faults: &[Fault]) -> String {
    faults.iter().map(|fault| fault.error.as_str()).collect::<Vec<_>>().join("; ")
}
