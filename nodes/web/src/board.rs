//! What the page shows besides the picture: settings, figures, notices.

use mirror_contract::{Header, Level, Notice, Settings};
use mirror_kit::Summary;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::VecDeque;
use std::net::SocketAddr;

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

/// Everything that the page shows besides the picture, at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    /// The stream that is shown.
    pub stream: String,
    /// Version of the settings; 0: `control` has said none yet.
    pub version: i64,
    /// The settings by name.
    pub settings: Map<String, Value>,
    /// Figures of the last five seconds.
    pub figures: Summary,
    /// The prompt of the newest picture; `null` before the first painted one.
    pub painted: Option<String>,
    /// The last notices, oldest first.
    pub notices: VecDeque<Posted>,
    /// Milliseconds since the last picture; `null` before the first.
    pub silent_ms: Option<i64>,
}

/// Takes in what comes from the graph; gives out a [`Status`].
#[derive(Debug)]
pub struct Board {
    settings: Settings,
    painted: Option<String>,
    notices: VecDeque<Posted>,
    posted: u64,
}

impl Board {
    /// A board for one stream.
    #[must_use]
    pub fn of(stream: &str) -> Self {
        let settings = Settings::of(stream);
        Self { settings, painted: None, notices: VecDeque::new(), posted: 0 }
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

    /// Takes settings in; `true` if they are news. Other streams' and older ones are not.
    pub fn settings(&mut self, settings: Settings) -> bool {
        let news = settings.stream == self.settings.stream && settings.version > self.settings.version;
        if news {
            self.settings = settings;
        }
        news
    }

    /// Takes a notice in; `true` if it is for this stream.
    pub fn notice(&mut self, notice: &Notice, at_ms: i64) -> bool {
        if !notice.stream.is_empty() && notice.stream != self.settings.stream {
            return false;
        }
        let text: String = notice.text.chars().take(NOTICE_CHARS).collect();
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
            stream: self.settings.stream.clone(),
            version: self.settings.version,
            settings: self.settings.values(),
            figures,
            painted: self.painted.clone(),
            notices: self.notices.clone(),
            silent_ms,
        }
    }
}

/// What is said at the start of a page at that address.
#[must_use]
pub fn welcome(address: SocketAddr) -> Vec<(Level, String)> {
    let mut notices = vec![(Level::Info, format!("the page is at http://{address}"))];
    if !address.ip().is_loopback() {
        let text =
            format!("{address} is open to the network: whoever reaches it sees the camera and can change the settings");
        notices.push((Level::Warning, text));
    }
    notices
}
