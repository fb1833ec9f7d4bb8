//! What is allowed, and what the graph can do.

use crate::config::Config;
use crate::ports::{BEFORE, FRAME, SOUND, WANTED};
use mirror_kit::Node;
use mirror_kit::node::TAKEN;

/// What is allowed, and what the graph can do.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Visitors' streams at once.
    pub streams: usize,
    /// Visitors' streams at once from one address; this machine's own are not counted.
    pub per_address: usize,
    /// Those who may watch at once, owners not counted.
    pub watchers: usize,
    /// Visitors' pictures go into the graph.
    pub sees: bool,
    /// Visitors' voices do.
    pub hears: bool,
    /// The encoder says when it has taken a picture up.
    pub is_told: bool,
    /// The encoder passes on what cameras' paintings are made from.
    pub compares: bool,
}

/// What the configuration allows, and what the graph can do.
#[must_use]
pub fn limits(node: &Node, config: &Config) -> Limits {
    let connected = node.connected();
    let is_told = connected.iter().any(|port| port == TAKEN);
    let compares = node.declares(WANTED) && connected.iter().any(|port| port == BEFORE);
    Limits { is_told, compares, ..Limits::of(config, [node.declares(FRAME), node.declares(SOUND)]) }
}

impl Limits {
    /// What the configuration allows, in a graph that takes visitors' pictures, and that hears them; it says what it has taken up, and
    /// lets people compare.
    #[must_use]
    pub fn of(config: &Config, [sees, hears]: [bool; 2]) -> Self {
        Self {
            streams: config.streams_max,
            per_address: config.streams_per_address,
            watchers: config.clients_max,
            sees: sees && config.streams_max > 0,
            hears,
            is_told: true,
            compares: true,
        }
    }
}
