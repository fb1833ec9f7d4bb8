//! The listeners of other systems' clients, beside the page's own.

use crate::door::{Door, Gate, guard};
use crate::front::Front;
use crate::routes::routes;
use crate::server::{Places, Server};
use crate::site::Site;
use crate::tls::Tls;
use crate::{answers, documents, dream, live, realtime};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, HeaderName, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use eyre::Result;
use mirror_contract::Level;
use serde::Serialize;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tower_http::timeout::TimeoutLayer;
use utoipa::{OpenApi, ToSchema};

/// Longest body of a request. Their settings are a few texts.
const BODY_MAX: usize = 64 * 1024;
/// How long a request may take to arrive and be answered; pictures and sockets go on for as long as they like.
const REQUEST: Duration = Duration::from_secs(10);

/// One of them.
pub struct Listener {
    /// Whose clients it serves.
    pub name: &'static str,
    /// The key that moves it or switches it off.
    pub key: &'static str,
    /// Where it is to listen.
    pub address: SocketAddr,
    /// What it answers.
    pub router: Router,
}

/// What all of them answer.
#[derive(OpenApi)]
#[openapi(paths(enter))]
struct Common;

/// Those that are switched on.
#[must_use]
pub fn listeners(site: &Arc<Site>, door: &Arc<Door>) -> Vec<Listener> {
    let Front { realtime, live, dream, .. } = site.config.front.clone();
    let page = site.config.address.port();
    let mut all = Vec::new();
    let mut add = |name,
                   key,
                   address: Option<SocketAddr>,
                   router: fn(Arc<Site>) -> Router,
                   api: fn() -> utoipa::openapi::OpenApi| {
        if let Some(address) = address {
            let (api, entrance) = (api().merge_from(Common::openapi()), Entrance { name, page, safe: door.is_safe() });
            let dressed = dress(entrance, router(site.clone()), &api, address, door);
            all.push(Listener { name, key, address, router: dressed });
        }
    };
    add("Real-Time LCM", "WEB_REALTIME", realtime, realtime::routes, realtime::document);
    add("Live Diffusion", "WEB_LIVE", live, live::routes, live::document);
    add("DreamStream", "WEB_DREAM", dream, dream::routes, dream::document);
    all
}

/// What is to be said to people.
pub type Said = Vec<(Level, String)>;

/// Opens all doors: the page's and those of other systems' clients. A certificate of the mirror's own lies in the folder `own`.
/// What is to be said to people comes with it. A listener beside the page that cannot be had is a warning: the mirror goes on
/// without.
///
/// # Errors
/// The page cannot be served; the certificate cannot be used.
pub fn open(site: &Arc<Site>, own: &Path) -> Result<(Vec<Server>, Said)> {
    let front = &site.config.front;
    let tls = Tls::of(&front.tls, own)?;
    let places = Places::of(site.config.connections());
    let page = Server::secured(site.config.address, places.clone(), routes(site.clone()), tls.clone())?;
    let (address, scheme) = (page.address(), if tls.is_some() { "https" } else { "http" });
    let mut servers = vec![page];
    let mut said = vec![(Level::Info, format!("the page is at {scheme}://{address}"))];
    let (mut here, mut gone) = (Vec::new(), Vec::new());
    for listener in listeners(site, &site.door) {
        let Listener { name, key, address, router } = listener;
        match Server::secured(address, places.clone(), router, tls.clone()) {
            Ok(server) => {
                here.push(format!("{name} at {scheme}://{}", server.address()));
                servers.push(server);
            }
            Err(error) => {
                tracing::debug!("{error:#}");
                gone.push(format!("{name} ({address} cannot be had; {key} moves it or switches it off)"));
            }
        }
    }
    if !here.is_empty() {
        said.push((Level::Info, format!("it also speaks {}", here.join(", "))));
    }
    if !gone.is_empty() {
        said.push((Level::Warning, format!("these clients are not served: {}", gone.join(", "))));
    }
    said.extend(warnings(servers.iter().map(Server::address), front.token.is_some()));
    if let Some(tls) = tls.filter(|tls| tls.is_own) {
        let text = format!(
            "the certificate is the mirror's own: browsers warn once; its SHA-256 fingerprint is {}",
            tls.fingerprint
        );
        said.push((Level::Info, text));
    }
    Ok((servers, said))
}

/// What people must know whose mirror is open to the network.
fn warnings(addresses: impl Iterator<Item = SocketAddr>, has_token: bool) -> Option<(Level, String)> {
    let mut open = addresses.filter(|address| !address.ip().is_loopback());
    let address = open.next()?;
    Some(if has_token {
        (Level::Info, format!("{address} is open to the network for those who have the access token"))
    } else {
        (
            Level::Warning,
            format!("{address} is open to the network: whoever reaches it sees the camera and can change the settings"),
        )
    })
}

/// Adds what all of them have: a page that says who is there, the descriptions, errors of one form, the door.
fn dress(
    entrance: Entrance,
    router: Router,
    api: &utoipa::openapi::OpenApi,
    own: SocketAddr,
    door: &Arc<Door>,
) -> Router {
    let gate = Gate { door: door.clone(), only_here: own.ip().is_loopback(), refuse: answers::detail };
    router
        .merge(documents::serve(api))
        .merge(Router::new().route("/", get(enter)).with_state(entrance))
        .fallback(async || answers::detail(StatusCode::NOT_FOUND, "Not Found"))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        // Its answer has no words; the door puts it into the listener's form.
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST))
        .layer(map_response(trust_nothing_else))
        .layer(from_fn_with_state(gate, guard))
        .layer(door.cors())
}

/// Tells browsers to trust nothing but this listener.
async fn trust_nothing_else(mut answer: Response) -> Response {
    let headers = answer.headers_mut();
    headers
        .entry(CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    headers.insert(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
    headers.insert(HeaderName::from_static("referrer-policy"), HeaderValue::from_static("no-referrer"));
    answer
}

/// What `/` of a listener knows.
#[derive(Debug, Clone, Copy)]
struct Entrance {
    /// Whose clients it serves.
    name: &'static str,
    /// The port of the mirror's own page.
    page: u16,
    /// TLS is spoken.
    safe: bool,
}

/// Who is here, for programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
struct Welcome {
    /// Whose protocol is spoken.
    message: String,
    /// Swagger UI.
    docs: &'static str,
    /// ReDoc.
    redoc: &'static str,
    /// The description of the addresses.
    openapi: &'static str,
}

/// Whose protocol is spoken here, and where the descriptions are: for programs, and as a page for people. The systems' own pages
/// are not ours to copy.
#[utoipa::path(
    get, path = "/", tag = "entrance",
    responses((status = 200, description = "what was asked for", content((Welcome = "application/json"), (String = "text/html"))))
)]
async fn enter(State(entrance): State<Entrance>, headers: HeaderMap) -> Response {
    entrance.answer(&headers)
}

impl Entrance {
    fn answer(self, headers: &HeaderMap) -> Response {
        let Self { name, page, safe } = self;
        let wants_page = headers
            .get("accept")
            .and_then(|accept| accept.to_str().ok())
            .is_some_and(|accept| accept.contains("text/html"));
        if !wants_page {
            let message = format!("A mirror that speaks {name}'s protocol");
            let welcome = Welcome { message, docs: "/docs", redoc: "/redoc", openapi: "/openapi.json" };
            return Json(welcome).into_response();
        }
        let host = headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or("localhost");
        let host = host.rsplit_once(':').map_or(host, |(host, port)| if port.ends_with(']') { "[::1]" } else { host });
        let host: String =
            host.chars().filter(|letter| letter.is_ascii_alphanumeric() || "-.:[]_".contains(*letter)).collect();
        let scheme = if safe { "https" } else { "http" };
        Html(format!(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
             <title>Mirror, as {name}</title>\n<body>\n<h1>A mirror that speaks {name}'s protocol</h1>\n\
             <p>Point a client of {name} at this address. The mirror's own page is at \
             <a href=\"{scheme}://{host}:{page}/\">{scheme}://{host}:{page}/</a>.</p>\n\
             <p>The addresses: <a href=\"/docs\">Swagger UI</a>, <a href=\"/redoc\">ReDoc</a>, <a href=\"/openapi.json\">OpenAPI</a>.</p>\n</body>\n</html>\n"
        ))
        .into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_address_is_said_aloud() {
        let say = |address: &str, has_token| {
            warnings([address.parse().expect("an address")].into_iter(), has_token).map(|(level, _)| level)
        };
        assert_eq!(say("127.0.0.1:8080", false), None);
        assert_eq!(say("0.0.0.0:8080", false), Some(Level::Warning));
        assert_eq!(say("0.0.0.0:8080", true), Some(Level::Info));
    }

    #[test]
    fn people_find_the_page_and_programs_the_descriptions() {
        let text = |host: &str, accept: &str| {
            let pairs = [("host", host), ("accept", accept)];
            let headers = pairs
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).expect("a value")));
            Entrance { name: "DreamStream", page: 8080, safe: false }.answer(&headers.collect())
        };
        assert_eq!(text("tower:8001", "text/html").headers()["content-type"], "text/html; charset=utf-8");
        assert_eq!(text("tower:8001", "*/*").headers()["content-type"], "application/json");
    }
}
