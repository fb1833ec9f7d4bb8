//! The page's own socket: a visitor who brings a camera, or somebody who watches.
//!
//! Texts are JSON objects with a `type`; pictures and sound are binary. The first text says what is wanted:
//!
//! | from the client | |
//! |---|---|
//! | `{"type": "watch", "stream": "house"}` | watches a stream; without a name the page's |
//! | `{"type": "open", "stream": "anna", "key": "…"}` | opens a stream of its own, or comes back to it |
//! | `{"type": "settings", "values": {…}}` | changes settings: of one's own stream, or of the page's |
//! | `{"type": "end"}` | ends one's own stream |
//! | binary, kind 1 | a picture: kind, three zeros, tag (u32), age in milliseconds (f32), then a JPEG, WebP or PNG file |
//! | binary, kind 2 | sound: the same twelve bytes, then samples (i16, one channel, 16 kHz) |
//!
//! | from the server | |
//! |---|---|
//! | `welcome` | `stream`, `is_owner`, `hears`: whether sound is listened to |
//! | `credit` | one picture may be sent |
//! | `status` | twice a second, and at once when settings change: settings, figures, notices, `heard`, `tally`, `viewers`, `live` |
//! | `accepted`, `refused` | what became of `settings`: `values`, or `errors` |
//! | `trouble` | `error`: a picture or sound that could not be used; the stream goes on |
//! | `ended` | `error`, `code`: why the socket closes now |
//! | binary | a painted picture: length of the head (u32), head (JSON: `frame`, `tag`, `width`, `height`, `prompt`, `age_ms`), JPEG |
//!
//! Numbers are little-endian. All of a client's clock is the age of what it sends: the time from camera to socket.

use crate::check::Faults;
use crate::press::Picture;
use crate::rates::Bucket;
use crate::routes::refuse;
use crate::server::Peer;
use crate::site::Site;
use crate::streams::photo::BYTES_MAX;
use crate::streams::{ChangeError, Credits, OpenError, Opening, Owner, Photo, Viewer, WatchError};
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use mirror_contract::now_ns;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::time::{interval, timeout};

/// Bytes before the file or the samples.
const HEAD: usize = 12;
/// Longest message: a picture. Texts are far shorter.
const MESSAGE_MAX: usize = HEAD + BYTES_MAX;
/// How long the first text is waited for, and how long a client may take nothing of what it is sent.
const PATIENCE: Duration = Duration::from_secs(15);
/// A client that has said nothing for this long is asked whether it is there; after three times that it is gone.
const ALIVE: Duration = Duration::from_secs(20);
/// Answers that may wait for a client.
const ANSWERS: usize = 16;
/// Pictures on their way whose tags are remembered: more than may be.
const TAGS: usize = 8;
/// The protocol's name among others: whom notices of `control` are addressed to.
const ORIGIN: &str = crate::ports::ORIGIN;

/// A text of the client.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Said {
    Watch { stream: Option<String> },
    Open { stream: String, key: String },
    Settings { values: Map<String, Value> },
    End,
}

/// A closed socket, a client that is too slow: nothing is left to be said.
struct Gone;

type Sink = SplitSink<WebSocket, Message>;

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
    let upgrade = upgrade.max_message_size(MESSAGE_MAX).max_frame_size(MESSAGE_MAX);
    upgrade.on_upgrade(move |socket| async move {
        let (mut sink, mut stream) = socket.split();
        let ended = meet(&site, address, &mut sink, &mut stream).await;
        if let Err((code, error)) = ended {
            let _ = say(&mut sink, json!({"type": "ended", "code": code, "error": error})).await;
        }
        let _ = timeout(PATIENCE, sink.close()).await;
    })
}

/// Why a socket ends: a word for programs and a line for people. `Ok`: it has closed by itself.
type Ending = Result<(), (&'static str, String)>;

async fn meet(site: &Site, address: std::net::IpAddr, sink: &mut Sink, stream: &mut SplitStream<WebSocket>) -> Ending {
    let malformed = |error: &str| {
        ("malformed", format!("{error}; send {{\"type\": \"watch\"}} or {{\"type\": \"open\", …}} first"))
    };
    let first = match timeout(PATIENCE, stream.next()).await {
        Ok(Some(Ok(Message::Text(text)))) => text,
        Ok(Some(Ok(Message::Close(_)) | Err(_)) | None) => return Ok(()),
        Ok(Some(Ok(_))) => return Err(malformed("a binary message came first")),
        Err(_) => return Err(malformed("nothing came")),
    };
    match serde_json::from_str(&first) {
        Ok(Said::Watch { stream: name }) => {
            let name = name.as_deref().unwrap_or(&site.config.stream);
            let viewer = site.streams.watch(name).map_err(|error| (watch_code(error), error.to_string()))?;
            let guest = Guest { site, viewer_of: viewer.name().to_owned(), owner: None, tags: Mutex::default() };
            guest.attend(sink, stream, viewer, None).await
        }
        Ok(Said::Open { stream: name, key }) => {
            let opening = Opening { name: &name, key: &key, origin: ORIGIN, address: Some(address) };
            let owner = site.streams.open(&opening).map_err(|error| (open_code(&error), error.to_string()))?;
            let (viewer, credits) = (owner.watch(), owner.credits());
            let guest = Guest { site, viewer_of: name, owner: Some(owner), tags: Mutex::default() };
            guest.attend(sink, stream, viewer, Some(credits)).await
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

/// Who is at the other end.
struct Guest<'a> {
    site: &'a Site,
    viewer_of: String,
    owner: Option<Owner>,
    /// The client's tags of pictures that are on their way, by number.
    tags: Mutex<VecDeque<(i64, u32)>>,
}

impl Guest<'_> {
    async fn attend(
        self,
        sink: &mut Sink,
        stream: &mut SplitStream<WebSocket>,
        viewer: Viewer,
        credits: Option<Credits>,
    ) -> Ending {
        let hears = self.site.streams.limits().hears;
        let welcome = json!({
            "type": "welcome", "stream": self.viewer_of, "is_owner": self.owner.is_some(), "hears": hears,
        });
        let (answers, answered) = mpsc::channel(ANSWERS);
        if say(sink, welcome).await.is_err() {
            return Ok(());
        }
        // Neither waits for the other: who sends nothing is shown pictures, who takes nothing may send them.
        let ending = tokio::select! {
            ending = self.listen(stream, &answers) => ending,
            ending = self.tell(sink, viewer, credits, answered) => ending,
        };
        if let (Ok(true), Some(owner)) = (&ending, self.owner) {
            owner.end();
        }
        ending.map(drop)
    }

    /// Takes in what the client sends. `Ok(true)`: it has ended its stream.
    async fn listen(
        &self,
        stream: &mut SplitStream<WebSocket>,
        answers: &mpsc::Sender<Value>,
    ) -> Result<bool, (&'static str, String)> {
        let most = self.site.config.front.messages_max;
        let mut bucket = Bucket::new(most, Instant::now());
        loop {
            let message = match timeout(3 * ALIVE, stream.next()).await {
                Ok(Some(Ok(message))) => message,
                Ok(Some(Err(error))) => return Err(("malformed", error.to_string())),
                Ok(None) => return Ok(false),
                Err(_) => return Err(("silent", "nothing was heard of you".to_owned())),
            };
            if !bucket.take(Instant::now()) {
                return Err(("flood", format!("more than {most} messages a second")));
            }
            let answer = match message {
                Message::Text(text) => match serde_json::from_str(&text) {
                    Ok(Said::End) if self.owner.is_some() => return Ok(true),
                    Ok(Said::Settings { values }) => Some(self.change(values)),
                    Ok(_) => Some(trouble("this socket has its stream already")),
                    Err(error) => Some(trouble(&error.to_string())),
                },
                Message::Binary(bytes) => self.take(&bytes).err().map(|error| trouble(&error)),
                Message::Close(_) => return Ok(false),
                Message::Ping(_) | Message::Pong(_) => None,
            };
            // A client that floods and takes no answers gets fewer of them.
            answer.into_iter().for_each(|answer| drop(answers.try_send(answer)));
        }
    }

    fn change(&self, values: Map<String, Value>) -> Value {
        let changed = match &self.owner {
            Some(owner) => owner.change(values),
            None if self.viewer_of == self.site.config.stream => {
                self.site.streams.change(&self.viewer_of, ORIGIN, values)
            }
            None => return trouble("this stream is somebody else's: only who opened it changes its settings"),
        };
        match changed {
            Ok(values) => json!({"type": "accepted", "values": values}),
            Err(error @ (ChangeError::Busy | ChangeError::Unknown)) => trouble(&error.to_string()),
            Err(error) => json!({"type": "refused", "errors": error.faults()}),
        }
    }

    /// Takes in a picture or sound.
    fn take(&self, bytes: &Bytes) -> Result<(), String> {
        let Some(owner) = &self.owner else { return Err("who only watches sends nothing".to_owned()) };
        let Some((head, _)) = bytes.split_first_chunk::<HEAD>() else {
            return Err(format!("a binary message has at least {HEAD} bytes"));
        };
        let [kind, _, _, _, t0, t1, t2, t3, a0, a1, a2, a3] = *head;
        let age_ms = f64::from(f32::from_le_bytes([a0, a1, a2, a3]));
        // A minute is more than any camera holds back; what is no number is none.
        let age_ns = if (0.0..=60_000.0).contains(&age_ms) { (age_ms * 1e6) as i64 } else { 0 };
        let captured_ns = now_ns() - age_ns;
        let body = bytes.slice(HEAD..);
        match kind {
            1 => {
                let number = owner.offer(Photo::File(body), captured_ns).map_err(|error| error.to_string())?;
                self.tag(number, u32::from_le_bytes([t0, t1, t2, t3]));
                Ok(())
            }
            2 => {
                let sample = |pair: &[u8]| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32768.0;
                owner.hear(body.chunks_exact(2).map(sample).collect(), captured_ns).map_err(|error| error.to_string())
            }
            _ => Err(format!("a binary message is of kind 1 (picture) or 2 (sound), not {kind}")),
        }
    }

    fn tag(&self, number: i64, tag: u32) {
        let mut tags = self.tags.lock().unwrap_or_else(PoisonError::into_inner);
        if tags.len() == TAGS {
            tags.pop_front();
        }
        tags.push_back((number, tag));
    }

    fn tag_of(&self, number: i64) -> Option<u32> {
        let tags = self.tags.lock().unwrap_or_else(PoisonError::into_inner);
        tags.iter().find(|(of, _)| *of == number).map(|(_, tag)| *tag)
    }

    /// Sends the client what there is for it.
    async fn tell(
        &self,
        sink: &mut Sink,
        mut viewer: Viewer,
        mut credits: Option<Credits>,
        mut answers: mpsc::Receiver<Value>,
    ) -> Result<bool, (&'static str, String)> {
        let mut status = viewer.status();
        status.mark_changed();
        let mut troubles = self.owner.as_ref().map(Owner::troubles);
        let mut alive = interval(ALIVE);
        loop {
            let told = tokio::select! {
                // What may be sent is said first: a client that waits for that makes the graph wait.
                biased;
                granted = next_credit(&mut credits) => {
                    if !granted {
                        return Err(("moved", "the stream has ended, or goes on in another window".to_owned()));
                    }
                    say(sink, json!({"type": "credit"})).await
                }
                Some(answer) = answers.recv() => say(sink, answer).await,
                fault = next_trouble(&mut troubles) => say(sink, trouble(&fault)).await,
                Ok(()) = status.changed() => {
                    let news = self.status(&viewer, &mut status);
                    say(sink, news).await
                }
                picture = viewer.next() => match picture {
                    Some(picture) => send(sink, Message::Binary(self.head(&picture))).await,
                    None => return Err(("ended", "the stream has ended".to_owned())),
                },
                _ = alive.tick() => send(sink, Message::Ping(Bytes::new())).await,
            };
            if told.is_err() {
                return Ok(false);
            }
        }
    }

    fn status(&self, viewer: &Viewer, status: &mut watch::Receiver<Arc<crate::board::Status>>) -> Value {
        let mut body = json!(&**status.borrow_and_update());
        body["type"] = "status".into();
        if let Some(entry) = self.site.streams.entry_of(viewer.name()) {
            body["tally"] = json!(entry.tally);
            body["viewers"] = json!(entry.viewers);
            body["live"] = json!(entry.is_live);
        }
        body
    }

    fn head(&self, picture: &Picture) -> Bytes {
        let prompt = picture.painting.as_ref().map(|painting| painting.prompt.as_str());
        let tag = self.owner.as_ref().and_then(|_| self.tag_of(picture.stamp.frame_id));
        let head = json!({
            "frame": picture.stamp.frame_id, "tag": tag, "width": picture.width, "height": picture.height,
            "prompt": prompt, "age_ms": (now_ns() - picture.stamp.captured_ns) as f64 / 1e6,
        });
        let head = head.to_string();
        let length = u32::try_from(head.len()).unwrap_or(u32::MAX).to_le_bytes();
        [&length[..], head.as_bytes(), &picture.jpeg].concat().into()
    }
}

/// Never, for those who own nothing.
async fn next_credit(credits: &mut Option<Credits>) -> bool {
    match credits {
        Some(credits) => credits.next().await,
        None => std::future::pending().await,
    }
}

/// Never, for those who own nothing.
async fn next_trouble(troubles: &mut Option<watch::Receiver<(u64, String)>>) -> String {
    if let Some(troubles) = troubles
        && troubles.changed().await.is_ok()
    {
        return troubles.borrow_and_update().1.clone();
    }
    std::future::pending().await
}

fn trouble(error: &str) -> Value {
    json!({"type": "trouble", "error": error})
}

async fn say(sink: &mut Sink, text: Value) -> Result<(), Gone> {
    send(sink, Message::Text(Utf8Bytes::from(text.to_string()))).await
}

async fn send(sink: &mut Sink, message: Message) -> Result<(), Gone> {
    match timeout(PATIENCE, sink.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Gone),
    }
}
