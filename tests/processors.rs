//! Processors of several packs, chosen while the mirror runs: the starter pack, one of the SD family in miniature (another
//! latent space, another text encoder), and one that cannot be opened.

use eyre::{Result, ensure, eyre};
use mirror_tests::root;
use mirror_tests::running::{Running, wait_for};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use tempfile::TempDir;

/// Copies of the miniature: `small`, which is whole, and `broken`, whose UNet is no graph.
fn packs() -> Result<TempDir> {
    let folder = tempfile::tempdir()?;
    let original = root().join("tests/fixtures/miniature/sd15");
    for name in ["small", "broken"] {
        let pack = folder.path().join(name);
        fs::create_dir(&pack)?;
        for entry in fs::read_dir(&original)? {
            let path = entry?.path();
            let part = path.file_name().ok_or_else(|| eyre!("{} has no name", path.display()))?;
            if name == "small" || part != "unet" {
                symlink(&path, pack.join(part))?;
            }
        }
        let list =
            format!("name = \"{name}\"\nsteps = 2\nsteps_allowed = [1, 2, 4]\nguidance_scale = 3.0\nstrength = 0.8\n");
        fs::write(pack.join("mirror.toml"), format!("[[processor]]\n{list}text = \"\"\n"))?;
    }
    fs::create_dir(folder.path().join("broken/unet"))?;
    fs::write(folder.path().join("broken/unet/model.onnx"), "no graph")?;
    Ok(folder)
}

fn start(packs: &Path) -> Result<Running> {
    let packs = format!("MIRROR_PACKS={}", packs.display());
    let mirror = Running::start(&["--source", "pattern", "--size", "128", "--env", &packs])?;
    wait_for("a picture of the starter pack", || painted(&mirror).0 == "starter")?;
    Ok(mirror)
}

/// The pack of the newest picture, and how many pictures there were.
fn painted(mirror: &Running) -> (String, u64) {
    let figures = mirror.get("/api/figures").unwrap_or(Value::Null);
    (figures["pack"].as_str().unwrap_or_default().to_owned(), figures["frames"].as_u64().unwrap_or(0))
}

fn settings(mirror: &Running) -> Result<Value> {
    Ok(mirror.get("/api/settings")?["settings"].clone())
}

fn change(mirror: &Running, values: &Value) -> Result<()> {
    ureq::post(format!("{}/api/settings", mirror.page())).send_json(values)?;
    Ok(())
}

/// Waits until the mirror has said that.
fn told(mirror: &Running, text: &str) -> Result<()> {
    wait_for(text, || {
        let figures = mirror.get("/api/figures").unwrap_or(Value::Null);
        let mut notices = figures["notices"].as_array().into_iter().flatten();
        notices.any(|notice| notice["text"].as_str().is_some_and(|said| said.contains(text)))
    })
}

#[test]
fn a_stream_comes_to_another_pack_and_back_while_the_picture_goes_on() -> Result<()> {
    let packs = packs()?;
    let mirror = start(packs.path())?;
    let parameters = mirror.get("/api/settings")?["parameters"].clone();
    let list = parameters.as_array().into_iter().flatten().find(|row| row["name"] == "processor").cloned();
    let choices = list.ok_or_else(|| eyre!("no processor in {parameters}"))?["choices"].clone();
    for name in ["turbo", "small", "broken"] {
        ensure!(choices.as_array().is_some_and(|all| all.contains(&json!(name))), "{name} in {choices}");
    }

    change(&mirror, &json!({"processor": "small", "prompt": "neon lights"}))?;
    told(&mirror, "processor small: the pack small is being opened; turbo goes on meanwhile")?;
    wait_for("a picture of the other pack", || painted(&mirror).0 == "small")?;
    told(&mirror, "processor small, pack small")?;
    let now = settings(&mirror)?;
    ensure!(now["processor"] == "small" && now["steps"] == 2 && now["prompt"] == "neon lights", "{now}");
    let before = painted(&mirror).1;
    wait_for("more pictures of it", || painted(&mirror).1 > before + 3)?;

    change(&mirror, &json!({"steps": 3}))?;
    told(&mirror, "steps must be 1, 2 or 4 with the processor small, not 3")?;
    ensure!(settings(&mirror)?["steps"] == 2, "it is as it was");

    change(&mirror, &json!({"processor": "turbo"}))?;
    wait_for("a picture of the first pack again", || painted(&mirror).0 == "starter")?;
    // Nothing of one pack was given to a part of the other one.
    let log = mirror.log();
    ensure!(!log.contains("refused ("), "{log}");
    Ok(())
}

#[test]
fn a_pack_that_cannot_be_opened_leaves_the_stream_as_it_is_and_the_reason_is_said() -> Result<()> {
    let packs = packs()?;
    let mirror = start(packs.path())?;
    change(&mirror, &json!({"processor": "broken"}))?;
    told(&mirror, "processor broken is not taken, turbo stays: diffusion cannot open broken:")?;
    let before = painted(&mirror).1;
    wait_for("more pictures", || painted(&mirror).1 > before + 3)?;
    ensure!(painted(&mirror).0 == "starter", "{}", painted(&mirror).0);
    ensure!(settings(&mirror)?["processor"] == "turbo", "{}", settings(&mirror)?);
    // It is no end: another one is taken.
    change(&mirror, &json!({"processor": "small"}))?;
    wait_for("a picture of the other pack", || painted(&mirror).0 == "small")?;
    Ok(())
}
