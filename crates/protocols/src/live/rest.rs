//! Answers and bodies of its HTTP addresses.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// Settings, one level down: `{"settings": {…}}`.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Wrapped {
    /// `prompt`, `negative_prompt`, `denoising_strength`, `guidance`, `steps`, `seed`, in snake or camel case.
    #[schema(value_type = Object)]
    pub settings: Value,
}

/// Body of `PUT /api/settings`: settings as its own page sends them, `{"prompt": …}`, or one level down as they are answered.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[schema(value_type = Object)]
pub struct Put(pub Value);

impl Put {
    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Value {
        self.0.get("settings").unwrap_or(&self.0)
    }
}

/// A model that can be painted with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Model {
    /// What `POST /api/models/load` takes.
    pub id: String,
    /// For people.
    pub name: String,
    /// What it is good for.
    pub description: String,
    /// Whether it is the one that paints.
    pub is_loaded: bool,
}

/// All models.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Models {
    /// Those that are installed.
    pub models: Vec<Model>,
    /// The one that paints.
    pub current_model: Option<String>,
}

/// Which model is to paint.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
pub struct Load {
    /// One of the ids of `GET /api/models`.
    #[serde(alias = "modelId")]
    pub model_id: String,
}

/// What the machine is busy with.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct System {
    /// Use of all processors, in percent.
    pub cpu_percent: f64,
    /// Memory in use, in percent of all.
    pub memory_percent: f64,
    /// This program's memory, in MB.
    pub memory_mb: f64,
    /// This program's threads.
    pub threads: u64,
    /// Empty: there is no Python here.
    pub python_version: String,
}

/// `GET /api/status`.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ServerStatus {
    /// `ok`.
    pub status: &'static str,
    /// The mirror's version.
    pub version: &'static str,
    /// Since this listener started.
    pub uptime_seconds: f64,
    /// Open sockets of this protocol.
    pub active_connections: usize,
    /// Whether there is a model.
    pub model_loaded: bool,
    /// The one that paints.
    pub current_model: Option<String>,
    /// Whether pictures are painted by an NVIDIA card.
    pub cuda_available: bool,
    /// Always empty: how much of a card's memory is taken is not known here.
    pub gpu_info: Vec<Value>,
    /// The machine.
    pub system_info: System,
}

/// `GET /health`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Health {
    /// `ok`.
    pub status: &'static str,
    /// The mirror's version.
    pub api_version: &'static str,
}
