//! Conversations.

use chat::command::{Command, help, parse};
use chat::lines::{MAX_BYTES, next_line};
use chat::talk::{Reply, Talk};
use mirror_contract::parameters::{Kind, PARAMETERS, parameter};
use mirror_contract::{Level, Notice, Settings};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn sent(name: &str, value: Value) -> Reply {
    Reply::Send(Map::from_iter([(name.to_owned(), value)]))
}

fn settings(version: i64, change: impl FnOnce(&mut Settings)) -> Settings {
    let mut settings = Settings { version, ..Settings::of("house") };
    change(&mut settings);
    settings
}

#[test]
fn a_plain_line_is_a_prompt() {
    let mut talk = Talk::about("house");
    assert_eq!(talk.line("  a pencil drawing \n"), sent("prompt", json!("a pencil drawing")));
    assert_eq!(talk.line("   "), Reply::Nothing);
}

#[test]
fn commands_set_what_they_name() {
    for (line, name, value) in [
        ("/prompt neon lights", "prompt", json!("neon lights")),
        ("/negative blur", "negative_prompt", json!("blur")),
        ("/negative_prompt blur", "negative_prompt", json!("blur")),
        ("/seed 123", "seed", json!(123)),
        ("/strength 0.6", "strength", json!(0.6)),
        ("/steps\t2", "steps", json!(2)),
        ("/guidance 1.2", "guidance_scale", json!(1.2)),
        ("/processor standard", "processor", json!("standard")),
        ("/passthrough on", "passthrough", json!(true)),
        ("/mirror OFF", "mirror", json!(false)),
        ("/prompt \"\"", "prompt", json!("")),
    ] {
        assert_eq!(Talk::about("house").line(line), sent(name, value), "{line}");
    }
}

#[test]
fn a_value_that_is_not_allowed_is_refused_with_the_range() {
    for (line, expected) in [
        ("/strength 7", "/strength takes a number from 0 to 1, not 7"),
        ("/strength NaN", "/strength takes a number from 0 to 1, not NaN"),
        ("/steps many", "/steps takes a whole number from 1 to 50, not many"),
        ("/size 200", "/size takes a whole number from 128 to 1024 in steps of 64, not 200"),
        ("/passthrough perhaps", "/passthrough takes on or off, not perhaps"),
        ("/strenght 0.5", "there is no command /strenght; /help lists them"),
        ("/", "there is no command /; /help lists them"),
    ] {
        assert_eq!(Talk::about("house").line(line), Reply::Refuse(expected.to_owned()));
    }
    let long = "x".repeat(2001);
    let Reply::Refuse(error) = Talk::about("house").line(&long) else { panic!("too long") };
    assert!(error.contains("at most 2000 characters"), "{error}");
}

#[test]
fn the_help_names_every_parameter_with_its_range() {
    for parameter in PARAMETERS {
        assert!(help().contains(&format!("/{} ", parameter.command)) && help().contains(&parameter.range()));
    }
}

#[test]
fn a_command_without_a_value_is_answered_as_soon_as_the_settings_are_known() {
    let mut talk = Talk::about("house");
    assert_eq!(talk.line("/strength"), Reply::Nothing);
    assert!(!talk.is_answered());
    assert_eq!(talk.settings(settings(1, |it| it.strength = 0.5)), ["/strength 0.5 (a number from 0 to 1)"]);
    assert!(talk.is_answered());
    assert_eq!(talk.line("/mirror"), Reply::Print("/mirror on (on or off)".to_owned()));
    let Reply::Print(all) = talk.line("/show") else { panic!("the settings are known") };
    assert!(all.starts_with("/prompt \"\"\n") && all.contains("\n/strength 0.5\n"), "{all}");
}

#[test]
fn what_was_sent_is_answered_by_settings_that_hold_it() {
    let mut talk = Talk::about("house");
    talk.line("neon");
    assert!(!talk.is_answered());
    assert!(talk.settings(settings(1, |it| it.prompt = "older".to_owned())).is_empty());
    assert!(!talk.is_answered());
    assert_eq!(talk.settings(settings(2, |it| it.prompt = "neon".to_owned())), ["prompt: neon"]);
    assert!(talk.is_answered());
}

#[test]
fn what_was_in_force_already_is_answered_by_the_settings_being_said_again() {
    let mut talk = Talk::about("house");
    talk.settings(settings(1, |_| {}));
    talk.line("/strength 1");
    assert_eq!(talk.settings(settings(1, |_| {})), ["strength: 1.0"]);
    assert!(talk.is_answered());
}

#[test]
fn of_two_values_for_one_setting_the_last_one_counts() {
    let mut talk = Talk::about("house");
    talk.line("/seed 1");
    talk.line("/seed 2");
    talk.settings(settings(1, |it| it.seed = 1));
    assert!(!talk.is_answered());
    talk.settings(settings(2, |it| it.seed = 2));
    assert!(talk.is_answered());
}

#[test]
fn a_question_after_a_change_is_answered_with_the_change() {
    let mut talk = Talk::about("house");
    talk.settings(settings(1, |_| {}));
    talk.line("/seed 7");
    assert_eq!(talk.line("/seed"), Reply::Nothing);
    let lines = talk.settings(settings(2, |it| it.seed = 7));
    assert_eq!(lines, ["seed: 7", "/seed 7 (a whole number from 0 to 4294967295)"]);
    // A change that nobody answers does not keep the question waiting for ever.
    talk.line("/seed 8");
    talk.line("/steps");
    assert_eq!(talk.settings(settings(2, |it| it.seed = 7)), ["/steps 1 (a whole number from 1 to 50)"]);
}

#[test]
fn a_refusal_answers_what_it_names() {
    let mut talk = Talk::about("house");
    talk.line("/processor sdxl");
    let notice = |origin: &str, level, text: &str| Notice {
        stream: "house".to_owned(),
        origin: origin.to_owned(),
        level,
        text: text.to_owned(),
    };
    let text = "processor must be one of turbo, not \"sdxl\"";
    assert_eq!(talk.notice(&notice("web", Level::Warning, text)), None);
    assert!(!talk.is_answered());
    assert_eq!(talk.notice(&notice("chat", Level::Warning, text)).as_deref(), Some(text));
    assert!(talk.is_answered());
    assert_eq!(talk.notice(&notice("camera", Level::Error, "gone")).as_deref(), Some("camera: gone"));
    assert_eq!(talk.notice(&notice("camera", Level::Info, "back")), None);
}

#[test]
fn what_others_change_is_printed() {
    let mut talk = Talk::about("house");
    talk.settings(settings(1, |_| {}));
    assert_eq!(talk.settings(settings(2, |it| it.passthrough = true)), ["passthrough: on"]);
}

#[test]
fn another_streams_settings_are_not_ours() {
    let mut talk = Talk::about("house");
    talk.line("neon");
    let guest = Settings { prompt: "neon".to_owned(), version: 9, ..Settings::of("guest") };
    assert!(talk.settings(guest).is_empty());
    assert!(!talk.is_answered());
}

#[test]
fn a_line_that_is_too_long_is_cut_and_the_next_one_is_whole() {
    let text = format!("{}\nnext\r\nlast", "x".repeat(3 * MAX_BYTES));
    let mut input = std::io::Cursor::new(text);
    assert_eq!(next_line(&mut input).expect("a line").len(), MAX_BYTES);
    assert_eq!(next_line(&mut input).as_deref(), Some("next"));
    assert_eq!(next_line(&mut input).as_deref(), Some("last"));
    assert_eq!(next_line(&mut input), None);
}

proptest! {
    #[test]
    fn any_line_is_read_or_refused_and_what_is_set_is_allowed(line in "(/[a-z_]{0,12})?[ \t]?\\PC{0,40}") {
        if let Ok(Command::Set(parameter, value)) = parse(&line) {
            prop_assert!(parameter.allows(&value), "{} {}", parameter.name, value);
        }
    }

    #[test]
    fn any_bytes_are_lines(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut input = std::io::Cursor::new(&bytes);
        let mut lines = 0;
        while let Some(line) = next_line(&mut input) {
            let _ = Talk::about("house").line(&line);
            lines += 1;
        }
        prop_assert!(lines <= bytes.len());
    }

    #[test]
    fn a_number_of_the_table_is_taken_as_typed(share in 0.0f64..=1.0) {
        for parameter in PARAMETERS {
            let text = match parameter.kind {
                Kind::Integer { min, max, step, .. } => {
                    (min + ((max - min) as f64 * share) as i64 / step * step).to_string()
                }
                Kind::Number { min, max, .. } => (min + (max - min) * share).to_string(),
                Kind::Text { .. } | Kind::Switch { .. } => continue,
            };
            prop_assert!(matches!(parse(&format!("/{} {text}", parameter.command)), Ok(Command::Set(..))), "{text}");
        }
    }
}

#[test]
fn a_plain_line_means_the_row_called_prompt() {
    assert_eq!(PARAMETERS.first(), parameter("prompt"));
}
