//! A mirror that is recorded while it runs, and what is made of the recording.

use eyre::{Result, ensure, eyre};
use mirror_tape::{Payload, Reader, Taped};
use mirror_tests::root;
use mirror_tests::running::{COORDINATOR, DAEMON, Running, free_port, mirror, wait_for};
use opencv::prelude::*;
use opencv::videoio::{CAP_ANY, CAP_PROP_FPS, CAP_PROP_FRAME_COUNT, CAP_PROP_FRAME_WIDTH, VideoCapture};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// The messages of a recording.
fn read(path: &Path) -> Result<Vec<Taped>> {
    Reader::open(path)?.collect()
}

fn of<'a>(messages: &'a [Taped], topic: &'a str) -> impl Iterator<Item = &'a Taped> {
    messages.iter().filter(move |taped| taped.topic == topic)
}

/// The pictures by their frame's number: what they were painted as, and their pixels.
fn pictures(messages: &[Taped]) -> HashMap<i64, (&str, &[u8])> {
    of(messages, "decoder/picture")
        .filter_map(|taped| match &taped.payload {
            Payload::Bytes(pixels) => Some((taped.frame_id()?, (taped.text("prompt")?, pixels.as_slice()))),
            _ => None,
        })
        .collect()
}

fn replay(recording: &Path, arguments: &[&str]) -> Result<String> {
    let page = format!("WEB_ADDRESS=127.0.0.1:{}", free_port()?);
    let mut command = mirror(&["replay", &recording.to_string_lossy(), "--no-window", "--env", &page]);
    command.env(COORDINATOR, free_port()?.to_string()).env(DAEMON, free_port()?.to_string());
    let output = command.args(arguments).output()?;
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "{said}");
    Ok(said)
}

#[test]
fn what_a_running_mirror_is_recorded_of_is_painted_again_bit_for_bit() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let [first, second] = ["first.mcap", "second.mcap"].map(|name| folder.path().join(name));
    let prompt = ["--prompt", "neon lights", "--size", "128", "--set", "seed=11"];
    let running = Running::start(&[&["--source", "assets/clip.mp4"], &prompt[..]].concat())?;
    running.paints(Some("neon lights"))?;

    let out = first.to_string_lossy();
    let mut command = running.command(&["record", "--raw", "--seconds", "4", "--free-mib", "1", "--out", &out]);
    let recording = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    // About a second of it.
    wait_for("the recording", || fs::metadata(&first).is_ok_and(|file| file.len() > 30 << 20))?;
    running.post("/api/settings", &json!({"prompt": "a pencil drawing"}))?;
    let said = recording.wait_with_output()?;
    assert!(
        said.status.success(),
        "{}{}",
        String::from_utf8_lossy(&said.stdout),
        String::from_utf8_lossy(&said.stderr)
    );
    // More than any disk has: a full one ends the recording, and not the mirror.
    let full = folder.path().join("full.mcap");
    let refused = running.command(&["record", "--free-mib", "16777216", "--out", &full.to_string_lossy()]).output()?;
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("make room"));
    let before = running.get("/api/figures")?["frames"].as_u64();
    wait_for("pictures after the recording", || {
        running.get("/api/figures").is_ok_and(|figures| figures["frames"].as_u64() > before)
    })?;
    drop(running);

    let recorded = read(&first)?;
    let was = pictures(&recorded);
    assert!(of(&recorded, "camera/frame").count() > 40 && was.len() > 20, "{} pictures", was.len());
    assert!(of(&recorded, "control/settings").count() >= 3);

    replay(&first, &["--fast", "--env", "TAPE_FREE_MIB=1MiB", "--out", &second.to_string_lossy()])?;
    let replayed = read(&second)?;
    let is = pictures(&replayed);
    // Each picture of the recording was painted, and not only the newest ones.
    assert_eq!(is.len(), of(&recorded, "camera/frame").filter_map(Taped::frame_id).count());
    let mut same: HashMap<&str, usize> = HashMap::new();
    for (frame_id, (prompt, pixels)) in &was {
        // Where a new prompt reached the painter between two other pictures, there is nothing to compare.
        let Some((_, again)) = is.get(frame_id).filter(|(again, _)| again == prompt) else { continue };
        assert!(pixels == again, "picture {frame_id}, painted as {prompt}, is another one");
        *same.entry(prompt).or_default() += 1;
    }
    let compared: usize = same.values().sum();
    assert!(compared + 5 >= was.len() && same.len() == 2, "{compared} of {} compared: {same:?}", was.len());
    Ok(())
}

#[test]
fn latents_of_a_recording_are_painted_again_bit_for_bit() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let [first, second] = ["first.mcap", "second.mcap"].map(|name| folder.path().join(name));
    // Half of the painting, so that what it is laid over counts.
    let settings = ["--size", "128", "--set", "seed=11", "--set", "opacity=0.5", "--prompt", "neon lights"];
    let running = Running::start(&[&["--source", "assets/clip.mp4"], &settings[..]].concat())?;
    running.paints(Some("neon lights"))?;
    let topics = "encoder/latent,encoder/source,control/settings,decoder/picture";
    let arguments = ["record", "--raw", "--seconds", "3", "--free-mib", "1", "--topics", topics, "--out"];
    let said = running.command(&arguments).arg(&first).output()?;
    ensure!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    drop(running);

    let topics = "encoder/latent,encoder/source,control/settings";
    let out = second.to_string_lossy();
    replay(&first, &["--fast", "--topics", topics, "--env", "TAPE_FREE_MIB=1MiB", "--out", &out])?;
    let (recorded, replayed) = (read(&first)?, read(&second)?);
    let (was, is) = (pictures(&recorded), pictures(&replayed));
    let latents = of(&recorded, "encoder/latent").count();
    // Where the recording begins, a latent or what its painting is laid over may lie outside.
    ensure!(was.len() > 10 && is.len() == latents, "{latents} latents, {} of {} pictures", is.len(), was.len());
    let mut others = 0;
    for (frame_id, picture) in &was {
        others += usize::from(is.get(frame_id).is_some_and(|again| again != picture));
    }
    ensure!(others <= 2, "{others} of {} pictures are others", was.len());
    let sent = of(&replayed, "decoder/picture").next().and_then(|taped| taped.parameters.get("trace_stages").cloned());
    ensure!(format!("{sent:?}").contains("replay"), "{sent:?}");
    Ok(())
}

/// Rate, length in seconds and width of a film.
fn film(path: &Path) -> Result<[f64; 3]> {
    let film = VideoCapture::from_file(path, CAP_ANY)?;
    ensure!(film.is_opened()?, "{} cannot be played", path.display());
    let fps = film.get(CAP_PROP_FPS)?;
    Ok([fps, film.get(CAP_PROP_FRAME_COUNT)? / fps, film.get(CAP_PROP_FRAME_WIDTH)?])
}

#[test]
fn a_running_mirror_is_filmed_from_the_command_line_and_from_the_page_and_goes_on() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mirror = Running::start(&["--source", "assets/clip.mp4", "--size", "128", "--prompt", "neon lights"])?;
    let frames = || mirror.get("/api/figures").ok()?["frames"].as_u64();
    wait_for("pictures", || frames() > Some(5)).map_err(|error| eyre!("{error}\n{}", mirror.log()))?;

    let out = folder.path().join("mirror.mp4");
    let arguments = ["record", "--seconds", "2", "--free-mib", "1", "--mp4"];
    let filmed = mirror.command(&arguments).arg(&out).output()?;
    let said = format!("{}{}", String::from_utf8_lossy(&filmed.stdout), String::from_utf8_lossy(&filmed.stderr));
    ensure!(filmed.status.success() && said.contains("recording into "), "{said}");
    let [fps, seconds, width] = film(&out)?;
    ensure!(fps == 30.0 && width == 128.0 && (1.0..6.0).contains(&seconds), "{fps} {seconds} {width}");
    // More than any disk has: the words say what to do, there is no file, and the mirror goes on.
    let full = folder.path().join("full.mp4");
    let refused = mirror.command(&["record", "--free-mib", "16777216", "--mp4"]).arg(&full).output()?;
    let said = String::from_utf8_lossy(&refused.stderr);
    ensure!(!refused.status.success() && said.contains("make room") && !full.exists(), "{said}");

    let post = |wanted: bool| -> Result<Value> {
        let url = format!("{}/api/recording", mirror.page());
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
        let mut answer = agent.post(url).send_json(json!({"recording": wanted}))?;
        let (status, said) = (answer.status(), answer.body_mut().read_json::<Value>()?);
        ensure!(status.is_success(), "{status}: {said}");
        Ok(said)
    };
    let begun = post(true)?;
    let path = root().join(begun["file"].as_str().ok_or_else(|| eyre!("no file: {begun}"))?);
    let _gone = Gone(path.clone());
    wait_for("a second of film", || {
        mirror
            .get("/api/recording")
            .is_ok_and(|report| report["text"].as_str().is_some_and(|text| text.starts_with("1 s")))
    })?;
    let before = frames();
    let ended = post(false)?;
    ensure!(ended["recording"] == false && ended["fault"].is_null(), "{ended}");
    let [_, seconds, _] = film(&path)?;
    ensure!(seconds > 0.5, "{seconds} s");
    wait_for("pictures after the film", || frames() > before)
}

/// A file that goes with the test.
struct Gone(PathBuf);

impl Drop for Gone {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
