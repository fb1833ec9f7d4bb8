//! Who comes in: rates, names of this machine, other sites, the access token. One door for all listeners.

mod token;

use crate::front::Front;
use crate::rates::Rates;
use crate::server::Peer;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::header::{
    CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, HeaderName, HeaderValue, LOCATION, ORIGIN, SET_COOKIE, UPGRADE,
    WWW_AUTHENTICATE,
};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;
use token::{Token, in_header, in_query, without_token};
use tower_http::cors::{AllowHeaders, AllowMethods, AllowOrigin, CorsLayer};

/// The cookie of those who have shown the token.
const PASS: &str = "mirror_pass";
/// Longest error of the library, in bytes.
const ERROR_MAX: usize = 4096;

/// What all listeners share.
#[derive(Debug)]
pub struct Door {
    token: Option<Token>,
    origins: Vec<String>,
    rates: Rates,
    is_safe: bool,
}

/// The door as one listener sees it.
#[derive(Clone)]
pub struct Gate {
    /// What all share.
    pub door: Arc<Door>,
    /// The listener is for this machine only.
    pub only_here: bool,
    /// How this listener says no.
    pub refuse: fn(StatusCode, &str) -> Response,
}

/// How somebody has come in.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    /// No token is asked for, or the cookie was there.
    Known,
    /// With the token: a cookie saves showing it again.
    Shown,
}

impl Door {
    /// The door of that configuration.
    #[must_use]
    pub fn of(front: &Front) -> Arc<Self> {
        Arc::new(Self {
            token: front.token.as_deref().map(Token::of),
            origins: front.origins.clone(),
            rates: Rates::new(front.requests_max),
            is_safe: front.tls != crate::tls::Choice::Off,
        })
    }

    /// Whether TLS is spoken.
    #[must_use]
    pub fn is_safe(&self) -> bool {
        self.is_safe
    }

    /// Whether pages of that origin may talk to the host that a request names: pages of the same name, whatever their port,
    /// and those of the list.
    fn trusts(&self, origin: &str, host: &str) -> bool {
        let origin = origin.to_ascii_lowercase();
        if self.origins.iter().any(|known| known == "*" || *known == origin) {
            return true;
        }
        let Some((_, site)) = origin.split_once("://") else { return false };
        let (own, other) = (name(host).to_ascii_lowercase(), name(site));
        !own.is_empty() && (own == other || (is_loopback(host) && is_loopback(site)))
    }

    /// What browsers are told about other sites; they ask before they let a page read an answer.
    pub fn cors(self: &Arc<Self>) -> CorsLayer {
        let door = self.clone();
        let origin = AllowOrigin::predicate(move |origin, parts| {
            origin.to_str().is_ok_and(|origin| door.trusts(origin, host(&parts.headers)))
        });
        let methods = AllowMethods::list([Method::GET, Method::POST, Method::PUT]);
        CorsLayer::new()
            .allow_origin(origin)
            .allow_methods(methods)
            .allow_headers(AllowHeaders::mirror_request())
            .allow_credentials(true)
    }

    /// Whether somebody may come in with what is in the request.
    fn admits(&self, headers: &HeaderMap, uri: &Uri) -> Option<Entry> {
        let Some(token) = &self.token else { return Some(Entry::Known) };
        let cookies = headers.get_all(COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
        let mut cookies =
            cookies.flat_map(|cookies| cookies.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
        if cookies.any(|(name, value)| name == PASS && token.is_pass(value)) {
            return Some(Entry::Known);
        }
        let shown = in_query(uri).or_else(|| in_header(headers));
        shown.filter(|shown| token.is(shown)).map(|_| Entry::Shown)
    }

    fn pass(&self) -> Option<HeaderValue> {
        let safe = if self.is_safe { "; Secure" } else { "" };
        let cookie =
            format!("{PASS}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000{safe}", self.token.as_ref()?.pass);
        HeaderValue::from_str(&cookie).ok()
    }
}

fn host(headers: &HeaderMap) -> &str {
    headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default()
}

/// Lets a request through, or says why not.
pub async fn guard(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let door = &gate.door;
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0);
    if peer.is_some_and(|peer: IpAddr| !door.rates.admits(peer, Instant::now())) {
        return (gate.refuse)(StatusCode::TOO_MANY_REQUESTS, "too many requests of your address; wait a moment");
    }
    let headers = request.headers();
    let host = host(headers);
    if gate.only_here && !is_loopback(host) {
        // Else any web site could have its own name point here and look through the camera.
        let text = "this page is for this machine only: open it as http://127.0.0.1, or serve it to others with WEB_ADDRESS=0.0.0.0:8080";
        return (gate.refuse)(StatusCode::FORBIDDEN, text);
    }
    let acts =
        headers.contains_key(UPGRADE) || !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let origin = headers.get(ORIGIN).map(|origin| origin.to_str().unwrap_or("unreadable"));
    if let Some(origin) = origin.filter(|origin| acts && !door.trusts(origin, host)) {
        let origin: String = origin.chars().take(100).collect();
        let text = format!("pages of {origin} may not talk to this mirror; WEB_ORIGINS lists those that may");
        return (gate.refuse)(StatusCode::FORBIDDEN, &text);
    }
    let Some(entry) = door.admits(headers, request.uri()) else {
        let text = "an access token is needed: add ?token=… to the address, or give it as the password";
        let mut answer = (gate.refuse)(StatusCode::UNAUTHORIZED, text);
        answer
            .headers_mut()
            .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"mirror\", charset=\"UTF-8\""));
        return answer;
    };
    let wants_page = headers
        .get("accept")
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    let bare = (entry == Entry::Shown && wants_page && in_query(request.uri()).is_some())
        .then(|| without_token(request.uri()));
    let mut answer = match bare {
        Some(bare) => (StatusCode::SEE_OTHER, [(LOCATION, bare)]).into_response(),
        None => in_form(next.run(request).await, gate.refuse).await,
    };
    if let (Entry::Shown, Some(pass)) = (entry, door.pass()) {
        answer.headers_mut().append(SET_COOKIE, pass);
    }
    // Other sites show none of it: browsers do not send an origin for pictures.
    if !door.origins.iter().any(|origin| origin == "*") {
        let name = HeaderName::from_static("cross-origin-resource-policy");
        answer.headers_mut().insert(name, HeaderValue::from_static("same-site"));
    }
    answer
}

/// Errors that the library words itself (a path that is no text, a method that is none) in the listener's own form.
async fn in_form(answer: Response, refuse: fn(StatusCode, &str) -> Response) -> Response {
    let status = answer.status();
    let kind = answer.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("text/plain");
    if !(status.is_client_error() || status.is_server_error()) || !kind.starts_with("text/plain") {
        return answer;
    }
    let (parts, body) = answer.into_parts();
    let text = to_bytes(body, ERROR_MAX).await.unwrap_or_default();
    let text = match std::str::from_utf8(&text) {
        Ok(text) if !text.trim().is_empty() => text.trim().to_owned(),
        _ => status.canonical_reason().unwrap_or("this cannot be answered").to_owned(),
    };
    let mut answer = refuse(status, &text);
    for (name, value) in parts.headers {
        if let Some(name) = name.filter(|name| name != CONTENT_TYPE && name != CONTENT_LENGTH) {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}

/// The name in `name:port` or `[::1]:port`.
fn name(host: &str) -> &str {
    match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    }
}

/// Whether a `Host` header, with or without a port, names this machine; a request without one does not come from a browser.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let name = name(host);
    let local = name.eq_ignore_ascii_case("localhost") || name.to_ascii_lowercase().ends_with(".localhost");
    name.is_empty() || local || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::header::AUTHORIZATION;
    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;

    fn door(token: Option<&str>, origins: &[&str]) -> Door {
        let origins = origins.iter().map(|origin| (*origin).to_owned()).collect();
        Door { token: token.map(Token::of), origins, rates: Rates::new(50.0), is_safe: true }
    }

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).expect("a value"))).collect()
    }

    #[tokio::test]
    async fn an_error_without_words_is_put_into_the_listeners_form() {
        let answer = in_form(StatusCode::REQUEST_TIMEOUT.into_response(), crate::answers::detail).await;
        assert_eq!(answer.status(), StatusCode::REQUEST_TIMEOUT);
        let body = to_bytes(answer.into_body(), ERROR_MAX).await.expect("a body");
        assert_eq!(&body[..], br#"{"detail":"Request Timeout"}"#);
    }

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

    #[test]
    fn pages_of_the_same_name_and_of_the_list_are_trusted_and_no_others() {
        let door = door(None, &["https://art.example"]);
        for (origin, host) in [
            ("http://tower:5173", "tower:8000"),
            ("http://localhost:5173", "127.0.0.1:8000"),
            ("http://[::1]:5173", "localhost:8000"),
            ("https://art.example", "tower:8000"),
            ("HTTPS://TOWER", "tower"),
        ] {
            assert!(door.trusts(origin, host), "{origin} {host}");
        }
        for (origin, host) in [
            ("https://evil.example", "tower:8000"),
            ("https://evil.example", "127.0.0.1:8000"),
            ("http://art.example", "tower:8000"),
            ("https://art.example.evil.example", "tower"),
            ("null", "tower"),
            ("", "tower"),
            ("http://", ""),
            ("tower", "tower"),
        ] {
            assert!(!door.trusts(origin, host), "{origin} {host}");
        }
        assert!(super::tests::door(None, &["*"]).trusts("https://evil.example", "tower"));
    }

    #[test]
    fn the_token_is_shown_in_the_address_a_header_or_a_cookie() {
        let door = door(Some("correct-horse"), &[]);
        let uri = |text: &str| text.parse::<Uri>().expect("an address");
        let none = HeaderMap::new();
        assert_eq!(door.admits(&none, &uri("/?token=correct-horse")), Some(Entry::Shown));
        assert_eq!(door.admits(&none, &uri("/x?a=b&token=correct-horse")), Some(Entry::Shown));
        let bearer = headers(&[(AUTHORIZATION, "Bearer correct-horse")]);
        assert_eq!(door.admits(&bearer, &uri("/")), Some(Entry::Shown));
        let basic = format!("Basic {}", BASE64_STANDARD.encode("anybody:correct-horse"));
        assert_eq!(door.admits(&headers(&[(AUTHORIZATION, &basic)]), &uri("/")), Some(Entry::Shown));
        let cookie =
            door.pass().expect("a cookie").to_str().expect("text").split(';').next().expect("a pair").to_owned();
        assert_eq!(door.admits(&headers(&[(COOKIE, &format!("a=b; {cookie}"))]), &uri("/")), Some(Entry::Known));
        for (headers, path) in [
            (none.clone(), "/"),
            (none.clone(), "/?token="),
            (none.clone(), "/?token=correct-hors"),
            (none, "/?token=correct-horse2"),
            (headers(&[(AUTHORIZATION, "Bearer")]), "/"),
            (headers(&[(AUTHORIZATION, "Basic §")].map(|(name, _)| (name, "Basic x"))), "/"),
            (headers(&[(COOKIE, "mirror_pass=correct-horse")]), "/"),
        ] {
            assert_eq!(door.admits(&headers, &uri(path)), None, "{path}");
        }
        assert!(!door.pass().expect("a cookie").to_str().expect("text").contains("correct-horse"));
    }
}
