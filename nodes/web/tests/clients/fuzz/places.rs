//! Where sockets are opened, and what is sent there: as much that is understood as not, or little would be tried.

use super::dice::{DREAM, Dice, LIVE, PAGE, REALTIME, spoil};
use super::forms::{is_dream, is_jpeg, is_live, is_none, is_page, is_painting, is_realtime};
use crate::mirror::{Mirror, Socket, jpeg};
use mirror_protocols::picture;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

/// What the page's pictures and sounds begin with.
const HEADS: &[&[u8]] = &[&[1, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0], &[2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &[]];

/// A socket's address, and what belongs to its protocol.
pub struct Place {
    /// The listener.
    pub name: &'static str,
    /// The form of texts from there.
    pub says: fn(&Value) -> bool,
    /// The form of bytes from there.
    pub shows: fn(&[u8]) -> bool,
    /// What comes from there if anything is understood.
    pub answers: &'static [&'static str],
    /// So many messages are sent before anything is read.
    pub batch: usize,
    /// What ends a stream there.
    pub farewell: Option<&'static str>,
    path: fn(&mut Dice) -> String,
    /// What a client says first, where it does.
    first: Option<fn(&mut Dice) -> String>,
    good: &'static [&'static str],
    heads: &'static [&'static [u8]],
    picture: Message,
    /// Messages come in an order, and one that does not ends the conversation.
    has_order: bool,
}

impl Place {
    /// A new socket; what the client has to say first is said.
    pub async fn open(&self, mirror: &Mirror, dice: &mut Dice) -> Socket {
        let mut socket = mirror.socket(self.name, &(self.path)(dice)).await;
        if let Some(first) = self.first {
            socket.text(&first(dice)).await;
        }
        socket
    }

    /// Somebody who does nothing wrong.
    pub async fn guest(&self, mirror: &Mirror, dice: &mut Dice) -> Socket {
        let mut socket = mirror.socket(self.name, &(self.path)(dice)).await;
        if self.first.is_some() {
            socket.say(json!({"type": "watch", "stream": "house"})).await;
        }
        socket
    }

    /// The next message; `turn` counts those that have kept to the order.
    pub fn message(&self, dice: &mut Dice, turn: &mut usize) -> Message {
        if self.has_order && dice.below(60) > 0 {
            return self.in_order(dice, turn);
        }
        match dice.below(24) {
            0..=2 => self.picture.clone(),
            3 => Message::Ping(vec![0; dice.below(125)].into()),
            4 => Message::Binary(Vec::new().into()),
            5 => {
                let most = if dice.below(20) == 0 { 2000 } else { 20 };
                let (head, body) = (dice.pick(self.heads), dice.roll().to_le_bytes().repeat(dice.below(most)));
                Message::Binary([head, &body].concat().into())
            }
            _ => Message::Text(spoil(dice, self.good).into()),
        }
    }

    /// A word, parameters, a picture: what is odd is in what they say.
    fn in_order(&self, dice: &mut Dice, turn: &mut usize) -> Message {
        let odd = spoil(dice, self.good);
        let said = match *turn % 3 {
            // Words that nobody knows may always come.
            0 if dice.below(4) == 0 => return Message::Text(json!({"status": odd}).to_string().into()),
            0 => json!({"status": "next_frame", "odd": odd}),
            1 => json!({
                "prompt": dice.pick(&["neon", "", "\u{202e}", "𝕬\u{0}"]), "seed": dice.roll(), "steps": dice.below(200),
                "strength": dice.below(100) as f64 / 10.0, "width": dice.below(5000), "height": 512, "odd": odd,
            }),
            _ => {
                *turn += 1;
                let is_ready = dice.below(4) > 0;
                return if is_ready { self.picture.clone() } else { Message::Binary(Vec::new().into()) };
            }
        };
        *turn += 1;
        Message::Text(said.to_string().into())
    }
}

/// All of them.
pub fn places() -> [Place; 5] {
    let file = jpeg([9, 9, 9]);
    let bytes = Message::Binary(file.clone().into());
    let text = Message::Text(json!({"type": "frame", "frame": picture::encode(&file)}).to_string().into());
    let broadcaster = Place {
        name: "DreamStream",
        says: is_dream,
        shows: is_none,
        answers: &[
            "processor_info",
            "prompt_updated",
            "processor_updated",
            "negative_prompt_updated",
            "strength_updated",
            "subscription_confirmed",
            "unsubscription_confirmed",
            "latest_frame",
            "frame",
            "stream_status",
            "style_updated",
            "pong",
            "error",
        ],
        batch: 64,
        farewell: Some(r#"{"type":"end_stream"}"#),
        path: |dice| format!("/ws/broadcaster/{}", dice.below(2)),
        first: None,
        good: DREAM,
        heads: HEADS,
        picture: text.clone(),
        has_order: false,
    };
    let viewer = Place {
        answers: &["processor_info", "stream_status", "style_updated", "latest_frame", "pong", "error"],
        farewell: None,
        path: |dice| format!("/ws/viewer/{}", dice.below(2)),
        picture: text,
        ..broadcaster
    };
    let realtime = Place {
        name: "Real-Time LCM",
        says: is_realtime,
        shows: is_none,
        answers: &["connected", "wait", "send_frame", "error"],
        // The rest of a batch is lost with the conversation.
        batch: 12,
        farewell: None,
        path: |dice| format!("/api/ws/{:08x}-0000-4000-8000-{:012x}", dice.roll() >> 32, dice.roll() >> 16),
        first: None,
        good: REALTIME,
        heads: HEADS,
        picture: bytes.clone(),
        has_order: true,
    };
    let live = Place {
        name: "Live Diffusion",
        says: is_live,
        shows: is_jpeg,
        answers: &["status", "settings", "pong", "processed_frame", "error"],
        batch: 64,
        farewell: None,
        path: |_| "/ws".to_owned(),
        first: None,
        good: LIVE,
        heads: HEADS,
        picture: bytes,
        has_order: false,
    };
    let page = Place {
        name: "page",
        says: is_page,
        shows: is_painting,
        answers: &["welcome", "credit", "status", "accepted", "refused", "trouble"],
        batch: 64,
        farewell: Some(r#"{"type":"end"}"#),
        path: |_| "/visit".to_owned(),
        first: Some(first),
        good: PAGE,
        heads: HEADS,
        picture: Message::Binary([HEADS[0], &file].concat().into()),
        has_order: false,
    };
    [realtime, live, broadcaster, viewer, page]
}

/// Most open a stream of their own, one of three and by whoever has opened it before.
fn first(dice: &mut Dice) -> String {
    match dice.below(8) {
        0 => spoil(dice, PAGE),
        1 | 2 => json!({"type": "watch", "stream": "house"}).to_string(),
        _ => {
            let (name, key) = (format!("anna{}", dice.below(3)), dice.pick(&["secret", "secret", "secret", "guess"]));
            json!({"type": "open", "stream": name, "key": key}).to_string()
        }
    }
}
