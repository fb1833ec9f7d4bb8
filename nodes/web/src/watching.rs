//! The addresses for those who watch over the mirror: its nodes, its counters, its health.

use crate::census;
use crate::meter::Now;
use crate::routes::{NO_STORE, refuse};
use crate::server::Peer;
use crate::site::Site;
use crate::streams::Entry;
use axum::Json;
use axum::extract::{Extension, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use mirror_contract::now_ns;
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::task::spawn_blocking;

/// OpenMetrics 1.0, section "Protocol".
const METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A visitor, for those who watch over the mirror.
#[derive(Debug, Serialize)]
struct Visitor {
    /// Its stream's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The protocol that it came through.
    origin: &'static str,
    /// It is connected; who has lost the connection may come back.
    is_live: bool,
    /// Its pictures that are shown a second.
    fps: f64,
    /// How many watch it besides itself.
    viewers: usize,
}

/// The nodes of the dataflow file: which run, and what they use; who is connected.
#[utoipa::path(get, path = "/api/nodes", tag = "watching", responses((status = 200, body = Value, description = "what was asked for")))]
pub async fn nodes(State(site): State<Arc<Site>>, peer: Option<Extension<Peer>>, headers: HeaderMap) -> Response {
    let nodes = count(&site).await;
    let (watching, listening) = site.connected();
    let is_here = peer.is_some_and(|Extension(peer)| peer.is_here(&headers));
    let visitor = |(entry, fps): (Entry, f64)| Visitor {
        // Who knows a name may watch: they are said to whoever runs the mirror, and to nobody else.
        name: is_here.then_some(entry.name),
        origin: entry.origin,
        is_live: entry.is_live,
        fps,
        viewers: entry.viewers,
    };
    let visitors: Vec<Visitor> = site.streams.visiting().into_iter().map(visitor).collect();
    let body = json!({
        "machine": machine(), "dataflow": site.census.dataflow(), "page": site.census.page(), "nodes": nodes,
        "watching": watching, "listening": listening, "clients_max": site.config.clients_max, "visitors": visitors,
    });
    ([NO_STORE], Json(body)).into_response()
}

/// Counters for Prometheus (OpenMetrics 1.0).
#[utoipa::path(get, path = "/metrics", tag = "watching", responses((status = 200, content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8", body = String, description = "what was asked for")))]
pub async fn metrics(State(site): State<Arc<Site>>) -> Response {
    let nodes = count(&site).await;
    let (watching, listening) = site.connected();
    let (visitors, totals) = (site.streams.visitors(), site.streams.totals());
    let silent_ms = site.press.silent_ms(now_ns());
    match site.press.meter().text(&Now { nodes: &nodes, watching, listening, visitors, totals, silent_ms }) {
        Ok(text) => ([NO_STORE, (CONTENT_TYPE, METRICS)], text).into_response(),
        Err(error) => refuse(StatusCode::INTERNAL_SERVER_ERROR, &format!("the counters cannot be written: {error}")),
    }
}

/// Whether pictures flow.
#[utoipa::path(
    get, path = "/health", tag = "watching",
    responses((status = 200, body = Value, description = "what was asked for"), (status = 503, body = Value, description = "the reason, and the last complaint"))
)]
pub async fn health(State(site): State<Arc<Site>>) -> Response {
    let (silent_ms, limit) = (site.press.silent_ms(now_ns()), site.config.silence_max);
    let reason = match silent_ms {
        Some(ms) if u128::from(ms.unsigned_abs()) <= limit.as_millis() => None,
        Some(ms) => Some(format!("no picture for {:.1} s", ms as f64 / 1e3)),
        None => Some("no picture has come yet".to_owned()),
    };
    let status = if reason.is_none() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let mut body = json!({
        "status": if reason.is_none() { "ok" } else { "silent" }, "pictures": reason.is_none(),
        "silent_ms": silent_ms, "limit_ms": u64::try_from(limit.as_millis()).unwrap_or(u64::MAX),
    });
    if let Some(reason) = reason {
        // The last complaint is the likeliest cause.
        let status = site.status.borrow().clone();
        let complaint = status.notices.iter().rev().find(|notice| notice.level != "info");
        body["reason"] = reason.into();
        body["complaint"] =
            complaint.map_or(Value::Null, |notice| format!("{}: {}", notice.origin, notice.text).into());
    }
    (status, [NO_STORE], Json(body)).into_response()
}

/// It reads files, and waits between two readings: not on a thread that serves others.
async fn count(site: &Arc<Site>) -> Vec<census::Entry> {
    let site = site.clone();
    spawn_blocking(move || site.census.take()).await.unwrap_or_default()
}

/// This machine's name.
fn machine() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned()
}
