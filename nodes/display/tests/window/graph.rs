//! A dataflow of two nodes: a source of plain pictures and the display.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A dataflow that runs until it is dropped.
pub struct Graph {
    directory: TempDir,
    dora: Child,
}

impl Graph {
    /// Starts it. `screen` is the X11 display, `env` the display node's environment as YAML.
    pub fn start(screen: Option<&str>, env: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the project's root");
        let directory = TempDir::new().expect("a directory");
        std::os::unix::fs::symlink(root.join("types"), directory.path().join("types")).expect("a link");
        let display = env!("CARGO_BIN_EXE_display");
        // Tests run in target/release/deps; examples are built into target/release/examples.
        let this = std::env::current_exe().expect("this program");
        let halves = this.parent().and_then(Path::parent).expect("target/release").join("examples/halves");
        assert!(halves.is_file(), "{} is missing: run all of this package's tests", halves.display());
        let flow = format!(
            "nodes:
  - id: halves
    path: {}
    inputs: {{ tick: {{ source: dora/timer/millis/40, queue_size: 1 }} }}
    outputs: [picture]
    output_types: {{ picture: mirror/media/v1/Frame }}
  - id: display
    path: {display}
    restart_policy: on-failure
    max_restarts: 1
    env: {env}
    inputs:
      picture: {{ source: halves/picture, queue_size: 1 }}
      tick: {{ source: dora/timer/millis/100, queue_size: 1 }}
    input_types: {{ picture: mirror/media/v1/Frame }}
    outputs: [notice]
    output_types: {{ notice: mirror/media/v1/Notice }}
",
            halves.display()
        );
        std::fs::write(directory.path().join("dataflow.yml"), flow).expect("a dataflow");
        let log = File::create(directory.path().join("log")).expect("a log");
        let mut command = Command::new(dora(&root));
        command.args(["run", "dataflow.yml", "--stop-after", "120s"]).current_dir(directory.path());
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("a log")).stderr(log);
        command.env_remove("WAYLAND_DISPLAY").env_remove("WAYLAND_SOCKET").env_remove("DISPLAY").process_group(0);
        if let Some(screen) = screen {
            command.env("DISPLAY", screen);
        }
        let dora = command.spawn().expect("dora runs");
        Self { directory, dora }
    }

    /// All that has been said so far.
    pub fn log(&self) -> String {
        let bytes = std::fs::read(self.directory.path().join("log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// How many lines hold that text.
    pub fn count(&self, text: &str) -> usize {
        self.log().lines().filter(|line| line.contains(text)).count()
    }
}

impl Drop for Graph {
    fn drop(&mut self) {
        let group = format!("-{}", self.dora.id());
        let signal = |name: &str| Command::new("kill").args([name, "--", &group]).stderr(Stdio::null()).status();
        // As Ctrl-C does: dora stops its nodes, and they clean up after themselves.
        let _ = Command::new("kill").args(["-INT", &self.dora.id().to_string()]).status();
        let start = Instant::now();
        while matches!(self.dora.try_wait(), Ok(None)) && start.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = signal("-KILL");
        let _ = self.dora.wait();
    }
}

/// The dora command line: `DORA`, else the project's own, else the one in `PATH`.
fn dora(root: &Path) -> PathBuf {
    if let Some(program) = std::env::var_os("DORA").filter(|program| !program.is_empty()) {
        return program.into();
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::iter::once(root.join(".venv/bin"))
        .chain(std::env::split_paths(&folders))
        .map(|folder| folder.join("dora"))
        .find(|program| program.is_file())
        .expect("no dora command line, neither in .venv nor in PATH: run \"make setup\"")
}
