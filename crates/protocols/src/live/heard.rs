//! Messages on the socket, in both directions.

use super::settings;
use crate::change::{Changes, shorten};
use mirror_contract::Settings;
use serde_json::{Value, json};

/// What a text has led to.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// Settings, in our words.
    Settings(Changes),
    /// It asks whether we are there.
    Ping,
    /// It cannot be used: the answer.
    Refused(Value),
}

/// Reads a text.
#[must_use]
pub fn hear(text: &str) -> Heard {
    let message: Value = match serde_json::from_str(text) {
        Ok(message) => message,
        Err(error) => return Heard::Refused(said::error("Invalid JSON", &error.to_string())),
    };
    let Some(kind) = message.get("type").and_then(Value::as_str) else {
        let hint = "a message must be an object with a \"type\", like {\"type\": \"ping\"}";
        return Heard::Refused(said::error("Invalid message format", hint));
    };
    match kind {
        "ping" => Heard::Ping,
        "settings" => {
            // Its own client wraps the settings once; a client that was written after the page's REST calls, twice or not.
            let data = message.get("data").filter(|data| !data.is_null());
            let data = data.map(|data| data.get("settings").unwrap_or(data));
            let data = data.or_else(|| settings::has_any(&message).then_some(&message));
            let Some(data) = data else {
                let hint = "send {\"type\": \"settings\", \"data\": {\"prompt\": \"neon lights\"}}";
                return Heard::Refused(said::error("Missing settings data", hint));
            };
            match settings::changes(data) {
                Ok(changes) => Heard::Settings(changes),
                Err(error) => Heard::Refused(said::error("Invalid settings", &error)),
            }
        }
        other => {
            let error = format!("Unknown message type: {}", shorten(other));
            Heard::Refused(said::error(&error, "the types are settings and ping; pictures are binary messages"))
        }
    }
}

/// What the server says.
pub mod said {
    use super::{Settings, Value, json, settings};

    /// The first message: whether a model is loaded, and which.
    #[must_use]
    pub fn status(model: Option<&str>, message: &str) -> Value {
        json!({"type": "status", "data": {"connected": true, "processing": false, "model_loaded": model.is_some(),
            "model_name": model, "message": message}})
    }

    /// The settings are these now.
    #[must_use]
    pub fn settings_now(now: &Settings) -> Value {
        json!({"type": "settings", "data": {"settings": settings::shown(now)}})
    }

    /// The answer to `ping`; seconds since the Unix epoch.
    #[must_use]
    pub fn pong(timestamp: f64) -> Value {
        json!({"type": "pong", "data": {"timestamp": timestamp}})
    }

    /// A painted picture follows as a binary message. Sides in pixels, times in seconds.
    #[must_use]
    pub fn processed_frame([width, height]: [usize; 2], timestamp: f64, processing_time: f64) -> Value {
        json!({"type": "processed_frame", "data": {"width": width, "height": height, "timestamp": timestamp,
            "processing_time": processing_time}})
    }

    /// Something cannot be done.
    #[must_use]
    pub fn error(error: &str, details: &str) -> Value {
        json!({"type": "error", "data": {"error": error, "details": details}})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn refused(text: &str) -> String {
        match hear(text) {
            Heard::Refused(answer) => {
                assert_eq!(answer["type"], "error");
                assert!(answer["data"]["details"].is_string(), "{answer}");
                answer["data"]["error"].as_str().expect("a text").to_owned()
            }
            heard => panic!("{heard:?}"),
        }
    }

    fn settings_of(text: &str) -> Value {
        match hear(text) {
            Heard::Settings(changes) => Value::Object(changes),
            heard => panic!("{heard:?}"),
        }
    }

    #[test]
    fn settings_come_in_both_spellings() {
        let expected = json!({"prompt": "neon", "negative_prompt": "mud", "strength": 0.5, "guidance_scale": 7.5, "steps": 20, "seed": 7, "fixed_seed": true});
        let snake = r#"{"type": "settings", "data": {"prompt": "neon", "negative_prompt": "mud", "denoising_strength": 0.5, "guidance": 7.5, "steps": 20, "seed": 7}}"#;
        let camel = r#"{"type": "settings", "data": {"prompt": "neon", "negativePrompt": "mud", "denoisingStrength": 0.5, "guidance": 7.5, "steps": 20, "seed": 7, "useRandomSeed": false}}"#;
        let bare = r#"{"type": "settings", "prompt": "neon", "negativePrompt": "mud", "denoisingStrength": 0.5, "guidance": 7.5, "steps": 20, "seed": 7}"#;
        let twice = r#"{"type": "settings", "data": {"settings": {"prompt": "neon", "negativePrompt": "mud", "strength": 0.5, "guidance": 7.5, "steps": 20, "seed": 7}}}"#;
        for text in [snake, camel, bare, twice] {
            assert_eq!(settings_of(text), expected, "{text}");
        }
    }

    #[test]
    fn a_seed_below_zero_and_a_random_one_change_with_every_picture() {
        for text in [
            r#"{"type":"settings","data":{"seed":-1}}"#,
            r#"{"type":"settings","data":{"useRandomSeed":true,"seed":-1}}"#,
            r#"{"type":"settings","data":{"use_random_seed":true}}"#,
        ] {
            assert_eq!(settings_of(text), json!({"fixed_seed": false}), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_said_in_an_envelope() {
        assert_eq!(refused(r#"{"type": "settings"}"#), "Missing settings data");
        assert_eq!(refused(r#"{"type": "settings", "data": null}"#), "Missing settings data");
        assert_eq!(refused(r#"{"type": "settings", "data": 7}"#), "Invalid settings");
        assert_eq!(refused(r#"{"type": "settings", "data": {"steps": "many"}}"#), "Invalid settings");
        assert_eq!(refused(r#"{"type": "dance"}"#), "Unknown message type: dance");
        assert_eq!(refused("{"), "Invalid JSON");
        for text in ["7", "[]", "{}", "null", r#"{"type": 7}"#] {
            assert_eq!(refused(text), "Invalid message format", "{text}");
        }
    }

    #[test]
    fn what_is_said_sits_in_data() {
        assert_eq!(hear(r#"{"type":"ping"}"#), Heard::Ping);
        assert_eq!(said::pong(1.5), json!({"type": "pong", "data": {"timestamp": 1.5}}));
        let status = said::status(Some("turbo"), "Connected to server");
        let expected = json!({"connected": true, "processing": false, "model_loaded": true, "model_name": "turbo", "message": "Connected to server"});
        assert_eq!(status["data"], expected);
        assert_eq!(said::status(None, "")["data"]["model_name"], Value::Null);
        let frame = said::processed_frame([512, 384], 2.0, 0.25);
        assert_eq!(frame["data"], json!({"width": 512, "height": 384, "timestamp": 2.0, "processing_time": 0.25}));
    }

    proptest! {
        #[test]
        fn whatever_comes_is_settings_that_the_table_allows_or_an_answer(text in "\\PC{0,40}|[{]\"type\":\"settings\",\"data\":[{]\"(steps|seed|guidance|prompt|denoisingStrength)\":[-0-9.e\"aefrstu]{1,8}[}][}]") {
            if let Heard::Settings(changes) = hear(&text) {
                let mut settings = Settings::default();
                for (name, value) in &changes {
                    prop_assert!(settings.set(name, value).is_ok());
                }
            }
        }
    }
}
