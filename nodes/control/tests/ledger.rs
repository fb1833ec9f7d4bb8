//! What users can expect of the settings.

use control::ledger::{Ledger, MAX_STREAM_CHARS, MAX_STREAMS, Outcome};
use control::processors::Processors;
use mirror_contract::parameters::parameter;
use mirror_contract::{Level, Readiness, Settings, SettingsUpdate};
use mirror_models::Processor;
use proptest::prelude::*;
use serde_json::{Value, json};

fn processor(name: &str, steps: i64) -> Processor {
    let (name, pack, text) = (name.to_owned(), String::new(), String::new());
    Processor { name, pack, steps, steps_allowed: Vec::new(), guidance_scale: 1.0, strength: 1.0, text }
}

fn ledger() -> Ledger {
    let processors = vec![processor("turbo", 1), processor("standard", 4)];
    Ledger::new("house", Processors::of(processors).expect("a good list"), 1000)
}

fn update(ledger: &mut Ledger, stream: &str, values: Value) -> Outcome {
    let Value::Object(values) = values else { panic!("an object") };
    ledger.update(&SettingsUpdate { stream: stream.to_owned(), origin: "chat".to_owned(), values })
}

fn page<'a>(ledger: &'a Ledger, stream: &str) -> &'a Settings {
    ledger.pages().find(|page| page.stream == stream).expect("the stream has settings")
}

#[test]
fn the_house_has_the_defaults_from_the_start() {
    let ledger = ledger();
    assert_eq!(ledger.pages().count(), 1);
    assert_eq!(*page(&ledger, "house"), Settings { version: 1000, ..Settings::of("house") });
}

#[test]
fn an_update_changes_what_it_names_and_raises_the_version_by_one() {
    let mut ledger = ledger();
    let outcome = update(&mut ledger, "house", json!({"prompt": "neon", "size": 256}));
    let expected = Settings { prompt: "neon".to_owned(), size: 256, version: 1001, ..Settings::of("house") };
    assert_eq!(outcome, Outcome { settings: Some(expected.clone()), ..Outcome::default() });
    assert_eq!(*page(&ledger, "house"), expected);
}

#[test]
fn the_same_values_again_publish_nothing() {
    let mut ledger = ledger();
    update(&mut ledger, "house", json!({"prompt": "neon"}));
    assert_eq!(update(&mut ledger, "house", json!({"prompt": "neon"})), Outcome::default());
    assert_eq!(update(&mut ledger, "house", json!({})), Outcome::default());
    assert_eq!(page(&ledger, "house").version, 1001);
}

#[test]
fn a_good_value_is_taken_although_another_one_is_refused() {
    let mut ledger = ledger();
    let outcome = update(&mut ledger, "house", json!({"strength": 7, "seed": 5, "sede": 6}));
    assert_eq!(outcome.settings.expect("the seed").seed, 5);
    assert_eq!(outcome.refusals.len(), 2);
    assert!(outcome.refusals.iter().any(|line| line == "strength must be a number from 0 to 1, not 7"));
    assert!(outcome.refusals.iter().any(|line| line.contains("\"sede\"") && line.contains("seed")));
    assert_eq!(page(&ledger, "house").strength, Settings::default().strength);
}

#[test]
fn streams_do_not_touch_each_other() {
    let mut ledger = ledger();
    update(&mut ledger, "guest", json!({"seed": 9}));
    assert_eq!(page(&ledger, "guest").seed, 9);
    assert_eq!(page(&ledger, "house").seed, 0);
}

#[test]
fn an_update_without_a_stream_is_meant_for_the_house() {
    let mut ledger = ledger();
    assert_eq!(update(&mut ledger, "", json!({"seed": 9})).settings.expect("a change").stream, "house");
}

#[test]
fn choosing_a_processor_brings_its_defaults() {
    let mut ledger = ledger();
    let settings = update(&mut ledger, "house", json!({"processor": "standard"})).settings.expect("a change");
    assert_eq!((settings.processor.as_str(), settings.steps), ("standard", 4));
    let settings = update(&mut ledger, "house", json!({"processor": "turbo"})).settings.expect("a change");
    assert_eq!((settings.processor.as_str(), settings.steps), ("turbo", 1));
}

#[test]
fn what_the_same_update_sets_wins_over_the_processors_defaults() {
    let mut ledger = ledger();
    // "a" sorts before "processor" and "steps" after it: the order of the names must not matter.
    let values = json!({"guidance_scale": 3.0, "processor": "standard", "steps": 7});
    let settings = update(&mut ledger, "house", values).settings.expect("a change");
    assert_eq!((settings.guidance_scale, settings.steps), (3.0, 7));
}

#[test]
fn an_unknown_processor_is_refused_with_the_known_ones() {
    let mut ledger = ledger();
    for value in [json!("sdxl"), json!(7), json!(null)] {
        let outcome = update(&mut ledger, "house", json!({"processor": value}));
        assert_eq!(outcome.settings, None);
        assert!(outcome.refusals[0].starts_with("processor must be one of turbo, standard, not "), "{outcome:?}");
    }
}

#[test]
fn steps_that_the_processor_was_not_trained_for_are_refused_with_those_that_it_was() {
    let lightning = Processor { steps_allowed: vec![1, 2, 4], ..processor("lightning", 4) };
    let processors = Processors::of(vec![processor("turbo", 1), lightning]).expect("a good list");
    let mut ledger = Ledger::new("house", processors, 1000);
    let refusal = "steps must be 1, 2 or 4 with the processor lightning, not 3";
    // The processor that the update chooses is the one that counts, wherever it stands in it.
    let outcome = update(&mut ledger, "house", json!({"steps": 3, "processor": "lightning"}));
    assert_eq!((outcome.settings.expect("a change").steps, outcome.refusals), (4, vec![refusal.to_owned()]));
    let outcome = update(&mut ledger, "house", json!({"steps": 3}));
    assert_eq!(outcome, Outcome { refusals: vec![refusal.to_owned()], ..Outcome::default() });
    assert_eq!(update(&mut ledger, "house", json!({"steps": 2})).settings.expect("a change").steps, 2);
    assert_eq!(update(&mut ledger, "house", json!({"steps": 3, "processor": "turbo"})).refusals, [""; 0]);
}

/// A ledger whose processors are of three packs, of which two may be in use, and that waits for two stages.
fn waiting() -> Ledger {
    let of = |pack: &str, name, steps| Processor { pack: pack.to_owned(), ..processor(name, steps) };
    let list =
        vec![of("starter", "turbo", 1), of("starter", "fine", 4), of("sd15", "standard", 25), of("sdxl", "large", 30)];
    let ledger = Ledger::new("house", Processors::of(list).expect("a good list"), 1000);
    ledger.waiting_for(["encoder", "diffusion"].map(str::to_owned), 2)
}

fn open(pack: &str) -> Readiness {
    Readiness { pack: pack.to_owned(), fault: None }
}

#[test]
fn a_processor_of_another_pack_is_in_force_when_every_stage_has_opened_it() {
    let mut ledger = waiting();
    let outcome = update(&mut ledger, "house", json!({"processor": "standard", "steps": 20}));
    let settings = outcome.settings.expect("the stages must be asked");
    assert_eq!((settings.processor.as_str(), settings.steps), ("turbo", 1), "the picture goes on");
    assert_eq!((settings.pack.as_str(), settings.next_pack.as_str()), ("starter", "sd15"));
    assert_eq!(outcome.begun, ["processor standard: the pack sd15 is being opened; turbo goes on meanwhile"]);
    assert_eq!(ledger.hear("encoder", &open("sd15")), []);
    assert_eq!(ledger.hear("encoder", &open("sd15")), [], "one stage is not two");
    let turn = ledger.hear("diffusion", &open("sd15")).pop().expect("that was the last one");
    let Settings { processor, steps, pack, next_pack, version, .. } = turn.settings.clone();
    assert_eq!((processor.as_str(), steps, pack.as_str(), next_pack.as_str()), ("standard", 20, "sd15", ""));
    assert!(version > settings.version);
    assert_eq!((turn.level, turn.text.as_str()), (Level::Info, "processor standard, pack sd15"));
    assert_eq!(*page(&ledger, "house"), turn.settings);
    assert_eq!(ledger.hear("encoder", &open("sd15")), [], "nobody waits for it any longer");
}

#[test]
fn a_pack_that_a_stage_cannot_open_leaves_the_stream_with_the_processor_that_it_has() {
    let mut ledger = waiting();
    update(&mut ledger, "house", json!({"processor": "standard"}));
    ledger.hear("encoder", &open("sd15"));
    let fault = Readiness { pack: "sd15".to_owned(), fault: Some("unet/model.onnx is missing".to_owned()) };
    let turn = ledger.hear("diffusion", &fault).pop().expect("somebody waited for it");
    assert_eq!((turn.settings.processor.as_str(), turn.settings.next_pack.as_str()), ("turbo", ""));
    let expected =
        "processor standard is not taken, turbo stays: diffusion cannot open sd15: unet/model.onnx is missing";
    assert_eq!((turn.level, turn.text.as_str()), (Level::Warning, expected));
    // It is asked for again: all stages are asked again.
    assert_eq!(update(&mut ledger, "house", json!({"processor": "standard"})).begun.len(), 1);
    assert_eq!(ledger.hear("diffusion", &open("sd15")), []);
    assert_eq!(ledger.hear("encoder", &open("sd15")).len(), 1);
}

#[test]
fn what_is_set_while_a_pack_is_opened_counts_now_and_then_but_steps_only_then() {
    let mut ledger = waiting();
    update(&mut ledger, "house", json!({"processor": "standard"}));
    let settings = update(&mut ledger, "house", json!({"prompt": "neon", "steps": 30})).settings.expect("a change");
    assert_eq!((settings.prompt.as_str(), settings.steps), ("neon", 1));
    ledger.hear("encoder", &open("sd15"));
    let turn = ledger.hear("diffusion", &open("sd15")).pop().expect("all are ready");
    assert_eq!((turn.settings.prompt.as_str(), turn.settings.steps), ("neon", 30));
}

#[test]
fn a_processor_of_the_pack_in_force_is_taken_at_once_and_ends_the_waiting() {
    let mut ledger = waiting();
    update(&mut ledger, "house", json!({"processor": "standard"}));
    let settings = update(&mut ledger, "house", json!({"processor": "fine"})).settings.expect("a change");
    assert_eq!((settings.processor.as_str(), settings.next_pack.as_str()), ("fine", ""));
    ledger.hear("encoder", &open("sd15"));
    assert_eq!(ledger.hear("diffusion", &open("sd15")), []);
    assert_eq!(page(&ledger, "house").processor, "fine");
}

#[test]
fn more_packs_than_may_be_open_are_refused_with_those_that_are_in_use() {
    let mut ledger = waiting();
    update(&mut ledger, "guest", json!({"processor": "standard"}));
    let refusals = update(&mut ledger, "house", json!({"processor": "large"})).refusals;
    let expected =
        "processor large needs the pack sdxl, and sd15, starter are in use: MIRROR_PACKS_OPEN=2 allows no more";
    assert_eq!(refusals, [expected]);
    assert_eq!(update(&mut ledger, "house", json!({"processor": "standard"})).refusals, [""; 0]);
    for stage in ["encoder", "diffusion"] {
        ledger.hear(stage, &open("sd15"));
    }
    // Both streams are painted with the one pack: there is room again.
    assert_eq!(update(&mut ledger, "house", json!({"processor": "large"})).refusals, [""; 0]);
}

#[test]
fn without_stages_to_wait_for_every_processor_is_taken_at_once() {
    let mut ledger = waiting().waiting_for([], 2);
    let settings = update(&mut ledger, "house", json!({"processor": "sd15/standard"})).settings.expect("a change");
    assert_eq!((settings.processor.as_str(), settings.pack.as_str()), ("standard", "sd15"));
}

#[test]
fn a_name_that_no_stream_can_have_is_refused() {
    let mut ledger = ledger();
    for name in ["ü".repeat(MAX_STREAM_CHARS + 1), "a\nb".to_owned()] {
        let outcome = update(&mut ledger, &name, json!({"seed": 1}));
        assert!(outcome.settings.is_none() && outcome.refusals[0].contains("64 characters"), "{outcome:?}");
    }
    assert_eq!(ledger.pages().count(), 1);
    assert!(update(&mut ledger, &"ü".repeat(MAX_STREAM_CHARS), json!({"seed": 1})).settings.is_some());
}

#[test]
fn the_stream_that_has_been_idle_longest_is_forgotten_but_never_the_house() {
    let mut ledger = ledger();
    for guest in 0..MAX_STREAMS - 1 {
        update(&mut ledger, &format!("guest-{guest}"), json!({"seed": 1}));
    }
    // Its update changes nothing, yet somebody is there.
    update(&mut ledger, "guest-0", json!({"seed": 1}));
    update(&mut ledger, "one-more", json!({"seed": 1}));
    let names: Vec<&str> = ledger.pages().map(|page| page.stream.as_str()).collect();
    assert_eq!(names.len(), MAX_STREAMS);
    assert!(names.contains(&"house") && names.contains(&"guest-0") && !names.contains(&"guest-1"), "{names:?}");
}

#[test]
fn a_visitor_who_is_gone_for_ten_minutes_is_forgotten_and_a_camera_is_not() {
    let mut ledger = ledger();
    for stream in ["garden", "visitor/anna", "visitor/bert"] {
        update(&mut ledger, stream, json!({"seed": 7}));
    }
    let before = ledger.version();
    for second in 0..700 {
        // Nothing changes: it is a sign of life.
        if second % 60 == 0 {
            assert_eq!(update(&mut ledger, "visitor/anna", json!({})), Outcome::default());
        }
        ledger.tick();
    }
    let mut left: Vec<&str> = ledger.pages().map(|page| page.stream.as_str()).collect();
    left.sort_unstable();
    assert_eq!(left, ["garden", "house", "visitor/anna"]);
    assert!(ledger.version() > before, "what is kept in the file has changed");
}

#[test]
fn cameras_are_said_with_every_tick_and_visitors_in_turn() {
    let mut ledger = ledger();
    for visitor in 0..100 {
        update(&mut ledger, &format!("visitor/{visitor}"), json!({"seed": visitor + 1}));
    }
    let mut said = std::collections::BTreeMap::new();
    for _ in 0..7 {
        let round = ledger.round();
        assert!(round.len() <= 20, "they fit into a queue: {}", round.len());
        round.into_iter().for_each(|page| *said.entry(page.stream).or_insert(0) += 1);
    }
    assert_eq!((said.len(), said["house"]), (101, 7));
}

#[test]
fn a_forgotten_stream_comes_back_with_a_higher_version() {
    let mut ledger = ledger();
    let before = update(&mut ledger, "guest", json!({"seed": 1})).settings.expect("a change").version;
    for other in 0..MAX_STREAMS {
        update(&mut ledger, &format!("other-{other}"), json!({"seed": 1}));
    }
    assert!(update(&mut ledger, "guest", json!({"seed": 1})).settings.expect("a change").version > before);
}

#[test]
fn a_flood_of_wrong_settings_is_answered_in_few_lines() {
    let values = (0..1000).map(|index| (format!("wrong-{index}"), json!(0))).collect();
    let outcome = update(&mut ledger(), "house", Value::Object(values));
    assert_eq!(outcome.refusals.len(), 16);
    assert_eq!(outcome.refusals[15], "985 more settings were refused");
}

/// Any JSON.
fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (0.0..1.0).prop_map(Value::from),
        (0i64..60).prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        prop_oneof![Just("turbo"), Just("standard")].prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map(".{0,8}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// A setting's name, mostly one that exists.
fn name() -> impl Strategy<Value = String> {
    let known: Vec<String> = Settings::default().values().keys().cloned().collect();
    prop_oneof![9 => proptest::sample::select(known), 1 => ".{0,12}"]
}

proptest! {
    #[test]
    fn whatever_comes_the_settings_stay_within_the_table(
        updates in proptest::collection::vec(
            ("[a-c]{0,1}", proptest::collection::hash_map(name(), json_value(), 0..6)), 0..20),
    ) {
        let mut ledger = ledger();
        let mut version = 1000;
        for (stream, values) in updates {
            let count = values.len();
            let values: serde_json::Map<_, _> = values.into_iter().collect();
            let update = SettingsUpdate { stream: stream.clone(), origin: String::new(), values: values.clone() };
            let outcome = ledger.update(&update);
            prop_assert!(outcome.refusals.len() <= count);
            if let Some(settings) = outcome.settings {
                version += 1;
                prop_assert_eq!(settings.version, version);
                let stream = if stream.is_empty() { "house" } else { stream.as_str() };
                prop_assert_eq!(page(&ledger, stream), &settings);
            }
            for page in ledger.pages() {
                for (name, value) in page.values() {
                    prop_assert!(parameter(&name).expect("a row").allows(&value), "{} {}", name, value);
                }
            }
            // What was taken is not wished for again.
            let again = ledger.update(&update);
            prop_assert!(again.settings.is_none());
            prop_assert_eq!(again.refusals, outcome.refusals);
        }
    }
}
