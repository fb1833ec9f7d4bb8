//! A recording: everything of it but the graph and the clock.

use crate::config::Config;
use crate::machine::Machine;
use crate::report::{NoticeReport, PromptReport, Report, StageReport, round, rounded};
use crate::schedule::{Phase, Schedule};
use crate::shots::Shots;
use crate::spoken::Transcripts;
use crate::statistics::Statistics;
use eyre::{Result, WrapErr, bail};
use mirror_contract::{Frame, Notice, Painting, Prompt, Settings, SettingsUpdate};
use mirror_film::date::utc;
use mirror_film::{Room, Video};
use mirror_imaging::Image;
use mirror_imaging::sheet::{Column, compose};
use opencv::core::{Mat, Vec3b, Vector};
use opencv::prelude::VectorToVec;
use opencv::{imgcodecs, imgproc};
use std::path::{Path, PathBuf};

/// Who asks for the prompts, as it stands in the updates.
pub const ORIGIN: &str = "recorder";
/// Most notices in a report: the first ones tell most.
const NOTICES: usize = 100;
/// What a film leaves free on the disk: sheet and report are still to come.
const LEAST_BYTES: u64 = 64 << 20;
/// Most columns of what was said: a sheet stays a sheet.
const SPOKEN: usize = 24;

/// A recording under way.
pub struct Recording {
    out: PathBuf,
    seconds: f64,
    schedule: Schedule,
    /// Prompts are said, not asked for.
    listens: bool,
    transcripts: Transcripts,
    prompts: Vec<PromptReport>,
    statistics: Statistics,
    shots: Shots,
    video: Video,
    /// The stream of the first picture: the only one that is recorded.
    stream: Option<String>,
    painting: Option<Painting>,
    size: Option<[usize; 2]>,
    settings: Option<Settings>,
    source: Option<String>,
    notices: Vec<NoticeReport>,
    told_second: i64,
}

impl Recording {
    /// Makes the directory and starts to wait for the first picture.
    ///
    /// # Errors
    /// The directory cannot be written into: named in the error.
    pub fn start(config: &Config, now_ns: i64) -> Result<Self> {
        let Config { out, prompts, seconds, patience_seconds } = config;
        std::fs::create_dir_all(out)
            .wrap_err_with(|| format!("RECORDER_OUT=\"{}\" cannot be made a directory", out.display()))?;
        // A report of an earlier recording must not pass for this one's.
        for name in [REPORT, SHEET, FILM] {
            match std::fs::remove_file(out.join(name)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    bail!("{} cannot be replaced: {error}", out.join(name).display())
                }
                _ => {}
            }
        }
        let prompt = |prompt: &String| PromptReport { prompt: prompt.clone(), ..PromptReport::default() };
        Ok(Self {
            out: out.clone(),
            seconds: *seconds,
            schedule: Schedule::new(prompts.len(), *seconds, *patience_seconds, now_ns),
            listens: prompts.is_empty(),
            transcripts: Transcripts::default(),
            prompts: prompts.iter().map(prompt).collect(),
            statistics: Statistics::default(),
            shots: Shots::new(prompts.len()),
            video: Video::start(&out.join(FILM), Room::of(LEAST_BYTES))?,
            stream: None,
            painting: None,
            size: None,
            settings: None,
            source: None,
            notices: Vec::new(),
            told_second: 0,
        })
    }

    /// A picture was shown.
    pub fn picture(&mut self, frame: &Frame, now_ns: i64) {
        let stream = self.stream.get_or_insert_with(|| frame.header.stamp.stream.clone());
        if *stream != frame.header.stamp.stream {
            return;
        }
        self.schedule.picture(now_ns);
        self.statistics.shown(&frame.header, now_ns);
        self.size = Some([frame.height, frame.width]);
        if self.source.as_ref() != Some(&frame.header.source) && !frame.header.source.is_empty() {
            self.source = Some(frame.header.source.clone());
        }
        self.video.push(&frame.pixels, [frame.height, frame.width], frame.header.stamp.captured_ns);
        if let Some(painting) = &frame.header.painting {
            if let Some(index) = self.index_of(&painting.prompt) {
                let second = self.schedule.second(now_ns);
                let prompt = &mut self.prompts[index];
                if prompt.shown_s.is_none() {
                    prompt.shown_s = second.map(round);
                    if let (Some(spoken), Some(shown)) = (&mut prompt.spoken, second) {
                        spoken.shown_after_ms = spoken.said_s.map(|said| round((shown - said) * 1e3));
                    }
                }
                prompt.pictures += 1;
                self.shots.picture(frame, index, now_ns);
            }
            if self.painting.as_ref() != Some(painting) {
                self.painting = Some(painting.clone());
            }
        }
    }

    /// Which of the prompts asked for so far that is: the newest one of those words.
    fn index_of(&self, prompt: &str) -> Option<usize> {
        let asked = if self.listens { self.prompts.len().checked_sub(1)? } else { self.schedule.asked()? };
        (0..=asked).rev().find(|index| self.prompts[*index].prompt == prompt)
    }

    /// Something was written down of what was said.
    pub fn transcript(&mut self, said: Prompt) {
        self.transcripts.keep(said);
    }

    /// A wish has come of what was said: if prompts are not asked for, it gets a column of its own.
    pub fn wish(&mut self, wish: Prompt, now_ns: i64) {
        if !self.listens
            || self.prompts.len() >= SPOKEN
            || self.stream.as_ref().is_some_and(|stream| *stream != wish.stamp.stream)
        {
            return;
        }
        let spoken = Some(self.transcripts.of(&wish, self.schedule.started_ns()));
        let given_s = self.schedule.second(now_ns).map(round);
        self.prompts.push(PromptReport { prompt: wish.text, given_s, spoken, ..PromptReport::default() });
        self.shots.more();
    }

    /// What a picture is painted from has come.
    pub fn source(&mut self, frame: &Frame) {
        if self.stream.as_ref().is_none_or(|stream| *stream == frame.header.stamp.stream) {
            self.shots.source(frame);
        }
    }

    /// The settings of a stream have come.
    pub fn settings(&mut self, settings: Settings) {
        if self.stream.as_ref().is_some_and(|stream| *stream != settings.stream) {
            return;
        }
        if let Some(asked) = self.schedule.asked().filter(|_| !self.listens) {
            self.schedule.answered(self.prompts[asked].prompt == settings.prompt);
        }
        self.settings = Some(settings);
    }

    /// A node had something to say.
    pub fn notice(&mut self, notice: Notice) {
        if self.notices.len() < NOTICES {
            self.notices.push(notice.into());
        }
    }

    /// Where the recording stands.
    #[must_use]
    pub fn phase(&self, now_ns: i64) -> Phase {
        self.schedule.phase(now_ns)
    }

    /// The update to send now, if a prompt's turn has come.
    pub fn due(&mut self, now_ns: i64) -> Option<SettingsUpdate> {
        if self.listens {
            return None;
        }
        let stream = self.stream.clone()?;
        let index = self.schedule.due(now_ns)?;
        let second = self.schedule.second(now_ns);
        let prompt = &mut self.prompts[index];
        prompt.given_s = prompt.given_s.or(second.map(round));
        let values = [("prompt".to_owned(), prompt.prompt.as_str().into())].into_iter().collect();
        Some(SettingsUpdate { stream, origin: ORIGIN.to_owned(), values })
    }

    /// A line a second on how far the recording is: `second 3 of 20, 87 pictures, "neon lights"`.
    pub fn progress(&mut self, now_ns: i64) -> Option<String> {
        let second = self.schedule.second(now_ns)?.floor() as i64;
        if second <= self.told_second {
            return None;
        }
        self.told_second = second;
        let index = if self.listens { self.prompts.len().checked_sub(1) } else { self.schedule.asked() };
        let prompt = index.map_or("", |index| self.prompts[index].prompt.as_str());
        Some(format!("second {second} of {:.0}, {} pictures, \"{prompt}\"", self.seconds, self.statistics.displayed()))
    }

    /// Ends the recording: film, sheet, and, when these are there, the report.
    ///
    /// # Errors
    /// A file cannot be written: named in the error.
    pub fn finish(mut self, complete: bool, now_ns: i64) -> Result<Report> {
        let film = self.video.finish();
        let columns: Vec<_> = self
            .prompts
            .iter()
            .zip(self.shots.shots())
            .map(|(one, shot)| {
                let pictures = [shot.as_ref().map(|shot| &shot.input), shot.as_ref().map(|shot| &shot.output)];
                Column { pictures: pictures.to_vec(), caption: one.caption() }
            })
            .collect();
        // What the mirror saw above what it showed: one column a prompt, in turn.
        write(&self.out.join(SHEET), &png(&compose(&columns, columns.len()))?)?;
        let totals = self.statistics.totals();
        let seconds = self.schedule.second(now_ns).unwrap_or(0.0);
        let (pack, provider) = self.painting.map(|painting| (painting.pack, painting.provider)).unzip();
        let report = Report {
            complete,
            date: utc(now_ns),
            machine: Machine::here(),
            source: self.source,
            pack,
            provider,
            size: self.size,
            seconds: round(seconds),
            fps: round(totals.fps),
            age_ms: rounded(totals.age_ms),
            stages: StageReport::of(&totals),
            frames: totals.frames,
            spoken_to_shown_ms: PromptReport::spoken_to_shown(&self.prompts),
            prompts: self.prompts,
            settings: self.settings.map(|settings| settings.values()),
            video: film,
            notices: self.notices,
        };
        let mut text = serde_json::to_string_pretty(&report).wrap_err("the report is not JSON")?;
        text.push('\n');
        write(&self.out.join(REPORT), text.as_bytes())?;
        Ok(report)
    }
}

/// The report's file; it is written last.
pub const REPORT: &str = "report.json";
/// The sheet's file.
pub const SHEET: &str = "sheet.png";
/// The film's file.
pub const FILM: &str = "mirror.mp4";

/// Writes a file under another name first: who sees it sees it whole.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let part = path.with_extension("part");
    let name = || format!("{} cannot be written", path.display());
    std::fs::write(&part, bytes).wrap_err_with(name)?;
    std::fs::rename(&part, path).wrap_err_with(name)
}

/// A picture as PNG.
fn png(image: &Image) -> Result<Vec<u8>> {
    let [rows, columns] = [image.height, image.width].map(|side| i32::try_from(side).unwrap_or(0));
    let rgb = Mat::new_rows_cols_with_bytes::<Vec3b>(rows, columns, &image.pixels)?;
    let mut bgr = Mat::default();
    imgproc::cvt_color_def(&rgb, &mut bgr, imgproc::COLOR_RGB2BGR)?;
    let mut bytes = Vector::new();
    if !imgcodecs::imencode(".png", &bgr, &mut bytes, &Vector::new())? {
        bail!("OpenCV cannot write PNG here");
    }
    Ok(bytes.to_vec())
}
