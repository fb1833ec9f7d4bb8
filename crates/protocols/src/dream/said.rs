//! What the server says on a socket.

use crate::picture;
use serde_json::{Value, json};

/// A painted picture, and how it was painted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Painted<'a> {
    /// The stream.
    pub stream: &'a str,
    /// The JPEG file.
    pub jpeg: &'a [u8],
    /// When it was shown: milliseconds since the Unix epoch.
    pub timestamp_ms: i64,
    /// What painted it.
    pub processor: &'a str,
    /// The prompt.
    pub prompt: &'a str,
    /// The strength.
    pub strength: f64,
}

/// A painted picture.
#[must_use]
pub fn frame(painted: &Painted) -> Value {
    json!({"type": "frame", "streamId": painted.stream, "frame": picture::encode(painted.jpeg),
        "timestamp": painted.timestamp_ms, "is_original": false, "processor_type": painted.processor, "processed": true,
        "style_prompt": painted.prompt, "strength": painted.strength})
}

/// What paints.
#[must_use]
pub fn processor_info(processor: &str, message: &str) -> Value {
    json!({"type": "processor_info", "processor_type": processor, "message": message})
}

/// Whether a stream runs.
#[must_use]
pub fn stream_status(stream: &str, state: State) -> Value {
    let message = match state {
        State::Unknown => "There is no such stream",
        State::Active => "The stream is live",
        State::Ended => "The stream has ended",
    };
    json!({"type": "stream_status", "streamId": stream, "active": state == State::Active, "ended": state == State::Ended,
        "message": message})
}

/// How far a stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nobody has broadcast it yet.
    Unknown,
    /// A broadcaster is there.
    Active,
    /// The last broadcaster has left.
    Ended,
}

/// To viewers: the stream is painted like this now.
#[must_use]
pub fn style_updated(prompt: &str, processor: &str) -> Value {
    json!({"type": "style_updated", "prompt": prompt, "processor_type": processor})
}

/// To a broadcaster: a picture was left out.
#[must_use]
pub fn frame_skipped(message: &str) -> Value {
    json!({"type": "frame_skipped", "message": message})
}

/// To a broadcaster: its prompt is in force.
#[must_use]
pub fn prompt_updated(prompt: &str) -> Value {
    json!({"type": "prompt_updated", "prompt": prompt})
}

/// To a broadcaster: its processor is in force.
#[must_use]
pub fn processor_updated(processor: &str) -> Value {
    json!({"type": "processor_updated", "processor_type": processor})
}

/// To a broadcaster: its negative prompt is in force.
#[must_use]
pub fn negative_prompt_updated(prompt: &str) -> Value {
    json!({"type": "negative_prompt_updated", "negative_prompt": prompt})
}

/// To a broadcaster: its strength is in force.
#[must_use]
pub fn strength_updated(strength: f64) -> Value {
    json!({"type": "strength_updated", "strength": strength})
}

/// To a broadcaster that has ended its stream.
#[must_use]
pub fn stream_ended_confirmation(stream: &str) -> Value {
    json!({"type": "stream_ended_confirmation", "streamId": stream, "message": "The stream has ended"})
}

/// To viewers of a stream that is over.
#[must_use]
pub fn stream_ended(stream: &str) -> Value {
    json!({"type": "stream_ended", "streamId": stream, "message": "The stream has ended"})
}

/// The answer to `ping`.
#[must_use]
pub fn pong() -> Value {
    json!({"type": "pong"})
}

/// The newest painted picture, or none yet.
#[must_use]
pub fn latest_frame(jpeg: Option<&[u8]>) -> Value {
    let message = if jpeg.is_some() { "The newest picture" } else { "No picture has been painted yet" };
    json!({"type": "latest_frame", "frame": jpeg.map(picture::encode), "message": message})
}

/// All painted pictures come from now on.
#[must_use]
pub fn subscription_confirmed() -> Value {
    json!({"type": "subscription_confirmed", "message": "Processed frames will be sent"})
}

/// No more painted pictures come.
#[must_use]
pub fn unsubscription_confirmed() -> Value {
    json!({"type": "unsubscription_confirmed", "message": "Processed frames will no longer be sent"})
}

/// Something cannot be done.
#[must_use]
pub fn error(message: &str, details: Option<&str>) -> Value {
    let mut error = json!({"type": "error", "message": message});
    if let Some(details) = details {
        error["details"] = details.into();
    }
    error
}

/// The answer to a message without a type. It has none itself.
#[must_use]
pub fn no_type() -> Value {
    json!({"error": "Invalid message format"})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_painted_picture_has_every_field_that_viewers_read() {
        let painted = Painted {
            stream: "s",
            jpeg: &[1, 2, 3],
            timestamp_ms: 5,
            processor: "lightning",
            prompt: "neon",
            strength: 0.9,
        };
        let expected = json!({"type": "frame", "streamId": "s", "frame": "data:image/jpeg;base64,AQID", "timestamp": 5,
            "is_original": false, "processor_type": "lightning", "processed": true, "style_prompt": "neon", "strength": 0.9});
        assert_eq!(frame(&painted), expected);
    }

    #[test]
    fn the_newest_picture_is_null_before_the_first() {
        assert_eq!(latest_frame(None)["frame"], Value::Null);
        assert_eq!(latest_frame(Some(&[1]))["frame"], "data:image/jpeg;base64,AQ==");
    }

    #[test]
    fn a_status_is_one_of_three() {
        let of = |state| (stream_status("s", state)["active"].clone(), stream_status("s", state)["ended"].clone());
        assert_eq!(of(State::Active), (json!(true), json!(false)));
        assert_eq!(of(State::Ended), (json!(false), json!(true)));
        assert_eq!(of(State::Unknown), (json!(false), json!(false)));
        assert_eq!(stream_status("s", State::Active)["streamId"], "s");
    }
}
