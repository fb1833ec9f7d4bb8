//! The report as it is written.

use crate::machine::Machine;
use crate::spoken::Spoken;
use crate::statistics::{Frames, Totals};
use mirror_contract::Notice;
use mirror_film::Film;
use mirror_kit::figures::Spread;
use serde::Serialize;
use serde_json::{Map, Value};

/// A whole recording, as it stands in `report.json`. Times of the recording are seconds since its first picture.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// False if it was stopped early.
    pub complete: bool,
    /// When it was written, UTC.
    pub date: String,
    /// What it ran on.
    pub machine: Machine,
    /// What the pictures were taken from, in the camera's words.
    pub source: Option<String>,
    /// The model pack.
    pub pack: Option<String>,
    /// The ONNX Runtime execution provider.
    pub provider: Option<String>,
    /// Rows and columns of the last picture.
    pub size: Option<[usize; 2]>,
    /// How long it took, from the first picture on.
    pub seconds: f64,
    /// How many frames there were.
    pub frames: Frames,
    /// Pictures shown a second.
    pub fps: f64,
    /// From the camera's stamp to the picture's arrival here.
    pub age_ms: Spread,
    /// The stages in order, the recorder last.
    pub stages: Vec<StageReport>,
    /// The prompts in turn.
    pub prompts: Vec<PromptReport>,
    /// From the last word of a wish to its first picture, over all that were said while pictures were shown; null: none was.
    pub spoken_to_shown_ms: Option<Spread>,
    /// The settings at the end.
    pub settings: Option<Map<String, Value>>,
    /// The film.
    pub video: Film,
    /// What the nodes had to say.
    pub notices: Vec<NoticeReport>,
}

/// A stage.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StageReport {
    /// Its name.
    pub stage: String,
    /// From taking its input up to sending its output.
    pub ms: Spread,
    /// From the stage before sending to this one taking up.
    pub hop_ms: Spread,
    /// What it dropped between the first picture and the last.
    pub drops: i64,
}

/// A prompt.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct PromptReport {
    /// Its words.
    pub prompt: String,
    /// When it was asked for; null: never.
    pub given_s: Option<f64>,
    /// When its first picture was shown; null: never.
    pub shown_s: Option<f64>,
    /// How many pictures of it were shown.
    pub pictures: u64,
    /// How it was said; null: it was not.
    pub spoken: Option<Spoken>,
}

impl PromptReport {
    /// What stands below its pictures: the words, and for a wish that was said what was heard and how long it took.
    #[must_use]
    pub fn caption(&self) -> String {
        let Some(spoken) = &self.spoken else { return self.prompt.clone() };
        let heard = spoken.heard.as_deref().map_or_else(String::new, |heard| format!("heard: {heard} - painted: "));
        let after = spoken.shown_after_ms.map_or_else(String::new, |ms| format!(", {ms:.0} ms"));
        format!("{heard}{}{after}", self.prompt)
    }

    /// From the last word to the first picture, over those that have both; `None` if none has.
    #[must_use]
    pub fn spoken_to_shown(prompts: &[Self]) -> Option<Spread> {
        let times = prompts.iter().filter_map(|one| one.spoken.as_ref()?.shown_after_ms);
        let mut times: Vec<i64> = times.map(|ms| (ms * 1e6) as i64).collect();
        (!times.is_empty()).then(|| rounded(Spread::of(&mut times)))
    }
}

/// A notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoticeReport {
    /// Who said it.
    pub origin: String,
    /// `info`, `warning` or `error`.
    pub level: &'static str,
    /// What.
    pub text: String,
}

impl From<Notice> for NoticeReport {
    fn from(notice: Notice) -> Self {
        Self { origin: notice.origin, level: notice.level.name(), text: notice.text }
    }
}

impl StageReport {
    /// The stages of a recording.
    #[must_use]
    pub fn of(totals: &Totals) -> Vec<Self> {
        let stages = totals.stages.iter().map(|figures| Self {
            stage: figures.stage.clone(),
            ms: rounded(figures.ms),
            hop_ms: rounded(figures.hop_ms),
            drops: figures.drops,
        });
        stages.collect()
    }
}

/// To three decimals: microseconds of milliseconds, milliseconds of seconds.
#[must_use]
pub fn round(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

/// A spread to microseconds.
#[must_use]
pub fn rounded(spread: Spread) -> Spread {
    Spread { p50: round(spread.p50), p99: round(spread.p99) }
}
