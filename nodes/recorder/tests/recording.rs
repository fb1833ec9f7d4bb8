//! A recording of a made-up stream, from the first picture to the files.

use mirror_contract::{Frame, Header, Level, Notice, Painting, Prompt, Settings, StageTime, Stamp, Trace};
use recorder::config::Config;
use recorder::recording::{FILM, REPORT, Recording, SHEET};
use recorder::schedule::Phase;
use serde_json::Value;
use std::path::Path;

const S: i64 = 1_000_000_000;
const SIDE: usize = 128;

fn config(out: &Path) -> Config {
    let prompts = ["neon lights", "an oil painting"].map(str::to_owned).to_vec();
    Config { out: out.to_owned(), prompts, seconds: 2.0, patience_seconds: 5.0 }
}

fn frame(stream: &str, frame_id: i64, captured_ns: i64, prompt: &str, grey: u8) -> Frame {
    let stage =
        |stage: &str, received_ns, sent_ns| StageTime { stage: stage.to_owned(), received_ns, sent_ns, drops: 0 };
    let trace = Trace(vec![
        stage("camera", captured_ns, captured_ns + 1_000_000),
        stage("diffusion", captured_ns + 2_000_000, captured_ns + 12_000_000),
    ]);
    let painting = Painting {
        prompt: prompt.to_owned(),
        pack: "starter".to_owned(),
        provider: "CPU".to_owned(),
        passthrough: false,
    };
    let stamp = Stamp { stream: stream.to_owned(), frame_id, captured_ns };
    let header = Header { trace, painting: Some(painting), source: "film clip.mp4".to_owned(), ..Header::of(stamp) };
    Frame { header, height: SIDE, width: SIDE, pixels: vec![grey; SIDE * SIDE * 3].into() }
}

/// Plays a stream at 20 frames a second, each third one dropped, painted as was asked for half a second before.
fn play(recording: &mut Recording, until_ns: i64) -> Vec<String> {
    let mut lines = Vec::new();
    let mut prompts = vec![(0, String::new())];
    for id in 0.. {
        let captured_ns = 1_795_250_000 * S + id * S / 20;
        let now_ns = captured_ns + 20_000_000;
        if now_ns >= until_ns || recording.phase(now_ns) == Phase::Over {
            return lines;
        }
        recording.source(&frame("house", id, captured_ns, "", 10));
        if id % 3 != 2 {
            let asked = prompts.iter().rev().find(|(since, _)| *since <= now_ns - S / 2);
            let prompt = asked.map_or("", |(_, prompt)| prompt.as_str());
            recording.picture(&frame("house", id, captured_ns, prompt, 200), now_ns);
            recording.picture(&frame("guest", id, captured_ns, "somebody else's", 90), now_ns);
        }
        if let Some(update) = recording.due(now_ns) {
            assert_eq!(update.stream, "house");
            let prompt = update.values["prompt"].as_str().expect("a prompt").to_owned();
            prompts.push((now_ns, prompt.clone()));
            recording.settings(Settings { prompt, ..Settings::of("house") });
        }
        lines.extend(recording.progress(now_ns));
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    lines
}

fn report(out: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(out.join(REPORT)).expect("a report")).expect("JSON")
}

#[test]
fn a_recording_says_what_was_asked_and_what_was_shown_and_when() {
    let directory = tempfile::tempdir().expect("a directory");
    let out = directory.path().join("new/demo");
    let mut recording = Recording::start(&config(&out), 1_795_250_000 * S).expect("a recording");
    let notice = |origin: &str, text: &str| Notice {
        stream: String::new(),
        origin: origin.to_owned(),
        level: Level::Info,
        text: text.to_owned(),
    };
    recording.notice(notice("camera", "reading clip.mp4"));
    recording.notice(notice("encoder", "pack starter"));
    let lines = play(&mut recording, i64::MAX);
    assert_eq!(lines, ["second 1 of 2, 14 pictures, \"an oil painting\""]);
    recording.finish(true, 1_795_250_002 * S + 20_000_000).expect("files");

    let report = report(&out);
    assert_eq!(report["complete"], true);
    assert_eq!(report["date"], "2026-11-21T08:33:22Z");
    assert_eq!(report["source"], "film clip.mp4");
    assert_eq!((&report["pack"], &report["provider"]), (&"starter".into(), &"CPU".into()));
    assert_eq!(report["size"], serde_json::json!([128, 128]));
    assert_eq!(report["frames"], serde_json::json!({ "captured": 40, "displayed": 27, "dropped": 13 }));
    let fps = report["fps"].as_f64().expect("a rate");
    assert!((fps - 26.0 / 1.95).abs() < 0.01, "{fps}");
    assert_eq!(report["age_ms"], serde_json::json!({ "p50": 20.0, "p99": 20.0 }));
    assert_eq!(report["stages"][1]["stage"], "diffusion");
    assert_eq!(report["stages"][1]["ms"]["p50"], 10.0);
    assert_eq!(report["stages"][1]["hop_ms"]["p50"], 1.0);
    let [first, second] = [&report["prompts"][0], &report["prompts"][1]];
    assert_eq!((&first["given_s"], &first["shown_s"]), (&0.0.into(), &0.5.into()));
    assert_eq!((&second["given_s"], &second["shown_s"]), (&1.0.into(), &1.5.into()));
    assert_eq!(second["pictures"], 7);
    assert_eq!(report["settings"]["prompt"], "an oil painting");
    assert_eq!(report["video"]["file"], FILM);
    assert_eq!(report["notices"][1]["origin"], "encoder");
    assert!(std::fs::metadata(out.join(FILM)).expect("a film").len() > 500);
    let sheet = std::fs::read(out.join(SHEET)).expect("a sheet");
    assert_eq!(&sheet[1..4], b"PNG");
    let left_over = std::fs::read_dir(&out).expect("a directory").count();
    assert_eq!(left_over, 3, "nothing unfinished is left");
}

#[test]
fn a_recording_that_was_stopped_early_says_so_and_keeps_what_it_has() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut recording = Recording::start(&config(directory.path()), 0).expect("a recording");
    play(&mut recording, 1_795_250_000 * S + 3 * S / 4);
    recording.finish(false, 1_795_250_000 * S + 3 * S / 4).expect("files");
    let report = report(directory.path());
    assert_eq!(report["complete"], false);
    assert_eq!(report["prompts"][0]["shown_s"], 0.5);
    assert_eq!(
        report["prompts"][1],
        serde_json::json!({
            "prompt": "an oil painting", "given_s": null, "shown_s": null, "pictures": 0, "spoken": null
        })
    );
}

#[test]
fn what_is_said_gets_a_column_with_what_was_heard_and_how_long_it_took() {
    let directory = tempfile::tempdir().expect("a directory");
    let spoken = Config { prompts: Vec::new(), ..config(directory.path()) };
    let start = 1_795_250_000 * S;
    let mut recording = Recording::start(&spoken, start).expect("a recording");
    let said = |text: &str, captured_ns| Prompt {
        stamp: Stamp { stream: "house".to_owned(), frame_id: 7, captured_ns },
        trace: Trace(vec![StageTime {
            stage: "vad".to_owned(),
            received_ns: captured_ns,
            sent_ns: captured_ns + 300_000_000,
            drops: 0,
        }]),
        origin: "voice".to_owned(),
        text: text.to_owned(),
    };
    recording.source(&frame("house", 0, start, "", 10));
    recording.picture(&frame("house", 0, start, "before", 200), start);
    assert!(recording.due(start + S / 10).is_none(), "a recorder that listens asks for nothing");
    recording.transcript(said("make us a comic", start + S / 2));
    recording.wish(said("a comic", start + S / 2), start + S);
    recording.source(&frame("house", 9, start + S, "", 10));
    recording.picture(&frame("house", 9, start + S, "a comic", 90), start + S + S / 4);
    recording.finish(true, start + 2 * S).expect("files");

    let report = report(directory.path());
    assert_eq!(
        report["prompts"],
        serde_json::json!([{
            "prompt": "a comic", "given_s": 1.0, "shown_s": 1.25, "pictures": 1,
            "spoken": {
                "heard": "make us a comic", "said_s": 0.5, "shown_after_ms": 750.0,
                "stages": [{ "stage": "vad", "ms": 300.0 }],
            },
        }])
    );
    assert_eq!(report["spoken_to_shown_ms"], serde_json::json!({ "p50": 750.0, "p99": 750.0 }));
}

#[test]
fn without_a_picture_the_report_is_all_zero() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join(FILM), "of an earlier recording").expect("a file");
    let recording = Recording::start(&config(directory.path()), 0).expect("a recording");
    assert_eq!(recording.phase(5 * S), Phase::Hopeless);
    recording.finish(false, 5 * S).expect("files");
    let report = report(directory.path());
    assert_eq!(report["frames"]["displayed"], 0);
    assert_eq!(report["fps"], 0.0);
    assert_eq!(report["pack"], Value::Null);
    assert_eq!(report["video"]["note"], "no picture came, so there is no film");
    assert!(!directory.path().join(FILM).exists(), "an earlier film must not pass for this one's");
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let error = Recording::start(&config(&file.path().join("demo")), 0).err().expect("no directory").to_string();
    assert!(error.contains("RECORDER_OUT"), "{error}");
}
