//! The page's own socket: a visitor who brings a camera, or somebody who watches.
//!
//! Texts are JSON objects with a `type`; pictures and sound are binary. The first text says what is wanted:
//!
//! | from the client | |
//! |---|---|
//! | `{"type": "watch", "stream": "house"}` | watches a stream; without a name the page's |
//! | `{"type": "open", "stream": "anna", "key": "…"}` | opens a stream of its own, or comes back to it |
//! | `{"type": "settings", "values": {…}}` | changes settings: of one's own stream, or of the page's |
//! | `{"type": "compare", "on": true}` | wants what a camera's paintings are made from, or no longer does |
//! | `{"type": "end"}` | ends one's own stream |
//! | binary, kind 1 | a picture: kind, three zeros, tag (u32), age in milliseconds (f32), then a JPEG, WebP or PNG file |
//! | binary, kind 2 | sound: the same twelve bytes, then samples (i16, one channel, 16 kHz) |
//!
//! | from the server | |
//! |---|---|
//! | `welcome` | `stream`, `is_owner`, `hears`: whether sound is listened to, `compares`: whether `compare` is understood |
//! | `credit` | one picture may be sent |
//! | `status` | twice a second, and at once when settings change or something is said of this stream: settings, figures, notices, `heard`, `tally`, `viewers`, `live`, `recorded`: the mirror keeps a film of it |
//! | `accepted`, `refused` | what became of `settings`: `values`, or `errors` |
//! | `trouble` | `error`: a picture or sound that could not be used; the stream goes on |
//! | `ended` | `error`, `code`: why the socket closes now; `large`, `flood` and `silent` are limits of every socket |
//! | binary | a painted picture: length of the head (u32), head (JSON: `frame`, `tag`, `width`, `height`, `prompt`, `age_ms`, `before`), JPEG; of those who compare the picture that it was made from comes first, a JPEG of `before` bytes |
//!
//! Numbers are little-endian. All of a client's clock is the age of what it sends: the time from camera to socket.

mod guest;

use crate::check::Faults;
use crate::routes::refuse;
use crate::server::Peer;
use crate::site::Site;
use crate::socket::{self, Gone, Line, Word, code};
use crate::streams::{OpenError, Opening, WatchError};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use guest::Guest;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Bytes before the file or the samples.
const HEAD: usize = 12;
/// How long the first text is waited for, if a socket may be silent for longer.
const PATIENCE: Duration = Duration::from_secs(15);
/// The protocol's name among others: whom notices of `control` are addressed to.
const ORIGIN: &str = crate::ports::ORIGIN;

/// A text of the client.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Said {
    Watch { stream: Option<String> },
    Open { stream: String, key: String },
    Settings { values: Map<String, Value> },
    Compare { on: bool },
    End,
}

/// The page's own socket: a visitor's camera, or somebody who watches; see the README of the node `web`.
#[utoipa::path(
    get, path = "/visit", tag = "pictures",
    responses((status = 101, description = "the socket"), (status = 426, body = Faults, description = "not the request of a WebSocket"))
)]
pub async fn visit(
    State(site): State<Arc<Site>>,
    Extension(Peer(address)): Extension<Peer>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let Ok(upgrade) = upgrade else {
        return refuse(StatusCode::UPGRADE_REQUIRED, "this address is a WebSocket's");
    };
    let limits = site.config.front.socket();
    socket::open(upgrade, limits, move |mut line| async move {
        if let Err((code, error)) = meet(&site, address, &mut line).await {
            let _ = line.say(&json!({"type": "ended", "code": code, "error": error})).await;
        }
        line.close(code::NORMAL, "").await;
    })
}

/// Why a socket ends: a word for programs and a line for people. `Ok`: it has closed by itself.
type Ending = Result<(), (&'static str, String)>;

/// Why it ends when no more messages come.
fn ending(gone: Gone) -> Ending {
    match gone {
        Gone::Closed => Ok(()),
        Gone::Silent => Err(("silent", "nothing was heard of you".to_owned())),
        Gone::Broken(code::POLICY, text) => Err(("flood", text)),
        Gone::Broken(code::TOO_BIG, text) => Err(("large", text)),
        Gone::Broken(_, text) => Err(("malformed", text)),
    }
}

async fn meet(site: &Site, address: std::net::IpAddr, line: &mut Line) -> Ending {
    let malformed = |error: &str| {
        ("malformed", format!("{error}; send {{\"type\": \"watch\"}} or {{\"type\": \"open\", …}} first"))
    };
    let first = match timeout(PATIENCE, line.next()).await {
        Ok(Ok(Word::Text(text))) => text,
        Ok(Ok(Word::Binary(_))) => return Err(malformed("a binary message came first")),
        Ok(Err(gone)) => return ending(gone),
        Err(_) => return Err(malformed("nothing came")),
    };
    match serde_json::from_str(&first) {
        Ok(Said::Watch { stream: name }) => {
            let name = name.as_deref().unwrap_or(&site.config.stream);
            let viewer = site.streams.watch(name).map_err(|error| (watch_code(error), error.to_string()))?;
            Guest::of(site, viewer.name().to_owned(), None).attend(line, viewer, None).await
        }
        Ok(Said::Open { stream: name, key }) => {
            let opening = Opening { name: &name, key: &key, origin: ORIGIN, address: Some(address) };
            let owner = site.streams.open(&opening).map_err(|error| (open_code(&error), error.to_string()))?;
            let (viewer, credits) = (owner.watch(), owner.credits());
            Guest::of(site, name, Some(owner)).attend(line, viewer, Some(credits)).await
        }
        Ok(_) => Err(malformed("nothing is open yet")),
        Err(error) => Err(malformed(&error.to_string())),
    }
}

fn watch_code(error: WatchError) -> &'static str {
    match error {
        WatchError::Unknown => "unknown",
        WatchError::Full => "full",
    }
}

fn open_code(error: &OpenError) -> &'static str {
    match error {
        OpenError::Full(_) => "full",
        OpenError::Crowded(_) => "crowded",
        OpenError::Taken => "taken",
        OpenError::Name => "name",
        OpenError::Closed => "closed",
    }
}
