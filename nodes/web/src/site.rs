//! What node and server share.

use crate::board::Status;
use crate::census::Census;
use crate::config::Config;
use crate::door::Door;
use crate::press::Press;
use crate::recording::Desk;
use crate::streams::Streams;
use std::sync::Arc;
use tokio::sync::{Semaphore, watch};

/// What the routes work with.
pub struct Site {
    /// Pictures of the stream that the page is for.
    pub press: Arc<Press>,
    /// All streams, visitors' too.
    pub streams: Streams,
    /// Everything else that is shown of the stream that the page is for.
    pub status: watch::Receiver<Arc<Status>>,
    /// Places for those who listen to events.
    pub listeners: Arc<Semaphore>,
    /// The nodes.
    pub census: Census,
    /// Films of what the page shows.
    pub desk: Arc<Desk>,
    /// Who may come in.
    pub door: Arc<Door>,
    /// The configuration.
    pub config: Config,
}

impl Site {
    /// A site of those streams.
    #[must_use]
    pub fn new(config: Config, press: Arc<Press>, streams: Streams, census: Census) -> Self {
        let (status, listeners) = (streams.house(), Arc::new(Semaphore::new(config.clients_max)));
        let (door, desk) = (Door::of(&config.front), Arc::new(Desk::of(&config)));
        Self { press, streams, status, listeners, census, desk, door, config }
    }

    /// How many watch pictures, and how many listen to events.
    #[must_use]
    pub fn connected(&self) -> (usize, usize) {
        (self.streams.watching(), self.config.clients_max.saturating_sub(self.listeners.available_permits()))
    }
}
