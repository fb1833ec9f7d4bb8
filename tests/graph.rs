//! The whole graph, really run: dora and the models. The page of it is in `page.rs`.

use eyre::{Result, eyre};
use mirror_benches::flow::{Flow, Pace, image_path};
use mirror_tests::running::{PATIENCE, Running, free_port, mirror};
use mirror_tests::{alone, copy, root};
use serde_json::Value;
use serde_yaml_ng::{Mapping, Value as Yaml};
use std::collections::BTreeMap;
use std::fs;

#[test]
fn pictures_and_latents_are_received_in_the_senders_shared_memory() -> Result<()> {
    let _alone = alone();
    let inputs = "      frame: { source: camera/frame, queue_size: 1 }
      latent: { source: encoder/latent, queue_size: 1 }
      denoised: { source: diffusion/denoised, queue_size: 1 }
      picture: { source: decoder/picture, queue_size: 1 }";
    let findings = Flow::new(&root(), &image_path(256, 20.0, 5, Pace::Balanced, inputs))?.findings(PATIENCE)?;
    for port in ["frame", "latent", "denoised", "picture"] {
        let seen = &findings[port];
        assert!(seen["count"].as_u64() > Some(10), "{port}: {seen}");
        assert_eq!(seen["in_shared_memory"], seen["count"], "{port}: {seen}");
        assert!(seen["bytes"].as_u64() >= Some(4096), "{port}: {seen}");
    }
    let stages = findings["picture"]["stages"].as_object().expect("stages");
    let mut names: Vec<&str> = stages.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["camera", "decoder", "diffusion", "encoder"]);
    Ok(())
}

/// `dataflow.video.yml` with these settings for all its nodes, and at its end the probe, which looks at these edges. Without the
/// chat, which people start. Pictures go through it as through `dataflow.yml` (`voice.rs`).
fn probed(settings: &[(&str, &str)], edges: &[(&str, &str)]) -> Result<String> {
    let mut graph: Mapping = serde_yaml_ng::from_str(&fs::read_to_string(root().join("dataflow.video.yml"))?)?;
    let environment = graph.get_mut("env").and_then(Yaml::as_mapping_mut).ok_or_else(|| eyre!("no env"))?;
    for (key, value) in settings {
        environment.insert(Yaml::from(*key), Yaml::from(*value));
    }
    let nodes = graph.get_mut("nodes").and_then(Yaml::as_sequence_mut).ok_or_else(|| eyre!("no nodes"))?;
    nodes.retain(|node| node["id"] != "chat");
    for node in &mut *nodes {
        for side in ["inputs", "input_types"] {
            if let Some(ports) = node.get_mut(side).and_then(Yaml::as_mapping_mut) {
                ports.remove("update_chat");
            }
        }
    }
    let edge = |(port, source): &(&str, &str)| format!("{port}: {{ source: {source}, queue_size: 1 }}");
    let inputs: Vec<String> = edges.iter().map(edge).collect();
    let environment = "PROBE_OUT: findings.json, PROBE_SECONDS: 12s, PROBE_SKIP: 1, PROBE_LOOK: 1";
    let inputs = inputs.join(", ");
    let probe =
        format!("{{ id: probe, path: target/release/probe, env: {{ {environment} }}, inputs: {{ {inputs} }} }}");
    nodes.push(serde_yaml_ng::from_str(&probe)?);
    Ok(serde_yaml_ng::to_string(&graph)?)
}

#[test]
fn the_largest_pictures_of_the_whole_graph_are_received_in_the_senders_shared_memory() -> Result<()> {
    let _alone = alone();
    let page = format!("127.0.0.1:{}", free_port()?);
    let settings = [
        ("CAMERA_SOURCE", "pattern"),
        ("CAMERA_WIDTH", "1920"),
        ("CAMERA_HEIGHT", "1080"),
        ("CAMERA_FPS", "6"),
        ("CONTROL_SETTINGS", r#"{"size": 1024, "prompt": "neon lights"}"#),
        ("CONTROL_STATE", ""),
        ("OPERATOR_LIBRARY", ".mirror/tests/operator.so"),
        ("DISPLAY_WINDOW", "off"),
        ("WEB_ADDRESS", page.as_str()),
        ("WEB_REALTIME", "off"),
        ("WEB_LIVE", "off"),
        ("WEB_DREAM", "off"),
    ];
    let edges = [
        ("frame", "camera/frame"),
        ("latent", "encoder/latent"),
        ("source", "encoder/source"),
        ("denoised", "diffusion/denoised"),
        ("picture", "decoder/picture"),
        ("shown", "operator/picture"),
    ];
    let findings = Flow::new(&root(), &probed(&settings, &edges)?)?.findings(PATIENCE)?;
    for (port, source) in edges {
        let seen = &findings[port];
        assert!(seen["count"].as_u64() >= Some(3), "{source}: {seen}");
        // Where the machine stalls for a second a picture may find no room, and is copied.
        let [shared, all] = ["in_shared_memory", "count"].map(|key| seen[key].as_u64().unwrap_or_default());
        assert!(shared + all / 20 >= all, "{source}: {seen}");
    }
    assert_eq!(findings["frame"]["bytes"], 1920 * 1080 * 3);
    for port in ["source", "picture", "shown"] {
        assert_eq!(findings[port]["bytes"], 1024 * 1024 * 3, "{port}");
    }
    Ok(())
}

#[test]
fn two_cameras_share_the_models_and_their_pictures_do_not_mix() -> Result<()> {
    let _alone = alone();
    let inputs = "      picture: { source: decoder/picture, queue_size: 1 }";
    let second = "    inputs:
      frame_2: { source: camera_2/frame, queue_size: 1 }
";
    let camera = "  - id: camera_2
    path: target/release/camera
    env: { CAMERA_STREAM: garden, CAMERA_WIDTH: 256, CAMERA_HEIGHT: 256, CAMERA_FPS: 8 }
    outputs: [frame, notice]
  - id: encoder
";
    let yaml = image_path(256, 8.0, 6, Pace::Overlapped, inputs);
    let (before, after) = yaml.split_once("  - id: encoder\n").expect("an encoder");
    let yaml = format!("{before}{camera}{}", after.replacen("    inputs:\n", second, 1));
    let findings = Flow::new(&root(), &yaml)?.findings(PATIENCE)?;
    let streams = findings["picture"]["streams"].as_object().expect("streams");
    for stream in ["house", "garden"] {
        assert!(streams.get(stream).and_then(Value::as_u64) > Some(5), "{stream}: {findings}");
    }
    Ok(())
}

#[test]
fn the_demo_paints_the_clip_as_each_prompt_asks_and_says_when() -> Result<()> {
    let _alone = alone();
    let out = tempfile::tempdir()?;
    let folder = out.path().to_string_lossy().into_owned();
    let prompts = "could you turn me into a pencil sketch;neon lights at night";
    let arguments = [
        "demo",
        "--source",
        "assets/clip.mp4",
        "--prompts",
        prompts,
        "--seconds",
        "6",
        "--size",
        "256",
        "--out",
        &folder,
    ];
    let output = mirror(&arguments).output()?;
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    let report: Value = serde_json::from_slice(&fs::read(out.path().join("report.json"))?)?;
    assert_eq!(report["complete"], true, "{report}");
    assert_eq!(report["pack"], "starter", "{report}");
    assert!(report["frames"]["displayed"].as_u64() > Some(10), "{report}");
    assert!(report["age_ms"]["p50"].as_f64() > Some(0.0), "{report}");
    let shown = report["prompts"].as_array().expect("prompts");
    assert_eq!(shown.len(), 2);
    for prompt in shown {
        assert!(prompt["shown_s"].as_f64() >= prompt["given_s"].as_f64(), "{prompt}");
    }
    for file in ["sheet.png", "mirror.mp4"] {
        assert!(fs::metadata(out.path().join(file))?.len() > 10_000, "{file}");
    }
    Ok(())
}

/// A demo of two seconds with these arguments: whether it ended well, what it said, its report.
fn short_demo(arguments: &[&str]) -> Result<(bool, String, Value)> {
    let out = tempfile::tempdir()?;
    let folder = out.path().to_string_lossy().into_owned();
    let output = mirror(&["demo", "--seconds", "2", "--out", &folder]).args(arguments).output()?;
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let report = fs::read(out.path().join("report.json")).unwrap_or_default();
    Ok((output.status.success(), said, serde_json::from_slice(&report).unwrap_or_default()))
}

#[test]
fn a_demo_of_a_film_that_is_not_there_fails_and_names_it() -> Result<()> {
    let _alone = alone();
    let (success, said, _) = short_demo(&["--source", "nowhere.mp4"])?;
    assert!(!success && said.contains("nowhere.mp4"), "{said}");
    Ok(())
}

#[test]
fn a_demo_with_a_pack_that_is_damaged_fails_and_names_the_file() -> Result<()> {
    let _alone = alone();
    let pack = tempfile::tempdir()?;
    copy(&root().join("models/starter"), pack.path())?;
    let unet = pack.path().join("unet/model.onnx");
    let bytes = fs::read(&unet)?;
    fs::write(&unet, &bytes[..bytes.len() / 2])?;
    let (success, said, _) = short_demo(&["--source", "pattern", "--pack", &pack.path().to_string_lossy()])?;
    assert!(!success && said.contains("unet/model.onnx") && said.contains("is not a graph that can be run"), "{said}");
    Ok(())
}

#[test]
fn a_demo_with_a_text_encoder_of_another_model_fails_and_names_both_files() -> Result<()> {
    let _alone = alone();
    let pack = tempfile::tempdir()?;
    copy(&root().join("models/starter"), pack.path())?;
    let other = root().join("tests/fixtures/miniature/sd15/text_encoder/model.onnx");
    fs::copy(other, pack.path().join("text_encoder/model.onnx"))?;
    let (success, said, _) = short_demo(&["--source", "pattern", "--pack", &pack.path().to_string_lossy()])?;
    assert!(!success && said.contains("text_encoder/model.onnx makes 16 values"), "{said}");
    assert!(said.contains("unet/model.onnx reads 96"), "{said}");
    Ok(())
}

#[test]
fn a_demo_on_a_provider_that_does_not_work_here_fails_and_names_it() -> Result<()> {
    let _alone = alone();
    let (success, said, report) = short_demo(&["--source", "pattern", "--env", "MIRROR_PROVIDER=cuda"])?;
    // On a machine with CUDA it must be CUDA that runs.
    let right = if success { report["provider"] == "CUDA" } else { said.contains("provider CUDA does not work here") };
    assert!(right, "{said}{report}");
    Ok(())
}

#[test]
fn ctrl_c_leaves_no_node_and_no_dora_running() -> Result<()> {
    let _alone = alone();
    let mut mirror = Running::start(&["--source", "pattern", "--size", "128"])?;
    mirror.paints(None)?;
    let running = mirror.processes();
    for program in ["mirror", "dora", "camera", "diffusion", "web"] {
        assert!(running.values().any(|it| it == program), "{program} is none of {running:?}");
    }
    assert!(mirror.interrupt()?, "{}", mirror.log());
    assert_eq!(mirror.processes(), BTreeMap::new(), "{}", mirror.log());
    Ok(())
}
