//! The addresses and what they answer.

use crate::check::{self, Fault, Faults};
use crate::door::{Gate, guard};
use crate::ports::ORIGIN;
use crate::press::{BOUNDARY, OPENING};
use crate::site::Site;
use crate::streams::{ChangeError, Viewer, WatchError};
use crate::{documents, form, openapi, page, recording, visit, watching};
use axum::body::Body;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use bytes::Bytes;
use futures::stream::{Stream, unfold};
use serde::Deserialize;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use tower_http::timeout::TimeoutLayer;

/// Longest body of a request: all settings with the longest texts, every character escaped.
const BODY_MAX: usize = 64 * 1024;
/// How long a request may take to arrive and be answered; streams go on for as long as they like.
const REQUEST: Duration = Duration::from_secs(10);
/// How long a single picture is waited for.
const PICTURE: Duration = Duration::from_millis(500);

/// What a browser must ask for each time.
pub(crate) const NO_STORE: (HeaderName, &str) = (CACHE_CONTROL, "no-store");

/// All addresses.
pub fn routes(site: Arc<Site>) -> Router {
    let gate = Gate { door: site.door.clone(), only_here: site.config.address.ip().is_loopback(), refuse };
    page::serve(Router::new())
        .route("/stream", get(stream))
        .route("/picture.jpg", get(picture))
        .route("/events", get(events))
        .route("/visit", get(visit::visit))
        .route("/api/streams", get(streams))
        .route("/health", get(watching::health))
        .route("/metrics", get(watching::metrics))
        .route("/api/settings", get(settings).post(change))
        .route("/api/figures", get(figures))
        .route("/api/nodes", get(watching::nodes))
        .route("/api/looks", get(looks))
        .merge(recording::routes(site.desk.clone()))
        .fallback(async || refuse(StatusCode::NOT_FOUND, "there is no such page; / is the mirror"))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        // Its answer has no words; the door puts it into the form of this listener.
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST))
        .layer(map_response(trust_nothing_else))
        .merge(documents::serve(&openapi::document()))
        .layer(from_fn_with_state(gate, guard))
        .layer(site.door.cors())
        .with_state(site)
}

/// An answer that says what is wrong.
pub(crate) fn refuse(status: StatusCode, error: &str) -> Response {
    (status, Json(Faults { errors: vec![Fault::whole(error)] })).into_response()
}

/// Tells browsers to trust nothing but this page.
async fn trust_nothing_else(mut answer: Response) -> Response {
    let policy = "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; frame-ancestors 'self'; base-uri 'none'";
    for (name, value) in [
        ("content-security-policy", policy),
        ("permissions-policy", "camera=(self), microphone=(self)"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
    ] {
        answer.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    answer
}

/// The settings of the page's stream, and the table of parameters: types, ranges, defaults, texts.
#[utoipa::path(get, path = "/api/settings", tag = "settings", responses((status = 200, body = Value, description = "what was asked for")))]
pub(crate) async fn settings(State(site): State<Arc<Site>>) -> Response {
    let status = site.status.borrow().clone();
    let parameters = form::parameters(&site.config.processors);
    let body = json!({
        "stream": status.stream, "version": status.version, "settings": status.settings, "parameters": parameters,
    });
    ([NO_STORE], Json(body)).into_response()
}

/// Changes settings of the page's stream: all of them, or none.
#[utoipa::path(
    post, path = "/api/settings", tag = "settings",
    request_body(content = Value, content_type = "application/json", description = "names and values: `{\"prompt\": \"neon lights\"}`"),
    responses(
        (status = 200, body = Value, description = "`accepted`: what was accepted"),
        (status = 413, body = Faults, description = "the body is too large"),
        (status = 415, body = Faults, description = "the body is no JSON"),
        (status = 422, body = Faults, description = "what the table does not allow"),
        (status = 503, body = Faults, description = "too many changes at once"),
    )
)]
pub(crate) async fn change(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Response> {
    // Browsers ask before they send this type to another site's address; the plain types they send unasked.
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.split(';').next().is_none_or(|kind| !kind.trim().eq_ignore_ascii_case("application/json")) {
        return Err(refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send JSON, with Content-Type: application/json"));
    }
    let body = body.map_err(|error| refuse(error.status(), &format!("{error}; the limit is {BODY_MAX} bytes")))?;
    let unprocessable = |faults| (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({"errors": faults}))).into_response();
    let wanted = check::object(&body).map_err(unprocessable)?;
    let accepted = site.streams.change(&site.config.stream, ORIGIN, wanted).map_err(|error| match error {
        ChangeError::Busy => refuse(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
        ChangeError::Unknown => refuse(StatusCode::NOT_FOUND, &error.to_string()),
        ChangeError::Refused(faults) => unprocessable(faults),
    })?;
    Ok(Json(json!({"accepted": accepted})))
}

/// Frame rate, age and stage times (p50, p99), drops, prompt, pack, provider, source, the last notices.
#[utoipa::path(get, path = "/api/figures", tag = "watching", responses((status = 200, body = Value, description = "what was asked for")))]
pub(crate) async fn figures(State(site): State<Arc<Site>>) -> Response {
    let status = site.status.borrow().clone();
    let mut body = json!(status.figures);
    for (name, value) in
        [("stream", json!(status.stream)), ("notices", json!(status.notices)), ("silent_ms", json!(status.silent_ms))]
    {
        body[name] = value;
    }
    ([NO_STORE], Json(body)).into_response()
}

/// Suggestions for the prompt.
#[utoipa::path(get, path = "/api/looks", tag = "settings", responses((status = 200, body = Value, description = "what was asked for")))]
pub(crate) async fn looks(State(site): State<Arc<Site>>) -> Json<Value> {
    Json(json!({"looks": site.config.looks}))
}

/// Which stream is meant: `?stream=anna`; without one the page's.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Which {
    stream: Option<String>,
}

impl Which {
    /// Its name.
    pub(crate) fn name<'a>(&'a self, site: &'a Site) -> &'a str {
        self.stream.as_deref().unwrap_or(&site.config.stream)
    }
}

pub(crate) fn not_watched(error: WatchError) -> Response {
    let status = match error {
        WatchError::Unknown => StatusCode::NOT_FOUND,
        WatchError::Full => StatusCode::SERVICE_UNAVAILABLE,
    };
    refuse(status, &error.to_string())
}

/// The cameras of the mirror, and how many visitors bring their own.
#[utoipa::path(get, path = "/api/streams", tag = "pictures", responses((status = 200, body = Value, description = "what was asked for")))]
pub(crate) async fn streams(State(site): State<Arc<Site>>) -> Response {
    // Names are what lets people watch: those of visitors are known to visitors alone.
    let cameras: Vec<_> = site.streams.list().into_iter().filter(|entry| entry.origin.is_empty()).collect();
    let limits = site.streams.limits();
    let body = json!({
        "cameras": cameras, "visitors": site.streams.visitors(), "visitors_max": limits.streams,
        "sees": limits.sees, "hears": limits.hears,
    });
    ([NO_STORE], Json(body)).into_response()
}

/// The newest picture of a stream.
#[utoipa::path(
    get, path = "/picture.jpg", tag = "pictures",
    params(("stream" = Option<String>, Query, description = "without one, the page's")),
    responses(
        (status = 200, content_type = "image/jpeg", body = String, description = "what was asked for"),
        (status = 404, body = Faults, description = "there is no such stream"),
        (status = 503, body = Faults, description = "there is no picture yet, or no place"),
    )
)]
pub(crate) async fn picture(State(site): State<Arc<Site>>, Query(which): Query<Which>) -> Response {
    let mut viewer = match site.streams.glance(which.name(&site)) {
        Ok(viewer) => viewer,
        Err(error) => return not_watched(error),
    };
    let Ok(Some(picture)) = timeout(PICTURE, viewer.next()).await else {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "there is no picture yet; \"dora logs camera\" may say why");
    };
    let frame_id = picture.stamp.frame_id.to_string();
    let id = (HeaderName::from_static("x-frame-id"), frame_id.as_str());
    ([NO_STORE, (CONTENT_TYPE, "image/jpeg"), id], picture.jpeg.clone()).into_response()
}

/// The pictures of a stream, as MJPEG, without an end.
#[utoipa::path(
    get, path = "/stream", tag = "pictures",
    params(("stream" = Option<String>, Query, description = "without one, the page's")),
    responses(
        (status = 200, content_type = "multipart/x-mixed-replace", body = String, description = "what was asked for"),
        (status = 404, body = Faults, description = "there is no such stream"),
        (status = 503, body = Faults, description = "all places are taken"),
    )
)]
pub(crate) async fn stream(State(site): State<Arc<Site>>, Query(which): Query<Which>) -> Response {
    let viewer = match site.streams.watch(which.name(&site)) {
        Ok(viewer) => viewer,
        Err(error) => return not_watched(error),
    };
    let kind = format!("multipart/x-mixed-replace; boundary={BOUNDARY}");
    let parts = parts(viewer);
    ([(CACHE_CONTROL, "no-store"), (CONTENT_TYPE, kind.as_str())], Body::from_stream(parts)).into_response()
}

/// The opening, the newest picture, and each time the client has taken one, the newest again.
fn parts(viewer: Viewer) -> impl Stream<Item = Result<Bytes, Infallible>> {
    unfold((viewer, true), async |(mut viewer, is_first)| {
        if is_first {
            return Some((Ok(Bytes::from_static(OPENING)), (viewer, false)));
        }
        let picture = viewer.next().await?;
        Some((Ok(picture.part.clone()), (viewer, false)))
    })
}

/// Everything else that is shown, as server-sent events, without an end.
#[utoipa::path(
    get, path = "/events", tag = "watching",
    responses(
        (status = 200, content_type = "text/event-stream", body = String, description = "what was asked for"),
        (status = 503, body = Faults, description = "all places are taken"),
    )
)]
pub(crate) async fn events(State(site): State<Arc<Site>>) -> Response {
    let Ok(seat) = site.listeners.clone().try_acquire_owned() else { return not_watched(WatchError::Full) };
    let mut status = site.status.clone();
    status.mark_changed();
    let events = unfold((status, seat), async |(mut status, seat)| {
        status.changed().await.ok()?;
        let newest = status.borrow_and_update().clone();
        // A number that JSON cannot hold is the only fault there can be, and the figures have none.
        let event = Event::default().json_data(&*newest).unwrap_or_else(|_| Event::default().comment("no figures"));
        Some((Ok::<_, Infallible>(event), (status, seat)))
    });
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}
