//! The channels: who broadcasts, who views, how they are painted.

use crate::site::Site;
use crate::streams::{OpenError, Opening, Owner};
use mirror_contract::Settings;
use mirror_protocols::dream::said::State;
use mirror_protocols::dream::{self, PROCESSORS, Role, Stream};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Longest name of a channel that is a stream's name as it is, in characters.
const PLAIN_CHARS: usize = 40;
/// Longest name of a channel, in characters.
pub const ID_CHARS: usize = 200;

/// How a channel is painted, and whether somebody broadcasts. Viewers see its newest state, never each step on the way.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// Whether somebody broadcasts.
    pub state: State,
    /// Counts how often that has begun.
    pub life: u64,
    /// The prompt.
    pub prompt: String,
    /// What paints, by the name that the broadcaster gave.
    pub processor: String,
    /// The strength.
    pub strength: f64,
}

/// One name that is broadcast or viewed.
pub struct Channel {
    /// Its name in addresses.
    pub id: String,
    /// The name of its stream.
    pub stream: String,
    /// How it is painted.
    pub look: watch::Sender<Look>,
    live: Mutex<Live>,
}

#[derive(Default)]
struct Live {
    owner: Option<Arc<Owner>>,
    broadcasters: usize,
    viewers: usize,
}

/// All channels.
pub struct Studio {
    /// What all listeners share.
    pub site: Arc<Site>,
    channels: Mutex<HashMap<String, Arc<Channel>>>,
}

/// Somebody's part in a channel. Dropped, it is over.
pub struct Part {
    studio: Arc<Studio>,
    role: Role,
    /// The channel.
    pub channel: Arc<Channel>,
}

/// A thread that panicked has left nothing half done here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A stream's name for any name of a channel.
fn stream_name(id: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.~".contains(letter);
    if !id.is_empty() && id.len() <= PLAIN_CHARS && id.chars().all(is_plain) {
        return format!("ds:{id}");
    }
    let digest = Sha256::digest(id);
    digest.iter().take(16).fold("ds@".to_owned(), |mut name, byte| {
        // Writing into a text never fails.
        let _ = write!(name, "{byte:02x}");
        name
    })
}

impl Channel {
    fn new(id: &str) -> Self {
        let look = Look {
            state: State::Unknown,
            life: 0,
            prompt: dream::PROMPT.to_owned(),
            processor: dream::PROCESSOR.to_owned(),
            strength: dream::STRENGTH,
        };
        Self { id: id.to_owned(), stream: stream_name(id), look: watch::Sender::new(look), live: Mutex::default() }
    }

    /// Whether somebody broadcasts.
    #[must_use]
    pub fn state(&self) -> State {
        self.look.borrow().state
    }

    /// The stream is over, for all who broadcast or view it.
    pub fn end(&self) {
        let owner = lock(&self.live).owner.take();
        if let Some(owner) = owner {
            owner.end();
        }
        self.look.send_if_modified(|look| std::mem::replace(&mut look.state, State::Ended) == State::Active);
    }
}

impl Studio {
    /// Without channels.
    #[must_use]
    pub fn of(site: Arc<Site>) -> Arc<Self> {
        Arc::new(Self { site, channels: Mutex::default() })
    }

    /// The processors that clients may name: those of its own server, and those that are installed.
    #[must_use]
    pub fn processors(&self) -> Vec<String> {
        let own = PROCESSORS.iter().map(|name| (*name).to_owned());
        let installed = self.site.config.processors.iter().filter(|name| !PROCESSORS.contains(&name.as_str())).cloned();
        own.chain(installed).collect()
    }

    /// What paints under a name: an installed processor of that name, or the default one for the names of its own server.
    /// `None`: there is none of that name.
    #[must_use]
    pub fn painter(&self, name: &str) -> Option<String> {
        let installed = &self.site.config.processors;
        if installed.iter().any(|known| known == name) {
            return Some(name.to_owned());
        }
        PROCESSORS.contains(&name).then(|| Settings::default().processor)
    }

    /// Takes part in the channel of that name, which begins if there is none.
    #[must_use]
    pub fn join(self: &Arc<Self>, id: &str, role: Role) -> Part {
        let mut channels = lock(&self.channels);
        let channel = channels.entry(id.to_owned()).or_insert_with(|| Arc::new(Channel::new(id))).clone();
        // Still under the lock: else it could be forgotten in between.
        let mut live = lock(&channel.live);
        match role {
            Role::Broadcaster => live.broadcasters += 1,
            Role::Viewer => live.viewers += 1,
        }
        drop(live);
        Part { studio: self.clone(), role, channel }
    }

    /// Whether somebody broadcasts under that name.
    #[must_use]
    pub fn state(&self, id: &str) -> State {
        lock(&self.channels).get(id).map_or(State::Unknown, |channel| channel.state())
    }

    /// All channels.
    #[must_use]
    pub fn list(&self) -> Vec<Stream> {
        let mut channels: Vec<_> = lock(&self.channels).values().cloned().collect();
        channels.sort_by(|one, other| one.id.cmp(&other.id));
        let stream = |channel: &Arc<Channel>| {
            let (live, look) = (lock(&channel.live), channel.look.borrow());
            Stream {
                id: channel.id.clone(),
                broadcasters: live.broadcasters,
                viewers: live.viewers,
                processor_type: look.processor.clone(),
                strength: look.strength,
            }
        };
        channels.iter().map(stream).collect()
    }
}

impl Part {
    /// The stream of the channel, for a broadcaster. The first one opens it and chooses what paints it.
    ///
    /// # Errors
    /// There is no place for another stream.
    pub fn open(&self, processor: &str, painter: &str, peer: Option<IpAddr>) -> Result<Arc<Owner>, OpenError> {
        let channel = &self.channel;
        let mut live = lock(&channel.live);
        if let Some(owner) = live.owner.as_ref().filter(|owner| owner.is_owner()) {
            return Ok(owner.clone());
        }
        let opening = Opening { name: &channel.stream, key: &channel.id, origin: "dreamstream", address: peer };
        let owner = Arc::new(self.studio.site.streams.open(&opening)?);
        let mut first = dream::first();
        first.insert("processor".to_owned(), painter.into());
        if let Err(error) = owner.change(first) {
            // What the table of parameters has is its own affair: the stream goes on with its defaults.
            tracing::warn!("{}: {error}", channel.stream);
        }
        live.owner = Some(owner.clone());
        drop(live);
        channel.look.send_modify(|look| {
            let life = look.life + 1;
            let (prompt, processor) = (dream::PROMPT.to_owned(), processor.to_owned());
            *look = Look { state: State::Active, life, prompt, processor, strength: dream::STRENGTH };
        });
        Ok(owner)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let mut channels = lock(&self.studio.channels);
        let mut live = lock(&self.channel.live);
        match self.role {
            Role::Broadcaster => live.broadcasters -= 1,
            Role::Viewer => live.viewers -= 1,
        }
        let (broadcasters, viewers) = (live.broadcasters, live.viewers);
        drop(live);
        if broadcasters + viewers == 0 {
            channels.remove(&self.channel.id);
        }
        drop(channels);
        if broadcasters == 0 && self.role == Role::Broadcaster {
            self.channel.end();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_a_channel_is_a_name_of_a_stream_and_two_are_two() {
        let names = ["stream123", "", "a b", "ä", "a/b", &"x".repeat(41), &"x".repeat(42), "ds@00"];
        let streams: Vec<String> = names.iter().map(|name| stream_name(name)).collect();
        assert_eq!(streams[0], "ds:stream123");
        for (index, stream) in streams.iter().enumerate() {
            assert!(
                stream.len() <= 48
                    && stream.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~:@".contains(&byte)),
                "{stream}"
            );
            assert!(!streams[..index].contains(stream), "{stream}");
        }
    }
}
