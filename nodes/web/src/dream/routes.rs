//! The addresses.

use super::broadcaster::{self, Painter};
use super::studio::{ID_CHARS, Studio};
use super::viewer;
use crate::answers::{self, Upgrade, invalid};
use crate::server::Peer;
use crate::site::Site;
use crate::socket::{self, code};
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Json, Router};
use mirror_protocols::detail::{Detail, Invalid};
use mirror_protocols::dream::{Health, PROCESSOR, Processors, Role, Streams, said};
use std::collections::HashMap;
use std::sync::Arc;
use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Mirror, as DreamStream",
        description = "What clients of DreamStream ask for: broadcasters send pictures, viewers see the painted ones."
    ),
    paths(streams, processors, health, connect)
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
        .route("/streams", get(streams))
        .route("/processors", get(processors))
        .route("/health", get(health))
        .route("/ws/{client_type}/{stream_id}", get(connect))
        .with_state(Studio::of(site))
}

/// The streams that somebody broadcasts or waits for.
#[utoipa::path(get, path = "/streams", tag = "dreamstream", responses((status = 200, body = Streams, description = "what was asked for")))]
async fn streams(State(studio): State<Arc<Studio>>) -> Json<Streams> {
    Json(Streams { active_streams: studio.list() })
}

/// What `processor_type` may be.
#[utoipa::path(get, path = "/processors", tag = "dreamstream", responses((status = 200, body = Processors, description = "what was asked for")))]
async fn processors(State(studio): State<Arc<Studio>>) -> Json<Processors> {
    Json(Processors { available_processors: studio.processors(), default_processor: PROCESSOR.to_owned() })
}

/// Whether somebody answers.
#[utoipa::path(get, path = "/health", tag = "dreamstream", responses((status = 200, body = Health, description = "what was asked for")))]
async fn health() -> Json<Health> {
    Json(Health { status: "ok", service: "mirror" })
}

/// A socket of a broadcaster or a viewer: JSON with a `type`; see the README of the node `web`.
#[utoipa::path(
    get, path = "/ws/{client_type}/{stream_id}", tag = "dreamstream",
    params(
        ("client_type" = String, Path, description = "`broadcaster` or `viewer`; another one is closed with 1008"),
        ("stream_id" = String, Path, description = "any name, of 200 characters at most", max_length = 200),
        ("processor_type" = Option<String>, Query, description = "what paints: one of `/processors`"),
    ),
    responses(
        (status = 101, description = "the socket"),
        (status = 422, body = Invalid, description = "the name is too long"),
        (status = 426, body = Detail, description = "not the request of a WebSocket"),
    )
)]
async fn connect(
    State(studio): State<Arc<Studio>>,
    Path((client_type, stream_id)): Path<(String, String)>,
    Query(query): Query<HashMap<String, String>>,
    peer: Option<Extension<Peer>>,
    upgrade: Result<Upgrade, Response>,
) -> Response {
    if stream_id.chars().count() > ID_CHARS {
        return invalid(&["path", "stream_id"], &format!("the name of a stream has {ID_CHARS} characters at most"));
    }
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(refused) => return refused,
    };
    let peer = peer.map(|Extension(peer)| peer.0);
    let limits = studio.site.config.front.socket();
    let painter = Painter::of(&studio, query.get("processor_type").map(String::as_str));
    socket::open(upgrade.0, limits, async move |mut line| match Role::of(&client_type) {
        Some(Role::Broadcaster) => {
            let part = studio.join(&stream_id, Role::Broadcaster);
            broadcaster::talk(studio, part, painter, peer, line).await;
        }
        Some(Role::Viewer) => {
            let part = studio.join(&stream_id, Role::Viewer);
            viewer::talk(studio, part, painter, line).await;
        }
        None => {
            let _ = line.say(&said::error("Invalid client type", Some("it is broadcaster or viewer"))).await;
            line.close(code::POLICY, "Invalid client type").await;
        }
    })
}
