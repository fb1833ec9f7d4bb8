//! Which messages of a recording are played, and in which order.

use eyre::Result;
use mirror_contract::{Frame, Header, Latent, Message, Settings, Stamp};
use mirror_tape::{Limits, Pictures, Reel, Taped};
use replay::config::{Config, Pace};
use replay::play::{Due, Player};
use std::path::Path;
use std::time::Duration;

const SECOND: i64 = 1_000_000_000;

fn frame(log_ns: i64, frame_id: i64) -> Taped {
    let stamp = Stamp { stream: "house".to_owned(), frame_id, captured_ns: log_ns };
    let frame = Frame { header: Header::of(stamp), height: 1, width: 1, pixels: vec![1, 2, 3].into() };
    taped("camera/frame", log_ns, frame)
}

fn latent(log_ns: i64, frame_id: i64) -> Taped {
    let stamp = Stamp { stream: "house".to_owned(), frame_id, captured_ns: log_ns };
    let (header, pack, values) = (Header::of(stamp), "starter".to_owned(), vec![0.5; 4].into());
    taped("encoder/latent", log_ns, Latent { header, pack, shape: [1, 4, 1, 1], values })
}

fn settings(log_ns: i64, version: i64) -> Taped {
    taped("control/settings", log_ns, Settings { version, ..Settings::of("house") })
}

fn taped<M: Message>(topic: &str, log_ns: i64, message: M) -> Taped {
    let (parameters, data) = message.encode();
    Taped::of(topic, log_ns, &parameters, &data).expect("a message")
}

fn play(path: &Path, messages: &[Taped], pace: Pace, topics: &[&str]) -> Result<Vec<Due>> {
    play_on(&["frame", "settings"], path, messages, pace, topics)
}

fn play_on(ports: &[&str], path: &Path, messages: &[Taped], pace: Pace, topics: &[&str]) -> Result<Vec<Due>> {
    let limits = Limits { file_bytes: 0, free_bytes: 0 };
    let mut reel = Reel::create(path, Pictures::Raw, limits)?;
    messages.iter().for_each(|message| reel.write(message).expect("it is written"));
    reel.finish("stopped", 0)?;
    let topics = topics.iter().map(ToString::to_string).collect();
    let config = Config { file: path.to_owned(), pace, topics };
    let mut player = Player::open(config, ports.iter().map(ToString::to_string).collect())?;
    std::iter::from_fn(|| player.following().transpose()).collect()
}

fn file() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.mcap");
    (folder, path)
}

#[test]
fn the_first_settings_come_before_the_first_picture_and_all_else_in_its_order() {
    let (_folder, path) = file();
    let messages =
        [frame(0, 0), frame(SECOND / 2, 1), settings(SECOND, 5), frame(2 * SECOND, 2), settings(3 * SECOND, 5)];
    let due = play(&path, &messages, Pace::Recorded, &[]).expect("it can be played");
    let order: Vec<&str> = due.iter().map(|due| due.taped.port()).collect();
    assert_eq!(order, ["settings", "frame", "frame", "frame", "settings"]);
    let at: Vec<u64> = due.iter().map(|due| due.at.as_millis() as u64).collect();
    assert_eq!(at, [0, 0, 500, 2000, 3000]);
    assert!(due[0].settle > Duration::ZERO && due[4].settle.is_zero());
    assert!(due[1].is_painted && !due[0].is_painted);
}

#[test]
fn when_it_goes_fast_new_settings_have_time_to_arrive() {
    let (_folder, path) = file();
    let messages = [settings(0, 5), frame(1, 0), settings(2, 5), settings(3, 6), frame(4, 1)];
    let due = play(&path, &messages, Pace::Fast, &[]).expect("it can be played");
    let settles: Vec<bool> = due.iter().map(|due| !due.settle.is_zero()).collect();
    assert_eq!(settles, [true, false, false, true, false]);
}

#[test]
fn only_what_was_chosen_is_played() {
    let (_folder, path) = file();
    let due = play(&path, &[settings(0, 5), frame(1, 0)], Pace::Fast, &["camera/frame"]).expect("it can be played");
    assert_eq!(due.iter().map(|due| due.taped.topic.as_str()).collect::<Vec<_>>(), ["camera/frame"]);
}

#[test]
fn latents_are_waited_for_and_come_after_what_their_paintings_are_laid_over() {
    let (_folder, path) = file();
    let source = |log_ns, frame_id| Taped { topic: "encoder/source".to_owned(), ..frame(log_ns, frame_id) };
    let messages = [latent(0, 0), source(1, 0), latent(2, 1), latent(3, 2), source(4, 1), source(5, 2), latent(6, 3)];
    let ports = ["frame", "latent", "source", "settings"];
    let due = play_on(&ports, &path, &messages, Pace::Fast, &["encoder/latent", "encoder/source"]);
    let due = due.expect("it can be played");
    let order: Vec<(&str, Option<i64>)> = due.iter().map(|due| (due.taped.port(), due.taped.frame_id())).collect();
    let pairs = (0..3_i64).flat_map(|number| [("source", Some(number)), ("latent", Some(number))]);
    assert_eq!(order, pairs.chain([("latent", Some(3))]).collect::<Vec<_>>());
    assert!(due.iter().all(|due| due.is_painted == (due.taped.port() == "latent")));
}

#[test]
fn a_recording_with_nothing_to_play_says_what_it_holds() {
    let (_folder, path) = file();
    let error = play(&path, &[frame(0, 0)], Pace::Fast, &["garden/frame"]).expect_err("nothing fits").to_string();
    assert!(error.contains("x.mcap") && error.contains("camera/frame"), "{error}");
}
