//! Sound of any chunk size to frames, each with the voice detector's word; utterances come out.

use crate::config::Config;
use crate::cut::{Cutter, FRAME, RATE_HZ, Utterance};
use crate::floor::Floor;
use crate::speech::{Likeness, level_db};
use std::fmt;
use webrtc_vad::{SampleRate, Vad, VadMode};

/// Nanoseconds of one sample.
const SAMPLE_NS: i64 = 1_000_000_000 / RATE_HZ as i64;

/// The detector and the cutter of one stream. It stays in the thread that made it: WebRTC's detector cannot move.
pub struct Ear {
    vad: Vad,
    floor: Floor,
    cutter: Cutter,
    voice_check: bool,
    refused: u64,
    frame: Vec<f32>,
    /// When the first sample of `frame` was recorded.
    frame_ns: i64,
    integers: [i16; FRAME],
}

impl fmt::Debug for Ear {
    fn fmt(&self, to: &mut fmt::Formatter) -> fmt::Result {
        to.debug_struct("Ear").field("cutter", &self.cutter).finish_non_exhaustive()
    }
}

impl Ear {
    /// Begins in silence.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let mode = match config.aggressiveness {
            0 => VadMode::Quality,
            1 => VadMode::LowBitrate,
            2 => VadMode::Aggressive,
            _ => VadMode::VeryAggressive,
        };
        Self {
            vad: Vad::new_with_rate_and_mode(SampleRate::Rate16kHz, mode),
            floor: Floor::default(),
            cutter: Cutter::new(config.limits),
            voice_check: config.voice_check,
            refused: 0,
            frame: Vec::with_capacity(FRAME),
            frame_ns: 0,
            integers: [0; FRAME],
        }
    }

    /// Takes sound in: 16 kHz, −1 to 1, whose first sample was recorded at `captured_ns`. Gives out what has just ended.
    pub fn hear(&mut self, samples: &[f32], captured_ns: i64, mut out: impl FnMut(Utterance)) {
        for (index, sample) in samples.iter().enumerate() {
            if self.frame.is_empty() {
                self.frame_ns = captured_ns + index as i64 * SAMPLE_NS;
            }
            self.frame.push(*sample);
            if self.frame.len() == FRAME {
                let speech = self.is_speech();
                if let Some(utterance) = self.cutter.push(&self.frame, self.frame_ns, speech) {
                    if !self.voice_check || Likeness::of(&utterance).is_talk() {
                        out(utterance);
                    } else {
                        self.refused += 1;
                    }
                }
                self.frame.clear();
            }
        }
    }

    /// How many sounds were cut out like an utterance, and were no talk.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused
    }

    fn is_speech(&mut self) -> bool {
        // Asked for every frame: it learns from what is no speech as well.
        let above = self.floor.is_above(level_db(&self.frame));
        for (integer, sample) in self.integers.iter_mut().zip(&self.frame) {
            // Saturates; what is no number becomes 0.
            *integer = (sample * f32::from(i16::MAX)) as i16;
        }
        // It refuses other lengths than 10, 20 and 30 ms: this one is right.
        self.vad.is_voice_segment(&self.integers).unwrap_or(false) && above
    }
}
