//! Where an utterance begins and ends. No detector, no clock: a frame and whether it is speech go in, utterances come out.

use std::collections::VecDeque;

/// Samples a second.
pub const RATE_HZ: usize = 16_000;
/// Samples of a frame: 20 ms.
pub const FRAME: usize = RATE_HZ / 50;
/// Length of a frame in nanoseconds.
const FRAME_NS: i64 = 20_000_000;
/// Frames that are looked at together at the start: 200 ms.
const WINDOW: usize = 10;
/// So many of them must be speech: a click is over before.
const ONSET: usize = 6;
/// So many frames of speech in a row end a silence within an utterance: one alone is the detector's doubt.
const RESUME: usize = 2;
/// Frames after the last speech that belong to the utterance: a soft last consonant. They are there by then.
pub const TAIL: usize = 5;
/// Where an utterance that is too long is cut: within its last 2 s.
const CUT_WITHIN: usize = 100;

/// The frames that a length in milliseconds needs.
#[must_use]
pub fn ms(length: usize) -> usize {
    length.div_ceil(20)
}

/// Where utterances begin and end, in frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// A silence that ends an utterance.
    pub silence: usize,
    /// What belongs to it before its first speech.
    pub preroll: usize,
    /// The least speech that it holds.
    pub min_speech: usize,
    /// The longest one.
    pub max_speech: usize,
}

/// What somebody said.
#[derive(Debug, Clone, PartialEq)]
pub struct Utterance {
    /// When its first sample was recorded: nanoseconds since the Unix epoch.
    pub captured_ns: i64,
    /// When its last frame of speech was over.
    pub spoken_ns: i64,
    /// 16 kHz, −1 to 1: pre-roll, speech, and a short tail.
    pub samples: Vec<f32>,
    /// For each frame up to the last one of speech, whether it is speech. The tail comes after.
    pub speech: Vec<bool>,
    /// It was cut because it was too long: the next one goes on.
    pub cut: bool,
}

#[derive(Debug, Clone, Copy)]
struct Frame {
    captured_ns: i64,
    speech: bool,
}

/// Cuts one stream.
#[derive(Debug)]
pub struct Cutter {
    limits: Limits,
    frames: VecDeque<Frame>,
    samples: VecDeque<f32>,
    /// Within an utterance: frames since its last speech.
    silent: Option<usize>,
    /// Frames of speech in a row.
    run: usize,
}

impl Cutter {
    /// Begins in silence.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, frames: VecDeque::new(), samples: VecDeque::new(), silent: None, run: 0 }
    }

    /// Takes a frame of [`FRAME`] samples in. An utterance that has just ended comes out.
    pub fn push(&mut self, samples: &[f32], captured_ns: i64, speech: bool) -> Option<Utterance> {
        self.frames.push_back(Frame { captured_ns, speech });
        self.samples.extend(samples);
        self.run = if speech { self.run + 1 } else { 0 };
        let Some(silent) = self.silent else {
            self.wait();
            return None;
        };
        let silent = if self.run >= RESUME { 0 } else { silent + 1 };
        self.silent = Some(silent);
        if silent >= self.limits.silence && !speech {
            let end = self.frames.len() - silent;
            self.silent = None;
            // The silence stays: it may be the next one's pre-roll.
            return self.take(end, false);
        }
        if self.frames.len() >= self.limits.max_speech {
            let end = self.quietest();
            return self.take(end, true);
        }
        None
    }

    /// Before an utterance: keeps what may become its beginning, and looks whether it begins.
    fn wait(&mut self) {
        let last = self.frames.iter().rev().take(WINDOW);
        if last.filter(|frame| frame.speech).count() >= ONSET {
            let start = self.frames.len().saturating_sub(WINDOW);
            let first = self.frames.iter().skip(start).position(|frame| frame.speech).unwrap_or(0);
            self.forget((start + first).saturating_sub(self.limits.preroll));
            self.silent = Some(0);
        } else {
            self.forget(self.frames.len().saturating_sub(self.limits.preroll + WINDOW));
        }
    }

    fn forget(&mut self, frames: usize) {
        self.frames.drain(..frames);
        self.samples.drain(..frames * FRAME);
    }

    /// The frame within the last ones before which a cut does the least harm.
    fn quietest(&self) -> usize {
        let len = self.frames.len();
        let from = len.saturating_sub(CUT_WITHIN).max(len / 2);
        let energy = |frame: usize| self.samples.range(frame * FRAME..(frame + 1) * FRAME).map(|s| s * s).sum::<f32>();
        (from..len).min_by(|a, b| energy(*a).total_cmp(&energy(*b))).unwrap_or(len)
    }

    /// Takes the utterance that ends before that frame, if it is one.
    fn take(&mut self, end: usize, cut: bool) -> Option<Utterance> {
        let captured_ns = self.frames.front().map_or(0, |frame| frame.captured_ns);
        // Its own time, not counted from the first one: sound that is lost in between takes time all the same.
        let last_ns = self.frames.get(end.saturating_sub(1)).map_or(0, |frame| frame.captured_ns);
        let spoken_ns = last_ns + FRAME_NS;
        let speech: Vec<bool> = self.frames.drain(..end).map(|frame| frame.speech).collect();
        let tail = if cut { 0 } else { TAIL.min(self.frames.len()) };
        let samples = self.samples.range(..(end + tail) * FRAME).copied().collect();
        self.samples.drain(..end * FRAME);
        let enough = speech.iter().filter(|speech| **speech).count() >= self.limits.min_speech;
        enough.then_some(Utterance { captured_ns, spoken_ns, samples, speech, cut })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { silence: 20, preroll: 15, min_speech: 13, max_speech: 750 };

    /// What comes out of frames that are written as `.` (silence) and `#` (speech); frame n holds the value n.
    fn cut(limits: Limits, frames: &str) -> Vec<Utterance> {
        let mut cutter = Cutter::new(limits);
        let push = |(at, frame): (usize, char)| cutter.push(&[at as f32; FRAME], at as i64 * 20_000_000, frame == '#');
        frames.chars().enumerate().filter_map(push).collect()
    }

    fn spoken(silence: usize, speech: usize, silence_after: usize) -> String {
        ".".repeat(silence) + &"#".repeat(speech) + &".".repeat(silence_after)
    }

    #[test]
    fn an_utterance_has_its_preroll_and_ends_just_after_its_last_speech() {
        let utterances = cut(LIMITS, &spoken(50, 40, 30));
        assert_eq!(utterances.len(), 1);
        let Utterance { captured_ns, spoken_ns, samples, speech, cut } = &utterances[0];
        assert_eq!((*captured_ns, *spoken_ns), (35 * 20_000_000, 90 * 20_000_000));
        assert_eq!((samples.len(), samples[0], samples[samples.len() - 1]), (60 * FRAME, 35.0, 94.0));
        assert_eq!((speech.len(), speech[14], speech[15], *cut), (55, false, true, false));
    }

    #[test]
    fn a_pause_that_is_shorter_than_the_silence_does_not_cut() {
        assert_eq!(cut(LIMITS, &(spoken(50, 30, 19) + &spoken(0, 30, 30))).len(), 1);
        assert_eq!(cut(LIMITS, &(spoken(50, 30, 20) + &spoken(0, 30, 30))).len(), 2);
    }

    #[test]
    fn two_utterances_share_no_speech_even_if_the_second_follows_at_once() {
        let utterances = cut(LIMITS, &(spoken(50, 30, 20) + &spoken(0, 30, 30)));
        let end = utterances[0].captured_ns + utterances[0].speech.len() as i64 * 20_000_000;
        assert!(utterances[1].captured_ns >= end);
        // The silence between is the second one's pre-roll.
        assert_eq!(utterances[1].captured_ns, (100 - 15) * 20_000_000);
    }

    #[test]
    fn a_click_and_a_short_bang_are_no_utterances() {
        assert_eq!(cut(LIMITS, &spoken(50, 5, 50)), []);
        assert_eq!(cut(LIMITS, &spoken(50, 12, 50)), []);
        assert_eq!(cut(LIMITS, &"#....".repeat(100)), []);
    }

    #[test]
    fn a_single_doubtful_frame_does_not_prolong_an_utterance() {
        let utterances = cut(LIMITS, &(spoken(50, 40, 10) + "#" + &".".repeat(30)));
        assert_eq!(utterances[0].samples[utterances[0].samples.len() - 1], 94.0);
    }

    #[test]
    fn speech_without_end_is_cut_at_its_quietest_moment_and_goes_on_without_a_gap() {
        let mut cutter = Cutter::new(Limits { max_speech: 200, ..LIMITS });
        let mut out = Vec::new();
        for at in 0..1000_i64 {
            // Every 90th frame is quieter.
            let level = if at % 90 == 0 { 0.1 } else { 0.5 };
            out.extend(cutter.push(&[level; FRAME], at * 20_000_000, true));
        }
        assert!(out.len() >= 5, "{}", out.len());
        for pair in out.windows(2) {
            assert_eq!(pair[1].captured_ns, pair[0].captured_ns + pair[0].speech.len() as i64 * 20_000_000);
            assert!(pair[0].cut && pair[1].samples[0] == 0.1);
        }
    }

    #[test]
    fn hours_of_silence_keep_nothing() {
        let mut cutter = Cutter::new(LIMITS);
        (0..100_000).for_each(|at| assert_eq!(cutter.push(&[0.0; FRAME], at, false), None));
        assert!(cutter.samples.len() <= (LIMITS.preroll + WINDOW) * FRAME);
    }
}
