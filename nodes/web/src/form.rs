//! The parameter table as JSON: the page builds its form from it.

use mirror_contract::parameters::{Kind, PARAMETERS, Parameter};
use serde_json::{Value, json};

/// All rows. `processors` are the choices of the setting `processor`; empty: any text.
#[must_use]
pub fn parameters(processors: &[String]) -> Value {
    PARAMETERS.iter().map(|parameter| row(parameter, processors)).collect()
}

fn row(parameter: &Parameter, processors: &[String]) -> Value {
    let mut row = match parameter.kind {
        Kind::Text { max_chars, .. } => json!({"kind": "text", "max_chars": max_chars}),
        Kind::Integer { min, max, step, .. } => json!({"kind": "integer", "min": min, "max": max, "step": step}),
        Kind::Number { min, max, .. } => json!({"kind": "number", "min": min, "max": max}),
        Kind::Switch { .. } => json!({"kind": "switch"}),
    };
    row["name"] = parameter.name.into();
    row["text"] = parameter.text.into();
    row["range"] = parameter.range().into();
    row["default"] = parameter.default();
    if parameter.name == "processor" && !processors.is_empty() {
        row["choices"] = json!(processors);
    }
    row
}
