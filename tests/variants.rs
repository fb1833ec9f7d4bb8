//! The other graphs at the root, as files: a mirror that runs becomes one of them after the other, and paints each time.

use eyre::{Result, ensure, eyre};
use mirror_tests::alone;
use mirror_tests::edited::Edited;
use mirror_tests::running::{Running, free_port, wait_for};
use serde_json::Value;

fn start(file: &str, more: &[&str]) -> Result<Running> {
    let arguments = ["--dataflow", file, "--source", "assets/clip.mp4", "--size", "128", "--prompt", "neon lights"];
    Running::start(&[&arguments[..], more].concat())
}

/// Has the mirror that runs become what that file says.
fn rewire(mirror: &Running, file: &str) -> Result<()> {
    let output = mirror.command(&["rewire", file]).output()?;
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let is_another = output.status.success() && said.contains("the whole graph is started again");
    ensure!(is_another, "{file}: {said}\n{}", mirror.log());
    Ok(())
}

/// Waits until the page shows painted pictures that have come through that stage.
fn paints(mirror: &Running, stage: &str) -> Result<()> {
    let is_one = |figures: &Value| {
        let stages = figures["stages"].as_array().into_iter().flatten();
        figures["prompt"] == "neon lights"
            && figures["frames"].as_u64() > Some(3)
            && stages.into_iter().any(|one| one["stage"] == stage)
    };
    let painted = wait_for("pictures", || mirror.get("/api/figures").is_ok_and(|figures| is_one(&figures)));
    painted.map_err(|error| eyre!("{error} through {stage}\n{}", mirror.log()))
}

#[test]
fn the_mirror_becomes_the_fused_one_and_itself_again_and_the_one_without_ears() -> Result<()> {
    let _alone = alone();
    // In turn is how `fused` paints in the other test.
    let overlapped = Edited::copy("dataflow.fused.yml")?;
    let path = "    path: target/release/fused\n";
    overlapped.replace(path, &format!("{path}    env: {{ FUSED_OVERLAP: \"on\", FUSED_THREADS: 1 }}\n"))?;
    let mut mirror = start("dataflow.yml", &[])?;
    paints(&mirror, "decoder")?;
    rewire(&mirror, &overlapped.name())?;
    paints(&mirror, "fused")?;
    ensure!(mirror.node("diffusion").is_none(), "a stage of the former graph runs on");
    rewire(&mirror, "dataflow.yml")?;
    paints(&mirror, "decoder")?;
    ensure!(mirror.node("diffusion").is_some() && mirror.node("fused").is_none(), "{}", mirror.log());
    rewire(&mirror, "dataflow.video.yml")?;
    paints(&mirror, "decoder")?;
    ensure!(mirror.node("vad").is_none(), "nobody is to listen any more");
    assert!(mirror.interrupt()?, "{}", mirror.log());
    Ok(())
}

fn both_cameras_are_painted(mirror: &Running) -> Result<()> {
    for name in ["house", "garden"] {
        let is_there = |streams: Value| {
            streams["cameras"].as_array().is_some_and(|cameras| cameras.iter().any(|camera| camera["name"] == name))
        };
        wait_for(name, || mirror.get("/api/streams").is_ok_and(is_there))?;
        let address = format!("{}/picture.jpg?stream={name}", mirror.page());
        let picture = || ureq::get(&address).call().ok()?.body_mut().read_to_vec().ok();
        wait_for("a picture", || picture().is_some_and(|file| file.starts_with(&[0xff, 0xd8])))?;
    }
    Ok(())
}

#[test]
fn two_cameras_two_mirrors_a_python_operator_and_one_that_listens_all_paint() -> Result<()> {
    let _alone = alone();
    let (beside, port) = (Edited::copy("dataflow.side-by-side.yml")?, free_port()?);
    beside.replace("WEB_ADDRESS: 127.0.0.1:8081", &format!("WEB_ADDRESS: 127.0.0.1:{port}"))?;

    let mut mirror = start("dataflow.two-cameras.yml", &[])?;
    paints(&mirror, "decoder")?;
    both_cameras_are_painted(&mirror)?;

    rewire(&mirror, &beside.name())?;
    paints(&mirror, "fused")?;
    let other = || -> Result<Value> {
        Ok(ureq::get(format!("http://127.0.0.1:{port}/api/figures")).call()?.body_mut().read_json()?)
    };
    let is_painted =
        || other().is_ok_and(|figures| figures["frames"].as_u64() > Some(3) && figures["pack"] == "starter");
    wait_for("pictures of the other mirror", is_painted).map_err(|error| eyre!("{error}\n{}", mirror.log()))?;

    // Its pictures come out of the operator, which is no stage of ours.
    rewire(&mirror, "dataflow.python.yml")?;
    paints(&mirror, "decoder")?;

    rewire(&mirror, "dataflow.verbatim.yml")?;
    paints(&mirror, "decoder")?;
    for node in ["microphone", "vad", "stt"] {
        wait_for(node, || mirror.node(node).is_some())?;
    }
    assert!(mirror.interrupt()?, "{}", mirror.log());
    Ok(())
}
