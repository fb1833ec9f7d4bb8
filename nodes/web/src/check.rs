//! Settings from outside → accepted, or errors that name the range.

use mirror_contract::Settings;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// What is wrong with one setting.
#[derive(Debug, Clone, PartialEq, Serialize)]
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

/// Faults that are reported of one request.
const MAX_FAULTS: usize = 16;

/// Reads a JSON object of settings. All of them are accepted, or none. `processors` are the names that `processor` may
/// have; empty: any.
///
/// # Errors
/// Not JSON, not an object, an unknown setting, a value that the parameter table does not allow.
pub fn settings(body: &[u8], processors: &[String]) -> Result<Map<String, Value>, Vec<Fault>> {
    let values = match serde_json::from_slice(body) {
        Ok(Value::Object(values)) => values,
        Ok(_) => return Err(vec![Fault::whole("send an object of settings, like {\"prompt\": \"neon lights\"}")]),
        Err(error) => return Err(vec![Fault::whole(format!("this is not JSON: {error}"))]),
    };
    let mut trial = Settings::default();
    let mut faults = Vec::new();
    for (name, value) in &values {
        let setting = || name.chars().take(64).collect();
        if let Err(error) = trial.set(name, value) {
            faults.push(Fault { setting: setting(), error: error.to_string() });
        } else if name == "processor" && !processors.is_empty() && !processors.iter().any(|one| json!(one) == *value) {
            let error = format!("processor must be one of {}, not {value}", processors.join(", "));
            faults.push(Fault { setting: setting(), error });
        }
    }
    faults.truncate(MAX_FAULTS);
    if faults.is_empty() { Ok(values) } else { Err(faults) }
}
