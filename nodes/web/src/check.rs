//! Settings from outside → accepted, or errors that name the range.

use mirror_contract::Settings;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// What is wrong with one setting.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Fault {
    /// The setting, as it came, shortened; empty if it is about the whole request.
    pub setting: String,
    /// What is wrong and what would be right.
    pub error: String,
}

impl Fault {
    /// A fault of the whole request.
    #[must_use]
    pub fn whole(error: impl Into<String>) -> Self {
        Self { setting: String::new(), error: error.into() }
    }
}

/// An answer that says what is wrong.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Faults {
    /// At least one.
    pub errors: Vec<Fault>,
}

/// Faults that are reported of one request.
const MAX_FAULTS: usize = 16;

/// Reads a JSON object of settings.
///
/// # Errors
/// Not JSON, not an object.
pub fn object(body: &[u8]) -> Result<Map<String, Value>, Vec<Fault>> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(values)) => Ok(values),
        Ok(_) => Err(vec![Fault::whole("send an object of settings, like {\"prompt\": \"neon lights\"}")]),
        Err(error) => Err(vec![Fault::whole(format!("this is not JSON: {error}"))]),
    }
}

/// Checks settings: all of them are accepted, or none. `processors` are the names that `processor` may have; empty: any.
///
/// # Errors
/// An unknown setting, a value that the parameter table does not allow.
pub fn values(values: &Map<String, Value>, processors: &[String]) -> Result<(), Vec<Fault>> {
    let mut trial = Settings::default();
    let mut faults = Vec::new();
    for (name, value) in values {
        let setting = || name.chars().take(64).collect();
        if let Err(error) = trial.set(name, value) {
            faults.push(Fault { setting: setting(), error: error.to_string() });
        } else if name == "processor" && !processors.is_empty() && !processors.iter().any(|one| json!(one) == *value) {
            let error = format!("processor must be one of {}, not {value}", processors.join(", "));
            faults.push(Fault { setting: setting(), error });
        }
    }
    faults.truncate(MAX_FAULTS);
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}
