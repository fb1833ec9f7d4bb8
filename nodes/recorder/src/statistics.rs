//! Frame rate, age, stage times and drops over a whole recording: nothing is left out.

use mirror_contract::{Header, StageTime};
use mirror_kit::figures::{Spread, StageFigures, pass_on};
use serde::Serialize;

/// How many frames there were.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Frames {
    /// Taken by the camera, from the first picture shown to the last, by their numbers.
    pub captured: i64,
    /// Of these, shown.
    pub displayed: i64,
    /// Of these, not shown.
    pub dropped: i64,
}

/// The figures of a whole recording.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Totals {
    /// How many frames there were.
    pub frames: Frames,
    /// Pictures shown a second, from the first to the last.
    pub fps: f64,
    /// From the camera's stamp to the picture shown.
    pub age_ms: Spread,
    /// The stages in order; drops are those between the first picture and the last.
    pub stages: Vec<StageFigures>,
}

struct Stage {
    name: String,
    age_ns: Vec<i64>,
    took_ns: Vec<i64>,
    hop_ns: Vec<i64>,
    /// What the stage said last, and what it has dropped since the first picture.
    said: i64,
    drops: i64,
}

/// Takes in every picture shown.
#[derive(Default)]
pub struct Statistics {
    ages_ns: Vec<i64>,
    first_ns: i64,
    last_ns: i64,
    stages: Vec<Stage>,
    /// First and last number of the frames since the camera last began to count.
    span: Option<(i64, i64)>,
    captured: i64,
}

impl Statistics {
    /// A picture with that header was shown at that time.
    pub fn shown(&mut self, header: &Header, shown_ns: i64) {
        if self.ages_ns.is_empty() {
            self.first_ns = shown_ns;
        }
        self.last_ns = shown_ns;
        self.ages_ns.push(shown_ns - header.stamp.captured_ns);
        let id = header.stamp.frame_id;
        match &mut self.span {
            Some((_, last)) if id > *last => {
                self.captured += id - *last;
                *last = id;
            }
            span => {
                // The first picture, or a camera that was started again and counts anew.
                *span = Some((id, id));
                self.captured += 1;
            }
        }
        let first_picture = self.ages_ns.len() == 1;
        let mut before_ns = None;
        for time in &header.trace.0 {
            self.stage(time, before_ns, first_picture);
            if let Some(stage) = self.stages.iter_mut().find(|stage| stage.name == time.stage) {
                stage.age_ns.push(time.sent_ns - header.stamp.captured_ns);
            }
            before_ns = Some(time.sent_ns);
        }
    }

    fn stage(&mut self, time: &StageTime, before_ns: Option<i64>, first_picture: bool) {
        let index = self.stages.iter().position(|stage| stage.name == time.stage).unwrap_or_else(|| {
            let said = if first_picture { time.drops } else { 0 };
            let (age_ns, took_ns, hop_ns) = (Vec::new(), Vec::new(), Vec::new());
            self.stages.push(Stage { name: time.stage.clone(), age_ns, took_ns, hop_ns, said, drops: 0 });
            self.stages.len() - 1
        });
        let stage = &mut self.stages[index];
        stage.took_ns.push(time.sent_ns - time.received_ns);
        stage.hop_ns.push(before_ns.map_or(0, |before| time.received_ns - before));
        // A count that falls is that of a stage which was started again.
        stage.drops += if time.drops >= stage.said { time.drops - stage.said } else { time.drops };
        stage.said = time.drops;
    }

    /// How many pictures were shown.
    #[must_use]
    pub fn displayed(&self) -> usize {
        self.ages_ns.len()
    }

    /// The figures.
    pub fn totals(&mut self) -> Totals {
        let displayed = self.ages_ns.len() as i64;
        let span_ns = self.last_ns - self.first_ns;
        let a_second = |count: i64| if span_ns > 0 { count as f64 * 1e9 / span_ns as f64 } else { 0.0 };
        let fps = a_second(displayed - 1);
        let stages = self.stages.iter_mut().map(|stage| StageFigures {
            stage: stage.name.clone(),
            fps: a_second(stage.drops),
            age_ms: Spread::of(&mut stage.age_ns),
            ms: Spread::of(&mut stage.took_ns),
            hop_ms: Spread::of(&mut stage.hop_ns),
            drops: stage.drops,
        });
        let mut stages: Vec<StageFigures> = stages.collect();
        pass_on(&mut stages, fps);
        Totals {
            frames: Frames { captured: self.captured, displayed, dropped: self.captured - displayed },
            fps,
            age_ms: Spread::of(&mut self.ages_ns),
            stages,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mirror_contract::{Stamp, Trace};

    const MS: i64 = 1_000_000;

    fn header(frame_id: i64, captured_ns: i64, drops: i64) -> Header {
        let stage = |stage: &str, received_ns: i64, sent_ns: i64| StageTime {
            stage: stage.to_owned(),
            received_ns: captured_ns + received_ns * MS,
            sent_ns: captured_ns + sent_ns * MS,
            drops,
        };
        let stamp = Stamp { stream: "house".to_owned(), frame_id, captured_ns };
        let trace = Trace(vec![stage("camera", 0, 1), stage("encoder", 2, 7)]);
        Header { trace, ..Header::of(stamp) }
    }

    #[test]
    fn a_steady_recording_has_its_rate_age_and_stage_times() {
        let mut statistics = Statistics::default();
        for frame in 0..1000 {
            let captured_ns = frame * 20 * MS;
            statistics.shown(&header(frame, captured_ns, 0), captured_ns + 9 * MS);
        }
        let totals = statistics.totals();
        assert_eq!(totals.frames, Frames { captured: 1000, displayed: 1000, dropped: 0 });
        assert!((totals.fps - 50.0).abs() < 1e-9);
        assert_eq!(totals.age_ms, Spread { p50: 9.0, p99: 9.0 });
        assert_eq!(totals.stages[1].ms, Spread { p50: 5.0, p99: 5.0 });
        assert_eq!(totals.stages[1].age_ms, Spread { p50: 7.0, p99: 7.0 });
        assert!((totals.stages[0].fps - 50.0).abs() < 1e-9);
        assert_eq!(totals.stages[1].hop_ms, Spread { p50: 1.0, p99: 1.0 });
    }

    #[test]
    fn frames_that_were_never_shown_are_dropped_ones() {
        let mut statistics = Statistics::default();
        for frame in [10, 11, 14, 20] {
            statistics.shown(&header(frame, frame, 0), frame);
        }
        assert_eq!(statistics.totals().frames, Frames { captured: 11, displayed: 4, dropped: 7 });
    }

    #[test]
    fn a_camera_that_counts_anew_loses_nothing() {
        let mut statistics = Statistics::default();
        for frame in [10, 11, 0, 2] {
            statistics.shown(&header(frame, frame, 0), frame);
        }
        assert_eq!(statistics.totals().frames, Frames { captured: 5, displayed: 4, dropped: 1 });
    }

    #[test]
    fn drops_count_from_the_first_picture_on_and_survive_a_restart_of_the_stage() {
        let mut statistics = Statistics::default();
        for (frame, drops) in [(0, 40), (1, 43), (2, 2), (3, 5)] {
            statistics.shown(&header(frame, frame, drops), frame);
        }
        assert_eq!(statistics.totals().stages[0].drops, 3 + 2 + 3);
    }

    #[test]
    fn nothing_shown_is_all_zero() {
        assert_eq!(Statistics::default().totals(), Totals::default());
    }
}
