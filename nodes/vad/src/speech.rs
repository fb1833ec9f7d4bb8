//! Whether an utterance sounds like somebody talking. WebRTC's detector looks at 20 ms at a time and takes many tones,
//! bangs and keys for speech; over a whole utterance they are easy to tell apart.

use crate::cut::{FRAME, Utterance};

/// Samples of the window in which a pitch is looked for: 40 ms, two periods of the deepest voice.
const WINDOW: usize = 2 * FRAME;
/// Every second sample is enough for a pitch.
const STEP: usize = 2;
/// Periods of voices, 70 to 400 Hz, in samples.
const PERIODS: std::ops::RangeInclusive<usize> = 40..=228;
/// A window whose correlation with itself one period later is above that has a pitch.
const PITCHED: f32 = 0.6;
/// Pitches that differ by less than this share are the same.
const SAME: f32 = 0.02;
/// Two moments so many frames apart are 100 ms apart: a voice glides on by then, a note does not.
const APART: usize = 5;

/// Speech has a pitch for at least that share of its frames. Measured with 30 sentences of flite and espeak-ng: 0.55 to
/// 0.9 (a croaking one 0.42, a whispering one 0); doors 0.1 to 0.44, noise and keys below 0.1.
const LEAST_PITCHED: f32 = 0.45;
/// Instruments hold their pitch from frame to frame, and for 100 ms, for more than these shares: measured 0.89 and 0.61
/// at least, of speech 0.79 and 0.39 at most, apart from one word.
const INSTRUMENT: [f32; 2] = [0.85, 0.5];

/// What the speech of an utterance is like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Likeness {
    /// Share of the frames of speech that have a pitch, 0 to 1: vowels have one, noise has none.
    pub pitched: f32,
    /// Share of the pitched frames whose pitch is that of the frame before, 0 to 1: an instrument holds its tone.
    pub held: f32,
    /// The same over 100 ms.
    pub kept: f32,
    /// How much louder the loud frames are than the quiet ones, in decibels: syllables come and go.
    pub swing_db: f32,
}

impl Likeness {
    /// Looks at the frames of speech of an utterance.
    #[must_use]
    pub fn of(utterance: &Utterance) -> Self {
        let frames: Vec<usize> =
            utterance.speech.iter().enumerate().filter_map(|(at, speech)| speech.then_some(at)).collect();
        let mut levels: Vec<f32> =
            frames.iter().map(|at| level_db(&utterance.samples[at * FRAME..][..FRAME])).collect();
        levels.sort_by(f32::total_cmp);
        let at = |share: usize| levels.get(levels.len() * share / 100).copied().unwrap_or(0.0);
        let pitches: Vec<Option<f32>> = frames
            .iter()
            .map(|frame| {
                let end = (frame * FRAME + WINDOW).min(utterance.samples.len());
                pitch(&utterance.samples[end.saturating_sub(WINDOW)..end])
            })
            .collect();
        let pitched = pitches.iter().flatten().count();
        // Of the pairs of pitches that lie so far apart, how many are the same.
        let same = |apart: usize| {
            let pairs = pitches.iter().zip(pitches.iter().skip(apart)).filter_map(|(a, b)| Some((*a)? / (*b)?));
            let (mut same, mut all) = (0, 0);
            for ratio in pairs {
                (same, all) = (same + usize::from((ratio - 1.0).abs() < SAME), all + 1);
            }
            share(same, all)
        };
        let (held, kept) = (same(1), same(APART));
        Self { pitched: share(pitched, frames.len()), held, kept, swing_db: at(90) - at(10) }
    }

    /// Whether somebody talks.
    #[must_use]
    pub fn is_talk(&self) -> bool {
        let instrument = self.held > INSTRUMENT[0] && self.kept > INSTRUMENT[1];
        self.pitched >= LEAST_PITCHED && !instrument
    }
}

fn share(part: usize, whole: usize) -> f32 {
    part as f32 / whole.max(1) as f32
}

/// Mean level of samples in decibels; 0 is as loud as it can be.
#[must_use]
pub fn level_db(samples: &[f32]) -> f32 {
    let mean = samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len().max(1) as f32;
    10.0 * (mean + 1e-10).log10()
}

/// The period of a voice in samples, if there is one.
fn pitch(window: &[f32]) -> Option<f32> {
    let mut best = (0.0, 0);
    for period in PERIODS.step_by(STEP) {
        let (early, late) = (&window[..window.len() - period], &window[period..]);
        let (mut product, mut a, mut b) = (0.0, 1e-9, 1e-9);
        for (early, late) in early.iter().step_by(STEP).zip(late.iter().step_by(STEP)) {
            product += early * late;
            a += early * early;
            b += late * late;
        }
        let correlation = product / f32::sqrt(a * b);
        // Twice a period fits as well as the period: a later one must fit better to win.
        if correlation > best.0 + 0.02 {
            best = (correlation, period);
        }
    }
    (best.0 > PITCHED).then_some(best.1 as f32)
}
