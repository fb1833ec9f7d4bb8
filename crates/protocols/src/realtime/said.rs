//! What the server says on the socket.

use serde_json::{Value, json};

/// A message of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// The visitor is in.
    Connected,
    /// The picture was taken; the next one is asked for.
    Wait,
    /// The next picture may come.
    SendFrame,
    /// The session has lasted as long as sessions may.
    Timeout,
    /// All places are taken; the socket closes.
    Full,
    /// Something else went wrong; the socket closes.
    Error(String),
}

impl Status {
    /// The message as the client reads it.
    #[must_use]
    pub fn json(&self) -> Value {
        match self {
            Self::Connected => json!({"status": "connected", "message": "Connected"}),
            Self::Wait => json!({"status": "wait"}),
            Self::SendFrame => json!({"status": "send_frame"}),
            Self::Timeout => json!({"status": "timeout", "message": "Your session has ended"}),
            Self::Full => json!({"status": "error", "message": "Server is full"}),
            Self::Error(message) => json!({"status": "error", "message": message}),
        }
    }
}
