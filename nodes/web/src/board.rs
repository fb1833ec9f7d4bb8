//! What the page shows besides the picture: settings, figures, notices.

use crate::discreet::discreet;
use mirror_contract::{Header, Notice, Settings, VISITOR};
use mirror_kit::Summary;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::VecDeque;
use std::sync::Arc;

/// Notices that are kept.
pub const NOTICES: usize = 20;
/// Longest notice on the page, in characters.
const NOTICE_CHARS: usize = 500;

/// A notice on the page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Posted {
    /// Counts the notices since the node started, from 1.
    pub id: u64,
    /// When it came: milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// The node that says it, or the origin of the update that it answers.
    pub origin: String,
    /// `info`, `warning`, `error`.
    pub level: &'static str,
    /// The line.
    pub text: String,
}

/// Words that were heard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Heard {
    /// Counts what was heard since the node started, from 1.
    pub id: u64,
    /// When its last word was said: milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// The words, as they were understood.
    pub text: String,
}

/// Everything that the page shows besides the picture, at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    /// The stream that is shown, by the name that it is watched by.
    pub stream: String,
    /// Version of the settings; 0: `control` has said none yet.
    pub version: i64,
    /// The settings by name.
    pub settings: Map<String, Value>,
    /// Figures of the last five seconds.
    pub figures: Summary,
    /// The prompt of the newest picture; `null` before the first painted one.
    pub painted: Option<String>,
    /// The last words that were heard in this stream.
    pub heard: Option<Heard>,
    /// The last notices, oldest first.
    pub notices: VecDeque<Posted>,
    /// Milliseconds since the last picture; `null` before the first.
    pub silent_ms: Option<i64>,
}

/// Takes in what comes from the graph; gives out a [`Status`].
#[derive(Debug)]
pub struct Board {
    stream: String,
    settings: Arc<Settings>,
    painted: Option<String>,
    heard: Option<Heard>,
    notices: VecDeque<Posted>,
    posted: u64,
}

impl Board {
    /// A board for one stream, as the graph calls it.
    #[must_use]
    pub fn of(stream: &str) -> Self {
        let (stream, settings) = (stream.to_owned(), Arc::new(Settings::of(stream)));
        Self { stream, settings, painted: None, heard: None, notices: VecDeque::new(), posted: 0 }
    }

    /// A picture has come; `true` if it is the first one with its prompt.
    pub fn picture(&mut self, header: &Header) -> bool {
        let Some(painting) = &header.painting else { return false };
        let is_first = self.painted.as_ref() != Some(&painting.prompt);
        if is_first {
            self.painted = Some(painting.prompt.clone());
        }
        is_first
    }

    /// The stream's settings are these now.
    pub fn settings(&mut self, settings: Arc<Settings>) {
        self.settings = settings;
    }

    /// Words were heard in this stream.
    pub fn heard(&mut self, text: &str, at_ms: i64) {
        let id = self.heard.as_ref().map_or(0, |heard| heard.id) + 1;
        self.heard = Some(Heard { id, at_ms, text: text.chars().take(NOTICE_CHARS).collect() });
    }

    /// Takes a notice in; `true` if it is for this stream.
    pub fn notice(&mut self, notice: &Notice, at_ms: i64) -> bool {
        if !notice.stream.is_empty() && notice.stream != self.stream {
            return false;
        }
        let text: String = discreet(&notice.text).chars().take(NOTICE_CHARS).collect();
        self.posted += 1;
        if self.notices.len() == NOTICES {
            self.notices.pop_front();
        }
        let origin = notice.origin.chars().take(64).collect();
        self.notices.push_back(Posted { id: self.posted, at_ms, origin, level: notice.level.name(), text });
        true
    }

    /// All of it with those figures, and the milliseconds since the last picture.
    #[must_use]
    pub fn status(&self, (figures, silent_ms): (Summary, Option<i64>)) -> Status {
        Status {
            stream: self.stream.strip_prefix(VISITOR).unwrap_or(&self.stream).to_owned(),
            version: self.settings.version,
            settings: self.settings.values(),
            figures,
            painted: self.painted.clone(),
            heard: self.heard.clone(),
            notices: self.notices.clone(),
            silent_ms,
        }
    }
}
