//! Answers of its HTTP addresses.

use serde::Serialize;
use utoipa::ToSchema;

/// A stream that runs.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Stream {
    /// Its name, as in the addresses of its sockets.
    pub id: String,
    /// How many send pictures.
    pub broadcasters: usize,
    /// How many see them.
    pub viewers: usize,
    /// What paints it.
    pub processor_type: String,
    /// How far pictures move from the camera to the prompt.
    pub strength: f64,
}

/// `GET /streams`.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Streams {
    /// Those that somebody broadcasts or waits for.
    pub active_streams: Vec<Stream>,
}

/// `GET /processors`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Processors {
    /// What `processor_type` may be.
    pub available_processors: Vec<String>,
    /// What paints where none is named.
    pub default_processor: String,
}

/// `GET /health`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Health {
    /// `ok`.
    pub status: &'static str,
    /// Who answers.
    pub service: &'static str,
}
