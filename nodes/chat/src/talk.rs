//! The conversation: what to send, what to print, what has been answered.

use crate::command::{Command, answer, help, parse, show, typed};
use mirror_contract::parameters::{PARAMETERS, Parameter};
use mirror_contract::{Level, Notice, Settings};
use serde_json::{Map, Value};

/// Who asks, in updates and in the notices that answer them.
pub const ORIGIN: &str = "chat";

/// What a line leads to.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// To be printed.
    Print(String),
    /// Something was wrong with the line: to be printed as an error.
    Refuse(String),
    /// To be sent to `control`.
    Send(Map<String, Value>),
    /// The conversation is over.
    Quit,
    /// Nothing, or not yet.
    Nothing,
}

/// One conversation about one stream.
#[derive(Debug)]
pub struct Talk {
    stream: String,
    settings: Option<Settings>,
    /// Sent, and neither seen in the settings nor refused.
    sent: Map<String, Value>,
    /// Asked before the settings were known, or while some were on their way: no parameter stands for all.
    asked: Vec<Option<&'static Parameter>>,
}

impl Talk {
    /// A conversation about that stream.
    #[must_use]
    pub fn about(stream: &str) -> Self {
        Self { stream: stream.to_owned(), settings: None, sent: Map::new(), asked: Vec::new() }
    }

    /// Somebody has typed a line.
    pub fn line(&mut self, line: &str) -> Reply {
        match parse(line) {
            Err(error) => Reply::Refuse(error),
            Ok(Command::Nothing) => Reply::Nothing,
            Ok(Command::Help) => Reply::Print(help()),
            Ok(Command::Quit) => Reply::Quit,
            Ok(Command::Show) => self.ask(None),
            Ok(Command::Ask(parameter)) => self.ask(Some(parameter)),
            Ok(Command::Set(parameter, value)) => {
                self.sent.insert(parameter.name.to_owned(), value.clone());
                Reply::Send(Map::from_iter([(parameter.name.to_owned(), value)]))
            }
        }
    }

    fn ask(&mut self, parameter: Option<&'static Parameter>) -> Reply {
        match &self.settings {
            // What is on its way must not be answered with what was before. Settings come every second.
            Some(settings) if self.sent.is_empty() => Reply::Print(say(parameter, settings)),
            _ => {
                self.asked.push(parameter);
                Reply::Nothing
            }
        }
    }

    /// Settings have come. Gives what is to be printed: answers, and what has changed since.
    pub fn settings(&mut self, settings: Settings) -> Vec<String> {
        if settings.stream != self.stream || self.settings.as_ref().is_some_and(|old| old.version > settings.version) {
            return Vec::new();
        }
        let values = settings.values();
        // The first settings say nothing new, except that they answer what was sent before they came.
        let before = self.settings.as_ref().map(Settings::values);
        let mut lines = Vec::new();
        for parameter in PARAMETERS {
            let value = &values[parameter.name];
            let answers = self.sent.get(parameter.name) == Some(value);
            let changed = before.as_ref().is_some_and(|before| before[parameter.name] != *value);
            if answers || changed {
                lines.push(format!("{}: {}", parameter.name, typed(value)));
            }
            if answers {
                self.sent.remove(parameter.name);
            }
        }
        // While some of what was sent is on its way, the answer waits for it; but not for what is never answered.
        let is_news = before.is_none_or(|before| before != values);
        if self.sent.is_empty() || !is_news {
            lines.extend(self.asked.drain(..).map(|parameter| say(parameter, &settings)));
        }
        self.settings = Some(settings);
        lines
    }

    /// A notice has come. Gives what is to be printed: answers to what was sent, and errors of the mirror.
    pub fn notice(&mut self, notice: &Notice) -> Option<String> {
        let ours = notice.origin == ORIGIN && (notice.stream.is_empty() || notice.stream == self.stream);
        if ours {
            // A refusal begins with the setting that it is about; any other is about all that was sent.
            let names = |name: &str| notice.text.strip_prefix(name).is_some_and(|rest| rest.starts_with(' '));
            let about_one = self.sent.keys().any(|name| names(name));
            self.sent.retain(|name, _| about_one && !names(name));
            return Some(notice.text.clone());
        }
        let about_us = notice.stream.is_empty() || notice.stream == self.stream;
        (about_us && notice.level == Level::Error).then(|| format!("{}: {}", notice.origin, notice.text))
    }

    /// Everything that was sent or asked has been answered.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        self.sent.is_empty() && self.asked.is_empty()
    }
}

fn say(parameter: Option<&'static Parameter>, settings: &Settings) -> String {
    parameter.map_or_else(|| show(settings), |parameter| answer(parameter, settings))
}
