//! The settings of one stream, and those that it is about to have.

use crate::processors::{self, Processors};
use mirror_contract::{Readiness, SettingError, Settings};
use mirror_models::Processor;
use serde_json::Value;
use std::collections::BTreeSet;

/// What a processor sets. While another pack is being opened, these count for it alone: its steps would be too many, or
/// too few, for the one that still paints.
const OF_A_PROCESSOR: [&str; 3] = ["steps", "guidance_scale", "strength"];

/// The settings of one stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Those in force. Their `next_pack` is that of [`next`](Self::next).
    pub settings: Settings,
    /// Those that will be in force once all stages have opened their pack.
    pub next: Option<Next>,
}

/// Settings that wait for their pack.
#[derive(Debug, Clone, PartialEq)]
pub struct Next {
    /// The settings.
    pub settings: Settings,
    /// The stages that have opened the pack.
    pub ready: BTreeSet<String>,
}

/// What a stage's word has led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turned {
    /// Others are still waited for, or the word was about something else.
    Not,
    /// The new processor is in force.
    Over,
    /// It stays as it was: the processor that could not be, and why.
    Back(String, String),
}

impl Page {
    /// Settings that wait for nothing.
    #[must_use]
    pub fn of(settings: Settings) -> Self {
        Self { settings, next: None }
    }

    /// The packs that it needs.
    pub fn packs(&self) -> impl Iterator<Item = &str> {
        [self.settings.pack.as_str(), self.settings.next_pack.as_str()].into_iter().filter(|pack| !pack.is_empty())
    }

    /// Chooses a processor: at once if its pack is the one in force, or if no stage is waited for.
    ///
    /// # Errors
    /// A value that the parameter table does not allow.
    pub fn choose(&mut self, processor: &Processor, wait: bool) -> Result<(), SettingError> {
        let mut settings = Settings { next_pack: String::new(), ..self.settings.clone() };
        processors::apply(processor, &mut settings)?;
        let before = self.next.take().filter(|next| next.settings.pack == processor.pack);
        if !wait || processor.pack == self.settings.pack {
            self.settings = settings;
        } else {
            self.settings.next_pack.clone_from(&processor.pack);
            self.next = Some(Next { settings, ready: before.map(|next| next.ready).unwrap_or_default() });
        }
        Ok(())
    }

    /// Sets anything but the processor.
    ///
    /// # Errors
    /// A name or a value that the parameter table, or the processor, does not allow; nothing is set.
    pub fn set(&mut self, processors: &Processors, name: &str, value: &Value) -> Result<(), String> {
        let Some(next) = &mut self.next else { return set(&mut self.settings, processors, name, value) };
        set(&mut next.settings, processors, name, value)?;
        if OF_A_PROCESSOR.contains(&name) { Ok(()) } else { set(&mut self.settings, processors, name, value) }
    }

    /// A stage says how it is with a pack; `stages` are those that are waited for.
    pub fn hear(&mut self, stage: &str, readiness: &Readiness, stages: &BTreeSet<String>) -> Turned {
        let Some(next) = self.next.as_mut().filter(|next| next.settings.pack == readiness.pack) else {
            return Turned::Not;
        };
        if let Some(fault) = &readiness.fault {
            let processor = next.settings.processor.clone();
            self.settings.next_pack.clear();
            self.next = None;
            return Turned::Back(processor, fault.clone());
        }
        next.ready.insert(stage.to_owned());
        if !stages.is_subset(&next.ready) {
            return Turned::Not;
        }
        self.settings = Settings { version: self.settings.version, ..next.settings.clone() };
        self.next = None;
        Turned::Over
    }
}

fn set(settings: &mut Settings, processors: &Processors, name: &str, value: &Value) -> Result<(), String> {
    let processor = processors.find(&settings.processor);
    if let (Some(processor), "steps", Some(steps)) = (processor, name, value.as_i64()) {
        processor.check_steps(steps)?;
    }
    settings.set(name, value).map_err(|error| error.to_string())
}
