//! A socket's conversation.

use crate::change::{self, Changes};
use mirror_contract::parameters::PARAMETERS;
use serde_json::{Map, Value, json};

/// What a client sends beside its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// A picture of its camera.
    #[default]
    Image,
    /// Nothing: the prompt alone is painted.
    Text,
}

impl Mode {
    /// Its name in the protocol.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Text => "text",
        }
    }
}

/// What a message has led to.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// More is to come.
    Nothing,
    /// A picture: the message itself is the file, or there is none in [`Mode::Text`]. It is to be painted with these.
    Frame(Changes),
    /// An empty picture: the client's camera was not ready. Ask again.
    Again,
    /// The conversation is broken; this says why.
    Broken(String),
}

#[derive(Debug, Default)]
enum Expects {
    #[default]
    Word,
    Parameters,
    Picture(Changes),
}

/// The client's side of a conversation.
#[derive(Debug, Default)]
pub struct Session {
    mode: Mode,
    expects: Expects,
}

impl Session {
    /// A conversation that has just begun.
    #[must_use]
    pub fn new(mode: Mode) -> Self {
        Self { mode, expects: Expects::Word }
    }

    /// A text has come.
    pub fn text(&mut self, text: &str) -> Heard {
        let message = match serde_json::from_str(text) {
            Ok(Value::Object(message)) => message,
            Ok(_) => return Heard::Broken("a message must be a JSON object".to_owned()),
            Err(error) => return Heard::Broken(format!("this is not JSON: {error}")),
        };
        match std::mem::take(&mut self.expects) {
            Expects::Word => self.word(&message),
            Expects::Parameters => self.parameters(&message),
            Expects::Picture(_) => {
                Heard::Broken("after the parameters a picture must come, as a binary message".to_owned())
            }
        }
    }

    /// A binary message of that length has come.
    pub fn binary(&mut self, len: usize) -> Heard {
        match std::mem::take(&mut self.expects) {
            Expects::Picture(_) if len == 0 => Heard::Again,
            Expects::Picture(changes) => Heard::Frame(changes),
            Expects::Word => {
                Heard::Broken("a picture must follow {\"status\": \"next_frame\"} and the parameters".to_owned())
            }
            Expects::Parameters => Heard::Broken("the parameters must come as text, before the picture".to_owned()),
        }
    }

    fn word(&mut self, message: &Map<String, Value>) -> Heard {
        match message.get("status").and_then(Value::as_str) {
            Some("next_frame") => {
                self.expects = Expects::Parameters;
                Heard::Nothing
            }
            // Words of later versions are no reason to part.
            Some(_) => Heard::Nothing,
            None => Heard::Broken("a message needs a \"status\", like {\"status\": \"next_frame\"}".to_owned()),
        }
    }

    fn parameters(&mut self, message: &Map<String, Value>) -> Heard {
        match changes(message) {
            Err(error) => Heard::Broken(error),
            Ok(changes) if self.mode == Mode::Text => Heard::Frame(changes),
            Ok(changes) => {
                self.expects = Expects::Picture(changes);
                Heard::Nothing
            }
        }
    }
}

/// Their parameters as ours. Those that only their models have (ControlNet, adapters) are left out, as their server does
/// with names that a pipeline does not know.
fn changes(parameters: &Map<String, Value>) -> Result<Changes, String> {
    let mut changes = Changes::new();
    for parameter in PARAMETERS {
        if let Some(value) = parameters.get(parameter.name).filter(|value| !value.is_null()) {
            change::put(&mut changes, parameter.name, value)?;
        }
    }
    let side = |name: &str| parameters.get(name).and_then(Value::as_i64);
    // Pictures of the mirror are square.
    if let (false, Some(width), Some(height)) = (changes.contains_key("size"), side("width"), side("height")) {
        change::put(&mut changes, "size", &json!(width.min(height)))?;
    }
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NEXT: &str = r#"{"status": "next_frame"}"#;

    #[test]
    fn a_picture_is_three_messages() {
        let mut session = Session::new(Mode::Image);
        for _ in 0..2 {
            assert_eq!(session.text(NEXT), Heard::Nothing);
            let parameters = r#"{"prompt": "neon", "seed": 2159232, "steps": 4, "width": 768, "height": 768, "strength": 0.5,
                "guidance_scale": 0.2, "controlnet_scale": 0.8, "debug_canny": false}"#;
            assert_eq!(session.text(parameters), Heard::Nothing);
            let expected = json!({"prompt": "neon", "seed": 2_159_232, "steps": 4, "strength": 0.5, "guidance_scale": 0.2, "size": 768});
            assert_eq!(session.binary(100), Heard::Frame(expected.as_object().expect("an object").clone()));
        }
    }

    #[test]
    fn an_empty_picture_is_asked_for_again_from_the_start() {
        let mut session = Session::new(Mode::Image);
        session.text(NEXT);
        session.text("{}");
        assert_eq!(session.binary(0), Heard::Again);
        assert_eq!(session.text(NEXT), Heard::Nothing);
    }

    #[test]
    fn in_text_mode_the_parameters_are_enough() {
        let mut session = Session::new(Mode::Text);
        session.text(NEXT);
        assert!(
            matches!(session.text(r#"{"prompt": "a cat"}"#), Heard::Frame(changes) if changes["prompt"] == "a cat")
        );
    }

    #[test]
    fn a_conversation_in_another_order_is_broken() {
        let broken = |heard: &Heard| matches!(heard, Heard::Broken(_));
        assert!(broken(&Session::new(Mode::Image).binary(9)));
        for text in ["", "7", "[]", "{", "{}", r#"{"status": 7}"#, "\u{0}"] {
            assert!(broken(&Session::new(Mode::Image).text(text)), "{text}");
        }
        let mut session = Session::new(Mode::Image);
        session.text(NEXT);
        assert!(broken(&session.binary(9)));
        let mut session = Session::new(Mode::Image);
        session.text(NEXT);
        assert!(broken(&session.text(r#"{"steps": "many"}"#)));
        let mut session = Session::new(Mode::Image);
        session.text(NEXT);
        session.text("{}");
        assert!(broken(&session.text("{}")));
    }

    #[test]
    fn words_that_nobody_knows_are_no_reason_to_part() {
        assert_eq!(Session::new(Mode::Image).text(r#"{"status": "hello"}"#), Heard::Nothing);
    }

    proptest! {
        #[test]
        fn what_is_painted_the_table_allows(texts in proptest::collection::vec("\\PC{0,20}|[{]\"status\":\"next_frame\"[}]|[{]\"(steps|seed|size|prompt|strength)\":[-0-9.e\"]{1,6}[}]", 0..6), len in 0_usize..3) {
            let mut session = Session::new(Mode::Image);
            for text in texts {
                for heard in [session.text(&text), session.binary(len)] {
                    if let Heard::Frame(changes) = heard {
                        let mut settings = mirror_contract::Settings::default();
                        for (name, value) in &changes {
                            prop_assert!(settings.set(name, value).is_ok());
                        }
                    }
                }
            }
        }
    }
}
