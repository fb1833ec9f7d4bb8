//! The settings of every stream.

use crate::page::{Page, Turned};
use crate::processors::{self, Processors};
use crate::visitors::Visitors;
use mirror_contract::{Level, Readiness, SettingError, Settings, SettingsUpdate, VISITOR};
use mirror_models::Processor;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Streams that are kept: those of the mirror's cameras, and a hundred visitors'.
pub const MAX_STREAMS: usize = 128;
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
    /// What has been begun and takes a while, a line each.
    pub begun: Vec<String>,
}

/// What a stage's word on a pack has led to, for one stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    /// The stream's new settings.
    pub settings: Settings,
    /// Whether it is as it was asked for.
    pub level: Level,
    /// What is to be said of it.
    pub text: String,
}

/// The settings of every stream. The stream of the house is always there; others come with their first update, and the
/// one that has been idle longest goes when there are too many.
#[derive(Debug)]
pub struct Ledger {
    house: String,
    processors: Processors,
    /// The newest one first.
    pages: Vec<Page>,
    version: i64,
    /// The stages that open a pack before it is in force.
    stages: BTreeSet<String>,
    /// How many packs may be in use at once.
    packs_open: usize,
    visitors: Visitors,
}

impl Ledger {
    /// A ledger with the house stream only.
    ///
    /// Versions rise from `version` on: give the time in milliseconds, so that they also rise over a restart.
    #[must_use]
    pub fn new(house: &str, processors: Processors, version: i64) -> Self {
        let (pages, stages, visitors) = (Vec::new(), BTreeSet::new(), Visitors::default());
        let (house_name, packs_open) = (house.to_owned(), usize::MAX);
        let mut ledger = Self { house: house_name, processors, pages, version, stages, packs_open, visitors };
        ledger.pages.push(Page::of(ledger.blank(house)));
        ledger
    }

    /// Another pack is in force only when all these stages have opened it, and no more than so many are in use at once.
    #[must_use]
    pub fn waiting_for(mut self, stages: impl IntoIterator<Item = String>, packs_open: usize) -> Self {
        (self.stages, self.packs_open) = (stages.into_iter().collect(), packs_open);
        self
    }

    /// All settings.
    pub fn pages(&self) -> impl Iterator<Item = &Settings> {
        self.pages.iter().map(|page| &page.settings)
    }

    /// What is to be said now: the settings of all cameras' streams, and those of a few visitors', next time of the next ones.
    pub fn round(&mut self) -> Vec<Settings> {
        let visitors = self.visitors.round();
        let is_due = |stream: &String| !stream.starts_with(VISITOR) || visitors.contains(stream);
        self.pages().filter(|page| is_due(&page.stream)).cloned().collect()
    }

    /// A second has passed: visitors who are gone are forgotten.
    pub fn tick(&mut self) {
        for gone in self.visitors.tick() {
            self.pages.retain(|page| page.settings.stream != gone);
            // The state file is to forget them as well.
            self.version += 1;
        }
    }

    /// What is wished for each stream: the settings that it waits for, else those that it has. The most recent one first.
    pub fn wishes(&self) -> impl Iterator<Item = (String, Map<String, Value>)> {
        let wished =
            |page: &Page| page.next.as_ref().map_or_else(|| page.settings.values(), |next| next.settings.values());
        self.pages.iter().map(move |page| (page.settings.stream.clone(), wished(page)))
    }

    /// The newest version: it rises with every change.
    #[must_use]
    pub fn version(&self) -> i64 {
        self.version
    }

    /// Takes an update in. Each value stands for itself: those that the table allows are taken, the others refused.
    /// Choosing a processor brings its defaults, where the update does not say otherwise.
    pub fn update(&mut self, update: &SettingsUpdate) -> Outcome {
        let stream = if update.stream.is_empty() { &self.house } else { &update.stream };
        if stream.chars().count() > MAX_STREAM_CHARS || stream.chars().any(char::is_control) {
            let refusal = format!("the name of a stream is a line of at most {MAX_STREAM_CHARS} characters");
            return Outcome { refusals: vec![refusal], ..Outcome::default() };
        }
        let place = self.pages.iter().position(|page| page.settings.stream == *stream);
        let before = place.map_or_else(|| Page::of(self.blank(stream)), |place| self.pages[place].clone());
        let mut page = before.clone();
        let refusals = self.merge(&mut page, &update.values);
        let changed = page != before;
        if changed {
            self.version += 1;
            page.settings.version = self.version;
        }
        let coming = |page: &Page| page.next.as_ref().map(|next| next.settings.processor.clone());
        let begun = coming(&page).filter(|next| coming(&before).as_ref() != Some(next)).map(|next| {
            let Settings { processor, next_pack, .. } = &page.settings;
            format!("processor {next}: the pack {next_pack} is being opened; {processor} goes on meanwhile")
        });
        // An update that brings a stream to life without changing anything needs no page: the defaults are known.
        if changed || place.is_some() {
            self.keep(place, page.clone());
        }
        Outcome { settings: changed.then_some(page.settings), refusals, begun: begun.into_iter().collect() }
    }

    /// Takes a stage's word on a pack in: the streams that waited for it and wait no longer.
    pub fn hear(&mut self, stage: &str, readiness: &Readiness) -> Vec<Turn> {
        let mut turns = Vec::new();
        for page in &mut self.pages {
            let (level, text) = match page.hear(stage, readiness, &self.stages) {
                Turned::Not => continue,
                Turned::Over => {
                    let Settings { processor, pack, .. } = &page.settings;
                    (Level::Info, format!("processor {processor}, pack {pack}"))
                }
                Turned::Back(processor, fault) => {
                    let (pack, stays) = (&readiness.pack, &page.settings.processor);
                    let text = format!(
                        "processor {processor} is not taken, {stays} stays: {stage} cannot open {pack}: {fault}"
                    );
                    (Level::Warning, text)
                }
            };
            self.version += 1;
            page.settings.version = self.version;
            turns.push(Turn { settings: page.settings.clone(), level, text });
        }
        turns
    }

    /// Settings of a stream that nobody has changed: those of the house, which it has followed so far.
    fn blank(&self, stream: &str) -> Settings {
        if let Some(house) = self.pages().find(|page| page.stream == self.house) {
            let (stream, next_pack) = (stream.to_owned(), String::new());
            return Settings { stream, next_pack, version: self.version, ..house.clone() };
        }
        let mut settings = Settings { version: self.version, ..Settings::of(stream) };
        // Nothing is refused here: the processors were checked when the list was made.
        let _ = processors::apply(self.processors.first(), &mut settings);
        settings
    }

    fn merge(&self, page: &mut Page, values: &Map<String, Value>) -> Vec<String> {
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

    fn set(&self, page: &mut Page, name: &str, value: &Value) -> Result<(), String> {
        if name != "processor" {
            return page.set(&self.processors, name, value);
        }
        let Some(processor) = value.as_str().and_then(|name| self.processors.find(name)) else {
            let (range, value) = (format!("one of {}", self.processors.names()), shortened(value));
            return Err(SettingError::OutOfRange { name: "processor", range, value }.to_string());
        };
        self.check_room(page, processor)?;
        page.choose(processor, !self.stages.is_empty()).map_err(|error| error.to_string())
    }

    /// Whether the pack of a processor may be in use besides those of all streams. The stream's own goes on while the other
    /// one is opened, so it counts.
    fn check_room(&self, page: &Page, processor: &Processor) -> Result<(), String> {
        let others = self.pages.iter().filter(|other| other.settings.stream != page.settings.stream);
        let in_use: BTreeSet<&str> = others.flat_map(Page::packs).chain([page.settings.pack.as_str()]).collect();
        if in_use.contains(processor.pack.as_str()) || in_use.len() < self.packs_open {
            return Ok(());
        }
        let Processor { name, pack, .. } = processor;
        let (names, most) = (in_use.into_iter().collect::<Vec<_>>().join(", "), self.packs_open);
        Err(format!(
            "processor {name} needs the pack {pack}, and {names} are in use: MIRROR_PACKS_OPEN={most} allows no more"
        ))
    }

    /// Puts a page on top, and drops the bottom one if there are too many; never the house's.
    fn keep(&mut self, place: Option<usize>, page: Page) {
        if let Some(place) = place {
            self.pages.remove(place);
        }
        if page.settings.stream.starts_with(VISITOR) {
            self.visitors.hear(&page.settings.stream);
        }
        self.pages.insert(0, page);
        if self.pages.len() > MAX_STREAMS
            && let Some(idle) = self.pages.iter().rposition(|page| page.settings.stream != self.house)
        {
            let idle = self.pages.remove(idle);
            self.visitors.forget(&idle.settings.stream);
        }
    }
}

fn shortened(value: &Value) -> String {
    value.to_string().chars().take(64).collect()
}
