//! What brings one stretch of sound after another.

pub mod device;
pub mod nothing;
pub mod wav;

use crate::open::Opened;
use eyre::Result;
use mirror_contract::Level;
use std::time::Duration;

/// A stretch of sound: one channel.
#[derive(Debug, Default)]
pub struct Stretch {
    /// Samples a second.
    pub rate_hz: u32,
    /// The samples, −1 to 1.
    pub samples: Vec<f32>,
}

/// What a feed has brought.
#[derive(Debug)]
pub enum Step {
    /// Sound that was recorded just now: when its first sample was, in nanoseconds since the Unix epoch.
    Live(i64),
    /// Sound that is over at that time after the feed's start.
    Due(Duration),
    /// No sound, but something that people should know.
    Remark(Level, String),
    /// No sound: this source takes the place of this feed, from here on.
    Instead(Opened),
    /// No sound has come for a moment.
    Nothing,
}

/// Brings one stretch of sound after another. It may block, but not for longer than a tenth of a second: it runs in a
/// thread of its own, which also looks whether the mirror stops.
pub trait Feed {
    /// Brings the next stretch into `into`, whose buffer it uses again.
    ///
    /// # Errors
    /// The source has vanished: why. It is then opened anew.
    fn bring(&mut self, into: &mut Stretch) -> Result<Step>;
}

/// The mean of the channels of each frame, appended to `into`. Values that are no numbers become silence.
pub(crate) fn to_one_channel(samples: impl Iterator<Item = f32>, channels: usize, into: &mut Vec<f32>) {
    let (mut sum, mut count) = (0.0, 0);
    for sample in samples {
        sum += if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 };
        count += 1;
        if count == channels {
            into.push(sum / channels as f32);
            (sum, count) = (0.0, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_channels_become_their_mean_and_what_is_no_number_silence() {
        let mut mono = Vec::new();
        to_one_channel([0.5, 0.25, f32::NAN, 1.0, 9.0, f32::NEG_INFINITY].into_iter(), 2, &mut mono);
        assert_eq!(mono, [0.375, 0.5, 0.5]);
    }
}
