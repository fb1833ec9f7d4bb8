//! The whole mirror, really run: dora, the models, sockets.

use eyre::{Result, bail};
use mirror_benches::flow::{Flow, Pace, dora, image_path};
use mirror_tests::root;
use serde_json::{Value, json};
use std::fs;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Longer than anything takes on a slow machine that builds at the same time.
const PATIENCE: Duration = Duration::from_secs(120);

/// One mirror at a time: two of them would share the cores, and neither would show what it can.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn pictures_and_latents_are_received_in_the_senders_shared_memory() -> Result<()> {
    let _alone = alone();
    let inputs = "      frame: { source: camera/frame, queue_size: 1 }
      latent: { source: encoder/latent, queue_size: 1 }
      denoised: { source: diffusion/denoised, queue_size: 1 }
      picture: { source: decoder/picture, queue_size: 1 }";
    let findings = Flow::new(&root(), &image_path(256, 20.0, 5, Pace::LeastDelay, inputs))?.findings(PATIENCE)?;
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

fn mirror(arguments: &[&str]) -> Command {
    let mut command = Command::new(root().join("target/release/mirror"));
    command.args(arguments).current_dir(root()).stdin(Stdio::null()).env("DORA", dora(&root())).process_group(0);
    command
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

#[test]
fn a_demo_of_a_film_that_is_not_there_fails_and_names_it() -> Result<()> {
    let _alone = alone();
    let out = tempfile::tempdir()?;
    let folder = out.path().to_string_lossy().into_owned();
    let output = mirror(&["demo", "--source", "nowhere.mp4", "--seconds", "2", "--out", &folder]).output()?;
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("nowhere.mp4"), "{said}");
    Ok(())
}

/// A port that nobody listens on.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn get(address: &str, path: &str) -> Result<Value> {
    Ok(ureq::get(format!("http://{address}{path}")).call()?.body_mut().read_json()?)
}

fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    while !is_so() {
        if Instant::now() > until {
            bail!("{what} did not happen in {} s", PATIENCE.as_secs());
        }
        sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Ends with the test, whatever happens to it.
struct Stopped(Child);

impl Stopped {
    fn interrupt(&mut self) -> Result<bool> {
        Command::new("kill").args(["-INT", &self.0.id().to_string()]).status()?;
        let mut success = None;
        wait_for("the end of the mirror", || {
            success = self.0.try_wait().ok().flatten().map(|status| status.success());
            success.is_some()
        })?;
        Ok(success == Some(true))
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            let _ = self.interrupt();
            let _ = self.0.kill();
        }
    }
}

fn shared_files() -> Vec<String> {
    let files =
        fs::read_dir("/dev/shm").into_iter().flatten().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut files: Vec<String> = files.collect();
    files.sort();
    files
}

#[test]
fn a_prompt_typed_on_the_page_repaints_the_picture_and_ctrl_c_leaves_nothing_behind() -> Result<()> {
    let _alone = alone();
    let before = shared_files();
    let address = format!("127.0.0.1:{}", free_port()?);
    let log = tempfile::NamedTempFile::new()?;
    let page = format!("WEB_ADDRESS={address}");
    let mut command = mirror(&["run", "--source", "assets/clip.mp4", "--size", "256", "--no-window", "--env", &page]);
    command.env("DORA_COORDINATOR_PORT", free_port()?.to_string());
    let mut running = Stopped(command.stdout(log.reopen()?).stderr(log.reopen()?).spawn()?);
    let said = |log: &Path| fs::read_to_string(log).unwrap_or_default();

    let moving = wait_for("a picture", || {
        get(&address, "/api/figures").is_ok_and(|figures| figures["frames"].as_u64() > Some(5))
    });
    assert!(moving.is_ok(), "{moving:?}\n{}", said(log.path()));
    let figures = get(&address, "/api/figures")?;
    assert!(figures["fps"].as_f64() > Some(0.0) && figures["age_ms"]["p50"].as_f64() > Some(0.0), "{figures}");
    let before_prompt = ureq::get(format!("http://{address}/picture.jpg")).call()?.body_mut().read_to_vec()?;
    assert_eq!(&before_prompt[..2], b"\xFF\xD8", "a JPEG");

    let update = json!({"prompt": "pencil drawing", "strength": 1.0});
    ureq::post(format!("http://{address}/api/settings")).send_json(&update)?;
    wait_for("the prompt on the picture", || {
        get(&address, "/api/figures").is_ok_and(|figures| figures["prompt"] == "pencil drawing")
    })?;

    let refused = ureq::post(format!("http://{address}/api/settings"))
        .config()
        .http_status_as_error(false)
        .build()
        .send_json(json!({"strength": 7}))?;
    assert_eq!(refused.status(), 422);

    assert!(running.interrupt()?, "{}", said(log.path()));
    let left: Vec<String> = shared_files().into_iter().filter(|file| !before.contains(file)).collect();
    assert_eq!(left, [""; 0], "{}", said(log.path()));
    Ok(())
}
