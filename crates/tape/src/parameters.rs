//! dora's metadata ⇄ JSON, exactly: what comes back is what went in, also where JSON alone would not tell.
//!
//! Integers stay integers, floats have a point, an empty list says what it would hold. Sixty-four-bit times are written
//! in full; a viewer that reads numbers as JavaScript does shows them to about 200 ns.

use dora_node_api::Parameter;
use eyre::{Result, bail, eyre};
use mirror_contract::MetadataParameters;
use serde_json::{Map, Number, Value, json};

/// An empty list of what follows: `{"empty": "texts"}`.
const EMPTY: &str = "empty";

/// Metadata as a JSON object.
///
/// # Errors
/// A value that JSON has no word for: named.
pub fn to_json(parameters: &MetadataParameters) -> Result<Map<String, Value>> {
    let value = |(key, value): (&String, &Parameter)| {
        let value = match value {
            Parameter::Bool(value) => json!(value),
            Parameter::Integer(value) => json!(value),
            Parameter::String(value) => json!(value),
            Parameter::Float(value) => float(*value).ok_or_else(|| eyre!("{key}={value} cannot be recorded"))?,
            Parameter::ListInt(values) if values.is_empty() => json!({ EMPTY: "integers" }),
            Parameter::ListFloat(values) if values.is_empty() => json!({ EMPTY: "floats" }),
            Parameter::ListString(values) if values.is_empty() => json!({ EMPTY: "texts" }),
            Parameter::ListInt(values) => json!(values),
            Parameter::ListString(values) => json!(values),
            Parameter::ListFloat(values) => {
                let values: Option<Vec<Value>> = values.iter().copied().map(float).collect();
                Value::Array(values.ok_or_else(|| eyre!("{key} cannot be recorded: it holds a value that is none"))?)
            }
            other @ Parameter::Timestamp(_) => bail!("{key}={other:?} cannot be recorded"),
        };
        Ok((key.clone(), value))
    };
    parameters.iter().map(value).collect()
}

fn float(value: f64) -> Option<Value> {
    Number::from_f64(value).map(Value::Number)
}

/// The metadata of such an object.
///
/// # Errors
/// A value that no metadata have: named.
pub fn from_json(object: &Map<String, Value>) -> Result<MetadataParameters> {
    let parameter = |(key, value): (&String, &Value)| {
        parameter(value).map(|value| (key.clone(), value)).ok_or_else(|| eyre!("{key}: {value} is no metadata"))
    };
    object.iter().map(parameter).collect()
}

fn parameter(value: &Value) -> Option<Parameter> {
    Some(match value {
        Value::Bool(value) => Parameter::Bool(*value),
        Value::String(text) => Parameter::String(text.clone()),
        Value::Number(number) => match number.as_i64() {
            Some(value) => Parameter::Integer(value),
            None => Parameter::Float(number.as_f64()?),
        },
        Value::Object(object) => match object.get(EMPTY)?.as_str()? {
            "integers" => Parameter::ListInt(Vec::new()),
            "floats" => Parameter::ListFloat(Vec::new()),
            "texts" => Parameter::ListString(Vec::new()),
            _ => return None,
        },
        Value::Array(values) if values.iter().all(Value::is_string) => {
            Parameter::ListString(values.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        }
        Value::Array(values) if values.iter().all(Value::is_i64) => {
            Parameter::ListInt(values.iter().filter_map(Value::as_i64).collect())
        }
        Value::Array(values) => Parameter::ListFloat(values.iter().map(Value::as_f64).collect::<Option<_>>()?),
        Value::Null => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_metadata_comes_back_as_it_went() {
        let texts = |texts: &[&str]| Parameter::ListString(texts.iter().map(ToString::to_string).collect());
        let parameters: MetadataParameters = [
            ("stream", Parameter::String("house".to_owned())),
            ("captured_ns", Parameter::Integer(1_795_270_000_123_456_789)),
            ("passthrough", Parameter::Bool(false)),
            ("whole", Parameter::Float(1.0)),
            ("third", Parameter::Float(1.0 / 3.0)),
            ("no_texts", texts(&[])),
            ("no_times", Parameter::ListInt(vec![])),
            ("no_weights", Parameter::ListFloat(vec![])),
            ("trace_stages", texts(&["camera", ""])),
            ("trace_ns", Parameter::ListInt(vec![i64::MIN, 0, i64::MAX])),
            ("weights", Parameter::ListFloat(vec![1.0, -0.0])),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
        let text = Value::Object(to_json(&parameters).expect("all of it can be written")).to_string();
        let Value::Object(object) = serde_json::from_str(&text).expect("JSON") else { panic!("an object: {text}") };
        assert_eq!(from_json(&object).expect("metadata"), parameters);
    }

    #[test]
    fn what_cannot_be_written_or_read_is_named() {
        let nan = [("gain".to_owned(), Parameter::Float(f64::NAN))].into_iter().collect();
        assert!(to_json(&nan).expect_err("not a number").to_string().contains("gain"));
        let Value::Object(object) = json!({"stream": null}) else { panic!("an object") };
        assert!(from_json(&object).expect_err("nothing").to_string().contains("stream"));
    }
}
