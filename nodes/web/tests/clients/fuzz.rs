//! Whatever comes: the mirror goes on, nobody else notices, and every answer is of the protocol's own form.

use crate::mirror::{Mirror, Said, Socket, colour, is_near, jpeg};
use futures::SinkExt;
use mirror_contract::Settings;
use mirror_protocols::dream::{Role, hear};
use mirror_protocols::live;
use mirror_protocols::picture;
use mirror_protocols::realtime::{Heard, Mode, Session};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

/// Numbers that are the same in every run (Marsaglia's xorshift, 64 bits, shifts 13, 7, 17).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.roll() % end.max(1) as u64).expect("small")
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

/// Good messages of all three, to be spoilt.
const GOOD: &[&str] = &[
    r#"{"status":"next_frame"}"#,
    r#"{"prompt":"neon","seed":2159232,"steps":2,"width":512,"height":512,"strength":0.5,"guidance_scale":1.0}"#,
    r#"{"type":"settings","data":{"prompt":"neon","negativePrompt":"mud","denoisingStrength":0.5,"guidance":7.5,"steps":4,"seed":-1,"useRandomSeed":true}}"#,
    r#"{"type":"settings","data":{"settings":{"prompt":"neon","denoising_strength":0.5}}}"#,
    r#"{"type":"ping"}"#,
    r#"{"type":"frame","frame":"data:image/jpeg;base64,/9j/4AAQSkZJRgABAQ=="}"#,
    r#"{"type":"update_prompt","prompt":"neon"}"#,
    r#"{"type":"update_processor","processor_type":"lightning"}"#,
    r#"{"type":"update_negative_prompt","negative_prompt":"mud"}"#,
    r#"{"type":"update_strength","strength":0.5}"#,
    r#"{"type":"get_processor_info"}"#,
    r#"{"type":"get_latest_frame"}"#,
    r#"{"type":"subscribe_to_processed_frames"}"#,
    r#"{"type":"unsubscribe_from_processed_frames"}"#,
    r#"{"type":"check_stream_status","streamId":"stream123"}"#,
    r#"{"type":"get_style_prompt"}"#,
    r#"{"type":"watch","stream":"house"}"#,
    r#"{"type":"open","stream":"anna","key":"secret"}"#,
];

/// What does not belong there.
const ODD: &[&str] = &[
    "\u{0}",
    "\"",
    "{",
    "}",
    "[",
    "]",
    "\\",
    "\\u0000",
    "\\ud800",
    "1e999",
    "-0",
    "18446744073709551616",
    "null",
    "true",
    "\u{202e}",
    "𝕬",
    "𒀀",
    ",",
    ":",
    "data:",
    ";base64,",
    "/../../etc/passwd",
    "%00",
    "NaN",
    "\u{feff}",
    "{\"a\":",
    "[[[[[[[[",
];

fn spoil(dice: &mut Dice) -> String {
    let mut text = dice.pick(GOOD).to_owned();
    for _ in 0..dice.below(4) {
        let mut at = dice.below(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        match dice.below(6) {
            0 => text.truncate(at),
            1 => text.insert_str(at, dice.pick(ODD)),
            2 => text = format!("{}{}", &text[..at], dice.pick(GOOD)),
            3 => text = text.replacen(dice.pick(&["0.5", "\"neon\"", "4", "true", "\"ping\""]), dice.pick(ODD), 1),
            4 => text.insert_str(at, &dice.pick(ODD).repeat(dice.below(300))),
            _ => text = text.chars().rev().collect(),
        }
    }
    text
}

fn is_allowed(changes: &mirror_protocols::Changes) {
    let mut settings = Settings::default();
    for (name, value) in changes {
        settings.set(name, value).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn a_hundred_thousand_messages_lead_to_settings_that_are_allowed_or_to_answers_of_the_right_form() {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let (mut realtime, mut understood) = (Session::new(Mode::Image), 0);
    for _ in 0..120_000 {
        let text = spoil(&mut dice);
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

fn is_realtime(said: &Value) -> bool {
    match said["status"].as_str() {
        Some("connected" | "error" | "timeout") => said["message"].is_string(),
        Some("wait" | "send_frame") => true,
        _ => false,
    }
}

fn is_live(said: &Value) -> bool {
    let data = &said["data"];
    match said["type"].as_str() {
        Some("error") => data["error"].is_string() && data["details"].is_string(),
        Some("status" | "settings" | "pong" | "processed_frame") => data.is_object(),
        _ => false,
    }
}

fn is_dream(said: &Value) -> bool {
    *said == json!({"error": "Invalid message format"})
        || match said["type"].as_str() {
            Some("error") => said["message"].is_string(),
            Some(kind) => !kind.is_empty(),
            None => false,
        }
}

/// Sends some messages and reads what is answered, until the mirror or the dice have enough.
async fn bother(mut socket: Socket, dice: &mut Dice, is_own: fn(&Value) -> bool) -> usize {
    let messages = 1 + dice.below(30);
    let mut sent = 0;
    for _ in 0..messages {
        let message = match dice.below(8) {
            0 => Message::Binary(dice.roll().to_le_bytes().repeat(dice.below(2000)).into()),
            1 => Message::Binary(jpeg([9, 9, 9])[..].to_vec().into()),
            2 => Message::Ping(vec![0; dice.below(125)].into()),
            3 => Message::Binary(Vec::new().into()),
            _ => Message::Text(spoil(dice).into()),
        };
        if socket.0.send(message).await.is_err() {
            break;
        }
        sent += 1;
        while let Ok(said) = timeout(Duration::from_millis(1), socket.next()).await {
            match said {
                Said::Text(said) => assert!(is_own(&said), "{said}"),
                Said::Binary(_) => {}
                Said::Closed(_) => return sent,
            }
        }
    }
    // Half of them leave without a word.
    if dice.below(2) == 0 {
        let _ = socket.0.close(None).await;
    }
    sent
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn thousands_of_messages_on_real_sockets_disturb_nobody() {
    let mirror = Mirror::start(&[]);
    let mut steady = mirror.socket("DreamStream", "/ws/broadcaster/steady").await;
    let mut viewer = mirror.socket("DreamStream", "/ws/viewer/steady").await;
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    let (mut sent, mut rounds) = (0, 0_u32);
    while sent < 4_000 {
        rounds += 1;
        let id = format!("00000000-0000-4000-8000-{rounds:012}");
        let stream = dice.below(5);
        let role = dice.pick(&["broadcaster", "viewer"]);
        sent += bother(mirror.socket("Real-Time LCM", &format!("/api/ws/{id}")).await, &mut dice, is_realtime).await;
        sent += bother(mirror.socket("Live Diffusion", "/ws").await, &mut dice, is_live).await;
        sent += bother(mirror.socket("DreamStream", &format!("/ws/{role}/{stream}")).await, &mut dice, is_dream).await;
        sent += bother(mirror.socket("page", "/visit").await, &mut dice, Value::is_object).await;
        // Somebody else's stream goes on, with its own pictures.
        let own = [u8::try_from(rounds % 200).expect("small"), 200, 30];
        steady.say(json!({"type": "frame", "frame": picture::encode(&jpeg(own))})).await;
        loop {
            let frame = viewer.of_type("frame").await;
            let file = picture::decode(frame["frame"].as_str().expect("a data URL")).expect("a file");
            if is_near(colour(&file), own) {
                break;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn frames_and_requests_that_are_none_end_their_connection_and_nothing_else() {
    let mirror = Mirror::start(&[]);
    let mut dice = Dice(0xd1b5_4a32_d192_ed03);
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
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn requests_of_every_kind_are_answered_in_the_listeners_form() {
    let mirror = Mirror::start(&[]);
    let mut dice = Dice(0x853c_49e6_748f_ea9b);
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
    ];
    for _ in 0..1500 {
        let name = dice.pick(&["Real-Time LCM", "Live Diffusion", "DreamStream", "page"]);
        let method = dice.pick(&["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]);
        let mut path = dice.pick(&paths).to_owned();
        if dice.below(4) == 0 {
            path += &format!("{}{}", dice.pick(&["?", "/", "%2e%2e/", "?processor_type="]), dice.below(1 << 20));
        }
        let answer = mirror.send(name, method, &path, &spoil(&mut dice));
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
}
