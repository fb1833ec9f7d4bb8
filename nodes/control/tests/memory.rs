//! Settings outlive the node that owns them.

use control::keeper::{Keeper, replace};
use control::ledger::Ledger;
use control::memory::Memory;
use control::processors::Processors;
use control::state;
use eyre::Result;
use mirror_contract::{Level, Settings, SettingsUpdate};
use mirror_models::Processor;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

fn ledger() -> Ledger {
    let (pack, text) = (String::new(), String::new());
    let processor = |name: &str, steps| Processor {
        name: name.to_owned(),
        pack: pack.clone(),
        steps,
        steps_allowed: Vec::new(),
        guidance_scale: 1.0,
        strength: 1.0,
        text: text.clone(),
    };
    let list = vec![processor("turbo", 1), processor("standard", 4)];
    Ledger::new("house", Processors::of(list).expect("a good list"), 1000)
}

fn update(stream: &str, values: Value) -> SettingsUpdate {
    let Value::Object(values) = values else { panic!("an object") };
    SettingsUpdate { stream: stream.to_owned(), origin: "CONTROL_SETTINGS".to_owned(), values }
}

/// What is said, and how loud.
type Remarks = Vec<(Level, String)>;

/// Begins with that state file, in the run of the life before or in another one: the ledger, and what is said.
fn begin(path: &Path, start: Value, goes_on: bool) -> Result<(Ledger, Memory, Remarks)> {
    let mut ledger = ledger();
    let (memory, remarks) =
        Memory::begin(Some(path), &mut ledger, &update("house", start), if goes_on { "first" } else { "next" })?;
    Ok((ledger, memory, remarks))
}

/// A life in which somebody asks for something; it ends as a process does that is told to stop.
fn live(path: &Path, start: Value, wishes: &[SettingsUpdate]) {
    let mut ledger = ledger();
    let (mut memory, _) =
        Memory::begin(Some(path), &mut ledger, &update("house", start), "first").expect("a good start");
    memory.keep(&ledger);
    for wish in wishes {
        ledger.update(wish);
        memory.keep(&ledger);
    }
}

fn page<'a>(ledger: &'a Ledger, stream: &str) -> &'a Settings {
    ledger.pages().find(|page| page.stream == stream).expect("the stream has settings")
}

fn file() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("deep/er/state.json");
    (folder, path)
}

#[test]
fn in_the_run_that_goes_on_the_settings_of_all_streams_are_as_people_have_made_them() {
    let (_folder, path) = file();
    let wishes = [
        update("house", json!({"prompt": "neon", "processor": "standard", "strength": 0.35})),
        update("garden", json!({"seed": 9, "fixed_seed": false})),
    ];
    live(&path, json!({"prompt": "a pencil drawing", "size": 256}), &wishes);
    let (ledger, _, remarks) = begin(&path, json!({"prompt": "a pencil drawing", "size": 256}), true).expect("good");
    let house = page(&ledger, "house");
    assert_eq!((house.prompt.as_str(), house.size, house.strength, house.steps), ("neon", 256, 0.35, 4));
    assert_eq!(house.processor, "standard");
    assert_eq!((page(&ledger, "garden").seed, page(&ledger, "garden").fixed_seed), (9, false));
    assert_eq!(remarks.len(), 1);
    assert!(remarks[0].0 == Level::Info && remarks[0].1.contains("state.json"), "{remarks:?}");
}

#[test]
fn at_a_fresh_start_the_graphs_word_comes_over_what_was_kept() {
    let (_folder, path) = file();
    live(&path, json!({}), &[update("house", json!({"prompt": "neon", "seed": 9}))]);
    let (ledger, ..) = begin(&path, json!({"prompt": "a pencil drawing"}), false).expect("good");
    let house = page(&ledger, "house");
    assert_eq!((house.prompt.as_str(), house.seed), ("a pencil drawing", 9));
}

#[test]
fn a_first_life_that_crashed_before_anything_was_kept_starts_as_the_graph_says() {
    let (_folder, path) = file();
    let (ledger, _, remarks) = begin(&path, json!({"prompt": "neon"}), true).expect("good");
    assert_eq!(page(&ledger, "house").prompt, "neon");
    assert_eq!(remarks, []);
}

#[test]
fn a_state_file_that_is_damaged_is_said_and_settings_start_anew() {
    let (_folder, path) = file();
    live(&path, json!({}), &[update("house", json!({"prompt": "neon"}))]);
    let whole = fs::read_to_string(&path).expect("the file");
    let layout = whole.replace("\"mirror\": 1", "\"mirror\": 2");
    for text in ["", "{", "[]", "null", &whole[..whole.len() / 2], &layout, r#"{"mirror": 1, "streams": [{}]}"#] {
        fs::write(&path, text).expect("it can be written");
        let (ledger, _, remarks) = begin(&path, json!({"seed": 5}), true).expect("the mirror goes on");
        let house = page(&ledger, "house");
        assert_eq!((house.prompt.as_str(), house.seed), (Settings::default().prompt.as_str(), 5), "{text}");
        assert!(remarks.len() == 1 && remarks[0].0 == Level::Warning, "{text}: {remarks:?}");
        assert!(remarks[0].1.contains("is damaged") && remarks[0].1.contains("start anew"), "{remarks:?}");
    }
}

#[test]
fn what_is_not_allowed_any_more_is_refused_and_the_rest_comes_back() {
    let (_folder, path) = file();
    let settings = json!({"prompt": "neon", "processor": "gone", "strength": 7});
    let state = json!({"mirror": 1, "streams": [{"stream": "house", "settings": settings}]});
    replace(&path, &state.to_string()).expect("it can be written");
    let (ledger, _, remarks) = begin(&path, json!({}), true).expect("good");
    assert_eq!(page(&ledger, "house").prompt, "neon");
    let refused: Vec<&str> = remarks.iter().skip(1).map(|(_, remark)| remark.as_str()).collect();
    assert!(refused.len() == 2 && refused.iter().all(|line| line.contains("of the last time")), "{refused:?}");
}

#[test]
fn settings_to_start_with_that_are_wrong_still_end_the_node() {
    let (_folder, path) = file();
    let error = begin(&path, json!({"strength": 7}), false).err().expect("out of range").to_string();
    assert!(error.starts_with("CONTROL_SETTINGS for stream \"house\""), "{error}");
}

#[test]
fn versions_rise_over_a_restart() {
    let (_folder, path) = file();
    live(&path, json!({}), &[update("house", json!({"seed": 5}))]);
    let mut later = Ledger::new("house", one(), 2000);
    state::read(&fs::read_to_string(&path).expect("the file"), &mut later).expect("it can be read");
    assert!(page(&later, "house").version > 2000);
}

fn one() -> Processors {
    let (name, pack, text) = ("turbo".to_owned(), String::new(), String::new());
    let one = Processor { name, pack, steps: 1, steps_allowed: Vec::new(), guidance_scale: 1.0, strength: 1.0, text };
    Processors::of(vec![one]).expect("a good list")
}

#[test]
fn of_many_changes_the_last_one_is_on_the_disk_and_no_half_file_is_left() {
    let (_folder, path) = file();
    let keeper = Keeper::start(path.clone()).expect("a thread");
    (0..1000).for_each(|number| keeper.keep(number.to_string()));
    drop(keeper);
    assert_eq!(fs::read_to_string(&path).expect("the file"), "999");
    let files = fs::read_dir(path.parent().expect("a folder")).expect("a folder").count();
    assert_eq!(files, 1);
}

#[test]
fn a_file_that_cannot_be_written_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let keeper = Keeper::start(folder.path().join("nothing\0here")).expect("a thread");
    keeper.keep("text".to_owned());
    let fault = std::iter::repeat_with(|| keeper.fault()).find_map(|fault| {
        std::thread::yield_now();
        fault
    });
    assert!(fault.expect("said").starts_with("the settings cannot be kept"));
}
