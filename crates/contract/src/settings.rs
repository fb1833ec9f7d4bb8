//! One stream's values of the parameter table.

use crate::parameters::{PARAMETERS, Parameter, parameter};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The settings of a stream. The fields are the rows of [`PARAMETERS`]; a test holds the two together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Whose settings these are.
    #[serde(skip)]
    pub stream: String,
    /// Rises with every change.
    #[serde(skip)]
    pub version: i64,
    /// The pack that `processor` paints with, for the nodes; no name is the default pack's.
    #[serde(skip)]
    pub pack: String,
    /// The pack that is to be opened, because the stream will be painted with it; mostly none.
    #[serde(skip)]
    pub next_pack: String,
    /// What the picture is painted as.
    pub prompt: String,
    /// How long a new prompt takes to replace the one before, in milliseconds.
    pub prompt_fade_ms: i64,
    /// What it must not look like.
    pub negative_prompt: String,
    /// 0 leaves the camera's picture, 1 repaints it.
    pub strength: f64,
    /// UNet evaluations a picture.
    pub steps: i64,
    /// Classifier-free guidance scale; off at 0 and 1.
    pub guidance_scale: f64,
    /// Chooses the noise.
    pub seed: i64,
    /// The same noise for every frame.
    pub fixed_seed: bool,
    /// The prompt alone is painted, from noise.
    pub text_to_image: bool,
    /// Pack and way of painting.
    pub processor: String,
    /// Side of the square picture, in pixels.
    pub size: i64,
    /// Left and right swapped.
    pub mirror: bool,
    /// 0 shows the camera, 1 the painting.
    pub opacity: f64,
    /// Nothing is painted.
    pub passthrough: bool,
}

/// A setting that the table does not allow.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SettingError {
    /// No parameter has that name.
    #[error("there is no setting \"{name}\"; there are {known}")]
    Unknown {
        /// The name that came.
        name: String,
        /// All names.
        known: String,
    },
    /// The value has the wrong type or is out of range.
    #[error("{name} must be {range}, not {value}")]
    OutOfRange {
        /// The parameter.
        name: &'static str,
        /// What it may be.
        range: String,
        /// What came, as JSON, shortened.
        value: String,
    },
}

impl Default for Settings {
    /// The defaults of the table, for no stream.
    fn default() -> Self {
        let defaults = PARAMETERS.iter().map(|parameter| (parameter.name.to_owned(), parameter.default())).collect();
        // The table and the fields are one list, which a test checks.
        serde_json::from_value(Value::Object(defaults)).expect("the parameter table has every field")
    }
}

impl Settings {
    /// The defaults of the table, for a stream.
    #[must_use]
    pub fn of(stream: &str) -> Self {
        Self { stream: stream.to_owned(), ..Self::default() }
    }

    /// The values by name.
    #[must_use]
    pub fn values(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(values)) => values,
            _ => Map::new(),
        }
    }

    /// Sets one parameter.
    ///
    /// # Errors
    /// A name that is not in the table, a value that its row does not allow; the settings stay as they were.
    pub fn set(&mut self, name: &str, value: &Value) -> Result<(), SettingError> {
        let parameter = parameter(name).ok_or_else(|| unknown(name))?;
        if !parameter.allows(value) {
            return Err(out_of_range(parameter, value));
        }
        let mut values = self.values();
        values.insert(name.to_owned(), value.clone());
        let settings: Self =
            serde_json::from_value(Value::Object(values)).map_err(|_| out_of_range(parameter, value))?;
        // What is no parameter stays.
        let Self { stream, version, pack, next_pack, .. } = std::mem::take(self);
        *self = Self { stream, version, pack, next_pack, ..settings };
        Ok(())
    }
}

fn unknown(name: &str) -> SettingError {
    let known = PARAMETERS.iter().map(|parameter| parameter.name).collect::<Vec<_>>().join(", ");
    SettingError::Unknown { name: name.chars().take(64).collect(), known }
}

fn out_of_range(parameter: &Parameter, value: &Value) -> SettingError {
    let value = value.to_string().chars().take(64).collect();
    SettingError::OutOfRange { name: parameter.name, range: parameter.range(), value }
}
