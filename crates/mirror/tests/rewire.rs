//! `mirror rewire` to a graph that does not work: the old one comes back, and that is said.

#![expect(clippy::unwrap_used, reason = "in a test a failed unwrap is a failed test")]

mod project;

use project::Project;
use std::fs;

/// The run of the graph that is rewired.
const OLD: &str = "5a-before";

/// A dora on which that run is under way. The first graph that it is to start after it goes as `first` says, the next one runs.
fn dora(first: &str) -> String {
    format!(
        r#"#!/bin/sh
echo "$*" >> notes
case $1 in
  --version) echo dora-cli 1.1.0 ;;
  status) echo '{{"coordinator": {{"status": "running"}}, "daemon": {{"status": "running"}}}}' ;;
  list) echo '{{"uuid": "{OLD}", "name": "mirror", "status": "Running"}}' ;;
  start) if [ -e tried ]; then echo "dataflow started: 5a-again"; else touch tried; {first}; fi ;;
esac
"#
    )
}

/// A project whose mirror runs, with a dataflow file that has been edited since.
fn project(first: &str) -> Project {
    let project = Project::new();
    project.program(".venv/bin/dora", &dora(first));
    let graph = fs::read_to_string(project.path("dataflow.yml")).unwrap();
    let indented: String = graph.lines().map(|line| format!("  {line}\n")).collect();
    let file = project.path("dataflow.yml").display().to_string();
    project.write(&format!("out/{OLD}/mirror.yml"), &format!("dataflow: {file}\ngraph:\n{indented}overrides: {{}}\n"));
    let edited = graph.replace("env: { ", "env: { WEB_STREAM: \"\", ");
    assert_ne!(edited, graph);
    project.write("dataflow.yml", &edited);
    project
}

/// What follows the old run, and whether it is the old graph.
fn next(project: &Project) -> (String, bool) {
    let next = fs::read_to_string(project.path(&format!("out/{OLD}/next"))).unwrap();
    let kept = fs::read_to_string(project.path(&format!("out/{next}/mirror.yml"))).unwrap();
    (next, !kept.contains("WEB_STREAM"))
}

#[test]
fn a_graph_that_dora_cannot_start_leads_back_to_the_old_one() {
    let project = project(r"printf '[ERROR]\nweb cannot be spawned\n\nLocation:\n x\n' >&2; exit 1");
    let error = project.error(&["rewire"]);
    let expected =
        "error: the new graph does not work, and the old one runs again: dora start failed: web cannot be spawned\n";
    assert_eq!(error, expected);
    assert_eq!(next(&project), ("5a-again".to_owned(), true));
    let mut notes = project.notes();
    notes.retain(|note| ["validate", "stop", "start"].contains(&note.as_str()));
    assert_eq!(notes, ["validate", "stop", "start", "start"]);
}

#[test]
fn a_graph_whose_node_cannot_go_on_leads_back_to_the_old_one() {
    let line = r#"{"level": "stdout", "node": "web", "msg": "ERROR web: WEB_STREAM is empty"}"#;
    let fails = format!("mkdir -p out/5a-new; for time in 1 2; do echo '{line}' >> out/5a-new/log_web.jsonl; done");
    let project = project(&format!("{fails}; echo \"dataflow started: 5a-new\""));
    let error = project.error(&["rewire"]);
    assert_eq!(error, "error: the new graph does not work, and the old one runs again: web: WEB_STREAM is empty\n");
    assert_eq!(next(&project), ("5a-again".to_owned(), true));
    let mut notes = project.notes();
    notes.retain(|note| ["validate", "stop", "start"].contains(&note.as_str()));
    // What runs of the new one is stopped as well.
    assert_eq!(notes, ["validate", "stop", "start", "stop", "start"]);
}
