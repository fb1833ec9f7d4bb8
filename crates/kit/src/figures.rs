//! Frame rate, age, stage times and drops, from the traces that frames carry.

use mirror_contract::Header;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Samples that a window keeps: over 5 s at 100 frames a second.
const CAPACITY: usize = 512;
/// How far back the figures look.
const WINDOW_NS: i64 = 5_000_000_000;

/// The middle and the slow end of a time, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Spread {
    /// Half of the samples took at most this.
    pub p50: f64,
    /// 99 of 100 samples took at most this.
    pub p99: f64,
}

impl Spread {
    /// The spread of times in nanoseconds; the slice is sorted by it. Nearest-rank percentiles; 0 without samples.
    pub fn of(samples: &mut [i64]) -> Self {
        samples.sort_unstable();
        let rank = |percent: usize| {
            let index = (samples.len() * percent).div_ceil(100).saturating_sub(1);
            samples.get(index).map_or(0.0, |ns| *ns as f64 / 1e6)
        };
        Self { p50: rank(50), p99: rank(99) }
    }
}

/// One stage's figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StageFigures {
    /// The stage.
    pub stage: String,
    /// Pictures that it sent on a second: those that were shown, and those that later stages dropped.
    pub fps: f64,
    /// From the camera's stamp to sending the output.
    pub age_ms: Spread,
    /// From taking the input up to sending the output.
    pub ms: Spread,
    /// From the stage before sending to this one taking it up.
    pub hop_ms: Spread,
    /// Messages dropped since the stage started.
    pub drops: i64,
}

/// The figures of the last five seconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Pictures shown since the start.
    pub frames: u64,
    /// Pictures shown a second.
    pub fps: f64,
    /// From the camera's stamp to the picture shown.
    pub age_ms: Spread,
    /// The stages in order.
    pub stages: Vec<StageFigures>,
    /// Messages dropped by all stages since they started.
    pub drops: i64,
    /// What the camera reads the newest picture from.
    pub source: String,
    /// The prompt of the newest picture.
    pub prompt: String,
    /// Its pack.
    pub pack: String,
    /// Its execution provider.
    pub provider: String,
}

struct Stage {
    name: String,
    drops: i64,
    samples: VecDeque<Sample>,
}

/// One picture's way through a stage; times in nanoseconds.
struct Sample {
    shown_ns: i64,
    took_ns: i64,
    hop_ns: i64,
    age_ns: i64,
    /// The stage's drops up to then.
    drops: i64,
}

/// Takes in every picture shown; gives out a [`Summary`] when asked.
#[derive(Default)]
pub struct Figures {
    frames: u64,
    /// (shown, age) in nanoseconds.
    shown: VecDeque<(i64, i64)>,
    stages: Vec<Stage>,
    source: String,
    prompt: String,
    pack: String,
    provider: String,
    scratch: Vec<i64>,
}

fn push<T>(window: &mut VecDeque<T>, sample: T) {
    if window.len() == CAPACITY {
        window.pop_front();
    }
    window.push_back(sample);
}

/// Makes what each stage dropped a second (its `fps` so far) what it sent on a second. From the end: a stage has sent on what came
/// through, `shown` pictures a second, and what the stages after it dropped; one that no picture came through has sent on
/// nothing that is known of.
pub fn pass_on(stages: &mut [StageFigures], shown: f64) {
    let mut sent = shown;
    for stage in stages.iter_mut().rev() {
        let is_idle = stage.age_ms == Spread::default();
        sent += std::mem::replace(&mut stage.fps, if is_idle { 0.0 } else { sent });
    }
}

fn place(stages: &[Stage], name: &str) -> Option<usize> {
    stages.iter().position(|stage| stage.name == name)
}

impl Figures {
    /// A picture with that header was shown at that time.
    pub fn shown(&mut self, header: &Header, shown_ns: i64) {
        self.frames += 1;
        push(&mut self.shown, (shown_ns, shown_ns - header.stamp.captured_ns));
        self.trace(header, shown_ns);
        self.source.clone_from(&header.source);
        if let Some(painting) = &header.painting {
            self.prompt.clone_from(&painting.prompt);
            self.pack.clone_from(&painting.pack);
            self.provider.clone_from(&painting.provider);
        }
    }

    fn trace(&mut self, header: &Header, shown_ns: i64) {
        let mut before_ns = None;
        for (at, time) in header.trace.0.iter().enumerate() {
            let index = place(&self.stages, &time.stage).unwrap_or_else(|| {
                // Before the stage that comes after it: the order is the graph's.
                let next = header.trace.0[at + 1..].iter().find_map(|later| place(&self.stages, &later.stage));
                let index = next.unwrap_or(self.stages.len());
                let samples = VecDeque::with_capacity(CAPACITY);
                self.stages.insert(index, Stage { name: time.stage.clone(), drops: 0, samples });
                index
            });
            let stage = &mut self.stages[index];
            stage.drops = time.drops;
            let (took_ns, hop_ns) =
                (time.sent_ns - time.received_ns, before_ns.map_or(0, |before| time.received_ns - before));
            let age_ns = time.sent_ns - header.stamp.captured_ns;
            push(&mut stage.samples, Sample { shown_ns, took_ns, hop_ns, age_ns, drops: time.drops });
            before_ns = Some(time.sent_ns);
        }
    }

    /// The figures of the five seconds before `now_ns`.
    pub fn summary(&mut self, now_ns: i64) -> Summary {
        let since = now_ns - WINDOW_NS;
        let Self { scratch, shown, stages, .. } = self;
        let mut spread = |samples: &mut dyn Iterator<Item = i64>| {
            scratch.clear();
            scratch.extend(samples);
            Spread::of(scratch)
        };
        let recent = || shown.iter().filter(|(at, _)| *at > since);
        let age_ms = spread(&mut recent().map(|(_, age)| *age));
        // Between n pictures lie n - 1 gaps; the time since the last one counts once it is longer than they are.
        let times = recent().map(|(at, _)| *at);
        let (count, first, last) = times.fold((0u32, None, 0), |(n, first, _), at| (n + 1, first.or(Some(at)), at));
        let gap_ns = first.map_or(0, |first| last - first) / i64::from(count.max(2) - 1);
        let silent_ns = (now_ns - last - gap_ns).max(0);
        let span_ns = first.map_or(0, |first| last - first + silent_ns);
        let fps = if count < 2 || span_ns == 0 { 0.0 } else { f64::from(count - 1) * 1e9 / span_ns as f64 };
        let mut stages: Vec<StageFigures> = stages
            .iter()
            .map(|stage| {
                let recent = || stage.samples.iter().filter(|sample| sample.shown_ns > since);
                let (first, last) = (recent().next(), recent().next_back());
                let dropped = first.zip(last).map_or(0, |(first, last)| (last.drops - first.drops).max(0));
                StageFigures {
                    stage: stage.name.clone(),
                    // What it dropped itself, a second; in a moment: what it sent on.
                    fps: if span_ns == 0 { 0.0 } else { dropped as f64 * 1e9 / span_ns as f64 },
                    age_ms: spread(&mut recent().map(|sample| sample.age_ns)),
                    ms: spread(&mut recent().map(|sample| sample.took_ns)),
                    hop_ms: spread(&mut recent().map(|sample| sample.hop_ns)),
                    drops: stage.drops,
                }
            })
            .collect();
        pass_on(&mut stages, fps);
        let drops = stages.iter().map(|stage| stage.drops).sum();
        let (source, prompt) = (self.source.clone(), self.prompt.clone());
        let (pack, provider) = (self.pack.clone(), self.provider.clone());
        Summary { frames: self.frames, fps, age_ms, stages, drops, source, prompt, pack, provider }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mirror_contract::{StageTime, Stamp, Trace};

    fn header(frame_id: i64, captured_ns: i64) -> Header {
        let stage = StageTime {
            stage: "encoder".to_owned(),
            received_ns: captured_ns + 1_000_000,
            sent_ns: captured_ns + 4_000_000,
            drops: frame_id / 2,
        };
        let stamp = Stamp { stream: "house".to_owned(), frame_id, captured_ns };
        Header { trace: Trace(vec![stage]), ..Header::of(stamp) }
    }

    #[test]
    fn a_steady_stream_has_its_rate_and_its_age() {
        let mut figures = Figures::default();
        for frame in 0..100 {
            let captured = frame * 20_000_000;
            figures.shown(&header(frame, captured), captured + 7_000_000);
        }
        let summary = figures.summary(99 * 20_000_000 + 7_000_000);
        assert_eq!(summary.frames, 100);
        assert!((summary.fps - 50.0).abs() < 1e-9, "{}", summary.fps);
        assert_eq!(summary.age_ms, Spread { p50: 7.0, p99: 7.0 });
        assert_eq!(summary.stages[0].ms, Spread { p50: 3.0, p99: 3.0 });
        assert_eq!(summary.drops, 49);
    }

    #[test]
    fn a_stage_has_sent_on_what_was_shown_and_what_later_stages_dropped() {
        let mut figures = Figures::default();
        for frame in 0..100 {
            let mut header = header(frame, frame * 20_000_000);
            let first = StageTime { stage: "camera".to_owned(), drops: 0, ..header.trace.0[0].clone() };
            header.trace.0.insert(0, first);
            figures.shown(&header, frame * 20_000_000 + 7_000_000);
        }
        let stages = figures.summary(99 * 20_000_000 + 7_000_000).stages;
        // Every second picture has cost another one: 49 were dropped beside 100 in two seconds.
        let rounded: Vec<f64> = stages.iter().map(|stage| stage.fps.round()).collect();
        assert_eq!(rounded, [75.0, 50.0]);
        assert_eq!(stages[1].age_ms, Spread { p50: 4.0, p99: 4.0 });
        let stages = figures.summary(99 * 20_000_000 + 20_000_000_000).stages;
        assert_eq!(stages.iter().map(|stage| stage.fps).sum::<f64>(), 0.0);
    }

    #[test]
    fn a_stream_that_has_stopped_falls_to_zero() {
        let mut figures = Figures::default();
        for frame in 0..100 {
            figures.shown(&header(frame, frame * 20_000_000), frame * 20_000_000);
        }
        let half = figures.summary(99 * 20_000_000 + 2_000_000_000).fps;
        assert!(half < 30.0 && half > 20.0, "{half}");
        assert_eq!(figures.summary(20_000_000_000).fps, 0.0);
    }

    #[test]
    fn percentiles_are_nearest_ranks() {
        let mut samples: Vec<i64> = (1..=100).rev().map(|ms| ms * 1_000_000).collect();
        assert_eq!(Spread::of(&mut samples), Spread { p50: 50.0, p99: 99.0 });
        assert_eq!(Spread::of(&mut []), Spread { p50: 0.0, p99: 0.0 });
    }
}
