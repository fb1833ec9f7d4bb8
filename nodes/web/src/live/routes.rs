//! The addresses.

use super::hall::Hall;
use super::talk::talk;
use crate::answers::{self, Body, Upgrade, detail, invalid};
use crate::machine;
use crate::server::Peer;
use crate::site::Site;
use crate::socket;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use mirror_models::Processor;
use mirror_protocols::detail::{Detail, Invalid};
use mirror_protocols::live::{self, Health, Load, Model, Models, Put, ServerStatus, System, Wrapped};
use std::sync::Arc;
use tokio::task::spawn_blocking;
use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Mirror, as Live Diffusion",
        description = "What clients of Live Diffusion ask for: one socket a client, settings and pictures through it."
    ),
    paths(settings, change, models, load, status, health, connect)
)]
struct Api;

/// The description of the addresses.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    answers::document(Api::openapi())
}

/// All addresses.
pub fn routes(site: Arc<Site>) -> Router {
    Router::new()
        .route("/api/settings", get(settings).put(change))
        .route("/api/models", get(models))
        .route("/api/models/load", post(load))
        .route("/api/status", get(status))
        .route("/health", get(health))
        .route("/ws", get(connect))
        .with_state(Arc::new(Hall::of(site)))
}

/// The settings that a client begins with.
#[utoipa::path(get, path = "/api/settings", tag = "live", responses((status = 200, body = Wrapped, description = "what was asked for")))]
async fn settings(State(hall): State<Arc<Hall>>) -> Json<Wrapped> {
    Json(Wrapped { settings: live::shown(&hall.base()) })
}

/// Changes settings for all clients, those that are connected and those that will be.
#[utoipa::path(
    put, path = "/api/settings", tag = "live", request_body = Put,
    responses(
        (status = 200, body = Wrapped, description = "all settings, as they are now"),
        (status = 413, body = Detail, description = "the body is too large"),
        (status = 415, body = Detail, description = "the body is no JSON"),
        (status = 422, body = Invalid, description = "a value of another type, or none that the mirror has"),
    )
)]
async fn change(State(hall): State<Arc<Hall>>, Body(body): Body<Put>) -> Response {
    let changed = live::changes(body.settings()).and_then(|changes| hall.put(&changes));
    match changed {
        Ok(()) => Json(Wrapped { settings: live::shown(&hall.base()) }).into_response(),
        Err(error) => invalid(&["body"], &error),
    }
}

/// The models that can be painted with.
#[utoipa::path(get, path = "/api/models", tag = "live", responses((status = 200, body = Models, description = "what was asked for")))]
async fn models(State(hall): State<Arc<Hall>>) -> Json<Models> {
    let current = hall.current().map(|processor| processor.name.clone());
    let models =
        hall.site.config.installed.iter().map(|processor| model(processor, current.as_ref() == Some(&processor.name)));
    Json(Models { models: models.collect(), current_model: current })
}

fn model(processor: &Processor, is_loaded: bool) -> Model {
    let (name, description) = (processor.name.clone(), processor.text.clone());
    Model { id: name.clone(), name, description, is_loaded }
}

/// Paints with another model from now on, for all clients.
#[utoipa::path(
    post, path = "/api/models/load", tag = "live", request_body = Load,
    responses(
        (status = 200, body = Model, description = "the model"),
        (status = 404, body = Detail, description = "no such model is installed"),
        (status = 413, body = Detail, description = "the body is too large"),
        (status = 415, body = Detail, description = "the body is no JSON"),
        (status = 422, body = Invalid, description = "the body is of another form"),
    )
)]
async fn load(State(hall): State<Arc<Hall>>, Body(Load { model_id }): Body<Load>) -> Response {
    let Some(processor) = hall.site.config.installed.iter().find(|processor| processor.name == model_id) else {
        let shown: String = model_id.chars().take(64).collect();
        let known = hall.site.config.processors.join(", ");
        return detail(StatusCode::NOT_FOUND, &format!("there is no model \"{shown}\"; there are {known}"));
    };
    let changes = [("processor".to_owned(), model_id.as_str().into())].into_iter().collect();
    match hall.put(&changes) {
        Ok(()) => Json(model(processor, true)).into_response(),
        Err(error) => invalid(&["body", "model_id"], &error),
    }
}

/// How the server is.
#[utoipa::path(get, path = "/api/status", tag = "live", responses((status = 200, body = ServerStatus, description = "what was asked for")))]
async fn status(State(hall): State<Arc<Hall>>) -> Json<ServerStatus> {
    // It waits between two readings: not on a thread that serves others.
    let load = spawn_blocking(machine::load).await.unwrap_or_default();
    let current = hall.current().map(|processor| processor.name.clone());
    let provider = hall.site.status.borrow().figures.provider.clone();
    let cuda_available = provider.contains("CUDA") || provider.contains("TensorRT");
    Json(ServerStatus {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
        uptime_seconds: hall.opened.elapsed().as_secs_f64(),
        active_connections: hall.count(),
        model_loaded: current.is_some(),
        current_model: current,
        cuda_available,
        // Half of a card's fields would be made up: the models are in other processes, perhaps on another machine, and what they
        // hold of a card is known to its driver alone.
        gpu_info: Vec::new(),
        system_info: System {
            cpu_percent: load.processor_percent,
            memory_percent: load.memory_percent,
            memory_mb: load.own_mb,
            threads: load.threads,
            python_version: String::new(),
        },
    })
}

/// Whether somebody answers.
#[utoipa::path(get, path = "/health", tag = "live", responses((status = 200, body = Health, description = "what was asked for")))]
async fn health() -> Json<Health> {
    Json(Health { status: "ok", api_version: env!("CARGO_PKG_VERSION") })
}

/// A client's socket: envelopes of `type` and `data`, pictures as binary messages; see the README of the node `web`.
#[utoipa::path(
    get, path = "/ws", tag = "live",
    responses(
        (status = 101, description = "the socket"),
        (status = 426, body = Detail, description = "not the request of a WebSocket"),
    )
)]
async fn connect(State(hall): State<Arc<Hall>>, peer: Option<Extension<Peer>>, upgrade: Upgrade) -> Response {
    let limits = hall.site.config.front.socket();
    let peer = peer.map(|Extension(peer)| peer.0);
    socket::open(upgrade.0, limits, async move |line| talk(hall, peer, line).await)
}
