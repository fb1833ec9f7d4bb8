//! The owner of a visitor's stream: an adapter's end of it.

use super::feed::Waiting;
use super::stream::Stream;
use super::{ChangeError, Order, Photo, PhotoError, Streams, Viewer};
use mirror_contract::{Audio, Settings, Stamp, Trace, now_ns};
use serde_json::{Map, Value};
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

/// Samples a second.
pub const RATE_HZ: usize = 16_000;
/// Longest stretch of sound at once, in samples.
pub const SOUND_MAX: usize = RATE_HZ;
/// Sound may come so much faster than it is spoken, for clocks that do not agree …
const FAST_HZ: f64 = 1.1 * RATE_HZ as f64;
/// … and so many samples at once, after a network was slow.
const BURST: f64 = 3.0 * RATE_HZ as f64;

/// Sound that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SoundError {
    /// The graph listens to no visitors.
    #[error("this mirror does not listen to visitors: start it with dataflow.yml, which has the nodes for it")]
    Deaf,
    /// It is too long.
    #[error("{0} samples came at once; {SOUND_MAX} are the most")]
    TooLong(usize),
    /// It has samples that are no numbers from −1 to 1.
    #[error("samples must be from -1 to 1")]
    NoSound,
    /// It comes faster than anybody can speak, or than the graph takes it.
    #[error("sound comes too fast")]
    TooFast,
    /// The stream has ended.
    #[error("the stream has ended")]
    Ended,
}

/// The owner of a visitor's stream. Dropped, it is away: the stream stays for a while for its owner to come back to.
pub struct Owner {
    streams: Streams,
    stream: Arc<Stream>,
    tenure: u64,
    /// What may still come at once, in samples, and as of when.
    sound: Mutex<(f64, i64)>,
}

impl Owner {
    pub(super) fn new(streams: Streams, stream: Arc<Stream>, tenure: u64) -> Self {
        Self { streams, stream, tenure, sound: Mutex::new((BURST, now_ns())) }
    }

    /// The stream's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.stream.name()
    }

    /// Offers a picture that was taken at `captured_ns` (nanoseconds since the Unix epoch): its number, by which its painting is
    /// known. It replaces one that still waits. Decoded only when it is its turn: what is found then, [`trouble`](Self::trouble)
    /// says.
    ///
    /// # Errors
    /// A picture that cannot be used; the stream has ended, or somebody has taken it over.
    pub fn offer(&self, photo: Photo, captured_ns: i64) -> Result<i64, PhotoError> {
        if !self.is_owner() {
            return Err(PhotoError::Ended);
        }
        photo.check()?;
        let waiting = Waiting { photo, captured_ns, received_ns: now_ns() };
        let offered = self.streams.0.gate.change(|admission| admission.offer(self.stream.graph_name(), waiting));
        offered.ok_or(PhotoError::Ended)
    }

    /// Told whenever a picture may be sent.
    #[must_use]
    pub fn credits(&self) -> Credits {
        let mut grants = self.stream.grants();
        grants.mark_unchanged();
        let granted = self.streams.0.gate.look(|admission| admission.is_granted(self.stream.graph_name()));
        if granted {
            grants.mark_changed();
        }
        Credits { stream: self.stream.clone(), tenure: self.tenure, grants, ended: self.stream.ended() }
    }

    /// Told what is wrong with pictures that turned out to be damaged: how many there were, and the last one's fault.
    #[must_use]
    pub fn troubles(&self) -> watch::Receiver<(u64, String)> {
        let mut troubles = self.stream.troubles();
        troubles.mark_unchanged();
        troubles
    }

    /// Takes in what the visitor says: one channel of samples from −1 to 1, 16,000 a second, of which the first was recorded at
    /// `captured_ns`.
    ///
    /// # Errors
    /// Sound that cannot be used; a graph that does not listen; the stream has ended.
    pub fn hear(&self, samples: Vec<f32>, captured_ns: i64) -> Result<(), SoundError> {
        if !self.streams.limits().hears {
            return Err(SoundError::Deaf);
        }
        if !self.is_owner() {
            return Err(SoundError::Ended);
        }
        if samples.len() > SOUND_MAX {
            return Err(SoundError::TooLong(samples.len()));
        }
        if !samples.iter().all(|sample| (-1.0..=1.0).contains(sample)) {
            return Err(SoundError::NoSound);
        }
        let mut sound = super::lock(&self.sound);
        let now = now_ns();
        let left = (sound.0 + (now - sound.1).max(0) as f64 / 1e9 * FAST_HZ).min(BURST) - samples.len() as f64;
        if left < 0.0 {
            return Err(SoundError::TooFast);
        }
        *sound = (left, now);
        drop(sound);
        let (stream, frame_id) = (self.stream.graph_name().to_string(), self.stream.next_sound());
        let stamp = Stamp { stream, frame_id, captured_ns };
        let audio = Audio { stamp, trace: Trace::default(), sample_rate_hz: RATE_HZ as i64, samples: samples.into() };
        self.streams.0.orders.try_send(Order::Sound(audio)).map_err(|_| SoundError::TooFast)
    }

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> Arc<Settings> {
        self.stream.settings()
    }

    /// Wants settings changed: all of them, or none.
    ///
    /// # Errors
    /// As [`Streams::change`].
    pub fn change(&self, values: Map<String, Value>) -> Result<Map<String, Value>, ChangeError> {
        if !self.is_owner() {
            return Err(ChangeError::Unknown);
        }
        self.streams.change(self.name(), self.stream.origin(), values)
    }

    /// Watches the stream; takes no place of those who only watch.
    #[must_use]
    pub fn watch(&self) -> Viewer {
        Viewer::new(&self.streams, self.stream.clone(), None)
    }

    /// Whether it still is the owner: the stream has not ended, and nobody has taken it over.
    #[must_use]
    pub fn is_owner(&self) -> bool {
        self.stream.is_owned_by(self.tenure)
    }

    /// Ends the stream now, for all who watch it.
    pub fn end(&self) {
        if self.is_owner() {
            self.streams.end(&self.stream);
        }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        if self.stream.move_out(self.tenure) {
            self.streams.0.gate.change(|admission| admission.pause(self.stream.graph_name()));
        }
    }
}

/// When an owner may send pictures.
pub struct Credits {
    stream: Arc<Stream>,
    tenure: u64,
    grants: watch::Receiver<u64>,
    ended: watch::Receiver<bool>,
}

impl Credits {
    /// Waits until a picture may be sent: once for each. `false`: the stream has ended, or somebody has taken it over. Safe to
    /// drop while it waits.
    pub async fn next(&mut self) -> bool {
        if self.stream.is_owned_by(self.tenure) {
            tokio::select! {
                changed = self.grants.changed() => { if changed.is_err() { return false } }
                _ = self.ended.changed() => return false,
            }
        }
        self.stream.is_owned_by(self.tenure)
    }
}
