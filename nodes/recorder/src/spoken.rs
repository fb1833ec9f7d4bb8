//! What was said to the mirror, how it was understood, and how soon it was painted.

use crate::report::round;
use mirror_contract::Prompt;
use serde::Serialize;
use std::collections::VecDeque;

/// How many transcripts wait for their wish: as many as can be under way between writing down and rephrasing.
const WAITING: usize = 16;

/// A wish that was said.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spoken {
    /// What was understood, before it was put into other words; null: nobody sent it.
    pub heard: Option<String>,
    /// When its last word was said, in seconds since the first picture; null: before that.
    pub said_s: Option<f64>,
    /// From its last word to its first picture shown, in milliseconds; null: it was not shown.
    pub shown_after_ms: Option<f64>,
    /// From its last word on: cutting, writing down, putting into other words.
    pub stages: Vec<SpokenStage>,
}

/// What a stage took for it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SpokenStage {
    /// Its name.
    pub stage: String,
    /// From taking it up to sending it on, in milliseconds; of the first stage, from the last word on.
    pub ms: f64,
}

/// Transcripts that wait for their wishes.
#[derive(Debug, Default)]
pub struct Transcripts(VecDeque<(i64, String)>);

impl Transcripts {
    /// Something was written down.
    pub fn keep(&mut self, transcript: Prompt) {
        if self.0.len() == WAITING {
            self.0.pop_front();
        }
        self.0.push_back((transcript.stamp.frame_id, transcript.text));
    }

    /// The wish that came of one of them; `started_ns` is when the first picture was shown.
    #[must_use]
    pub fn of(&self, wish: &Prompt, started_ns: Option<i64>) -> Spoken {
        let transcript = self.0.iter().rev().find(|(number, _)| *number == wish.stamp.frame_id);
        let stages = wish.trace.0.iter().map(|stage| SpokenStage {
            stage: stage.stage.clone(),
            ms: round((stage.sent_ns - stage.received_ns) as f64 / 1e6),
        });
        let said = started_ns.map(|started| wish.stamp.captured_ns - started).filter(|since| *since >= 0);
        Spoken {
            heard: transcript.map(|(_, text)| text.clone()),
            said_s: said.map(|ns| round(ns as f64 / 1e9)),
            shown_after_ms: None,
            stages: stages.collect(),
        }
    }
}
