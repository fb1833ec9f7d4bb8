//! The list of all streams.

use super::stream::Stream;
use super::tally::Tally;
use super::{Streams, lock};
use crate::streams::admission::Admission;
use mirror_contract::{Settings, now_ns};
use serde::Serialize;
use std::sync::Arc;

/// A stream in the list of all.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// Its name: `house` for the mirror's own camera.
    pub name: String,
    /// The protocol that it was opened through; empty for cameras of the mirror.
    pub origin: &'static str,
    /// Its owner is connected; cameras are always.
    pub is_live: bool,
    /// How many watch it, its owner not counted.
    pub viewers: usize,
    /// When it was opened: milliseconds since the Unix epoch.
    pub opened_ms: i64,
    /// What became of its pictures; cameras have none of this.
    pub tally: Option<Tally>,
    /// Its settings.
    #[serde(skip)]
    pub settings: Arc<Settings>,
}

impl Streams {
    /// All streams, by name; cameras of the mirror first.
    #[must_use]
    pub fn list(&self) -> Vec<Entry> {
        let streams: Vec<Arc<Stream>> = lock(&self.0.streams).values().cloned().collect();
        let mut list: Vec<Entry> = streams.iter().map(|stream| self.entry(stream)).collect();
        list.sort_by(|one, other| (!one.origin.is_empty(), &one.name).cmp(&(!other.origin.is_empty(), &other.name)));
        list
    }

    /// Visitors' streams, by name, and how many of each one's pictures are shown a second.
    #[must_use]
    pub fn visiting(&self) -> Vec<(Entry, f64)> {
        let streams: Vec<Arc<Stream>> = lock(&self.0.streams).values().cloned().collect();
        let (now, visitors) = (now_ns(), streams.iter().filter(|stream| stream.is_visitor()));
        visitors.map(|stream| (self.entry(stream), stream.easel().figures(now).0.fps)).collect()
    }

    /// One of them.
    #[must_use]
    pub fn entry_of(&self, name: &str) -> Option<Entry> {
        self.find(name).map(|stream| self.entry(&stream))
    }

    fn entry(&self, stream: &Stream) -> Entry {
        Entry {
            name: stream.name().to_owned(),
            origin: stream.origin(),
            is_live: stream.is_live(),
            viewers: stream.viewers(),
            opened_ms: stream.opened_ns() / 1_000_000,
            tally: self.0.gate.look(|admission| admission.tally(stream.graph_name())),
            settings: stream.settings(),
        }
    }

    /// What became of all visitors' pictures, since this node was started.
    #[must_use]
    pub fn totals(&self) -> Tally {
        self.0.gate.look(Admission::totals)
    }
}
