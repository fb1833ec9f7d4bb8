//! Whatever comes: the mirror goes on, nobody else notices, and every answer is of the protocol's own form.
//!
//! | module | holds |
//! |---|---|
//! | [`dice`] | numbers, and messages that are spoilt with them |
//! | [`forms`] | the forms of answers |
//! | [`places`] | where sockets are opened, and what is sent there |

mod dice;
mod forms;
mod places;

use crate::mirror::{LISTENERS, Mirror, PATIENCE, Socket, colour, is_near, jpeg};
use dice::{Dice, GOOD, spoil};
use forms::{is_dream, is_live};
use futures::future::join_all;
use futures::{SinkExt, StreamExt};
use mirror_contract::Settings;
use mirror_protocols::dream::{Role, hear};
use mirror_protocols::live;
use mirror_protocols::picture;
use mirror_protocols::realtime::{Heard, Mode, Session};
use places::{Place, places};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use std::{panic, thread};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

/// Messages that real sockets have to read, all together.
const MESSAGES: usize = 100_000;
/// More than twice the largest message of every place.
const TOO_LARGE: usize = 5 * 1024 * 1024;
/// Whoever is not disturbed sees his picture by then.
const HICCUP: Duration = Duration::from_secs(4);
/// So many of them are looked at, even if a fast machine is through with the storm before.
const LEAST_SHOWN: usize = 20;
/// A ping behind all others: its answer says that they have been read.
const READ: &[u8] = b"all read";

/// How often a thread of a mirror has panicked. A request or a socket is a task there: it would only end without a word.
static CRASHES: AtomicUsize = AtomicUsize::new(0);

/// From now on those are counted.
fn count_crashes() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if thread::current().name().is_some_and(|name| ["web", "feed", "press"].contains(&name)) {
                CRASHES.fetch_add(1, Ordering::Relaxed);
            }
            before(panic);
        }));
    });
}

fn crashes() -> usize {
    CRASHES.load(Ordering::Relaxed)
}

fn is_allowed(changes: &mirror_protocols::Changes) {
    let mut settings = Settings::default();
    for (name, value) in changes {
        settings.set(name, value).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn a_hundred_thousand_messages_lead_to_settings_that_are_allowed_or_to_answers_of_the_right_form() {
    let mut dice = Dice::new(1);
    let (mut realtime, mut understood) = (Session::new(Mode::Image), 0);
    for _ in 0..120_000 {
        let own = GOOD[dice.below(GOOD.len())];
        let text = spoil(&mut dice, own);
        let heard = if dice.below(4) == 0 { realtime.binary(dice.below(3)) } else { realtime.text(&text) };
        match heard {
            Heard::Frame(changes) => {
                is_allowed(&changes);
                understood += 1;
            }
            Heard::Broken(reason) => {
                assert!(!reason.is_empty() && reason.len() < 1000, "{reason}");
                realtime = Session::new(if dice.below(4) == 0 { Mode::Text } else { Mode::Image });
            }
            Heard::Nothing | Heard::Again => {}
        }
        match live::hear(&text) {
            live::Heard::Settings(changes) => {
                is_allowed(&changes);
                understood += 1;
            }
            live::Heard::Refused(answer) => assert!(is_live(&answer), "{answer}"),
            live::Heard::Ping => {}
        }
        let role = if dice.below(2) == 0 { Role::Broadcaster } else { Role::Viewer };
        match hear(role, &text) {
            Ok(ask) => {
                is_allowed(&ask.changes());
                understood += 1;
            }
            Err(answer) => assert!(is_dream(&answer), "{answer}"),
        }
    }
    // Else nothing was tried but what is refused at once.
    assert!(understood > 10_000, "{understood}");
}

/// What came of what was sent to a place.
#[derive(Debug, Default)]
struct Outcome {
    /// Messages that were read, for certain.
    read: usize,
    /// Sockets that were opened.
    opened: usize,
    /// Sockets that were closed because of too many messages.
    floods: usize,
    /// The types of all answers.
    answers: BTreeSet<String>,
}

impl Outcome {
    fn note(&mut self, said: &Value) {
        let kind = said["type"].as_str().or(said["status"].as_str()).unwrap_or_default();
        if !self.answers.contains(kind) {
            self.answers.insert(kind.to_owned());
        }
    }
}

/// Sends these, and looks at everything that is said until all of them have been read. `false`: the socket is closed.
async fn exchange(socket: &mut Socket, place: &Place, batch: Vec<Message>, outcome: &mut Outcome) -> bool {
    for message in batch.into_iter().chain([Message::Ping(READ.into())]) {
        // What was said before it was closed is there all the same.
        if timeout(PATIENCE, socket.0.feed(message)).await.expect("it is taken").is_err() {
            break;
        }
    }
    let _ = timeout(PATIENCE, socket.0.flush()).await.expect("it is taken");
    loop {
        match timeout(PATIENCE, socket.0.next()).await.expect("something comes") {
            Some(Ok(Message::Text(text))) => {
                let said: Value = serde_json::from_str(&text).expect("JSON");
                assert!((place.says)(&said), "{}: {said}", place.name);
                outcome.note(&said);
                outcome.floods += usize::from(text.contains("messages a second"));
            }
            Some(Ok(Message::Binary(bytes))) => {
                assert!((place.shows)(&bytes), "{}: {} bytes that are none of its own", place.name, bytes.len());
            }
            Some(Ok(Message::Pong(bytes))) if &bytes[..] == READ => return true,
            Some(Ok(Message::Close(_)) | Err(_)) | None => return false,
            Some(Ok(_)) => {}
        }
    }
}

/// Sends a place so many messages, through one socket after the other: each as long as it likes, or as the dice do.
async fn pester(mirror: &Mirror, place: &Place, mut dice: Dice, messages: usize) -> Outcome {
    let mut outcome = Outcome::default();
    while outcome.read < messages {
        let (mut socket, mut turn) = (place.open(mirror, &mut dice).await, 0);
        outcome.opened += 1;
        let mut is_open = true;
        for _ in 0..=dice.below(80) {
            let batch: Vec<Message> = (0..place.batch).map(|_| place.message(&mut dice, &mut turn)).collect();
            is_open = exchange(&mut socket, place, batch, &mut outcome).await;
            // Of those before its end one was read at least.
            outcome.read += if is_open { place.batch } else { 1 };
            if !is_open || outcome.read >= messages {
                break;
            }
        }
        match (dice.below(3), place.farewell) {
            (0, _) => {}
            (1, Some(farewell)) if is_open => {
                exchange(&mut socket, place, vec![Message::Text(farewell.into())], &mut outcome).await;
            }
            _ => {
                let _ = socket.0.close(None).await;
            }
        }
    }
    outcome
}

/// Somebody else's stream goes on meanwhile, each of its pictures in time: so long, and for so many at least where the storm is short.
async fn go_on(mirror: &Mirror, is_over: &AtomicBool) {
    let mut steady = mirror.socket("DreamStream", "/ws/broadcaster/steady").await;
    let mut viewer = mirror.socket("DreamStream", "/ws/viewer/steady").await;
    let mut shown = 0;
    while !is_over.load(Ordering::Relaxed) || shown < LEAST_SHOWN {
        let own = [u8::try_from(shown % 4 * 50).expect("small"), 200, 30];
        let comes = async {
            steady.say(json!({"type": "frame", "frame": picture::encode(&jpeg(own))})).await;
            loop {
                let frame = viewer.of_type("frame").await;
                let file = picture::decode(frame["frame"].as_str().expect("a data URL")).expect("a file");
                if is_near(colour(&file), own) {
                    break;
                }
            }
        };
        timeout(HICCUP, comes).await.expect("a picture in time");
        shown += 1;
        sleep(Duration::from_millis(20)).await;
    }
}

/// So many messages, spread over all places at once, and somebody else's stream beside them.
async fn storm(mirror: &Mirror, places: &[Place], messages: usize) -> Vec<Outcome> {
    let (is_over, each) = (AtomicBool::new(false), messages.div_ceil(places.len()));
    let pests = places.iter().zip(1..).map(|(place, seed)| pester(mirror, place, Dice::new(seed), each));
    let all = async {
        let outcomes = join_all(pests).await;
        is_over.store(true, Ordering::Relaxed);
        outcomes
    };
    let (outcomes, ()) = tokio::join!(all, go_on(mirror, &is_over));
    let read: usize = outcomes.iter().map(|outcome| outcome.read).sum();
    assert!(read >= messages, "{read} of {messages} messages");
    outcomes
}

/// A message that is far too large ends the socket that it comes from, and not the one beside it.
async fn burst(mirror: &Mirror, place: &Place) {
    let (mut dice, mut outcome) = (Dice::new(99), Outcome::default());
    let (mut one, mut other) = (place.guest(mirror, &mut dice).await, place.guest(mirror, &mut dice).await);
    assert!(exchange(&mut other, place, Vec::new(), &mut outcome).await, "{}", place.name);
    let large = vec![Message::Binary(vec![0; TOO_LARGE].into())];
    assert!(!exchange(&mut one, place, large, &mut outcome).await, "{}: it goes on", place.name);
    assert!(exchange(&mut other, place, Vec::new(), &mut outcome).await, "{}: the other one is gone", place.name);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_messages_on_real_sockets_disturb_nobody() {
    count_crashes();
    // A flood is no reason to close these.
    let mirror = Mirror::start(&[("WEB_MESSAGES_MAX", "10000"), ("WEB_MESSAGE_MAX", "1MiB")]);
    let places = places();
    let outcomes = storm(&mirror, &places, MESSAGES).await;
    for (place, Outcome { read, opened, answers, .. }) in places.iter().zip(&outcomes) {
        // Else it was tried what is refused at once, and how sockets are opened.
        assert!(opened * 10 < *read, "{}: {opened} sockets for {read} messages", place.name);
        let missing: Vec<_> = place.answers.iter().filter(|answer| !answers.contains(**answer)).collect();
        assert!(missing.is_empty(), "{}: {missing:?} never came", place.name);
    }
    for place in &places {
        burst(&mirror, place).await;
    }
    assert_eq!(crashes(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_ends_at_the_usual_limit_the_sockets_that_it_comes_from_and_disturbs_nobody() {
    count_crashes();
    let mirror = Mirror::start(&[]);
    let outcomes = storm(&mirror, &places(), 10_000).await;
    assert!(outcomes.iter().any(|outcome| outcome.floods > 0), "{outcomes:?}");
    assert_eq!(crashes(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn frames_and_requests_that_are_none_end_their_connection_and_nothing_else() {
    count_crashes();
    let mirror = Mirror::start(&[]);
    let mut dice = Dice::new(2);
    let sockets = ["/api/ws/00000000-0000-4000-8000-000000000000", "/ws", "/ws/viewer/a", "/visit"];
    let listeners = ["Real-Time LCM", "Live Diffusion", "DreamStream", "page"];
    let mut held = Vec::new();
    for round in 0..400 {
        let which = dice.below(4);
        let mut socket = TcpStream::connect(mirror.at(listeners[which])).expect("a connection");
        socket.set_read_timeout(Some(Duration::from_millis(20))).expect("a time-out");
        let upgrade = format!(
            "GET {} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            sockets[which]
        );
        // A part of the handshake, or all of it and then bytes that may look like frames.
        let part = if dice.below(3) == 0 { dice.below(upgrade.len()) } else { upgrade.len() };
        let _ = socket.write_all(&upgrade.as_bytes()[..part]);
        if part == upgrade.len() {
            let _ = socket.read(&mut [0; 512]);
            let len = dice.below(200);
            let mut bytes: Vec<u8> = (0..len).map(|_| dice.roll() as u8).collect();
            if let Some(first) = bytes.first_mut().filter(|_| dice.below(2) == 0) {
                // A final text or binary frame, masked, of whatever length the next bytes say.
                *first = 0x81 + (dice.roll() % 2) as u8;
            }
            let _ = socket.write_all(&bytes);
        }
        // Some hang half open until the end.
        if round % 8 == 0 {
            held.push(socket);
        }
    }
    for (name, path) in [
        ("Real-Time LCM", "/api/queue"),
        ("Live Diffusion", "/health"),
        ("DreamStream", "/health"),
        ("page", "/api/looks"),
    ] {
        assert_eq!(mirror.get(name, path, "").status, 200, "{name}");
    }
    assert_eq!(crashes(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn requests_of_every_kind_are_answered_in_the_listeners_form() {
    count_crashes();
    let mirror = Mirror::start(&[]);
    let mut dice = Dice::new(3);
    let paths = [
        "/",
        "/api/settings",
        "/api/queue",
        "/api/stream/x",
        "/api/models",
        "/api/models/load",
        "/api/status",
        "/health",
        "/streams",
        "/processors",
        "/ws",
        "/ws/viewer/a",
        "/nowhere",
        "/api/streams",
        "/events2",
        "/visit",
        "/picture.jpg",
        "/api/recording",
        "/docs",
        "/openapi.json",
        "/api/ws/x",
    ];
    for _ in 0..2500 {
        let name = dice.pick(&LISTENERS);
        let method = dice.pick(&["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]);
        let mut path = dice.pick(&paths).to_owned();
        if dice.below(4) == 0 {
            path += &format!("{}{}", dice.pick(&["?", "/", "%2e%2e/", "?processor_type="]), dice.below(1 << 20));
        }
        // None of these bodies is a wish to record: that would start a program.
        let own = GOOD[dice.below(GOOD.len())];
        let answer = mirror.send(name, method, &path, &spoil(&mut dice, own));
        assert!(answer.status < 500 || answer.status == 503, "{name} {method} {path}: {}", answer.text());
        let is_error = answer.status >= 400 && method != "HEAD";
        let kind = answer.header("content-type").unwrap_or_default().to_owned();
        if is_error {
            let form = if name == "page" { "errors" } else { "detail" };
            assert!(
                kind.contains("json") && !answer.json()[form].is_null(),
                "{name} {method} {path}: {} {}",
                answer.status,
                answer.text()
            );
        }
    }
    assert_eq!(crashes(), 0);
}
