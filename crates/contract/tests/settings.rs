//! The table of parameters, and the settings made of it.

use mirror_contract::parameters::{Kind, PARAMETERS};
use mirror_contract::{Prompt, Settings, SettingsUpdate, Stamp, Trace};
use serde_json::json;

#[test]
fn the_fields_of_the_settings_are_the_rows_of_the_table() {
    let fields: Vec<String> = Settings::default().values().keys().cloned().collect();
    let mut rows: Vec<String> = PARAMETERS.iter().map(|parameter| parameter.name.to_owned()).collect();
    rows.sort();
    let mut sorted = fields.clone();
    sorted.sort();
    assert_eq!(sorted, rows);
}

#[test]
fn every_default_is_allowed_by_its_own_row() {
    for parameter in PARAMETERS {
        assert!(parameter.allows(&parameter.default()), "{}", parameter.name);
    }
}

#[test]
fn commands_and_names_are_unique() {
    for (index, one) in PARAMETERS.iter().enumerate() {
        for other in &PARAMETERS[index + 1..] {
            assert_ne!(one.name, other.name);
            assert_ne!(one.command, other.command);
        }
    }
}

#[test]
fn a_number_at_either_end_of_its_range_is_taken_and_one_beyond_is_refused() {
    for parameter in PARAMETERS {
        let (inside, outside) = match parameter.kind {
            Kind::Integer { min, max, step, .. } => {
                (vec![json!(min), json!(max)], vec![json!(min - step), json!(max + step), json!(min as f64 + 0.5)])
            }
            Kind::Number { min, max, .. } => {
                (vec![json!(min), json!(max)], vec![json!(min - 0.001), json!(max + 0.001)])
            }
            Kind::Text { max_chars, .. } => {
                (vec![json!("ü".repeat(max_chars))], vec![json!("ü".repeat(max_chars + 1))])
            }
            Kind::Switch { .. } => (vec![json!(true), json!(false)], vec![json!("on"), json!(1)]),
        };
        for value in inside {
            assert_eq!(Settings::default().set(parameter.name, &value), Ok(()), "{} {value}", parameter.name);
        }
        for value in outside {
            let mut settings = Settings::default();
            let error = settings.set(parameter.name, &value).expect_err(parameter.name).to_string();
            assert!(error.contains(parameter.name) && error.contains(&parameter.range()), "{error}");
            assert_eq!(settings, Settings::default());
        }
    }
}

#[test]
fn an_unknown_setting_is_refused_with_the_known_ones() {
    let error = Settings::default().set("strenght", &json!(0.5)).expect_err("a misspelt name").to_string();
    assert!(error.starts_with("there is no setting \"strenght\"; there are prompt, "), "{error}");
}

#[test]
fn a_value_that_people_type_is_read_by_its_row() {
    let parse = |name: &str, text: &str| PARAMETERS.iter().find(|row| row.name == name).expect("a row").parse(text);
    assert_eq!(parse("strength", "0.6"), Ok(json!(0.6)));
    assert_eq!(parse("steps", "2"), Ok(json!(2)));
    assert_eq!(parse("passthrough", "on"), Ok(json!(true)));
    assert_eq!(parse("passthrough", "perhaps"), Err("on or off".to_owned()));
    assert_eq!(parse("steps", "many"), Err("a whole number from 1 to 50".to_owned()));
}

#[test]
fn what_was_said_is_the_prompt_of_its_stream() {
    let stamp = Stamp { stream: "garden".to_owned(), frame_id: 3, captured_ns: 5 };
    let prompt = Prompt { stamp, trace: Trace::default(), origin: "voice".to_owned(), text: "neon".to_owned() };
    let update = SettingsUpdate::from(prompt);
    assert_eq!((update.stream.as_str(), update.origin.as_str()), ("garden", "voice"));
    assert_eq!(json!(update.values), json!({ "prompt": "neon" }));
}
