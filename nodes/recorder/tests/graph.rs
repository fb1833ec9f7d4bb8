//! The recorder in a dataflow, for real: a stand-in for the mirror, its recorder, dora.

use serde_json::Value;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Starting a dataflow takes seconds on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A dataflow that runs until it is dropped.
struct Graph {
    directory: TempDir,
    dora: Child,
}

impl Graph {
    /// Starts it with the recorder's environment as YAML; a mirror that stands still sends nothing.
    fn start(env: &str, moves: bool) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the project's root");
        let directory = TempDir::new().expect("a directory");
        std::os::unix::fs::symlink(root.join("types"), directory.path().join("types")).expect("a link");
        let this = std::env::current_exe().expect("this program");
        let painter = this.parent().and_then(Path::parent).expect("target/release").join("examples/painter");
        assert!(painter.is_file(), "{} is missing: run all of this package's tests", painter.display());
        let tick = if moves { ", tick: { source: dora/timer/millis/40, queue_size: 1 }" } else { "" };
        let flow = format!(
            "nodes:
  - id: painter
    path: {painter}
    inputs: {{ update: {{ source: recorder/update, queue_size: 64, queue_policy: backpressure }}{tick} }}
    outputs: [source, picture, settings]
  - id: recorder
    path: {recorder}
    env: {env}
    inputs:
      picture: {{ source: painter/picture, queue_size: 1 }}
      source: {{ source: painter/source, queue_size: 4 }}
      settings: {{ source: painter/settings, queue_size: 64, queue_policy: backpressure }}
      tick: {{ source: dora/timer/millis/100, queue_size: 1 }}
    outputs: [update, notice]
",
            painter = painter.display(),
            recorder = env!("CARGO_BIN_EXE_recorder"),
        );
        std::fs::write(directory.path().join("dataflow.yml"), flow).expect("a dataflow");
        let log = std::fs::File::create(directory.path().join("log")).expect("a log");
        let mut command = Command::new(dora(&root));
        command.args(["run", "dataflow.yml", "--stop-after", "120s"]).current_dir(directory.path());
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("a log")).stderr(log).process_group(0);
        let dora = command.spawn().expect("dora runs");
        Self { directory, dora }
    }

    fn log(&self) -> String {
        let bytes = std::fs::read(self.directory.path().join("log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn wait_for(&self, text: &str) {
        let start = Instant::now();
        while !self.log().contains(text) {
            assert!(start.elapsed() < PATIENCE, "no \"{text}\" within {PATIENCE:?}; the log:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn report(&self) -> Value {
        let bytes = std::fs::read(self.directory.path().join("out/report.json")).expect("a report");
        serde_json::from_slice(&bytes).expect("JSON")
    }

    /// Stops it as Ctrl-C does.
    fn stop(&mut self) {
        let _ = Command::new("kill").args(["-INT", &self.dora.id().to_string()]).status();
        let start = Instant::now();
        while matches!(self.dora.try_wait(), Ok(None)) && start.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Graph {
    fn drop(&mut self) {
        self.stop();
        let group = format!("-{}", self.dora.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        let _ = self.dora.wait();
    }
}

/// The dora command line: `DORA`, else the project's own, else the one in `PATH`.
fn dora(root: &Path) -> PathBuf {
    if let Some(program) = std::env::var_os("DORA").filter(|program| !program.is_empty()) {
        return program.into();
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::iter::once(root.join(".venv/bin"))
        .chain(std::env::split_paths(&folders))
        .map(|folder| folder.join("dora"))
        .find(|program| program.is_file())
        .expect("no dora command line, neither in .venv nor in PATH: run \"make setup\"")
}

#[test]
fn a_recording_in_a_graph_plays_its_prompts_and_ends_by_itself() {
    let graph = Graph::start("{ RECORDER_OUT: out, RECORDER_SECONDS: 4, RECORDER_PROMPTS: 'neon lights; gold' }", true);
    graph.wait_for("recording finished");
    let report = graph.report();
    assert_eq!(report["complete"], true);
    assert!(report["frames"]["displayed"].as_i64().expect("a count") > 20, "{report:#}");
    assert_eq!(report["frames"]["captured"].as_i64(), sum(&report["frames"], ["displayed", "dropped"]), "{report:#}");
    for prompt in report["prompts"].as_array().expect("prompts") {
        let [given, shown] = ["given_s", "shown_s"].map(|key| prompt[key].as_f64().expect("a second"));
        assert!(given <= shown && shown < given + 1.5, "{report:#}");
    }
    assert_eq!(report["stages"][1]["stage"], "recorder");
    assert_eq!(report["settings"]["prompt"], "gold");
    assert!(graph.log().contains("pictures, \"neon lights\""), "{}", graph.log());
    for file in ["sheet.png", "mirror.mp4"] {
        assert!(std::fs::metadata(graph.directory.path().join("out").join(file)).expect(file).len() > 500);
    }
}

fn sum(frames: &Value, keys: [&str; 2]) -> Option<i64> {
    keys.iter().map(|key| frames[key].as_i64()).sum()
}

#[test]
fn a_recording_that_is_stopped_writes_what_it_has() {
    let mut graph = Graph::start("{ RECORDER_OUT: out, RECORDER_SECONDS: 60s }", true);
    graph.wait_for("second 1 of 60");
    graph.stop();
    let report = graph.report();
    assert_eq!(report["complete"], false);
    assert!(report["frames"]["displayed"].as_i64().expect("a count") > 5, "{report:#}");
}

#[test]
fn without_a_picture_the_recorder_gives_up_with_one_clear_line() {
    let graph = Graph::start("{ RECORDER_OUT: out, RECORDER_PATIENCE_SECONDS: 1s }", false);
    graph.wait_for("recorder: no picture was shown");
    assert_eq!(graph.report()["frames"]["displayed"], 0);
}

#[test]
fn a_time_that_is_none_is_an_error_that_names_its_key() {
    let graph = Graph::start("{ RECORDER_SECONDS: soon }", true);
    graph.wait_for("RECORDER_SECONDS=\"soon\" is not a number of seconds");
}
