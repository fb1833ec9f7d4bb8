//! An operator that somebody tries in a mirror that runs, as `make operator` does it.

use eyre::{Result, ensure, eyre};
use mirror_tests::root;
use mirror_tests::running::{Running, wait_for};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// The operator that is made of the template. No crate of the house is called so.
const NEW: &str = "made-by-a-test";

/// An operator that is not there before, nor after.
struct New {
    folder: PathBuf,
    lock: Vec<u8>,
}

impl New {
    fn begin() -> Result<Self> {
        let new = Self { folder: root().join("operators").join(NEW), lock: fs::read(root().join("Cargo.lock"))? };
        // What a test that was killed has left.
        new.clear();
        Ok(new)
    }

    fn clear(&self) {
        let _ = fs::remove_dir_all(&self.folder);
        let library = format!("target/release/lib{}", NEW.replace('-', "_"));
        for end in ["so", "d"] {
            let _ = fs::remove_file(root().join(format!("{library}.{end}")));
        }
    }
}

impl Drop for New {
    fn drop(&mut self) {
        self.clear();
        // Cargo has written it down there.
        let path = root().join("Cargo.lock");
        if fs::read(&path).is_ok_and(|now| now != self.lock) {
            let _ = fs::write(path, &self.lock);
        }
    }
}

/// Whether it went well, and all that it said.
fn said(mut command: Command) -> Result<(bool, String)> {
    let output = command.output()?;
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    Ok((output.status.success(), said))
}

#[test]
fn an_operator_is_built_and_said_to_be_live_or_to_be_refused_and_a_new_one_is_made_and_taken_out() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let library = folder.path().join("operator.so");
    let place = format!("OPERATOR_LIBRARY={}", library.display());
    let arguments = ["--source", "assets/clip.mp4", "--size", "128", "--prompt", "neon lights", "--env", &place];
    let mirror = Running::start(&arguments)?;
    let frames = || mirror.get("/api/figures").ok()?["frames"].as_u64();
    wait_for("pictures", || frames() > Some(5)).map_err(|error| eyre!("{error}\n{}", mirror.log()))?;

    let (well, text) = said(mirror.operator(&["grade"]))?;
    ensure!(well && text.contains("operator grade is live"), "{text}");
    ensure!(library.is_file(), "{text}");

    // One that is broken: the program says so, and so does the page.
    let (well, text) = said(mirror.command(&["operator", "target/release/liboperator_fails.so"]))?;
    let refused = "is refused, all goes on as before: on picture 2 of its trial: the second picture is too much";
    ensure!(!well && text.contains(refused), "{text}");
    let notices = mirror.get("/api/figures")?["notices"].to_string();
    ensure!(notices.contains(refused), "{notices}");

    let _new = New::begin()?;
    let (well, text) = said(mirror.operator(&["new", NEW]))?;
    ensure!(well && text.contains(&format!("make operator NAME={NEW}")), "{text}");
    let (well, text) = said(mirror.operator(&[NEW]))?;
    ensure!(well && text.contains(&format!("operator {NEW} is live, grade stands by")), "{text}");
    let before = frames();
    wait_for("pictures through it", || frames() > before)?;

    let (well, text) = said(mirror.operator(&["off"]))?;
    ensure!(well && !library.exists(), "{text}");
    wait_for("its end", || {
        let notices = mirror.get("/api/figures").map(|figures| figures["notices"].to_string()).unwrap_or_default();
        notices.contains(&format!("operator {NEW} is taken out"))
    })?;
    let (well, text) = said(mirror.operator(&["nobody"]))?;
    ensure!(!well && text.contains("there is no operator \"nobody\""), "{text}");
    Ok(())
}
