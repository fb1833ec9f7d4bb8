//! A socket with its limits: how large messages are, how many come, how long it is silent, how long it may take.

use crate::rates::Bucket;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use bytes::Bytes;
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use serde_json::Value;
use std::time::{Duration, Instant};
use tokio::time::{Instant as Clock, sleep_until, timeout, timeout_at};

/// How long the other side may take to answer a farewell.
const FAREWELL: Duration = Duration::from_millis(500);

/// Close codes (RFC 6455, 7.4.1).
pub mod code {
    /// All is done.
    pub const NORMAL: u16 = 1000;
    /// The server ends.
    pub const AWAY: u16 = 1001;
    /// Bytes that are no text where text must be, or text that is none of ours.
    pub const INVALID: u16 = 1007;
    /// It may not.
    pub const POLICY: u16 = 1008;
    /// A message is too large.
    pub const TOO_BIG: u16 = 1009;
    /// The server has no place.
    pub const TRY_LATER: u16 = 1013;
}

/// What may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Largest message, in bytes.
    pub message_max: usize,
    /// Messages a second.
    pub messages_max: f64,
    /// How long it may be silent, and how long a message may take to leave.
    pub idle_max: Duration,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// Text.
    Text(String),
    /// Bytes.
    Binary(Bytes),
}

/// Why no more messages come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gone {
    /// The other side has closed it, or the connection is lost.
    Closed,
    /// Nothing has come for too long, or nothing is taken.
    Silent,
    /// The other side breaks a limit: the close code, and why.
    Broken(u16, String),
}

/// A socket.
pub struct Line {
    ear: Ear,
    mouth: Mouth,
    /// When the other side was asked last whether it is there.
    asked: Clock,
}

/// The half of a socket that hears. It asks nobody whether he is there: whoever has both halves does ([`Mouth::ask`]).
pub struct Ear {
    stream: SplitStream<WebSocket>,
    bucket: Bucket,
    limits: Limits,
    /// When something came last.
    heard: Clock,
}

/// The half of a socket that speaks.
pub struct Mouth {
    sink: SplitSink<WebSocket, Message>,
    /// How long a message may take to leave.
    patience: Duration,
}

/// Answers the request with a socket that `talk` leads.
pub fn open<F: Future<Output = ()> + Send + 'static>(
    upgrade: WebSocketUpgrade,
    limits: Limits,
    talk: impl FnOnce(Line) -> F + Send + 'static,
) -> Response {
    // A message that is only a little too large is read, so that it can be answered.
    let most = limits.message_max * 2;
    upgrade.max_message_size(most).max_frame_size(most).on_upgrade(move |socket| {
        let (sink, stream) = socket.split();
        let bucket = Bucket::new(limits.messages_max, Instant::now());
        let now = Clock::now();
        let ear = Ear { stream, bucket, limits, heard: now };
        talk(Line { ear, mouth: Mouth { sink, patience: limits.idle_max }, asked: now })
    })
}

impl Line {
    /// Both halves, for a conversation in which neither waits for the other.
    pub fn halves(&mut self) -> (&mut Ear, &mut Mouth) {
        (&mut self.ear, &mut self.mouth)
    }

    /// The next message. Safe to drop while it waits.
    ///
    /// # Errors
    /// No more will come.
    pub async fn next(&mut self) -> Result<Word, Gone> {
        loop {
            let since = self.ear.heard.max(self.asked);
            let due = since + self.ear.limits.ask_after();
            tokio::select! {
                word = self.ear.next() => return word,
                () = sleep_until(due) => {
                    // Something that is no word may have come meanwhile.
                    if self.ear.heard <= since {
                        self.asked = Clock::now();
                        self.mouth.ask().await?;
                    }
                }
            }
        }
    }

    /// Says something as JSON.
    ///
    /// # Errors
    /// It is not taken.
    pub async fn say(&mut self, value: &Value) -> Result<(), Gone> {
        self.mouth.say(value).await
    }

    /// Sends bytes.
    ///
    /// # Errors
    /// They are not taken.
    pub async fn send(&mut self, bytes: Bytes) -> Result<(), Gone> {
        self.mouth.send(bytes).await
    }

    /// Says farewell. What still comes is read and forgotten for a moment: else the last words would be lost with it.
    pub async fn close(mut self, code: u16, reason: &str) {
        // RFC 6455, 5.5: 125 bytes, two of them the code.
        let end = (0..=reason.len().min(120)).rev().find(|end| reason.is_char_boundary(*end)).unwrap_or(0);
        let farewell = Message::Close(Some(CloseFrame { code, reason: reason[..end].into() }));
        let _ = timeout(FAREWELL, async {
            if self.mouth.sink.send(farewell).await.is_ok() {
                while let Some(Ok(_)) = self.ear.stream.next().await {}
            }
        })
        .await;
    }
}

impl Limits {
    /// After how long a silence the other side is asked whether it is there.
    #[must_use]
    pub fn ask_after(&self) -> Duration {
        self.idle_max / 2
    }
}

impl Ear {
    /// The next message. Safe to drop while it waits.
    ///
    /// # Errors
    /// No more will come.
    pub async fn next(&mut self) -> Result<Word, Gone> {
        loop {
            let message = match timeout_at(self.heard + self.limits.idle_max, self.stream.next()).await {
                Ok(Some(Ok(message))) => message,
                Ok(Some(Err(error))) => return Err(fault(&error)),
                Ok(None) => return Err(Gone::Closed),
                Err(_) => return Err(Gone::Silent),
            };
            self.heard = Clock::now();
            if !self.bucket.take(Instant::now()) {
                return Err(Gone::Broken(
                    code::POLICY,
                    format!("more than {} messages a second", self.limits.messages_max),
                ));
            }
            let word = match message {
                Message::Text(text) => Word::Text(text.as_str().to_owned()),
                Message::Binary(bytes) => Word::Binary(bytes),
                Message::Ping(_) | Message::Pong(_) => continue,
                Message::Close(_) => return Err(Gone::Closed),
            };
            let len = match &word {
                Word::Text(text) => text.len(),
                Word::Binary(bytes) => bytes.len(),
            };
            if len > self.limits.message_max {
                let text = format!("a message of {len} bytes; {} are the most", self.limits.message_max);
                return Err(Gone::Broken(code::TOO_BIG, text));
            }
            return Ok(word);
        }
    }
}

impl Mouth {
    /// Says something as JSON.
    ///
    /// # Errors
    /// It is not taken.
    pub async fn say(&mut self, value: &Value) -> Result<(), Gone> {
        self.put(Message::Text(value.to_string().into())).await
    }

    /// Sends bytes.
    ///
    /// # Errors
    /// They are not taken.
    pub async fn send(&mut self, bytes: Bytes) -> Result<(), Gone> {
        self.put(Message::Binary(bytes)).await
    }

    /// Asks the other side whether it is there: whoever is answers, and is heard.
    ///
    /// # Errors
    /// The question is not taken.
    pub async fn ask(&mut self) -> Result<(), Gone> {
        self.put(Message::Ping(Bytes::new())).await
    }

    async fn put(&mut self, message: Message) -> Result<(), Gone> {
        match timeout(self.patience, self.sink.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Gone::Closed),
            Err(_) => Err(Gone::Silent),
        }
    }
}

fn fault(error: &axum::Error) -> Gone {
    let text = error.to_string();
    let lower = text.to_ascii_lowercase();
    if lower.contains("utf") {
        Gone::Broken(code::INVALID, "a text message is not UTF-8".to_owned())
    } else if lower.contains("too long") || lower.contains("space limit") {
        Gone::Broken(code::TOO_BIG, "a message is too large".to_owned())
    } else {
        Gone::Closed
    }
}
