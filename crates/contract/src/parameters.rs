//! THE table of parameters. Everything outside (chat, page, forms, sockets) is generated from it or checked by it.

use serde_json::Value;

/// One thing that can be set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameter {
    /// Its name: in messages, forms and files.
    pub name: &'static str,
    /// Its short name in the chat: `/guidance 1.2`.
    pub command: &'static str,
    /// Its type, range and default.
    pub kind: Kind,
    /// What it does, for people.
    pub text: &'static str,
}

/// Type, range and default of a parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// A text of at most `max_chars` characters.
    Text {
        /// Default.
        default: &'static str,
        /// Longest text, in characters.
        max_chars: usize,
    },
    /// A whole number.
    Integer {
        /// Default.
        default: i64,
        /// Least value.
        min: i64,
        /// Greatest value.
        max: i64,
        /// Allowed values are `min + n × step`.
        step: i64,
    },
    /// A number.
    Number {
        /// Default.
        default: f64,
        /// Least value.
        min: f64,
        /// Greatest value.
        max: f64,
    },
    /// On or off.
    Switch {
        /// Default.
        default: bool,
    },
}

/// Longest prompt: 77 tokens are far fewer, and a message stays small.
const PROMPT_MAX_CHARS: usize = 2000;

/// All parameters, in the order in which people see them.
pub const PARAMETERS: &[Parameter] = &[
    Parameter {
        name: "prompt",
        command: "prompt",
        kind: Kind::Text { default: "", max_chars: PROMPT_MAX_CHARS },
        text: "What the picture is painted as. Empty leaves it natural.",
    },
    Parameter {
        name: "prompt_fade_ms",
        command: "fade",
        kind: Kind::Integer { default: 0, min: 0, max: 10_000, step: 1 },
        text: "How long a new prompt takes to replace the one before, in milliseconds. 0 changes at once.",
    },
    Parameter {
        name: "negative_prompt",
        command: "negative",
        kind: Kind::Text { default: "", max_chars: PROMPT_MAX_CHARS },
        text: "What the picture must not look like. Counts only with a guidance scale above 1.",
    },
    Parameter {
        name: "strength",
        command: "strength",
        kind: Kind::Number { default: 1.0, min: 0.0, max: 1.0 },
        text: "How far the picture moves from the camera to the prompt: 0 leaves it, 1 repaints it.",
    },
    Parameter {
        name: "steps",
        command: "steps",
        kind: Kind::Integer { default: 1, min: 1, max: 50, step: 1 },
        text: "How many times the UNet looks at a picture. More is slower and, with most packs, finer.",
    },
    Parameter {
        name: "guidance_scale",
        command: "guidance",
        kind: Kind::Number { default: 1.0, min: 0.0, max: 20.0 },
        text: "How hard the prompt pulls against the negative prompt. Above 1 each step costs two.",
    },
    Parameter {
        name: "seed",
        command: "seed",
        kind: Kind::Integer { default: 0, min: 0, max: 4_294_967_295, step: 1 },
        text: "Chooses the noise. The same seed gives the same picture.",
    },
    Parameter {
        name: "fixed_seed",
        command: "fixed",
        kind: Kind::Switch { default: true },
        text: "On keeps the noise from frame to frame; off takes the next seed for every frame.",
    },
    Parameter {
        name: "text_to_image",
        command: "imagine",
        kind: Kind::Switch { default: false },
        text: "On forgets the camera and paints the prompt alone, from noise. The pack must be trained for it.",
    },
    Parameter {
        name: "processor",
        command: "processor",
        kind: Kind::Text { default: "turbo", max_chars: 64 },
        text: "The pack and way of painting: a name out of the list of processors.",
    },
    Parameter {
        name: "size",
        command: "size",
        kind: Kind::Integer { default: 512, min: 128, max: 1024, step: 64 },
        text: "Side of the square picture, in pixels.",
    },
    Parameter {
        name: "mirror",
        command: "mirror",
        kind: Kind::Switch { default: true },
        text: "On swaps left and right, as a mirror does.",
    },
    Parameter {
        name: "opacity",
        command: "opacity",
        kind: Kind::Number { default: 1.0, min: 0.0, max: 1.0 },
        text: "How much of the painting covers the camera's picture: 0 none, 1 all.",
    },
    Parameter {
        name: "passthrough",
        command: "passthrough",
        kind: Kind::Switch { default: false },
        text: "On shows the camera's own picture and paints nothing.",
    },
];

/// The parameter of that name.
#[must_use]
pub fn parameter(name: &str) -> Option<&'static Parameter> {
    PARAMETERS.iter().find(|parameter| parameter.name == name)
}

impl Parameter {
    /// The default as JSON.
    #[must_use]
    pub fn default(&self) -> Value {
        match self.kind {
            Kind::Text { default, .. } => default.into(),
            Kind::Integer { default, .. } => default.into(),
            Kind::Number { default, .. } => default.into(),
            Kind::Switch { default } => default.into(),
        }
    }

    /// Type and range in words: `a whole number from 1 to 50`.
    #[must_use]
    pub fn range(&self) -> String {
        match self.kind {
            Kind::Text { max_chars, .. } => format!("a text of at most {max_chars} characters"),
            Kind::Integer { min, max, step: 1, .. } => format!("a whole number from {min} to {max}"),
            Kind::Integer { min, max, step, .. } => format!("a whole number from {min} to {max} in steps of {step}"),
            Kind::Number { min, max, .. } => format!("a number from {min} to {max}"),
            Kind::Switch { .. } => "on or off".to_owned(),
        }
    }

    /// Whether the value is of the parameter's type and in its range.
    #[must_use]
    pub fn allows(&self, value: &Value) -> bool {
        match self.kind {
            Kind::Text { max_chars, .. } => value.as_str().is_some_and(|text| text.chars().count() <= max_chars),
            Kind::Integer { min, max, step, .. } => {
                value.as_i64().is_some_and(|number| (min..=max).contains(&number) && (number - min) % step == 0)
            }
            Kind::Number { min, max, .. } => value.as_f64().is_some_and(|number| (min..=max).contains(&number)),
            Kind::Switch { .. } => value.is_boolean(),
        }
    }

    /// A value as people type it: `on`, `0.6`, `a pencil drawing`. The result may still be out of range.
    ///
    /// # Errors
    /// Text that is not of the parameter's type; the error is its [`range`](Self::range).
    pub fn parse(&self, text: &str) -> Result<Value, String> {
        match self.kind {
            Kind::Text { .. } => Ok(text.into()),
            Kind::Integer { .. } => text.parse::<i64>().map(Value::from).map_err(|_| self.range()),
            Kind::Number { .. } => text.parse::<f64>().map(Value::from).map_err(|_| self.range()),
            Kind::Switch { .. } => match text.to_ascii_lowercase().as_str() {
                "on" | "true" | "yes" | "1" => Ok(true.into()),
                "off" | "false" | "no" | "0" => Ok(false.into()),
                _ => Err(self.range()),
            },
        }
    }
}
