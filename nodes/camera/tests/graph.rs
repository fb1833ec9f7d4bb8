//! The node in a real graph.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// The repository's root.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("it is there")
}

/// The dora command: `DORA`, else the project's own, else the one on the path.
fn dora() -> PathBuf {
    let own = root().join(".venv/bin/dora");
    std::env::var_os("DORA").map_or_else(|| if own.exists() { own } else { "dora".into() }, PathBuf::from)
}

/// Runs a camera with these settings, watched, for some seconds: dora's output and the watcher's lines.
fn run(settings: &[(&str, &str)], seconds: u32) -> (Output, String) {
    let folder = TempDir::new().expect("a folder");
    std::os::unix::fs::symlink(root().join("types"), folder.path().join("types")).expect("it can be linked");
    let camera = PathBuf::from(env!("CARGO_BIN_EXE_camera"));
    let watch = camera.parent().expect("it lies in a folder").join("examples/watch");
    let out = folder.path().join("watch.txt");
    let settings: String = settings.iter().map(|(key, value)| format!("      {key}: \"{value}\"\n")).collect();
    let graph = format!(
        "nodes:
  - id: camera
    path: {}
    env:
{settings}    outputs: [frame, notice]
    output_types: {{ frame: mirror/media/v1/Frame, notice: mirror/media/v1/Notice }}
  - id: watch
    path: {}
    env: {{ WATCH_OUT: {} }}
    inputs:
      frame: {{ source: camera/frame, queue_size: 1 }}
      notice: {{ source: camera/notice, queue_size: 64, queue_policy: backpressure }}
    input_types: {{ frame: mirror/media/v1/Frame, notice: mirror/media/v1/Notice }}
",
        camera.display(),
        watch.display(),
        out.display(),
    );
    let file = folder.path().join("dataflow.yml");
    fs::write(&file, graph).expect("it can be written");
    let output = Command::new(dora())
        .args(["run", "dataflow.yml", "--stop-after", &format!("{seconds}s")])
        .current_dir(folder.path())
        .output()
        .expect("the dora command is missing: run \"make setup\", or name it with DORA=…");
    (output, fs::read_to_string(&out).unwrap_or_default())
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn pictures_arrive_whole_with_their_numbers_and_a_notice_of_what_they_are() {
    let settings =
        [("CAMERA_SOURCE", "pattern"), ("CAMERA_WIDTH", "640"), ("CAMERA_HEIGHT", "480"), ("CAMERA_FPS", "20")];
    let (output, lines) = run(&settings, 6);
    assert!(output.status.success(), "{}", text(&output));
    let frames: Vec<Vec<&str>> =
        lines.lines().filter(|line| line.starts_with("frame ")).map(|line| line.split(' ').collect()).collect();
    assert!(frames.len() >= 20, "{lines}{}", text(&output));
    assert!(frames.iter().all(|frame| frame[2] == "480x640" && frame[1] == frame[4]), "{lines}");
    assert!(text(&output).contains("the test pattern"), "{}", text(&output));
}

#[test]
fn a_film_that_ends_ends_the_node_with_success() {
    let clip = root().join("assets/clip.mp4");
    let settings = [("CAMERA_SOURCE", clip.to_str().expect("Unicode")), ("CAMERA_LOOP", "off"), ("CAMERA_FPS", "5")];
    let (output, lines) = run(&settings, 40);
    assert!(output.status.success(), "{}", text(&output));
    assert!(lines.lines().filter(|line| line.starts_with("frame ")).count() > 20, "{lines}");
}

#[test]
fn a_missing_source_ends_the_node_with_one_line() {
    let (output, _) = run(&[("CAMERA_SOURCE", "/nowhere/film.mp4")], 20);
    assert!(!output.status.success(), "{}", text(&output));
    let text = text(&output);
    let line = "camera: CAMERA_SOURCE=/nowhere/film.mp4: there is no such file or folder; it can be auto";
    assert!(text.contains(line), "{text}");
}
