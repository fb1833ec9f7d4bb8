//! whisper.cpp, really run, with a tiny model of random weights.

mod support;
#[path = "../src/whisper.rs"]
mod whisper;

use eyre::Result;
use mirror_kit::Environment;
use std::fs;
use std::path::Path;
use stt::config::{Config, KEYS};
use stt::hear::Transcriber;
use stt::words::words;
use support::{Sizes, TINY, model, sound};
use tempfile::TempDir;
use whisper::Whisper;

fn config(path: &Path, pairs: &[(&str, &str)]) -> Config {
    let path = path.to_string_lossy().into_owned();
    let own = [("STT_MODEL", path.as_str()), ("STT_THREADS", "1")];
    let pairs = own.iter().chain(pairs).copied();
    Environment::given(KEYS, pairs).and_then(|environment| Config::of(&environment)).expect("it is right")
}

fn opened(sizes: Sizes, pairs: &[(&str, &str)]) -> Result<Whisper> {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("tiny.bin");
    fs::write(&path, model(sizes)).expect("it can be written");
    Whisper::open(&config(&path, pairs))
}

#[test]
fn a_model_of_random_weights_runs_the_same_every_time_and_what_it_guesses_is_refused() {
    for file_type in [1, 7, 9] {
        let mut whisper = opened(Sizes { file_type, ..TINY }, &[]).expect("it opens");
        let first = whisper.hear(&sound()).expect("it runs");
        let second = whisper.hear(&sound()).expect("it runs");
        assert_eq!((&second.text, second.log_probability), (&first.text, first.log_probability), "kind {file_type}");
        assert!((second.no_speech - first.no_speech).abs() < 1e-3, "{first:?} {second:?}");
        // As likely as any other of 51,864 words: the logarithm is near -10.8.
        assert!((-12.0..-5.0).contains(&first.log_probability), "{first:?}");
        let config = config(Path::new("x"), &[]);
        let why = words(&first, config.gates, &config.refused).expect_err("nobody said that");
        assert!(why.contains("guessed") || why.contains("nobody spoke"), "{why}");
        // Without an end the decoder is stopped: 2.5 s are 60 and 16 words, and whisper.cpp counts one more.
        assert!(first.text.split_whitespace().count() <= 77, "{}", first.text);
    }
}

#[test]
fn a_model_that_hears_nobody_says_so_and_others_do_not() {
    let probability = |is_deaf| {
        let mut whisper = opened(Sizes { is_deaf, ..TINY }, &[]).expect("it opens");
        whisper.hear(&sound()).expect("it runs")
    };
    let (nobody, somebody) = (probability(true), probability(false));
    assert!(nobody.no_speech > 0.999 && somebody.no_speech < 0.01, "{nobody:?} {somebody:?}");
    let config = config(Path::new("x"), &[]);
    let why = words(&nobody, config.gates, &config.refused).expect_err("nobody said that");
    assert!(why.contains("nobody spoke"), "{why}");
}

#[test]
fn what_is_heard_depends_on_the_sound() {
    let mut whisper = opened(TINY, &[]).expect("it opens");
    let one = whisper.hear(&sound()).expect("it runs");
    let other = whisper.hear(&[0.0; 32_000]).expect("it runs");
    assert_ne!(one.log_probability, other.log_probability);
}

#[test]
fn an_utterance_of_a_minute_a_single_sample_and_broken_samples_are_heard_without_harm() {
    let mut whisper = opened(Sizes { positions: 256, ..TINY }, &[]).expect("it opens");
    let minute: Vec<f32> = sound().into_iter().cycle().take(60 * 16_000).collect();
    assert!(whisper.hear(&minute).expect("it runs").text.split_whitespace().count() > 36);
    whisper.hear(&[0.5]).expect("it runs");
    assert_eq!(whisper.hear(&[]).expect("nothing is nothing").text, "");
    whisper.hear(&[f32::NAN; 16_000]).expect("it runs");
    whisper.hear(&[1e30; 16_000]).expect("it runs");
    assert!(whisper.hear(&sound()).is_ok());
}

#[test]
fn a_multilingual_model_takes_a_language_finds_one_out_and_translates() {
    let sizes = Sizes { vocabulary: 51_865, ..TINY };
    for pairs in
        [&[("STT_LANGUAGE", "de")][..], &[("STT_LANGUAGE", "auto")], &[("STT_LANGUAGE", "fr"), ("STT_TRANSLATE", "on")]]
    {
        let mut whisper = opened(sizes, pairs).expect("it opens");
        whisper.hear(&sound()).expect("it runs");
    }
}

#[test]
fn what_a_model_cannot_do_is_said_when_it_is_opened() {
    let refused = |sizes, pairs: &[(&str, &str)]| opened(sizes, pairs).err().expect("it is refused").to_string();
    let line = refused(TINY, &[("STT_LANGUAGE", "de")]);
    assert!(line.contains("tiny.bin knows English only") && line.contains("ggml-base-q5_1.bin"), "{line}");
    assert!(refused(TINY, &[("STT_TRANSLATE", "on")]).contains("knows English only"));
    assert!(refused(Sizes { vocabulary: 51_865, ..TINY }, &[("STT_LANGUAGE", "qq")]).contains("STT_LANGUAGE=\"qq\""));
    let line = Whisper::open(&config(Path::new("/nowhere/ggml.bin"), &[])).err().expect("it is not there").to_string();
    assert!(line.starts_with("STT_MODEL: /nowhere/ggml.bin: there is no such file"), "{line}");
}
