//! `mirror doctor`: what it says of a project that is ill, and of one that is well.

#![expect(clippy::unwrap_used, reason = "in a test a failed unwrap is a failed test")]

mod project;

use project::{Project, said};
use std::net::TcpListener;
use std::thread;

/// What `mirror doctor` says, a line each, and whether it ended well. Shared memory is the machine's, and not looked at here.
fn doctor(project: &Project, arguments: &[&str]) -> (Vec<String>, bool) {
    let output = project.start(&[&["doctor"], arguments].concat()).wait_with_output().unwrap();
    let text = said(&output);
    let lines = text.lines().filter(|line| !line.contains("/dev/shm")).map(str::to_owned).collect();
    (lines, output.status.success() || text.contains("FAULT  memory "))
}

fn line<'a>(lines: &'a [String], start: &str) -> &'a str {
    lines.iter().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("no {start} in {lines:#?}"))
}

#[test]
fn the_doctor_names_every_fault_with_its_remedy_and_ends_with_an_error() {
    let project = Project::new();
    let (page, clients) = (TcpListener::bind(&project.address).unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    // Another program has the page's port, and answers nobody.
    thread::spawn(move || page.incoming().for_each(drop));
    let port = clients.local_addr().unwrap().port();
    let graph = format!(
        "
env: {{ WEB_ADDRESS: '{}', WEB_REALTIME: ':{port}', WEB_LIVE: 'off', WEB_DREAM: 'off', CAMERA_SOURCE: nowhere.mp4, MICROPHONE_SOURCE: nobody.wav, MIRROR_PROVIDER: npu }}
nodes:
  - {{ id: camera, path: target/release/camera }}
  - {{ id: microphone, path: target/release/microphone }}
  - {{ id: web, path: target/release/web }}
",
        project.address
    );
    project.write("dataflow.yml", &graph);
    let output = project.start(&["doctor"]).wait_with_output().unwrap();
    assert!(!output.status.success());
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.starts_with("error: the mirror does not run with these ") && error.lines().count() == 1, "{error}");
    let (lines, _) = doctor(&project, &[]);
    for (start, remedy) in [
        ("FAULT  programs    not built: target/release/camera, target/release/microphone", "run \"make build\""),
        ("FAULT  page        the page cannot be served on WEB_ADDRESS=", "choose another"),
        ("FAULT  camera      CAMERA_SOURCE=nowhere.mp4 is not there", "name a camera"),
        ("FAULT  microphone  MICROPHONE_SOURCE=nobody.wav is not there", "name a microphone"),
        ("FAULT  provider    MIRROR_PROVIDER=\"npu\" is not auto, cpu, cuda or tensorrt", "correct it"),
        ("--     clients     Real-Time LCM: 127.0.0.1:", "WEB_REALTIME=off"),
        ("ok     clients     Live Diffusion: off", "WEB_LIVE"),
        ("ok     dora        1.1.0", ""),
        ("ok     models      the pack opens", ""),
    ] {
        assert!(line(&lines, start).contains(remedy), "{start}: {lines:#?}");
    }
}

#[test]
fn the_doctor_of_a_mirror_that_can_run_ends_well_and_knows_it_by_its_name() {
    let project = Project::new();
    let graph = format!(
        "
env: {{ WEB_ADDRESS: '{}', WEB_REALTIME: 'off', WEB_LIVE: 'off', WEB_DREAM: 'off', CAMERA_SOURCE: pattern, CONTROL_STATE: kept/settings.json, MIRROR_PROVIDER: cpu, MICROPHONE_SOURCE: none }}
nodes:
  - {{ id: camera, path: target/release/camera }}
  - {{ id: microphone, path: target/release/microphone }}
  - {{ id: stt, path: target/release/stt }}
  - {{ id: rephrase, path: target/release/rephrase }}
  - {{ id: web, path: target/release/web }}
",
        project.address
    );
    project.write("dataflow.yml", &graph);
    for program in ["camera", "microphone", "stt", "rephrase"] {
        project.program(&format!("target/release/{program}"), "");
    }
    let (lines, is_well) = doctor(&project, &[]);
    assert!(is_well && !lines.iter().any(|line| line.starts_with("FAULT")), "{lines:#?}");
    line(&lines, "ok     camera      CAMERA_SOURCE=pattern");
    line(&lines, "ok     provider    CPU, with MIRROR_PROVIDER=cpu");
    line(&lines, "ok     microphone  MICROPHONE_SOURCE=none");
    line(&lines, "ok     voice       whisper model models/starter/voice/whisper.bin");
    line(&lines, "ok     voice       language model models/starter/voice/rephrase.gguf");
    line(&lines, &format!("ok     page        http://{}", project.address));
    line(&lines, "ok     settings    kept in kept/settings.json");
    let (lines, is_well) = doctor(&project, &["--name", "garden"]);
    assert!(is_well && line(&lines, "ok     mirror ").contains("no mirror called garden runs"), "{lines:#?}");
    line(&lines, "ok     settings    kept in kept/settings-garden.json");
}
