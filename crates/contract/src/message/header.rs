//! What every message made from a frame carries besides its payload.

use crate::error::ContractError;
use crate::keys;
use crate::metadata::{Reader, Writer};
use crate::stamp::Stamp;
use crate::trace::Trace;

/// Stamp, trace and, once it is painted, how it was painted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Which frame this is or was made from.
    pub stamp: Stamp,
    /// The stages so far.
    pub trace: Trace,
    /// How it was painted; `None` before the diffusion stage.
    pub painting: Option<Painting>,
}

/// How a picture was painted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Painting {
    /// The prompt that was in force: not the newest one, the one that this picture shows.
    pub prompt: String,
    /// The pack that painted it: `starter`.
    pub pack: String,
    /// The execution provider that ran the pack: `CPU`.
    pub provider: String,
    /// The camera's own picture is to be shown.
    pub passthrough: bool,
}

impl Header {
    pub(crate) fn read(from: &Reader) -> Result<Self, ContractError> {
        let painting = if from.has(keys::PROMPT) {
            Some(Painting {
                prompt: from.text(keys::PROMPT)?.to_owned(),
                pack: from.text(keys::PACK)?.to_owned(),
                provider: from.text(keys::PROVIDER)?.to_owned(),
                passthrough: from.boolean(keys::PASSTHROUGH)?,
            })
        } else {
            None
        };
        Ok(Self { stamp: Stamp::read(from)?, trace: Trace::read(from)?, painting })
    }

    pub(crate) fn write(&self, to: &mut Writer) {
        self.stamp.write(to);
        self.trace.write(to);
        if let Some(painting) = &self.painting {
            to.text(keys::PROMPT, &painting.prompt);
            to.text(keys::PACK, &painting.pack);
            to.text(keys::PROVIDER, &painting.provider);
            to.boolean(keys::PASSTHROUGH, painting.passthrough);
        }
    }
}
