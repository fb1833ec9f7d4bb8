//! What node and server share.

use crate::board::Status;
use crate::census::Census;
use crate::config::Config;
use crate::press::Press;
use serde_json::{Map, Value};
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc, watch};

/// Updates that may wait for the graph. More than people can type; a flood is turned away.
pub const UPDATES: usize = 64;

/// Settings that somebody wants, checked.
pub type Wishes = mpsc::Receiver<Map<String, Value>>;

/// What the routes work with.
pub struct Site {
    /// Pictures.
    pub press: Arc<Press>,
    /// Everything else that is shown.
    pub status: watch::Receiver<Arc<Status>>,
    /// Settings that have been checked, on their way to the graph.
    pub updates: mpsc::Sender<Map<String, Value>>,
    /// Places for those who watch pictures.
    pub watchers: Arc<Semaphore>,
    /// Places for those who listen to events.
    pub listeners: Arc<Semaphore>,
    /// The nodes.
    pub census: Census,
    /// The configuration.
    pub config: Config,
}

impl Site {
    /// A site that shows `first` until the sender says otherwise; updates come out of the receiver.
    #[must_use]
    pub fn new(
        config: Config,
        press: Arc<Press>,
        census: Census,
        first: Status,
    ) -> (Self, watch::Sender<Arc<Status>>, Wishes) {
        let (sender, status) = watch::channel(Arc::new(first));
        let (updates, wishes) = mpsc::channel(UPDATES);
        let seats = || Arc::new(Semaphore::new(config.clients_max));
        (Self { press, status, updates, watchers: seats(), listeners: seats(), census, config }, sender, wishes)
    }

    /// How many watch pictures, and how many listen to events.
    #[must_use]
    pub fn connected(&self) -> (usize, usize) {
        let taken = |seats: &Semaphore| self.config.clients_max.saturating_sub(seats.available_permits());
        (taken(&self.watchers), taken(&self.listeners))
    }
}
