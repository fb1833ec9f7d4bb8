//! Watching a mirror that runs, and changing it: `mirror top`, `/metrics`, `/health`, `mirror swap`, `mirror rewire`.

use eyre::{Result, WrapErr, ensure, eyre};
use mirror_tests::edited::Edited;
use mirror_tests::root;
use mirror_tests::running::{Running, signal, wait_for};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// What `mirror` says with these arguments, and whether it ended well.
fn ask(mirror: &Running, arguments: &[&str]) -> Result<(bool, String)> {
    let output = mirror.command(arguments).output()?;
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Ok((output.status.success(), said))
}

/// The processes of the nodes by name.
fn processes(mirror: &Running) -> Result<BTreeMap<String, i64>> {
    let body = mirror.get("/api/nodes")?;
    let process = |node: &Value| Some((node["id"].as_str()?.to_owned(), node["process"]["pid"].as_i64()?));
    Ok(body["nodes"].as_array().into_iter().flatten().filter_map(process).collect())
}

fn frames(mirror: &Running) -> Result<u64> {
    mirror.get("/api/figures")?["frames"].as_u64().ok_or_else(|| eyre!("no number"))
}

fn health(mirror: &Running) -> Result<(u16, Value)> {
    let request = ureq::get(format!("{}/health", mirror.page())).config().http_status_as_error(false).build();
    let mut answer = request.call()?;
    Ok((answer.status().as_u16(), answer.body_mut().read_json()?))
}

fn top_shows_every_stage_at_work(mirror: &Running) -> Result<()> {
    let (success, text) = ask(mirror, &["top", "--once", "--url", &mirror.page()])?;
    ensure!(success, "{text}");
    ensure!(text.lines().all(|line| line.chars().count() <= 80) && text.lines().count() <= 24, "{text}");
    for stage in ["camera", "encoder", "diffusion", "decoder"] {
        let row = text.lines().find(|line| line.starts_with(stage)).ok_or_else(|| eyre!("no {stage}:\n{text}"))?;
        let cells: Vec<&str> = row.split_whitespace().collect();
        // node, in/s, wait, out/s, work, age, drops, cpu, MB, again
        ensure!(cells.len() == 10 && cells[3].parse::<f64>()? > 0.0, "{row}");
        ensure!(cells[8].parse::<u64>()? > 5 && cells[9] == "0", "{row}");
    }
    for part in ["starter on CPU", "clip.mp4", "\"neon lights\"", "by hand"] {
        ensure!(text.contains(part), "{part} is not in\n{text}");
    }
    // As many of the last notices as there is room for, as far as they fit into a line.
    let notices = mirror.get("/api/figures")?["notices"].as_array().cloned().unwrap_or_default();
    let is_there = |notice: &Value| {
        let said = notice["text"].as_str().unwrap_or_default().chars().take(20).collect::<String>();
        text.contains(&format!("{}: {said}", notice["origin"].as_str().unwrap_or_default()))
    };
    ensure!(notices.iter().any(is_there), "none of {notices:?} is in\n{text}");
    Ok(())
}

fn metrics(mirror: &Running) -> Result<BTreeMap<String, f64>> {
    let text = ureq::get(format!("{}/metrics", mirror.page())).call()?.body_mut().read_to_string()?;
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').ok_or_else(|| eyre!("{line}"))?;
            Ok((name.to_owned(), value.parse()?))
        })
        .collect()
}

fn the_counters_grow(mirror: &Running) -> Result<()> {
    let before = metrics(mirror)?;
    let shown = frames(mirror)?;
    wait_for("more pictures", || frames(mirror).is_ok_and(|now| now > shown + 5))?;
    let after = metrics(mirror)?;
    for name in [
        "mirror_pictures_total",
        "mirror_age_seconds_count",
        "mirror_stage_seconds_sum{stage=\"diffusion\"}",
        "mirror_node_cpu_seconds_total{node=\"diffusion\"}",
    ] {
        let of = |values: &BTreeMap<String, f64>| values.get(name).copied().ok_or_else(|| eyre!("no {name}"));
        ensure!(of(&after)? > of(&before)?, "{name} does not grow");
    }
    ensure!(after["mirror_node_up{node=\"camera\"}"] == 1.0);
    Ok(())
}

fn a_swapped_node_is_a_new_one_and_no_other_ends(mirror: &Running) -> Result<()> {
    let before = processes(mirror)?;
    let (success, said) = ask(mirror, &["swap", "diffusion", "--env", "DIFFUSION_THREADS=1"])?;
    ensure!(success && said.contains("diffusion is replaced: the picture paused for "), "{said}");
    ensure!(said.contains("others run on"), "{said}");
    let mut after = processes(mirror)?;
    ensure!(after["diffusion"] != before["diffusion"], "it is the old one");
    after.insert("diffusion".to_owned(), before["diffusion"]);
    ensure!(after == before, "others have ended: {before:?} {after:?}");
    let environment = fs::read(format!("/proc/{}/environ", processes(mirror)?["diffusion"]))?;
    ensure!(environment.split(|byte| *byte == 0).any(|pair| pair == b"DIFFUSION_THREADS=1"), "it has not been told");
    let (success, said) = ask(mirror, &["swap", "painter"])?;
    ensure!(!success && said.contains("has no node painter"), "{said}");
    Ok(())
}

fn a_node_through_which_nothing_comes_is_replaced_once_more(mirror: &Running) -> Result<()> {
    // What dora's fault looks like: the first time it is a program that says that it is ready and paints nothing.
    let folder = tempfile::tempdir()?;
    let (program, been, yaml) =
        (folder.path().join("diffusion"), folder.path().join("been"), folder.path().join("node.yml"));
    let text = format!(
        "#!/bin/sh\nif [ -e {been} ]; then exec target/release/diffusion; fi\ntouch {been}\nexec target/release/embed\n",
        been = been.display()
    );
    fs::write(&program, text)?;
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
    let graph: serde_yaml_ng::Value = serde_yaml_ng::from_str(&fs::read_to_string(root().join("dataflow.yml"))?)?;
    let node = graph["nodes"].as_sequence().into_iter().flatten().find(|node| node["id"] == "diffusion");
    let mut node = node.ok_or_else(|| eyre!("no diffusion"))?.clone();
    node["path"] = program.to_string_lossy().into();
    fs::write(&yaml, serde_yaml_ng::to_string(&node)?)?;
    let (success, said) = ask(mirror, &["swap", "diffusion", "--yaml", &yaml.to_string_lossy()])?;
    ensure!(success && said.contains("pictures do not come as before: diffusion is replaced once more"), "{said}");
    ensure!(said.contains("diffusion is replaced: the picture paused for "), "{said}");
    // Back to the one of the dataflow file.
    let (success, said) = ask(mirror, &["swap", "diffusion"])?;
    ensure!(success, "{said}");
    Ok(())
}

fn a_broken_file_is_refused_and_the_graph_runs_on(mirror: &Running, file: &Edited) -> Result<()> {
    let before = processes(mirror)?;
    for (from, to, why) in [
        ("source: camera/frame, ", "source: camera/pictures, ", "pictures"),
        ("camera/frame, queue_size: 1 ", "camera/frame, queue_size: 8 ", "queue_size: 1"),
    ] {
        file.replace(from, to)?;
        let (success, said) = ask(mirror, &["rewire", &file.name()])?;
        ensure!(!success && said.contains(why) && said.contains("the mirror runs on"), "{said}");
        file.replace(to, from)?;
    }
    let shown = frames(mirror)?;
    wait_for("more pictures", || frames(mirror).is_ok_and(|now| now > shown))?;
    ensure!(processes(mirror)? == before, "somebody has ended");
    Ok(())
}

fn a_graph_whose_node_cannot_start_leads_back_to_the_old_one(mirror: &Running, file: &Edited) -> Result<()> {
    let before = processes(mirror)?;
    // It fits together: that the encoder does not take such a number of threads shows when it is started.
    let (pace, threads) =
        ("taken: { source: decoder/taken, queue_size: 4 } # the pace", "    path: target/release/encoder\n");
    let (other, many) = (
        "taken: { source: decoder/finished, queue_size: 4 } # the pace",
        format!("{threads}    env: {{ ENCODER_THREADS: many }}\n"),
    );
    file.replace(pace, other)?;
    file.replace(threads, &many)?;
    let (success, said) = ask(mirror, &["rewire", &file.name()])?;
    ensure!(!success && said.contains("the new graph does not work, and the old one runs again"), "{said}");
    ensure!(said.contains("encoder: ENCODER_THREADS=\"many\" is not a number from 0 to 256"), "{said}");
    mirror.paints(Some("neon lights")).wrap_err(said)?;
    wait_for("all nodes", || processes(mirror).is_ok_and(|now| now.keys().eq(before.keys())))?;
    file.replace(&many, threads)?;
    file.replace(other, pace)?;
    let (success, said) = ask(mirror, &["rewire", &file.name()])?;
    ensure!(success && said.contains("nothing has changed"), "{said}");
    Ok(())
}

fn other_edges_start_the_graph_again_and_all_follow(mirror: &Running, file: &Edited) -> Result<()> {
    // The pace: it waits until nothing is under way.
    file.replace(
        "taken: { source: decoder/taken, queue_size: 4 } # the pace",
        "taken: { source: decoder/finished, queue_size: 4 } # the pace",
    )?;
    let before = processes(mirror)?;
    let (success, said) = ask(mirror, &["rewire", &file.name()])?;
    ensure!(success && said.contains("the edges of encoder have changed"), "{said}\n{}", mirror.log());
    ensure!(said.contains("the picture paused for "), "{said}");
    let after = processes(mirror)?;
    ensure!(after.keys().eq(before.keys()) && after.values().all(|pid| !before.values().any(|old| old == pid)));
    wait_for("word of it", || mirror.log().contains("rewired: another graph runs now"))?;
    let (success, said) = ask(mirror, &["rewire", &file.name()])?;
    ensure!(success && said.contains("nothing has changed"), "{said}");
    Ok(())
}

fn a_camera_that_stands_still_makes_the_mirror_ill(mirror: &Running) -> Result<()> {
    ensure!(health(mirror)?.0 == 200);
    let camera = mirror.node("camera").ok_or_else(|| eyre!("no camera"))?;
    signal("STOP", camera)?;
    wait_for("503", || health(mirror).is_ok_and(|(status, _)| status == 503))?;
    let (_, body) = health(mirror)?;
    ensure!(body["reason"].as_str().is_some_and(|reason| reason.starts_with("no picture for ")), "{body}");
    signal("CONT", camera)?;
    wait_for("200", || health(mirror).is_ok_and(|(status, _)| status == 200))
}

#[test]
fn a_mirror_is_watched_swapped_and_rewired_while_it_runs() -> Result<()> {
    let file = Edited::copy("dataflow.yml")?;
    let arguments = ["--dataflow", &file.name(), "--source", "assets/clip.mp4", "--size", "128"];
    let arguments = [&arguments[..], &["--prompt", "neon lights", "--env", "WEB_SILENCE_MAX=2s"]].concat();
    let mut mirror = Running::start(&arguments)?;
    let painted = wait_for("a picture", || {
        mirror
            .get("/api/figures")
            .is_ok_and(|figures| figures["prompt"] == "neon lights" && figures["fps"].as_f64() > Some(1.0))
    });
    assert!(painted.is_ok(), "{painted:?}\n{}", mirror.log());

    top_shows_every_stage_at_work(&mirror)?;
    the_counters_grow(&mirror)?;
    a_swapped_node_is_a_new_one_and_no_other_ends(&mirror)?;
    a_node_through_which_nothing_comes_is_replaced_once_more(&mirror)?;
    a_broken_file_is_refused_and_the_graph_runs_on(&mirror, &file)?;
    a_graph_whose_node_cannot_start_leads_back_to_the_old_one(&mirror, &file)?;
    a_camera_that_stands_still_makes_the_mirror_ill(&mirror)?;
    other_edges_start_the_graph_again_and_all_follow(&mirror, &file)?;

    assert!(mirror.interrupt()?, "{}", mirror.log());
    let (success, said) = ask(&mirror, &["swap", "diffusion"])?;
    assert!(!success && said.contains("no mirror called mirror runs here"), "{said}");
    Ok(())
}
