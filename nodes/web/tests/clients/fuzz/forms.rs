//! The forms of what the mirror says: nothing else may come out of a socket.

use serde_json::{Value, json};

pub fn is_realtime(said: &Value) -> bool {
    match said["status"].as_str() {
        Some("connected" | "error" | "timeout") => said["message"].is_string(),
        Some("wait" | "send_frame") => true,
        _ => false,
    }
}

pub fn is_live(said: &Value) -> bool {
    let data = &said["data"];
    match said["type"].as_str() {
        Some("error") => data["error"].is_string() && data["details"].is_string(),
        Some("status") => data["connected"].is_boolean() && data["model_loaded"].is_boolean(),
        Some("settings") => data["settings"].is_object(),
        Some("pong") => data["timestamp"].is_f64(),
        Some("processed_frame") => data["width"].is_u64() && data["processing_time"].is_f64(),
        _ => false,
    }
}

/// What DreamStream's server says, and which of its fields are texts.
const DREAM: &[(&str, &[&str])] = &[
    ("error", &["message"]),
    ("processor_info", &["processor_type", "message"]),
    ("stream_status", &["streamId", "message"]),
    ("style_updated", &["prompt", "processor_type"]),
    ("frame", &["streamId", "frame", "processor_type", "style_prompt"]),
    ("frame_skipped", &["message"]),
    ("prompt_updated", &["prompt"]),
    ("processor_updated", &["processor_type"]),
    ("negative_prompt_updated", &["negative_prompt"]),
    ("strength_updated", &[]),
    ("stream_ended_confirmation", &["streamId", "message"]),
    ("stream_ended", &["streamId", "message"]),
    ("pong", &[]),
    ("latest_frame", &["message"]),
    ("subscription_confirmed", &["message"]),
    ("unsubscription_confirmed", &["message"]),
];

pub fn is_dream(said: &Value) -> bool {
    let known = DREAM.iter().find(|(kind, _)| said["type"] == *kind);
    let is_whole = |(_, texts): &(&str, &[&str])| texts.iter().all(|name| said[*name].is_string());
    *said == json!({"error": "Invalid message format"}) || known.is_some_and(is_whole)
}

/// The page's own: the table of `visit.rs`.
pub fn is_page(said: &Value) -> bool {
    match said["type"].as_str() {
        Some("welcome") => {
            said["stream"].is_string() && ["is_owner", "hears", "compares"].iter().all(|name| said[*name].is_boolean())
        }
        Some("credit") => true,
        Some("status") => said["settings"].is_object() && said["figures"].is_object() && said["notices"].is_array(),
        Some("accepted") => said["values"].is_object(),
        Some("refused") => said["errors"].as_array().is_some_and(|errors| !errors.is_empty()),
        Some("trouble") => said["error"].is_string(),
        Some("ended") => said["error"].is_string() && said["code"].is_string(),
        _ => false,
    }
}

/// A head's length, the head, a JPEG file or two.
pub fn is_painting(bytes: &[u8]) -> bool {
    let Some((length, rest)) = bytes.split_first_chunk::<4>() else { return false };
    let Some((head, files)) = rest.split_at_checked(u32::from_le_bytes(*length) as usize) else { return false };
    let head: Value = serde_json::from_slice(head).unwrap_or_default();
    head["frame"].is_i64() && is_jpeg(files)
}

pub fn is_jpeg(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xFF, 0xD8, 0xFF])
}

/// Nothing is sent as bytes.
pub fn is_none(_: &[u8]) -> bool {
    false
}
