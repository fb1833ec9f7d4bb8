//! What the node makes of its environment.

use control::config::{Config, KEYS};
use eyre::Result;
use mirror_kit::Environment;

fn config(pairs: &[(&str, &str)]) -> Result<Config> {
    let starter = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/starter");
    let pairs = [("MIRROR_PACK", starter)].into_iter().chain(pairs.iter().copied());
    Config::of(&Environment::given(KEYS, pairs)?)
}

#[test]
fn without_a_word_nothing_is_set_and_the_stream_is_the_house() {
    let config = config(&[]).expect("the defaults are fine");
    assert!(config.settings.is_empty());
    assert_eq!(config.stream, "house");
    assert_eq!(config.processors.first().name, "turbo");
    assert_eq!(config.packs_open, 2);
}

#[test]
fn settings_that_are_not_a_json_object_are_refused_by_name() {
    for text in ["[1]", "prompt=neon", "{\"prompt\"", "7"] {
        let error = config(&[("CONTROL_SETTINGS", text)]).expect_err(text).to_string();
        assert!(error.starts_with("CONTROL_SETTINGS=") && error.contains("neon lights"), "{error}");
    }
}

#[test]
fn a_default_pack_that_is_not_there_is_named_and_others_are_left_out() {
    let error = config(&[("MIRROR_PACK", "nowhere")]).expect_err("no pack").to_string();
    assert!(error.contains("nowhere is not there"), "{error}");
    let config = config(&[("MIRROR_PACKS", "nowhere")]).expect("the default one is enough");
    assert_eq!(config.remarks, ["nowhere is no directory: there are no packs in it"]);
    assert!(self::config(&[("MIRROR_PACKS_OPEN", "0")]).is_err());
}

#[test]
fn a_misspelt_key_is_refused() {
    assert!(config(&[("CONTROL_SETTING", "{}")]).is_err());
}

#[test]
fn a_second_control_keeps_its_settings_in_a_file_of_its_own() {
    let state = |path, name| config(&[("CONTROL_STATE", path)]).expect("a file").of_node(name).state;
    assert_eq!(state(".mirror/settings.json", "control"), Some(".mirror/settings.json".into()));
    assert_eq!(state(".mirror/settings.json", "control_2"), Some(".mirror/settings_2.json".into()));
    assert_eq!(state("", "control_2"), None);
}
