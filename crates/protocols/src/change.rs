//! Their values → values that the parameter table allows.

use mirror_contract::parameters::{Kind, Parameter, parameter};
use serde_json::{Map, Value};

/// Settings by name, each within its row of the parameter table.
pub type Changes = Map<String, Value>;

/// Adds a setting to `changes`, as near to the value as the table allows: other systems have wider ranges, and a slider
/// that goes further must not break a stream. Numbers may come as texts, whole ones with a fraction; a seed keeps its
/// lowest 32 bits.
///
/// # Errors
/// A value of another type, a text that is too long, a setting that the table does not have: says what would be right.
pub fn put(changes: &mut Changes, name: &str, value: &Value) -> Result<(), String> {
    let parameter = parameter(name).ok_or_else(|| format!("there is no setting \"{}\"", shorten(name)))?;
    let wrong = || format!("{name} must be {}, not {}", parameter.range(), shorten(&value.to_string()));
    let value = nearest(parameter, value).ok_or_else(wrong)?;
    changes.insert(name.to_owned(), value);
    Ok(())
}

/// The first characters of what came from outside, for an error.
#[must_use]
pub fn shorten(text: &str) -> String {
    text.chars().take(64).collect()
}

fn nearest(parameter: &Parameter, value: &Value) -> Option<Value> {
    match parameter.kind {
        Kind::Text { max_chars, .. } => {
            value.as_str().filter(|text| text.chars().count() <= max_chars).map(Value::from)
        }
        Kind::Switch { .. } => switch(value).map(Value::from),
        Kind::Number { min, max, .. } => number(value).map(|number| number.clamp(min, max).into()),
        Kind::Integer { min, max, step, .. } => {
            let number = whole(value)?;
            if parameter.name == "seed" {
                // JavaScript's seeds have 53 bits. A clamped one would give everybody the same noise.
                return Some(number.rem_euclid(max + 1).into());
            }
            let steps = (number.clamp(min, max) - min + step / 2) / step;
            Some((min + steps * step).min(max).into())
        }
    }
}

fn switch(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(switch) => Some(*switch),
        Value::Number(number) => match number.as_i64()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        },
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "on" | "1" => Some(true),
            "false" | "off" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

fn whole(value: &Value) -> Option<i64> {
    // Beyond 2^53 a detour over f64 would lose digits.
    if let Some(number) = value.as_i64() {
        return Some(number);
    }
    let number = number(value)?.round();
    // `as` saturates: what is beyond i64 is beyond every range as well.
    Some(number as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn put_one(name: &str, value: &Value) -> Result<Value, String> {
        let mut changes = Changes::new();
        put(&mut changes, name, value).map(|()| changes[name].clone())
    }

    #[test]
    fn a_value_beyond_the_range_becomes_the_nearest_one_within() {
        assert_eq!(put_one("strength", &json!(1.7)), Ok(json!(1.0)));
        assert_eq!(put_one("steps", &json!(0)), Ok(json!(1)));
        assert_eq!(put_one("size", &json!(500)), Ok(json!(512)));
        assert_eq!(put_one("size", &json!(9999)), Ok(json!(1024)));
        assert_eq!(put_one("guidance_scale", &json!(30)), Ok(json!(20.0)));
    }

    #[test]
    fn numbers_come_as_texts_and_whole_ones_with_a_fraction() {
        assert_eq!(put_one("steps", &json!("4")), Ok(json!(4)));
        assert_eq!(put_one("steps", &json!(4.0)), Ok(json!(4)));
        assert_eq!(put_one("strength", &json!("0.5")), Ok(json!(0.5)));
    }

    #[test]
    fn two_great_seeds_stay_two() {
        assert_ne!(
            put_one("seed", &json!(8_638_236_174_640_251_i64)),
            put_one("seed", &json!(4_402_026_899_276_587_i64))
        );
        assert_eq!(put_one("seed", &json!(2_159_232)), Ok(json!(2_159_232)));
    }

    #[test]
    fn a_value_of_another_type_says_what_would_be_right() {
        let error = put_one("steps", &json!("many")).expect_err("not a number");
        assert_eq!(error, "steps must be a whole number from 1 to 50, not \"many\"");
        assert!(put_one("prompt", &json!(7)).is_err());
        assert!(put_one("prompt", &json!("x".repeat(2001))).is_err());
        assert!(put_one("mirror", &json!("perhaps")).is_err());
        assert!(put_one("brightness", &json!(1)).is_err());
    }

    proptest! {
        #[test]
        fn whatever_is_put_the_table_allows_it(index in 0..mirror_contract::parameters::PARAMETERS.len(), number in any::<f64>(), whole in any::<i64>(), text in "\\PC{0,8}") {
            let parameter = &mirror_contract::parameters::PARAMETERS[index];
            for value in [json!(number), json!(whole), json!(text), json!(null), json!([whole]), json!(whole.to_string())] {
                if let Ok(value) = put_one(parameter.name, &value) {
                    prop_assert!(parameter.allows(&value), "{} {value}", parameter.name);
                }
            }
        }
    }
}
