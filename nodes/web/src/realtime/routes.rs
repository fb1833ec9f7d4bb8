//! The addresses.

use super::talk::talk;
use super::visitors::{Looker, Visitors};
use crate::answers::{self, Id, Upgrade, detail};
use crate::press::Picture;
use crate::server::Peer;
use crate::site::Site;
use crate::socket;
use crate::streams::Viewer;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use bytes::Bytes;
use futures::stream::{Stream, unfold};
use mirror_contract::Settings;
use mirror_protocols::detail::{Detail, Invalid};
use mirror_protocols::realtime::{Form, Queue, Shown};
use std::convert::Infallible;
use std::sync::Arc;
use utoipa::OpenApi;

/// What a stream of pictures begins with.
const OPENING: &[u8] = b"--frame\r\n";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Mirror, as Real-Time LCM",
        description = "What clients of Real-Time LCM ask for: one socket a visitor, pictures as MJPEG."
    ),
    paths(settings, queue, stream, visit)
)]
struct Api;

/// The description of the addresses.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    answers::document(Api::openapi())
}

#[derive(Clone)]
struct Here {
    site: Arc<Site>,
    visitors: Arc<Visitors>,
}

/// All addresses.
pub fn routes(site: Arc<Site>) -> Router {
    let here = Here { site, visitors: Arc::default() };
    Router::new()
        .route("/api/settings", get(settings))
        .route("/api/queue", get(queue))
        .route("/api/stream/{user_id}", get(stream))
        .route("/api/ws/{user_id}", get(visit))
        .with_state(here)
}

/// The form of all parameters; values are the defaults of its schemas.
#[utoipa::path(get, path = "/api/settings", tag = "realtime", responses((status = 200, body = Form, description = "what was asked for")))]
async fn settings(State(here): State<Here>) -> Json<Form> {
    let config = &here.site.config;
    // Its clients send all of these back with each picture, so they begin as the house is: as large, as strong.
    let mut settings = Settings::clone(&here.site.streams.settings(""));
    if settings.prompt.is_empty() {
        // A visitor who has typed nothing yet sees something painted.
        settings.prompt = config.looks.first().cloned().unwrap_or_default();
    }
    Json(Form::of(&Shown {
        settings: &settings,
        processors: &config.processors,
        mode: config.front.mode,
        max_queue_size: config.front.queue_max,
    }))
}

/// How many visitors are connected.
#[utoipa::path(get, path = "/api/queue", tag = "realtime", responses((status = 200, body = Queue, description = "what was asked for")))]
async fn queue(State(here): State<Here>) -> Json<Queue> {
    Json(Queue { queue_size: here.visitors.count() })
}

/// The painted pictures of a visitor, as MJPEG, for as long as it is connected.
#[utoipa::path(
    get, path = "/api/stream/{user_id}", tag = "realtime",
    params(("user_id" = String, Path, format = "uuid", description = "the number that the visitor's page has made up")),
    responses(
        (status = 200, content_type = "multipart/x-mixed-replace", body = String, description = "JPEG files, one after the other"),
        (status = 404, body = Detail, description = "nobody of that number is connected"),
        (status = 422, body = Invalid, description = "the number is no UUID"),
    )
)]
async fn stream(State(here): State<Here>, Id(id): Id) -> Response {
    let Some(visitor) = here.visitors.find(id) else {
        return detail(StatusCode::NOT_FOUND, "nobody of that number is connected");
    };
    let viewer = visitor.owner.watch();
    let parts = parts(viewer, Looker::at(visitor));
    let kind = (CONTENT_TYPE, "multipart/x-mixed-replace;boundary=frame");
    ([kind, (CACHE_CONTROL, "no-cache")], Body::from_stream(parts)).into_response()
}

/// A part, and the boundary of the *next* one, because some browsers show a part only when they see its end. Their own
/// server sends each picture twice to the same end.
fn part(picture: &Picture) -> Bytes {
    let head = format!("Content-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n", picture.jpeg.len());
    [head.as_bytes(), &picture.jpeg, b"\r\n", OPENING].concat().into()
}

fn parts(viewer: Viewer, looker: Looker) -> impl Stream<Item = Result<Bytes, Infallible>> {
    unfold((viewer, looker, true), async |(mut viewer, looker, is_first)| {
        if is_first {
            return Some((Ok(Bytes::from_static(OPENING)), (viewer, looker, false)));
        }
        let picture = viewer.next().await?;
        Some((Ok(part(&picture)), (viewer, looker, false)))
    })
}

/// A visitor's socket. The server asks for each picture; see the README of the node `web`.
#[utoipa::path(
    get, path = "/api/ws/{user_id}", tag = "realtime",
    params(("user_id" = String, Path, format = "uuid", description = "a number that the visitor's page makes up")),
    responses(
        (status = 101, description = "the socket"),
        (status = 422, body = Invalid, description = "the number is no UUID"),
        (status = 426, body = Detail, description = "not the request of a WebSocket"),
    )
)]
async fn visit(State(here): State<Here>, Id(id): Id, peer: Option<Extension<Peer>>, upgrade: Upgrade) -> Response {
    let limits = here.site.config.front.socket();
    let peer = peer.map(|Extension(peer)| peer.0);
    socket::open(upgrade.0, limits, async move |line| talk(here.site, here.visitors, id, peer, line).await)
}
