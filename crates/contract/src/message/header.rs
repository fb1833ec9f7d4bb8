//! What every message made from a frame carries besides its payload.

use crate::error::ContractError;
use crate::keys;
use crate::metadata::{Reader, Writer};
use crate::stamp::Stamp;
use crate::trace::Trace;

/// Stamp, source, trace and, once it is painted, how it was painted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Which frame this is or was made from.
    pub stamp: Stamp,
    /// What the camera reads it from, for people: `film clip.mp4, 30.000 fps`. Empty: nobody says.
    pub source: String,
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
    /// The header of a picture that no stage has seen yet.
    #[must_use]
    pub fn of(stamp: Stamp) -> Self {
        Self { stamp, source: String::new(), trace: Trace::default(), painting: None }
    }

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
        let source = if from.has(keys::SOURCE) { from.text(keys::SOURCE)?.to_owned() } else { String::new() };
        Ok(Self { stamp: Stamp::read(from)?, source, trace: Trace::read(from)?, painting })
    }

    pub(crate) fn write(&self, to: &mut Writer) {
        self.stamp.write(to);
        if !self.source.is_empty() {
            to.text(keys::SOURCE, &self.source);
        }
        self.trace.write(to);
        if let Some(painting) = &self.painting {
            to.text(keys::PROMPT, &painting.prompt);
            to.text(keys::PACK, &painting.pack);
            to.text(keys::PROVIDER, &painting.provider);
            to.boolean(keys::PASSTHROUGH, painting.passthrough);
        }
    }
}
