//! What a running mirror lives through: nodes that are killed, a stage that stands still or paints no more, a camera that is away,
//! its own end, a neighbour.

use eyre::{Result, ensure, eyre};
use mirror_tests::edited::Edited;
use mirror_tests::mjpeg::Webcam;
use mirror_tests::running::{Running, signal, wait_for};
use mirror_tests::{alone, root};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The longest that pictures may stay away when a node is killed: on a slow machine that has something else to do besides, with
/// the time in which a stage opens the starter pack again. `benches/KILLS.md` says how long it is otherwise.
const BACK: Duration = Duration::from_secs(15);

/// All nodes that `dataflow.yml` starts.
fn nodes() -> Result<Vec<String>> {
    let graph: serde_yaml_ng::Value = serde_yaml_ng::from_str(&fs::read_to_string(root().join("dataflow.yml"))?)?;
    let nodes = graph["nodes"].as_sequence().into_iter().flatten().filter(|node| node["path"] != "dynamic");
    Ok(nodes.filter_map(|node| Some(node["id"].as_str()?.to_owned())).collect())
}

fn processes(mirror: &Running, nodes: &[String]) -> BTreeMap<String, u32> {
    nodes.iter().filter_map(|node| Some((node.clone(), mirror.node(node)?))).collect()
}

fn frames(mirror: &Running) -> Option<u64> {
    mirror.get("/api/figures").ok()?["frames"].as_u64()
}

fn prompt(mirror: &Running) -> Value {
    mirror.get("/api/figures").map(|figures| figures["prompt"].clone()).unwrap_or_default()
}

/// Waits until the page shows more pictures than it does now, painted as that.
fn paints(mirror: &Running, wanted: &str) -> Result<()> {
    let mut before = None;
    let more = || {
        let now = frames(mirror);
        // A page that is started again counts from 0.
        let rises = before.is_some_and(|before| now > Some(before + 2));
        before = before.or(now).map(|before: u64| before.min(now.unwrap_or(before)));
        rises && prompt(mirror) == wanted
    };
    wait_for("pictures", more).map_err(|error| eyre!("{error} of {wanted}: {}\n{}", prompt(mirror), mirror.log()))
}

fn start(state: &Path, arguments: &[&str]) -> Result<Running> {
    let state = format!("CONTROL_STATE={}", state.display());
    Running::start(&[&["--source", "assets/clip.mp4", "--size", "128", "--env", &state], arguments].concat())
}

#[test]
fn whichever_node_is_killed_comes_back_and_the_prompt_stays_and_outlives_the_mirror() -> Result<()> {
    let _alone = alone();
    let folder = tempfile::tempdir()?;
    let state = folder.path().join("settings.json");
    let mut mirror = start(&state, &["--prompt", "a pencil drawing"])?;
    paints(&mirror, "a pencil drawing")?;
    // What somebody has asked for since the start: nothing but the state file knows it.
    mirror.post("/api/settings", &json!({"prompt": "neon lights", "seed": 7}))?;
    paints(&mirror, "neon lights")?;
    let nodes = nodes()?;
    assert!(nodes.len() >= 9, "{nodes:?}");
    wait_for("all nodes", || processes(&mirror, &nodes).len() == nodes.len())?;
    for node in &nodes {
        let before = processes(&mirror, &nodes);
        let pid = *before.get(node).ok_or_else(|| eyre!("{node} does not run"))?;
        let killed = Instant::now();
        signal("KILL", pid)?;
        wait_for(&format!("another {node}"), || mirror.node(node).is_some_and(|now| now != pid))?;
        paints(&mirror, "neon lights")?;
        let away = killed.elapsed();
        assert!(away < BACK, "pictures came back {away:?} after {node} was killed\n{}", mirror.log());
        let after = processes(&mirror, &nodes);
        for other in nodes.iter().filter(|other| *other != node) {
            assert_eq!(before.get(other), after.get(other), "{other} ended when {node} was killed");
        }
        // A page that was started again shows the defaults until `control` has said the settings.
        let settings = || mirror.get("/api/settings").map(|page| page["settings"].clone()).unwrap_or_default();
        let kept = || settings()["seed"] == 7 && settings()["size"] == 128;
        wait_for("the settings", kept).map_err(|error| eyre!("{error} after {node} was killed: {}", settings()))?;
    }
    assert!(mirror.interrupt()?, "{}", mirror.log());
    let mirror = start(&state, &[])?;
    paints(&mirror, "neon lights")
}

#[test]
fn a_node_that_stands_still_is_found_and_started_again() -> Result<()> {
    let _alone = alone();
    let folder = tempfile::tempdir()?;
    let mirror =
        start(&folder.path().join("settings.json"), &["--prompt", "neon lights", "--env", "WATCH_SECONDS=3s"])?;
    paints(&mirror, "neon lights")?;
    for node in ["diffusion", "display"] {
        let pid = mirror.node(node).ok_or_else(|| eyre!("{node} does not run"))?;
        signal("STOP", pid)?;
        let another = || mirror.node(node).is_some_and(|now| now != pid);
        wait_for(&format!("another {node}"), another).map_err(|error| eyre!("{error}\n{}", mirror.log()))?;
        paints(&mirror, "neon lights")?;
        // What is said to all is on the page with its next figures.
        let notices = || mirror.get("/api/figures").map(|figures| figures["notices"].to_string()).unwrap_or_default();
        let is_said = || notices().contains(&format!("{node} ")) && notices().contains("it is started again");
        wait_for("a word of watch", is_said).map_err(|error| eyre!("{error}: {}", notices()))?;
    }
    Ok(())
}

#[test]
fn a_stage_that_paints_no_more_is_found_and_started_again() -> Result<()> {
    let _alone = alone();
    let folder = tempfile::tempdir()?;
    let graph = Edited::copy("dataflow.yml")?;
    graph.replace("path: target/release/operator\n", concat!("path: ", env!("CARGO_BIN_EXE_mute"), "\n"))?;
    let file = graph.name();
    let arguments = ["--dataflow", &file, "--prompt", "neon lights", "--env", "WATCH_SECONDS=8s"];
    let mirror = start(&folder.path().join("settings.json"), &arguments)?;
    let notices = || mirror.get("/api/figures").map(|figures| figures["notices"].to_string()).unwrap_or_default();
    let found = || notices().contains("operator has put nothing out for 8 s");
    wait_for("a word of watch", found).map_err(|error| eyre!("{error}: {}\n{}", notices(), mirror.log()))?;
    ensure!(notices().contains("it is started again"), "{}", notices());
    // Those before it wait for it and are not blamed; those after it get nothing.
    for other in ["encoder", "diffusion", "decoder", "camera"] {
        ensure!(!notices().contains(&format!("{other} has put nothing out")), "{}", notices());
    }
    paints(&mirror, "neon lights")
}

#[test]
fn a_node_of_which_no_output_is_expected_is_found_when_it_does_not_come_back() -> Result<()> {
    let _alone = alone();
    let folder = tempfile::tempdir()?;
    let graph = Edited::copy("dataflow.yml")?;
    let listener = format!(
        "nodes:\n  - id: listener\n    path: {}\n    restart_policy: on-failure\n    inputs:\n      settings: {{ source: control/settings, queue_size: 16, queue_policy: backpressure }}\n",
        env!("CARGO_BIN_EXE_mute")
    );
    graph.replace("nodes:\n", &listener)?;
    let file = graph.name();
    let arguments = ["--dataflow", &file, "--prompt", "neon lights", "--env", "WATCH_SECONDS=2s"];
    let mirror = start(&folder.path().join("settings.json"), &arguments)?;
    wait_for("the listener", || mirror.node("mute").is_some())?;
    let pid = mirror.node("mute");
    let notices = || mirror.get("/api/figures").map(|figures| figures["notices"].to_string()).unwrap_or_default();
    let found = || notices().contains("listener does not come back from what it took up: it is started again");
    wait_for("a word of watch", found).map_err(|error| eyre!("{error}: {}\n{}", notices(), mirror.log()))?;
    wait_for("another listener", || mirror.node("mute").is_some_and(|now| Some(now) != pid))?;
    paints(&mirror, "neon lights")
}

#[test]
fn a_camera_may_be_away_longer_than_a_stage_may_hang_and_is_waited_for_also_after_a_kill() -> Result<()> {
    let _alone = alone();
    let folder = tempfile::tempdir()?;
    let (camera, nodes) = (Webcam::start()?, nodes()?);
    let state = format!("CONTROL_STATE={}", folder.path().join("settings.json").display());
    let source = ["--source", camera.address(), "--size", "128", "--prompt", "neon lights"];
    let mut mirror = Running::start(&[&source[..], &["--env", &state, "--env", "WATCH_SECONDS=8s"]].concat())?;
    paints(&mirror, "neon lights")?;
    wait_for("all nodes", || processes(&mirror, &nodes).len() == nodes.len())?;
    let before = processes(&mirror, &nodes);
    camera.switch(false);
    // Half as long again.
    sleep(Duration::from_secs(12));
    camera.switch(true);
    paints(&mirror, "neon lights")?;
    assert_eq!(processes(&mirror, &nodes), before, "{}", mirror.log());
    // The process that follows one that was killed cannot open it, and stays.
    camera.switch(false);
    let pid = *before.get("camera").ok_or_else(|| eyre!("the camera does not run"))?;
    signal("KILL", pid)?;
    wait_for("another camera", || mirror.node("camera").is_some_and(|now| now != pid))?;
    let next = mirror.node("camera");
    sleep(Duration::from_secs(6));
    assert_eq!(mirror.node("camera"), next, "{}", mirror.log());
    camera.switch(true);
    paints(&mirror, "neon lights")?;
    assert_eq!(mirror.node("camera"), next, "{}", mirror.log());
    ensure!(!mirror.log().contains("has put nothing out"), "{}", mirror.log());
    ensure!(mirror.interrupt()?, "{}", mirror.log());
    Ok(())
}

#[test]
fn two_mirrors_on_one_machine_do_not_touch_each_other() -> Result<()> {
    let _alone = alone();
    let folder = tempfile::tempdir()?;
    let states = ["one.json", "other.json"].map(|name| folder.path().join(name));
    let mut one = start(&states[0], &["--prompt", "neon lights"])?;
    let state = format!("CONTROL_STATE={}", states[1].display());
    let library = folder.path().join("operator.so");
    let graph = Edited::copy("dataflow.yml")?;
    graph.replace("OPERATOR_LIBRARY: .mirror/operator.so", &format!("OPERATOR_LIBRARY: {}", library.display()))?;
    let file = graph.name();
    let arguments = ["--source", "pattern", "--size", "128", "--env", &state, "--prompt", "a pencil drawing"];
    let other = Running::start_named("garden", &[&["--dataflow", &file], &arguments[..]].concat())?;
    paints(&one, "neon lights")?;
    paints(&other, "a pencil drawing")?;
    other.post("/api/settings", &json!({"prompt": "a mosaic of tiles"}))?;
    paints(&other, "a mosaic of tiles")?;
    paints(&one, "neon lights")?;
    // Found by its name alone.
    let tape = folder.path().join("garden.mcap");
    let arguments = ["record", "--name", "garden", "--seconds", "1", "--free-mib", "1", "--out"];
    let recorded = other.command(&arguments).arg(&tape).output()?;
    ensure!(recorded.status.success(), "{}", String::from_utf8_lossy(&recorded.stderr));
    let painted: Vec<_> = mirror_tape::Reader::open(&tape)?.collect::<Result<Vec<_>>>()?;
    let source = painted.iter().find_map(|taped| taped.text("source"));
    ensure!(source.is_some_and(|source| !source.contains("clip.mp4")), "{source:?}");
    // So it is watched and changed: `top`, `swap` and `rewire` leave the one without a name alone.
    let ask = |arguments: &[&str]| -> Result<String> {
        // Without ports in the environment: the name alone must do.
        let output = other.command(arguments).args(["--name", "garden"]).output()?;
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        ensure!(output.status.success(), "{arguments:?}: {said}");
        Ok(said)
    };
    let top = ask(&["top", "--once"])?;
    ensure!(top.contains("a mosaic of tiles") && top.contains(other.page().trim_start_matches("http://")), "{top}");
    let before = [&one, &other].map(|mirror| mirror.node("diffusion"));
    ensure!(ask(&["swap", "diffusion"])?.contains("diffusion is replaced"));
    // The old process takes its leave for a moment.
    let replaced = || other.node("diffusion").is_some_and(|now| Some(now) != before[1]);
    wait_for("another diffusion in the garden", replaced)?;
    ensure!(one.node("diffusion") == before[0], "the one without a name has another diffusion");
    ensure!(ask(&["rewire", &file])?.contains("nothing has changed"));
    // An operator goes into the one that is named, in a place of its own: the note of its lives is beside it.
    let put = other.operator(&["grade"]).env("MIRROR_NAME", "garden").output()?;
    let said = format!("{}{}", String::from_utf8_lossy(&put.stdout), String::from_utf8_lossy(&put.stderr));
    ensure!(put.status.success() && said.contains("operator grade is live"), "{said}");
    ensure!(folder.path().join("operator-garden.so").is_file() && !library.exists(), "{said}");
    let notices = one.get("/api/figures")?["notices"].to_string();
    ensure!(!notices.contains("operator grade is live"), "{notices}");
    paints(&other, "a mosaic of tiles")?;
    paints(&one, "neon lights")?;
    // The end of one is not the end of the other.
    assert!(one.interrupt()?, "{}", one.log());
    paints(&other, "a mosaic of tiles")
}
