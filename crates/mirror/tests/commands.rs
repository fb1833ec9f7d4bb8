//! The program as people start it.

#![expect(clippy::unwrap_used, reason = "in a test a failed unwrap is a failed test")]

mod project;

use project::{DORA, Project, said};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

/// Answers every request with these figures, from when dora has been told to start the graph.
fn serve(project: &Project, figures: &'static str) {
    wait(|| project.notes().contains(&"start".to_owned()));
    let listener = TcpListener::bind(&project.address).unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            answer(stream, figures);
        }
    });
}

fn answer(mut stream: TcpStream, body: &str) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    while lines.next().is_some_and(|line| !line.is_empty()) {}
    // Who has gone needs no answer.
    let _ = write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
}

fn wait(until: impl Fn() -> bool) {
    let begin = Instant::now();
    while !until() {
        assert!(begin.elapsed() < Duration::from_secs(30), "it did not come to that");
        thread::sleep(Duration::from_millis(20));
    }
}

fn interrupt(child: &Child) {
    let status = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

#[test]
fn the_mirror_starts_tells_its_figures_and_stops_at_ctrl_c() {
    let project = Project::new();
    let child = project.start(&["run", "--prompt", "neon"]);
    serve(&project, r#"{"frames": 9, "fps": 30, "prompt": "neon", "pack": "starter", "provider": "CPU"}"#);
    thread::sleep(Duration::from_secs(2));
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    let text = said(&output);
    assert!(output.status.success(), "{text}");
    assert!(text.contains(&format!("http://{}", project.address)), "{text}");
    assert!(text.contains("30.0 fps") && text.contains("starter on CPU · \"neon\""), "{text}");
    assert!(text.ends_with("nothing of it is left running\n"), "{text}");
    let told = ["coordinator", "daemon", "start", "stop", "down"];
    let mut notes = project.notes();
    notes.retain(|note| told.contains(&note.as_str()));
    // Coordinator and daemon are started together, and write when they get to it.
    notes[..2].sort();
    assert_eq!(notes, told);
}

#[test]
fn the_mirror_ends_when_its_window_is_closed() {
    let project = Project::new();
    let child = project.start(&["run"]);
    serve(
        &project,
        r#"{"frames": 9, "notices": [{"id": 1, "origin": "display", "level": "info", "text": "window closed"}]}"#,
    );
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn a_node_that_cannot_go_on_ends_the_mirror_with_its_own_words() {
    let project = Project::new();
    let child = project.start(&["run"]);
    serve(&project, r#"{"frames": 0}"#);
    let line = r#"{"level": "stdout", "node": "web", "msg": "ERROR web: models/x is not there"}"#;
    project.write("out/5a-commands-test/log_web.jsonl", &format!("{line}\n"));
    let output = child.wait_with_output().unwrap();
    assert!(!output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "error: web: models/x is not there\n");
    assert!(project.notes().ends_with(&["down".to_owned()]), "{:?}", project.notes());
}

#[test]
fn outside_the_project_nothing_runs() {
    let project = Project::new();
    fs::remove_file(project.path("dataflow.yml")).unwrap();
    assert!(project.error(&["run"]).contains("holds dataflow.yml"));
}

#[test]
fn what_is_not_built_is_named_with_the_remedy() {
    let project = Project::new();
    fs::remove_file(project.path("target/release/web")).unwrap();
    assert_eq!(project.error(&["run"]), "error: not built: target/release/web; run \"make build\"\n");
}

#[test]
fn without_dora_nothing_runs() {
    let project = Project::new();
    fs::remove_file(project.path(".venv/bin/dora")).unwrap();
    assert!(project.error(&["run"]).contains("no dora command line"));
}

#[test]
fn another_release_of_dora_is_refused() {
    let project = Project::new();
    project.program(".venv/bin/dora", "#!/bin/sh\necho dora-cli 0.3.12\n");
    assert!(project.error(&["run"]).contains("is dora 0.3.12, but 1.1.0 is needed"));
}

#[test]
fn a_pack_that_is_not_there_is_named() {
    let project = Project::new();
    assert!(project.error(&["run", "--pack", "nowhere"]).contains("nowhere is not there"));
}

#[test]
fn a_library_that_is_none_is_named() {
    let project = Project::new();
    fs::remove_file(project.path(".mirror")).unwrap();
    assert!(project.error(&["run"]).contains("ONNX Runtime is not at "));
    project.write(".mirror/onnxruntime/libonnxruntime.so", "no library");
    assert!(project.error(&["run"]).contains("is not a usable ONNX Runtime"));
}

#[test]
fn a_port_that_is_taken_is_named_before_anything_starts() {
    let project = Project::new();
    let _other = TcpListener::bind(&project.address).unwrap();
    assert!(project.error(&["run"]).contains(&format!("WEB_ADDRESS={}", project.address)));
    assert!(!project.notes().contains(&"start".to_owned()));
}

#[test]
fn a_setting_out_of_range_is_refused_before_anything_starts() {
    let project = Project::new();
    assert!(project.error(&["run", "--size", "100"]).contains("size must be a whole number from 128 to 1024"));
    assert!(project.notes().is_empty());
}

#[test]
fn an_operator_waits_in_its_place_for_the_next_mirror_of_its_name() {
    let project = Project::new();
    project.write("dataflow.yml", "env: { OPERATOR_LIBRARY: own/operator.so }\nnodes: []\n");
    project.write("libgrade.so", "a library");
    let run = |arguments: &[&str]| {
        let output = project.start(&[&["operator"], arguments].concat()).wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        said(&output)
    };
    let text = run(&["libgrade.so"]);
    assert!(text.contains("no mirror called mirror runs here, the next one shows it"), "{text}");
    assert_eq!(fs::read_to_string(project.path("own/operator.so")).unwrap(), "a library");
    run(&["libgrade.so", "--name", "garden"]);
    assert!(project.path("own/operator-garden.so").is_file());
    run(&["--off"]);
    assert!(!project.path("own/operator.so").exists() && project.path("own/operator-garden.so").is_file());
    let text = project.error(&["operator", "nowhere.so"]);
    assert!(text.contains("nowhere.so cannot be copied"), "{text}");
}

#[test]
fn a_demo_whose_dora_fails_says_what_dora_said() {
    let project = Project::new();
    let failing = DORA.replace(
        "  start)",
        "  run) printf '[ERROR]\\nthe graph has a cycle\\n\\nLocation:\\n x\\n' >&2; exit 1 ;;\n  start)",
    );
    project.program(".venv/bin/dora", &failing);
    let error = project.error(&["demo", "--dataflow", "dataflow.yml", "--out", "made"]);
    assert!(error.contains("the graph has a cycle (the log is made/mirror.log)"), "{error}");
}
