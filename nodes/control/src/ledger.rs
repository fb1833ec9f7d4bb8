//! The settings of every stream.

use crate::processors::{self, Processors};
use mirror_contract::{SettingError, Settings, SettingsUpdate};
use serde_json::{Map, Value};

/// Streams that are kept. All of them are said again at every tick, so they must fit into the queues of the nodes
/// (64 messages) together with what else comes.
pub const MAX_STREAMS: usize = 32;
/// Longest name of a stream, in characters.
pub const MAX_STREAM_CHARS: usize = 64;
/// Refusals that one update is answered with; the last one counts the others.
const MAX_REFUSALS: usize = 16;

/// What an update has led to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outcome {
    /// The stream's new settings; `None` if nothing has changed.
    pub settings: Option<Settings>,
    /// What was refused, a line each: names the setting and its range.
    pub refusals: Vec<String>,
}

/// The settings of every stream. The stream of the house is always there; others come with their first update, and the
/// one that has been idle longest goes when there are too many.
#[derive(Debug)]
pub struct Ledger {
    house: String,
    processors: Processors,
    /// The newest one first.
    pages: Vec<Settings>,
    version: i64,
}

impl Ledger {
    /// A ledger with the house stream only.
    ///
    /// Versions rise from `version` on: give the time in milliseconds, so that they also rise over a restart.
    #[must_use]
    pub fn new(house: &str, processors: Processors, version: i64) -> Self {
        let mut ledger = Self { house: house.to_owned(), processors, pages: Vec::new(), version };
        ledger.pages.push(ledger.blank(house));
        ledger
    }

    /// All settings.
    pub fn pages(&self) -> impl Iterator<Item = &Settings> {
        self.pages.iter()
    }

    /// Takes an update in. Each value stands for itself: those that the table allows are taken, the others refused.
    /// Choosing a processor brings its defaults, where the update does not say otherwise.
    pub fn update(&mut self, update: &SettingsUpdate) -> Outcome {
        let stream = if update.stream.is_empty() { &self.house } else { &update.stream };
        if stream.chars().count() > MAX_STREAM_CHARS || stream.chars().any(char::is_control) {
            let refusal = format!("the name of a stream is a line of at most {MAX_STREAM_CHARS} characters");
            return Outcome { settings: None, refusals: vec![refusal] };
        }
        let place = self.pages.iter().position(|page| page.stream == *stream);
        let before = place.map_or_else(|| self.blank(stream), |place| self.pages[place].clone());
        let mut page = before.clone();
        let refusals = self.merge(&mut page, &update.values);
        let changed = page != before;
        if changed {
            self.version += 1;
            page.version = self.version;
        }
        // An update that brings a stream to life without changing anything needs no page: the defaults are known.
        if changed || place.is_some() {
            self.keep(place, page.clone());
        }
        Outcome { settings: changed.then_some(page), refusals }
    }

    /// Settings of a stream that nobody has changed: those of the house, which it has followed so far.
    fn blank(&self, stream: &str) -> Settings {
        if let Some(house) = self.pages.iter().find(|page| page.stream == self.house) {
            return Settings { stream: stream.to_owned(), version: self.version, ..house.clone() };
        }
        let mut settings = Settings { version: self.version, ..Settings::of(stream) };
        // Nothing is refused here: the processors were checked when the list was made.
        let _ = processors::apply(self.processors.first(), &mut settings);
        settings
    }

    fn merge(&self, page: &mut Settings, values: &Map<String, Value>) -> Vec<String> {
        let mut refusals = Vec::new();
        let mut refused = 0;
        // The processor first: its defaults give way to what else the update sets.
        let (chosen, others): (Vec<_>, Vec<_>) = values.iter().partition(|(name, _)| *name == "processor");
        for (name, value) in chosen.into_iter().chain(others) {
            if let Err(refusal) = self.set(page, name, value) {
                refused += 1;
                if refusals.len() < MAX_REFUSALS {
                    refusals.push(refusal);
                }
            }
        }
        if refused > MAX_REFUSALS {
            refusals[MAX_REFUSALS - 1] = format!("{} more settings were refused", refused - MAX_REFUSALS + 1);
        }
        refusals
    }

    fn set(&self, page: &mut Settings, name: &str, value: &Value) -> Result<(), String> {
        if name == "processor" {
            let Some(processor) = value.as_str().and_then(|name| self.processors.find(name)) else {
                let (range, value) = (format!("one of {}", self.processors.names()), shortened(value));
                return Err(SettingError::OutOfRange { name: "processor", range, value }.to_string());
            };
            return processors::apply(processor, page).map_err(|error| error.to_string());
        }
        let processor = self.processors.find(&page.processor);
        if let (Some(processor), "steps", Some(steps)) = (processor, name, value.as_i64()) {
            processor.check_steps(steps)?;
        }
        page.set(name, value).map_err(|error| error.to_string())
    }

    /// Puts a page on top, and drops the bottom one if there are too many; never the house's.
    fn keep(&mut self, place: Option<usize>, page: Settings) {
        if let Some(place) = place {
            self.pages.remove(place);
        }
        self.pages.insert(0, page);
        if self.pages.len() > MAX_STREAMS
            && let Some(idle) = self.pages.iter().rposition(|page| page.stream != self.house)
        {
            self.pages.remove(idle);
        }
    }
}

fn shortened(value: &Value) -> String {
    value.to_string().chars().take(64).collect()
}
