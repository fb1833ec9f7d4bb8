//! What broadcasters and viewers ask for.

use super::{FRAME_MAX, said};
use crate::change::{self, Changes};
use crate::picture;
use serde_json::Value;

/// The two ends of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Sends pictures and chooses how they are painted.
    Broadcaster,
    /// Sees the painted ones.
    Viewer,
}

impl Role {
    /// The role of that name in an address.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "broadcaster" => Some(Self::Broadcaster),
            "viewer" => Some(Self::Viewer),
            _ => None,
        }
    }
}

/// What a message asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// A picture to be painted: a JPEG, PNG or WebP file.
    Frame(Vec<u8>),
    /// Another prompt.
    Prompt(String),
    /// Another processor, by its name there or here.
    Processor(String),
    /// Another negative prompt.
    NegativePrompt(String),
    /// Another strength, as it is within our table.
    Strength(f64),
    /// The stream is over.
    End,
    /// Whether we are there.
    Ping,
    /// What paints.
    ProcessorInfo,
    /// The newest painted picture, once.
    LatestFrame,
    /// All painted pictures from now on.
    Subscribe,
    /// No more of them.
    Unsubscribe,
    /// Whether a stream runs; `None`: the own one.
    Status(Option<String>),
    /// The prompt that paints now.
    Style,
    /// Nothing that this protocol has. Its own server says nothing to that, and its own pages rely on it: they ask for
    /// `get_server_info` and `list_streams`, which no server of theirs knows, and show people every `error`.
    Nothing,
}

impl Ask {
    /// What it changes in the settings of the stream; the processor is the mirror's to know.
    #[must_use]
    pub fn changes(&self) -> Changes {
        let (name, value) = match self {
            Self::Prompt(prompt) => ("prompt", Value::from(prompt.as_str())),
            Self::NegativePrompt(prompt) => ("negative_prompt", Value::from(prompt.as_str())),
            Self::Strength(strength) => ("strength", Value::from(*strength)),
            _ => return Changes::new(),
        };
        [(name.to_owned(), value)].into_iter().collect()
    }
}

/// Reads a message of that role.
///
/// # Errors
/// A message that cannot be used: the answer.
pub fn hear(role: Role, text: &str) -> Result<Ask, Value> {
    let message: Value =
        serde_json::from_str(text).map_err(|error| said::error("Invalid JSON", Some(&error.to_string())))?;
    let kind = message.get("type").and_then(Value::as_str).ok_or_else(said::no_type)?;
    let text = |name: &str| {
        let value = message.get(name).and_then(Value::as_str);
        value.map(str::to_owned).ok_or_else(|| said::error(&format!("{kind} needs a text \"{name}\""), None))
    };
    let checked = |name: &'static str, value: Value| {
        let mut changes = Changes::new();
        change::put(&mut changes, name, &value).map_err(|error| said::error(&error, None))?;
        Ok::<Value, Value>(changes.remove(name).unwrap_or_default())
    };
    let ask = match (role, kind) {
        (_, "ping") => Ask::Ping,
        (_, "get_processor_info") => Ask::ProcessorInfo,
        (_, "check_stream_status") => {
            let stream = ["streamId", "stream_id"].iter().find_map(|name| message.get(*name));
            Ask::Status(stream.and_then(Value::as_str).map(str::to_owned))
        }
        (_, "get_style_prompt") => Ask::Style,
        (_, "get_latest_frame") => Ask::LatestFrame,
        (Role::Broadcaster, "frame") => Ask::Frame(frame(&message)?),
        (Role::Broadcaster, "update_prompt") => {
            let prompt = text("prompt")?;
            checked("prompt", prompt.as_str().into())?;
            Ask::Prompt(prompt)
        }
        (Role::Broadcaster, "update_negative_prompt") => {
            let prompt = text("negative_prompt")?;
            checked("negative_prompt", prompt.as_str().into())?;
            Ask::NegativePrompt(prompt)
        }
        (Role::Broadcaster, "update_processor") => Ask::Processor(text("processor_type")?),
        (Role::Broadcaster, "update_strength") => {
            let strength = message.get("strength").and_then(number);
            // The range of its own server.
            let strength = strength.filter(|strength| (0.1..=1.0).contains(strength));
            Ask::Strength(strength.ok_or_else(|| said::error("strength must be a number from 0.1 to 1.0", None))?)
        }
        (Role::Broadcaster, "end_stream") => Ask::End,
        (Role::Broadcaster, "subscribe_to_processed_frames") => Ask::Subscribe,
        (Role::Broadcaster, "unsubscribe_from_processed_frames") => Ask::Unsubscribe,
        (Role::Viewer, kind) if BROADCASTERS.contains(&kind) => {
            return Err(said::error(&format!("{kind} is for broadcasters; you are a viewer of this stream"), None));
        }
        _ => Ask::Nothing,
    };
    Ok(ask)
}

/// What only a broadcaster may ask for.
const BROADCASTERS: [&str; 8] = [
    "frame",
    "update_prompt",
    "update_processor",
    "update_negative_prompt",
    "update_strength",
    "end_stream",
    "subscribe_to_processed_frames",
    "unsubscribe_from_processed_frames",
];

fn frame(message: &Value) -> Result<Vec<u8>, Value> {
    let text = message.get("frame").and_then(Value::as_str);
    let text = text.ok_or_else(|| said::error("frame needs a text \"frame\": Base64 or a data URL", None))?;
    if text.len() > FRAME_MAX {
        let details = format!("{} bytes; the limit is {FRAME_MAX}", text.len());
        return Err(said::error("Frame too large", Some(&details)));
    }
    picture::decode(text).map_err(|error| said::error("Invalid frame", Some(error)))
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn asks(role: Role, text: &str) -> Ask {
        hear(role, text).unwrap_or_else(|answer| panic!("{text}: {answer}"))
    }

    #[test]
    fn every_message_of_a_broadcaster_is_understood() {
        for (text, ask) in [
            (r#"{"type":"frame","frame":"data:image/jpeg;base64,/9j/4A=="}"#, Ask::Frame(vec![0xff, 0xd8, 0xff, 0xe0])),
            (r#"{"type":"frame","frame":"/9j/4A=="}"#, Ask::Frame(vec![0xff, 0xd8, 0xff, 0xe0])),
            (r#"{"type":"update_prompt","prompt":"neon"}"#, Ask::Prompt("neon".to_owned())),
            (r#"{"type":"update_processor","processor_type":"lightning"}"#, Ask::Processor("lightning".to_owned())),
            (r#"{"type":"update_negative_prompt","negative_prompt":"mud"}"#, Ask::NegativePrompt("mud".to_owned())),
            (r#"{"type":"update_strength","strength":0.4}"#, Ask::Strength(0.4)),
            (r#"{"type":"end_stream"}"#, Ask::End),
            (r#"{"type":"ping"}"#, Ask::Ping),
            (r#"{"type":"get_processor_info"}"#, Ask::ProcessorInfo),
            (r#"{"type":"get_latest_frame"}"#, Ask::LatestFrame),
            (r#"{"type":"subscribe_to_processed_frames"}"#, Ask::Subscribe),
            (r#"{"type":"unsubscribe_from_processed_frames"}"#, Ask::Unsubscribe),
            (r#"{"type":"check_stream_status"}"#, Ask::Status(None)),
            (r#"{"type":"check_stream_status","streamId":"stream123"}"#, Ask::Status(Some("stream123".to_owned()))),
        ] {
            assert_eq!(asks(Role::Broadcaster, text), ask, "{text}");
        }
    }

    #[test]
    fn every_message_of_a_viewer_is_understood_and_those_of_broadcasters_are_refused() {
        for (text, ask) in [
            (r#"{"type":"ping"}"#, Ask::Ping),
            (r#"{"type":"get_style_prompt"}"#, Ask::Style),
            (r#"{"type":"get_processor_info"}"#, Ask::ProcessorInfo),
            (r#"{"type":"check_stream_status"}"#, Ask::Status(None)),
        ] {
            assert_eq!(asks(Role::Viewer, text), ask, "{text}");
        }
        for kind in BROADCASTERS {
            let answer = hear(Role::Viewer, &json!({"type": kind, "prompt": "x", "frame": "x"}).to_string());
            assert_eq!(answer.expect_err("not theirs")["type"], "error");
        }
    }

    #[test]
    fn what_cannot_be_used_is_answered_in_its_form() {
        let answer = |text: &str| hear(Role::Broadcaster, text).expect_err("bad");
        for text in ["{}", "[]", "7", "null", r#"{"type": 7}"#, r#"{"frame": "x"}"#] {
            assert_eq!(answer(text), json!({"error": "Invalid message format"}), "{text}");
        }
        for text in [
            "",
            "{",
            r#"{"type":"frame"}"#,
            r#"{"type":"frame","frame":"§"}"#,
            r#"{"type":"update_prompt"}"#,
            r#"{"type":"update_prompt","prompt":7}"#,
            r#"{"type":"update_strength","strength":7}"#,
            r#"{"type":"update_strength","strength":0.05}"#,
            r#"{"type":"update_processor"}"#,
        ] {
            assert!(answer(text)["message"].is_string() && answer(text)["type"] == "error", "{text}");
        }
        let long = json!({"type": "frame", "frame": "A".repeat(FRAME_MAX + 1)}).to_string();
        assert_eq!(answer(&long)["message"], "Frame too large");
    }

    #[test]
    fn what_its_own_server_does_not_know_is_no_error() {
        for (role, kind) in
            [(Role::Broadcaster, "get_server_info"), (Role::Viewer, "list_streams"), (Role::Viewer, "dance")]
        {
            assert_eq!(asks(role, &json!({"type": kind}).to_string()), Ask::Nothing, "{kind}");
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_is_understood_or_answered(text in "\\PC{0,40}|[{]\"type\":\"(frame|update_prompt|update_strength)\",\"(frame|prompt|strength)\":[-0-9.e\"aefrstu]{1,8}[}]") {
            for role in [Role::Broadcaster, Role::Viewer] {
                match hear(role, &text) {
                    Ok(ask) => {
                        let mut settings = mirror_contract::Settings::default();
                        for (name, value) in &ask.changes() {
                            prop_assert!(settings.set(name, value).is_ok());
                        }
                    }
                    Err(answer) => prop_assert!(answer["type"] == "error" || answer["error"] == "Invalid message format"),
                }
            }
        }
    }
}
