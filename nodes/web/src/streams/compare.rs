//! Before and after: what a camera's paintings are made from. It is sent here only while somebody compares: no picture is made,
//! and nobody is woken, for nobody.
//!
//! Of visitors' streams it is never sent: their own page has it, and those who watch are shown the painting alone.

use super::stream::Stream;
use super::{Order, Streams, lock};
use mirror_contract::{Frame, Stamp, Wanted};
use mirror_kit::Sources;
use std::sync::Arc;

/// Somebody compares, until this is dropped.
pub struct Comparing(Arc<Stream>);

impl Drop for Comparing {
    fn drop(&mut self) {
        self.0.compared(-1);
    }
}

impl Streams {
    /// Whether a stream's paintings can be compared with what they are made from.
    #[must_use]
    pub fn can_compare(&self, name: &str) -> bool {
        self.0.limits.compares && self.find(name).is_some_and(|stream| !stream.is_visitor())
    }

    /// Somebody compares the pictures of a stream. `None`: they cannot be compared.
    #[must_use]
    pub fn compare(&self, name: &str) -> Option<Comparing> {
        let stream = self.find(name).filter(|stream| self.0.limits.compares && !stream.is_visitor())?;
        stream.compared(1);
        self.want(&stream);
        Some(Comparing(stream))
    }

    /// Asks for a stream's source pictures, for a moment.
    fn want(&self, stream: &Stream) {
        let stream = stream.graph_name().to_string();
        // The next time will do if the graph is behind.
        let _ = self.0.orders.try_send(Order::Wanted(Wanted { stream }));
    }

    /// Asks for what is compared; lets go of what is not any more.
    pub(super) fn keep_comparing(&self) {
        let streams: Vec<Arc<Stream>> = lock(&self.0.streams).values().cloned().collect();
        let compared = || streams.iter().filter(|stream| stream.is_compared());
        compared().for_each(|stream| self.want(stream));
        if compared().next().is_none() {
            // They pin memory of the encoder.
            *lock(&self.0.sources) = Sources::default();
        }
    }

    /// A camera's picture as the encoder saw it.
    pub fn before(&self, frame: Frame) {
        if self.by_graph_name(&frame.header.stamp.stream).is_some_and(|stream| stream.is_compared()) {
            lock(&self.0.sources).keep(frame);
        }
    }

    /// What that painting was made from, if somebody compares.
    pub(super) fn source_of(&self, stream: &Stream, stamp: &Stamp) -> Option<Frame> {
        let is_compared = stream.is_compared();
        is_compared.then(|| lock(&self.0.sources).find(stamp).cloned()).flatten()
    }
}
