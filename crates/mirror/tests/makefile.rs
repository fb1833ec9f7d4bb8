//! `make run` and `make demo` hand what people write after them to the program, as it is.

#![expect(clippy::unwrap_used, reason = "in a test a failed unwrap is a failed test")]

use std::path::Path;
use std::process::Command;

/// The words that `mirror` would be started with by `make` with these words: its shell reads the line that make would
/// have it run.
fn words(make: &[&str]) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    // Cargo's own make would give its flags on.
    let mut command = Command::new("make");
    command.env_remove("MAKEFLAGS").env_remove("MFLAGS").current_dir(root);
    let output = command.args(["--dry-run", "--no-print-directory"]).args(make).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("target/release/mirror "));
    let line = line.unwrap_or_else(|| panic!("no line of {text} starts the mirror"));
    let output = Command::new("bash").args(["-c", &format!("printf '%s\\n' {line}")]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn make_run_overrides_source_microphone_prompt_size_and_pack() {
    assert_eq!(words(&["run"]), ["run"]);
    let given =
        ["run", "SOURCE=clip.mp4", "MIC=USB webcam", "PROMPT=a pencil drawing", "SIZE=256", "PACK=models/sd-turbo"];
    let expected =
        ["run", "--source", "clip.mp4", "--mic", "USB webcam", "--prompt", "a pencil drawing", "--size", "256"];
    assert_eq!(words(&given), [&expected[..], &["--pack", "models/sd-turbo"]].concat());
}

#[test]
fn several_mirrors_are_told_apart_by_their_name() {
    assert_eq!(words(&["run", "NAME=garden"]), ["run", "--name", "garden"]);
    assert_eq!(words(&["top", "NAME=garden"]), ["top", "--name", "garden"]);
    assert_eq!(words(&["swap", "NODE=diffusion", "NAME=garden"]), ["swap", "diffusion", "--name", "garden"]);
    assert_eq!(words(&["rewire", "NAME=garden"]), ["rewire", "--name", "garden"]);
    assert_eq!(words(&["record", "NAME=garden", "SECONDS=3"]), ["record", "--seconds", "3", "--name", "garden"]);
}

#[test]
fn a_recording_is_a_film_if_its_name_says_so() {
    assert_eq!(words(&["record", "OUT=my evening.mp4"]), ["record", "--mp4", "my evening.mp4"]);
    assert_eq!(words(&["record", "OUT=evening.mcap"]), ["record", "--out", "evening.mcap"]);
}

#[test]
fn make_demo_overrides_source_prompts_seconds_size_and_folder() {
    let given = ["demo", "SOURCE=pattern", "PROMPTS=neon lights;a map", "SECONDS=6", "SIZE=512", "OUT=out/here"];
    let expected = [
        "demo",
        "--source",
        "pattern",
        "--prompts",
        "neon lights;a map",
        "--seconds",
        "6",
        "--size",
        "512",
        "--out",
        "out/here",
    ];
    assert_eq!(words(&given), expected);
}

#[test]
fn quotes_dollars_and_semicolons_reach_the_program_as_they_were_written() {
    for text in ["it's \"mine\"", "a $5 note; $(date) `date`", "a \\ b", "50 % & more | less > all"] {
        assert_eq!(words(&["run", &format!("PROMPT={text}")]), ["run", "--prompt", text]);
    }
}

#[test]
fn make_apply_and_compare_have_a_picture_of_their_own_and_take_yours() {
    let cat = ["--image", "assets/cat.jpg", "--prompt"];
    let own = [&["apply"], &cat[..], &["a pencil drawing", "--out", "out/apply.png"]].concat();
    assert_eq!(words(&["apply"]), own);
    assert_eq!(words(&["compare"]), [&["compare"], &cat[..], &["Oil painting in autumn colours"]].concat());
    let given = ["apply", "IMAGE=it's me.jpg", "PROMPT=neon", "PROCESSOR=turbo", "STEPS=2", "FIT=crop", "OUT=a b.png"];
    let expected = ["apply", "--image", "it's me.jpg", "--prompt", "neon", "--fit", "crop", "--processor", "turbo"];
    assert_eq!(words(&given), [&expected[..], &["--steps", "2", "--out", "a b.png"]].concat());
}
