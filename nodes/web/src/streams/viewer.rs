//! Somebody who watches a stream.

use super::Streams;
use super::stream::Stream;
use crate::board::Status;
use crate::press::Picture;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, watch};

/// Somebody who watches a stream. Gets the newest painted picture whenever it is ready for one: who is slow gets fewer of them,
/// and never an older one than before.
pub struct Viewer {
    stream: Arc<Stream>,
    pictures: watch::Receiver<Option<Arc<Picture>>>,
    ended: watch::Receiver<bool>,
    /// Its place; an owner needs none.
    seat: Option<OwnedSemaphorePermit>,
}

impl Viewer {
    pub(super) fn new(streams: &Streams, stream: Arc<Stream>, seat: Option<OwnedSemaphorePermit>) -> Self {
        let mut pictures = streams.0.press.subscribe(stream.easel());
        pictures.mark_changed();
        if seat.is_some() {
            stream.watched(1);
        }
        Self { pictures, ended: stream.ended(), seat, stream }
    }

    /// The newest picture that has not been given out yet; waits for one if need be. `None`: the stream has ended. Safe to drop
    /// while it waits.
    pub async fn next(&mut self) -> Option<Arc<Picture>> {
        loop {
            if *self.ended.borrow() {
                return None;
            }
            tokio::select! {
                changed = self.pictures.changed() => changed.ok()?,
                _ = self.ended.changed() => return None,
            }
            let newest = self.pictures.borrow_and_update().clone();
            if newest.is_some() {
                return newest;
            }
        }
    }

    /// What is shown besides the picture: settings, figures, notices. Changes twice a second, and at once when settings do.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<Arc<Status>> {
        self.stream.status()
    }

    /// The stream's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.stream.name()
    }

    /// Whether somebody sends pictures; cameras of the mirror always do.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.stream.is_live()
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        if self.seat.is_some() {
            self.stream.watched(-1);
        }
    }
}
