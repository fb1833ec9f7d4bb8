//! What the node makes of its environment.

use control::config::{Config, KEYS};
use eyre::Result;
use mirror_kit::Environment;

fn config(pairs: &[(&str, &str)]) -> Result<Config> {
    let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::of(&Environment::of(KEYS, pairs)?)
}

#[test]
fn without_a_word_nothing_is_set_and_the_stream_is_the_house() {
    let config = config(&[]).expect("the defaults are fine");
    assert!(config.settings.is_empty());
    assert_eq!(config.stream, "house");
    assert_eq!(config.processors.first().name, "standard", "no pack lies where this test runs");
}

#[test]
fn settings_that_are_not_a_json_object_are_refused_by_name() {
    for text in ["[1]", "prompt=neon", "{\"prompt\"", "7"] {
        let error = config(&[("CONTROL_SETTINGS", text)]).expect_err(text).to_string();
        assert!(error.starts_with("CONTROL_SETTINGS=") && error.contains("neon lights"), "{error}");
    }
}

#[test]
fn a_misspelt_key_is_refused() {
    assert!(config(&[("CONTROL_SETTING", "{}")]).is_err());
}
