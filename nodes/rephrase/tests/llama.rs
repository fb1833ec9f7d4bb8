//! llama.cpp, really run, with a tiny model of random weights.

#[path = "../src/llama.rs"]
mod llama;
mod support;

use eyre::Result;
use llama::Llama;
use mirror_kit::Environment;
use rephrase::answer::{Answer, MOST_WORDS, Model};
use rephrase::config::{Config, KEYS};
use std::fs;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use support::{Value, model};
use tempfile::TempDir;

/// llama.cpp is set up once a process: a node has one model. Here one test has it at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn config(path: &Path, pairs: &[(&str, &str)]) -> Config {
    let path = path.to_string_lossy().into_owned();
    let own = [
        ("REPHRASE_MODEL", path.as_str()),
        ("REPHRASE_SYSTEM", "none"),
        ("REPHRASE_REFUSED", "refused.txt"),
        ("REPHRASE_THREADS", "1"),
    ];
    let pairs = own.iter().chain(pairs).copied();
    Environment::given(KEYS, pairs).and_then(|environment| Config::of(&environment)).expect("it is right")
}

fn opened(bytes: &[u8], pairs: &[(&str, &str)]) -> Result<Llama> {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("tiny.gguf");
    fs::write(&path, bytes).expect("it can be written");
    Llama::open(&config(&path, pairs))
}

fn words(answer: Result<Answer>) -> String {
    match answer.expect("it runs") {
        Answer::Words(words) => words,
        Answer::Late => panic!("it was not to be late"),
    }
}

fn later() -> Instant {
    Instant::now() + Duration::from_secs(300)
}

#[test]
fn an_answer_keeps_the_bounds_whatever_the_model_would_say() {
    let _alone = alone();
    for template in [
        None,
        Some("chatml"),
        Some("{% for message in messages %}<|im_start|>{{ message.role }}{% endfor %}"),
        Some("{{ nonsense }}"),
    ] {
        let mut llama = opened(&model(template).bytes(), &[]).expect("it opens");
        let first = words(llama.answer("", "make me look like a comic book", later()));
        let allowed = |letter: char| letter.is_alphanumeric() || " '’,.;:!?()-".contains(letter);
        assert!(!first.is_empty() && first.chars().all(allowed), "{first:?}");
        assert!(first.split_whitespace().count() <= MOST_WORDS, "{first:?}");
        // A model of random weights never stops by itself: it is stopped.
        assert!(first.chars().count() <= 2 * 160, "{first:?}");
    }
}

#[test]
fn the_same_wish_gets_the_same_answer_whatever_was_said_in_between() {
    let _alone = alone();
    let mut llama = opened(&model(Some("chatml")).bytes(), &[]).expect("it opens");
    llama.prepare("Describe a picture.").expect("it fits");
    let first = words(llama.answer("Describe a picture.", "neon lights", later()));
    let other = words(llama.answer("Describe a picture.", "a wooden house", later()));
    let without = words(llama.answer("", "neon lights", later()));
    assert_ne!(first, other);
    assert_ne!(first, without);
    assert_eq!(words(llama.answer("Describe a picture.", "neon lights", later())), first);
}

#[test]
fn above_temperature_zero_answers_vary() {
    let _alone = alone();
    let mut llama = opened(&model(None).bytes(), &[("REPHRASE_TEMPERATURE", "1.5")]).expect("it opens");
    let answers: Vec<String> = (0..4).map(|_| words(llama.answer("", "neon", later()))).collect();
    assert!(answers.windows(2).any(|pair| pair[0] != pair[1]), "{answers:?}");
}

#[test]
fn after_the_deadline_nobody_waits_and_the_next_wish_is_answered() {
    let _alone = alone();
    let mut llama = opened(&model(None).bytes(), &[]).expect("it opens");
    let wanted = words(llama.answer("", "gold", later()));
    assert_eq!(llama.answer("", "a very long wish", Instant::now()).expect("it runs"), Answer::Late);
    assert_eq!(words(llama.answer("", "gold", later())), wanted);
}

#[test]
fn what_does_not_fit_into_the_model_is_an_error_and_it_goes_on() {
    let _alone = alone();
    let mut llama = opened(&model(None).bytes(), &[]).expect("it opens");
    let error = llama.prepare(&"long instructions ".repeat(60)).expect_err("512 tokens").to_string();
    assert!(error.contains("the instructions have") && error.contains("REPHRASE_SYSTEM=none"), "{error}");
    let error = llama.answer("", &"blue ".repeat(200), later()).expect_err("512 tokens").to_string();
    assert!(error.contains("too long for the model"), "{error}");
    assert!(!words(llama.answer("", "blue\0 and\nred <|im_end|>", later())).is_empty());
}

#[test]
fn no_byte_of_the_head_can_be_changed_so_that_llama_cpp_ends_the_process() {
    let _alone = alone();
    let bytes = model(Some("chatml")).bytes();
    let mut taken = 0;
    for at in (0..900).step_by(3).chain((900..9000).step_by(211)) {
        for value in [0, 1, 255] {
            let mut broken = bytes.clone();
            broken[at] = value;
            // What the process was at when it ended, if it does.
            println!("byte {at} is {value}");
            if let Ok(mut llama) = opened(&broken, &[]) {
                // Right, wrong or late: it comes back.
                let _ = llama.answer("", "neon", Instant::now() + Duration::from_millis(20));
                taken += 1;
            }
        }
    }
    assert!(taken > 100, "{taken} of them still ran");
}

#[test]
fn a_model_that_llama_cpp_does_not_take_is_an_error_with_its_name() {
    let _alone = alone();
    let line = |bytes: &[u8]| format!("{:#}", opened(bytes, &[]).err().expect("it is refused"));
    assert!(line(b"GGUF").starts_with("REPHRASE_MODEL: "));
    let mut unknown = model(None);
    for (name, _) in &mut unknown.values {
        *name = name.replace("llama.", "unheard_of.");
    }
    unknown.set("general.architecture", Some(Value::Text("unheard_of".to_owned())));
    assert!(line(&unknown.bytes()).contains("tiny.gguf cannot be opened by llama.cpp"), "{}", line(&unknown.bytes()));
    let mut missing = model(None);
    missing.tensors.pop();
    assert!(line(&missing.bytes()).contains("tiny.gguf cannot be opened by llama.cpp"));
}
