//! Any rate to 16 kHz, in even chunks, each with the time of its first sample.

use crate::feed::Stretch;
use eyre::{Result, eyre};
use rubato::audioadapter_buffers::direct::SequentialSlice;
use rubato::{Async, FixedAsync, Resampler, SincInterpolationParameters, WindowFunction};

/// Samples a second of all chunks: what the voice detector and whisper work with.
pub const RATE_HZ: u32 = 16_000;
/// Length of the resampler's filter in samples of the slower side: alias-free enough for speech, and 4 ms late at most.
const FILTER: usize = 64;
/// The resampler takes so many stretches of its input a second.
const BITES: u32 = 100;
/// A difference in time that is a gap, and not a late callback: sound was lost, or the machine slept.
const GAP_NS: i64 = 100_000_000;
/// How slowly the clock follows sound that comes later than expected: cards run fast or slow by a few parts in 10,000.
const DRIFT: i64 = 64;

/// A chunk of 16 kHz sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Chunk {
    /// When its first sample was recorded: nanoseconds since the Unix epoch.
    pub captured_ns: i64,
    /// The samples, −1 to 1.
    pub samples: Vec<f32>,
}

/// Turns stretches of any rate into chunks.
pub struct Chunks {
    len: usize,
    resampler: Option<Converter>,
    clock: Clock,
    /// What is not a whole chunk yet.
    samples: Vec<f32>,
}

impl Chunks {
    /// Chunks of `len` samples.
    #[must_use]
    pub fn new(len: usize) -> Self {
        Self { len, resampler: None, clock: Clock::default(), samples: Vec::new() }
    }

    /// Takes in a stretch whose first sample was recorded at `captured_ns`, and gives out the chunks that are whole.
    ///
    /// # Errors
    /// A rate that cannot be resampled.
    pub fn push(&mut self, stretch: &Stretch, captured_ns: i64, mut out: impl FnMut(Chunk)) -> Result<()> {
        if stretch.rate_hz == RATE_HZ {
            self.resampler = None;
            self.clock.observe(captured_ns, self.samples.len());
            self.samples.extend_from_slice(&stretch.samples);
        } else {
            if self.resampler.as_ref().is_none_or(|resampler| resampler.rate_hz != stretch.rate_hz) {
                self.resampler = Some(Converter::new(stretch.rate_hz)?);
            }
            if let Some(resampler) = &mut self.resampler {
                let waiting = resampler.input.len() as f64 * f64::from(RATE_HZ) / f64::from(stretch.rate_hz);
                let ahead = self.samples.len() + waiting.round() as usize + resampler.behind;
                self.clock.observe(captured_ns, ahead);
                resampler.convert(&stretch.samples, &mut self.samples)?;
            }
        }
        while self.samples.len() >= self.len {
            let rest = self.samples.split_off(self.len);
            let samples = std::mem::replace(&mut self.samples, rest);
            out(Chunk { captured_ns: self.clock.take(self.len), samples });
        }
        Ok(())
    }
}

/// The resampler of one rate.
struct Converter {
    rate_hz: u32,
    resampler: Async<f32>,
    input: Vec<f32>,
    output: Vec<f32>,
    /// Samples at the start that are the filter's delay, not sound: still to come.
    skip: usize,
    /// Those that have come: so many samples of what was taken in are still in the filter.
    behind: usize,
}

impl Converter {
    fn new(rate_hz: u32) -> Result<Self> {
        let wrong = |reason: String| eyre!("{rate_hz} Hz cannot be resampled: {reason}");
        let ratio = f64::from(RATE_HZ) / f64::from(rate_hz);
        let len = (FILTER as f64 * (1.0 / ratio).max(1.0)).min(4096.0) as usize;
        let filter = SincInterpolationParameters::new(len, WindowFunction::BlackmanHarris2);
        let bite = (rate_hz / BITES).max(1) as usize;
        let resampler = Async::<f32>::new_sinc(ratio, 1.0, &filter, bite, 1, FixedAsync::Input)
            .map_err(|error| wrong(error.to_string()))?;
        let output = vec![0.0; resampler.output_frames_max()];
        let skip = resampler.output_delay();
        Ok(Self { rate_hz, resampler, input: Vec::new(), output, skip, behind: 0 })
    }

    fn convert(&mut self, samples: &[f32], into: &mut Vec<f32>) -> Result<()> {
        self.input.extend_from_slice(samples);
        let mut at = 0;
        loop {
            let bite = self.resampler.input_frames_next();
            let Some(input) = self.input.get(at..at + bite) else { break };
            let frames = self.output.len();
            let input = SequentialSlice::new(input, 1, bite).map_err(|error| eyre!("{error}"))?;
            let mut output = SequentialSlice::new_mut(&mut self.output, 1, frames).map_err(|error| eyre!("{error}"))?;
            let (taken, made) = self.resampler.process_into_buffer(&input, &mut output, None)?;
            at += taken;
            let skipped = self.skip.min(made);
            self.skip -= skipped;
            self.behind += skipped;
            // The filter can overshoot by a little.
            into.extend(self.output[skipped..made].iter().map(|sample| sample.clamp(-1.0, 1.0)));
        }
        self.input.drain(..at);
        Ok(())
    }
}

/// When samples were recorded: counted, because callbacks come early and late; corrected, because cards drift.
#[derive(Debug, Default)]
struct Clock {
    /// When the first sample that has not been given out was recorded.
    base_ns: Option<i64>,
}

impl Clock {
    fn length_ns(samples: usize) -> i64 {
        samples as i64 * (1_000_000_000 / i64::from(RATE_HZ))
    }

    /// Sound has come whose first sample lies `ahead` samples after the first that has not been given out.
    fn observe(&mut self, captured_ns: i64, ahead: usize) {
        let seen = captured_ns - Self::length_ns(ahead);
        let base = match self.base_ns {
            Some(base) if (seen - base).abs() < GAP_NS => {
                // Sound can be late, but it cannot come before it was recorded.
                if seen < base { seen } else { base + (seen - base) / DRIFT }
            }
            _ => seen,
        };
        self.base_ns = Some(base);
    }

    /// So many samples are given out: when the first of them was recorded.
    fn take(&mut self, samples: usize) -> i64 {
        let base = self.base_ns.unwrap_or(0);
        self.base_ns = Some(base + Self::length_ns(samples));
        base
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f32::consts::TAU;

    fn tone(rate_hz: u32, hz: f32, seconds: f32) -> Vec<f32> {
        let count = (rate_hz as f32 * seconds) as usize;
        (0..count).map(|at| 0.5 * (TAU * hz * at as f32 / rate_hz as f32).sin()).collect()
    }

    /// What comes out of a tone that is fed in stretches of 20 ms, from second 1 of the clock on.
    fn chunks(rate_hz: u32, samples: &[f32]) -> Vec<Chunk> {
        let (mut chunks, mut out) = (Chunks::new(480), Vec::new());
        let part = (rate_hz / 50) as usize;
        for (index, samples) in samples.chunks(part).enumerate() {
            let captured_ns = 1_000_000_000 + (index * part) as i64 * 1_000_000_000 / i64::from(rate_hz);
            let stretch = Stretch { rate_hz, samples: samples.to_vec() };
            chunks.push(&stretch, captured_ns, |chunk| out.push(chunk)).expect("any rate");
        }
        out
    }

    /// Root of the mean square.
    fn level(samples: &[f32]) -> f32 {
        (samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len() as f32).sqrt()
    }

    #[test]
    fn every_rate_becomes_16_khz_in_even_chunks_of_the_same_sound_at_the_same_time() {
        for rate_hz in [8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000, 192_000] {
            let chunks = chunks(rate_hz, &tone(rate_hz, 440.0, 2.0));
            assert!((65..=66).contains(&chunks.len()), "{rate_hz} Hz: {} chunks", chunks.len());
            let wanted = tone(RATE_HZ, 440.0, 2.0);
            for (index, chunk) in chunks.iter().enumerate() {
                assert_eq!(chunk.samples.len(), 480);
                let off_ns = chunk.captured_ns - 1_000_000_000 - index as i64 * 30_000_000;
                assert!(off_ns.abs() < 1_000_000, "{rate_hz} Hz: chunk {index} is off by {off_ns} ns");
                // The first chunk holds the filter's start.
                if index > 0 {
                    let wanted = &wanted[index * 480..][..480];
                    let off: Vec<f32> = chunk.samples.iter().zip(wanted).map(|(is, should)| is - should).collect();
                    // At 440 Hz, one sample early or late is 0.061.
                    assert!(level(&off) < 0.065, "{rate_hz} Hz: chunk {index} is off by {}", level(&off));
                    let loudness = level(&chunk.samples);
                    assert!((loudness - 0.125_f32.sqrt()).abs() < 0.01, "{rate_hz} Hz: chunk {index}: {loudness}");
                }
            }
        }
    }

    #[test]
    fn what_16_khz_cannot_hold_is_filtered_out_and_does_not_come_back_as_another_tone() {
        let chunks = chunks(48_000, &tone(48_000, 10_000.0, 1.0));
        assert!(chunks.iter().skip(1).all(|chunk| level(&chunk.samples) < 0.002), "{}", level(&chunks[5].samples));
    }

    #[test]
    fn callbacks_that_come_late_do_not_shake_the_times() {
        let (mut chunks, mut out) = (Chunks::new(480), Vec::new());
        for index in 0..1000_i64 {
            // Every third one is 15 ms late.
            let late = if index % 3 == 0 { 15_000_000 } else { 0 };
            let stretch = Stretch { rate_hz: RATE_HZ, samples: vec![0.0; 320] };
            chunks.push(&stretch, index * 20_000_000 + late, |chunk| out.push(chunk)).expect("16 kHz");
        }
        for (index, chunk) in out.iter().enumerate().skip(1) {
            let off = chunk.captured_ns - index as i64 * 30_000_000;
            assert!((0..1_000_000).contains(&off), "chunk {index} is off by {off} ns");
        }
    }

    #[test]
    fn a_card_that_runs_slow_and_a_machine_that_slept_are_followed() {
        let (mut chunks, mut out) = (Chunks::new(480), Vec::new());
        let mut push = |captured_ns| {
            let stretch = Stretch { rate_hz: RATE_HZ, samples: vec![0.0; 480] };
            chunks.push(&stretch, captured_ns, |chunk| out.push(chunk.captured_ns)).expect("16 kHz");
        };
        // 200 parts in a million.
        (0..20_000_i64).for_each(|index| push(index * 30_006_000));
        push(3_600_000_000_000);
        let last = 19_999 * 30_006_000;
        assert!((out[19_999] - last).abs() < 5_000_000, "{}", out[19_999] - last);
        assert_eq!(out[20_000], 3_600_000_000_000);
    }
}
