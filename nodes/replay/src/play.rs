//! Which message is next, and where it goes.

use crate::config::{Config, Pace};
use crate::ports::{DENOISED, FRAME, LATENT, SETTINGS, SOURCE};
use eyre::{Result, bail};
use mirror_contract::keys;
use mirror_tape::{Reader, Taped};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// How far into a recording the settings are looked for that were in force at its beginning: `control` says them again
/// every second.
const SETTINGS_WITHIN_NS: i64 = 3_000_000_000;
/// After settings that are new: what they lead to must be everywhere before the next picture, or that one would show
/// something else each time.
const SETTLE: Duration = Duration::from_millis(200);

/// What comes next.
#[derive(Debug, PartialEq)]
pub struct Due {
    /// The message.
    pub taped: Taped,
    /// Its time since the first one of the recording. Recorded pace: when it is sent.
    pub at: Duration,
    /// How long nothing else is sent after it.
    pub settle: Duration,
    /// The mirror paints it, and says when it has.
    pub is_painted: bool,
}

/// A recording that is played.
pub struct Player {
    reader: Reader,
    config: Config,
    ports: Vec<String>,
    /// The port whose messages are painted.
    painted: Option<&'static str>,
    /// What was read ahead, while something was looked for that has to go before it.
    ahead: VecDeque<Taped>,
    first_ns: Option<i64>,
    /// The newest version of each stream's settings.
    versions: BTreeMap<String, i64>,
    skipped: BTreeMap<String, u64>,
}

impl Player {
    /// Opens the recording. Only what fits one of these ports is played.
    ///
    /// # Errors
    /// No recording, or nothing in its beginning that could be played.
    pub fn open(config: Config, ports: Vec<String>) -> Result<Self> {
        let (reader, painted) = (Reader::open(&config.file)?, painted(&config.topics, &ports));
        let (ahead, versions, skipped) = (VecDeque::new(), BTreeMap::new(), BTreeMap::new());
        let mut player = Self { reader, config, ports, painted, ahead, first_ns: None, versions, skipped };
        player.read_ahead()?;
        if player.ahead.is_empty() {
            let (file, ports) = (player.config.file.display(), player.ports.join(", "));
            let there = player.skipped.keys().cloned().collect::<Vec<_>>().join(", ");
            bail!("nothing in {file} goes to {ports}: it holds {there}");
        }
        Ok(player)
    }

    /// Whether these settings are the recording's.
    #[must_use]
    pub fn plays(&self, topic: &str) -> bool {
        let chosen = self.config.topics.is_empty() || self.config.topics.iter().any(|wanted| wanted == topic);
        chosen && topic.rsplit('/').next().is_some_and(|port| self.ports.iter().any(|own| own == port))
    }

    /// Whether something of it is painted, and the mirror can say when.
    #[must_use]
    pub fn is_painted(&self) -> bool {
        self.painted.is_some()
    }

    /// Whether the recording has settings of its own.
    #[must_use]
    pub fn has_settings(&self) -> bool {
        self.ahead.iter().any(|taped| taped.port() == SETTINGS) || !self.versions.is_empty()
    }

    /// Topics of the recording that are not played, and how many messages of each have passed.
    #[must_use]
    pub fn skipped(&self) -> &BTreeMap<String, u64> {
        &self.skipped
    }

    /// What is to be said of the recording: it was cut short.
    pub fn remark(&mut self) -> Option<String> {
        self.reader.remark()
    }

    fn read(&mut self) -> Result<Option<Taped>> {
        while let Some(taped) = self.reader.next().transpose()? {
            if self.plays(&taped.topic) {
                return Ok(Some(taped));
            }
            *self.skipped.entry(taped.topic).or_default() += 1;
        }
        Ok(None)
    }

    /// The first settings go before the first picture: a recording that begins between two of their repetitions must
    /// not begin with the defaults.
    fn read_ahead(&mut self) -> Result<()> {
        let mut first_ns = None;
        while let Some(taped) = self.read()? {
            let end = *first_ns.get_or_insert(taped.log_ns) + SETTINGS_WITHIN_NS;
            let (settings, late) = (taped.port() == SETTINGS, taped.log_ns > end);
            // Pictures are large: not more of them than it takes.
            self.ahead.push_back(taped);
            if settings || late {
                break;
            }
        }
        if let Some(place) = self.ahead.iter().position(|taped| taped.port() == SETTINGS)
            && let Some(mut settings) = self.ahead.remove(place)
        {
            settings.log_ns = first_ns.unwrap_or(settings.log_ns);
            self.ahead.push_front(settings);
        }
        Ok(())
    }

    /// The next message. `None`: that was all.
    ///
    /// # Errors
    /// A recording that is damaged.
    pub fn following(&mut self) -> Result<Option<Due>> {
        let next = match self.ahead.pop_front() {
            Some(taped) => taped,
            None => match self.read()? {
                Some(taped) => taped,
                None => return Ok(None),
            },
        };
        let taped = self.source_first(next)?;
        let first_ns = *self.first_ns.get_or_insert(taped.log_ns);
        let at = Duration::from_nanos(u64::try_from(taped.log_ns - first_ns).unwrap_or(0));
        let settle = self.settle(&taped);
        let is_painted = self.painted == Some(taped.port());
        Ok(Some(Due { taped, at, settle, is_painted }))
    }

    /// The encoder sends a latent before what its painting is laid over. Nothing comes between a latent that is waited for and
    /// its painting: here the other one goes first.
    fn source_first(&mut self, next: Taped) -> Result<Taped> {
        let is_latent = next.port() != FRAME && self.painted == Some(next.port());
        if !is_latent || !chosen(&self.config.topics, SOURCE) {
            return Ok(next);
        }
        let (mut at, mut latents) = (0, 0);
        loop {
            if at == self.ahead.len() {
                let Some(read) = self.read()? else { return Ok(next) };
                self.ahead.push_back(read);
            }
            let other = &self.ahead[at];
            let is_its = other.frame_id() == next.frame_id() && other.text(keys::STREAM) == next.text(keys::STREAM);
            let (is_source, is_latent) = (other.port() == SOURCE && is_its, other.port() == next.port());
            if is_source && let Some(source) = self.ahead.remove(at) {
                self.ahead.push_front(next);
                return Ok(source);
            }
            (at, latents) = (at + 1, latents + usize::from(is_latent));
            // It has gone already, or was not recorded: two that are sent at once may have come in another order, not more.
            if latents == 2 {
                return Ok(next);
            }
        }
    }

    /// How long settings need that were not said before. The first ones always: nothing must be painted without them.
    fn settle(&mut self, taped: &Taped) -> Duration {
        if taped.port() != SETTINGS {
            return Duration::ZERO;
        }
        let stream = taped.text(keys::STREAM).unwrap_or_default().to_owned();
        let version = taped.integer(keys::VERSION).unwrap_or(0);
        let before = self.versions.insert(stream, version);
        let is_news = before.is_none() || (before != Some(version) && self.config.pace == Pace::Fast);
        if is_news { SETTLE } else { Duration::ZERO }
    }
}

/// Whether a topic was chosen that goes to that port.
fn chosen(topics: &[String], port: &str) -> bool {
    topics.iter().any(|topic| topic.rsplit('/').next() == Some(port))
}

/// The port whose messages are painted. Of what was chosen it is the one that is furthest on: in its place, what comes before
/// paints nothing.
fn painted(topics: &[String], ports: &[String]) -> Option<&'static str> {
    let is_played = |port: &str| if topics.is_empty() { port == FRAME } else { chosen(topics, port) };
    let declared = |port: &str| ports.iter().any(|own| own == port);
    [DENOISED, LATENT, FRAME].into_iter().find(|port| is_played(port) && declared(port))
}
