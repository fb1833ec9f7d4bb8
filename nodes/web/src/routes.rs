//! The addresses and what they answer.

use crate::check::{self, Fault};
use crate::press::{BOUNDARY, OPENING, Picture};
use crate::site::Site;
use crate::{form, page, watching};
use axum::body::Body;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use bytes::Bytes;
use futures::stream::{Stream, unfold};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::timeout;

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
    page::serve(Router::new())
        .route("/stream", get(stream))
        .route("/picture.jpg", get(picture))
        .route("/events", get(events))
        .route("/health", get(watching::health))
        .route("/metrics", get(watching::metrics))
        .route("/api/settings", get(settings).post(change))
        .route("/api/figures", get(figures))
        .route("/api/nodes", get(watching::nodes))
        .route("/api/looks", get(looks))
        .fallback(async || refuse(StatusCode::NOT_FOUND, "there is no such page; / is the mirror"))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(from_fn(guard))
        .layer(from_fn_with_state(site.clone(), only_here))
        .with_state(site)
}

/// An answer that says what is wrong.
pub(crate) fn refuse(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({"errors": [Fault::whole(error)]}))).into_response()
}

/// Limits the time of a request, and tells browsers to trust nothing but this page.
async fn guard(request: Request, next: Next) -> Response {
    let answer = timeout(REQUEST, next.run(request)).await;
    let mut answer = answer.unwrap_or_else(|_| refuse(StatusCode::REQUEST_TIMEOUT, "the request took too long"));
    let policy = "default-src 'self'; img-src 'self' blob: data:; frame-ancestors 'self'; base-uri 'none'";
    for (name, value) in
        [("content-security-policy", policy), ("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer")]
    {
        answer.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    answer
}

/// A page that is served to this machine only answers only to this machine's names: else any web site could have its own
/// name point here and look through the camera.
async fn only_here(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if site.config.address.ip().is_loopback() && !is_loopback(host) {
        let text = "this page is for this machine only: open it as http://127.0.0.1, or serve it to others with WEB_ADDRESS=0.0.0.0:8080";
        return refuse(StatusCode::FORBIDDEN, text);
    }
    next.run(request).await
}

/// Whether a `Host` header, with or without a port, names this machine; a request without one does not come from a browser.
fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let local = name.eq_ignore_ascii_case("localhost") || name.to_ascii_lowercase().ends_with(".localhost");
    name.is_empty() || local || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

async fn settings(State(site): State<Arc<Site>>) -> Response {
    let status = site.status.borrow().clone();
    let parameters = form::parameters(&site.config.processors);
    let body = json!({
        "stream": status.stream, "version": status.version, "settings": status.settings, "parameters": parameters,
    });
    ([NO_STORE], Json(body)).into_response()
}

async fn change(
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
    let accepted = check::settings(&body, &site.config.processors)
        .map_err(|faults| (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({"errors": faults}))).into_response())?;
    if !accepted.is_empty() && site.updates.try_send(accepted.clone()).is_err() {
        return Err(refuse(StatusCode::SERVICE_UNAVAILABLE, "too many changes at once; try again in a moment"));
    }
    Ok(Json(json!({"accepted": accepted})))
}

async fn figures(State(site): State<Arc<Site>>) -> Response {
    let status = site.status.borrow().clone();
    let mut body = json!(status.figures);
    for (name, value) in
        [("stream", json!(status.stream)), ("notices", json!(status.notices)), ("silent_ms", json!(status.silent_ms))]
    {
        body[name] = value;
    }
    ([NO_STORE], Json(body)).into_response()
}

async fn looks(State(site): State<Arc<Site>>) -> Json<Value> {
    Json(json!({"looks": site.config.looks}))
}

async fn picture(State(site): State<Arc<Site>>) -> Response {
    let mut pictures = site.press.subscribe();
    let _ = timeout(PICTURE, pictures.changed()).await;
    let newest = pictures.borrow().clone();
    let Some(picture) = newest else {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "there is no picture yet; \"dora logs camera\" may say why");
    };
    let frame_id = picture.stamp.frame_id.to_string();
    let id = (HeaderName::from_static("x-frame-id"), frame_id.as_str());
    ([NO_STORE, (CONTENT_TYPE, "image/jpeg"), id], picture.jpeg.clone()).into_response()
}

type Pictures = watch::Receiver<Option<Arc<Picture>>>;

async fn stream(State(site): State<Arc<Site>>) -> Response {
    let Ok(seat) = site.watchers.clone().try_acquire_owned() else { return full() };
    let kind = format!("multipart/x-mixed-replace; boundary={BOUNDARY}");
    let parts = parts(site.press.subscribe(), seat);
    ([(CACHE_CONTROL, "no-store"), (CONTENT_TYPE, kind.as_str())], Body::from_stream(parts)).into_response()
}

fn full() -> Response {
    refuse(StatusCode::SERVICE_UNAVAILABLE, "all places are taken (WEB_CLIENTS_MAX); try again later")
}

/// The opening, the newest picture, and each time the client has taken one, the newest again.
fn parts(mut pictures: Pictures, seat: OwnedSemaphorePermit) -> impl Stream<Item = Result<Bytes, Infallible>> {
    pictures.mark_changed();
    unfold((pictures, seat, true), async |(mut pictures, seat, is_first)| {
        if is_first {
            return Some((Ok(Bytes::from_static(OPENING)), (pictures, seat, false)));
        }
        loop {
            pictures.changed().await.ok()?;
            let newest = pictures.borrow_and_update().as_ref().map(|picture| picture.part.clone());
            if let Some(part) = newest {
                return Some((Ok(part), (pictures, seat, false)));
            }
        }
    })
}

async fn events(State(site): State<Arc<Site>>) -> Response {
    let Ok(seat) = site.listeners.clone().try_acquire_owned() else { return full() };
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

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn this_machines_names_are_known_with_and_without_a_port() {
        for host in ["localhost", "localhost:8080", "127.0.0.1:8080", "[::1]:8080", "mirror.localhost", "LOCALHOST", ""]
        {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["example.org", "example.org:8080", "10.0.0.1", "localhost.example.org", "127.0.0.1.example.org"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
