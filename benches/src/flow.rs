//! Small dataflows, really run by dora, and watched by the `probe`.

use eyre::{Result, WrapErr, bail, eyre};
use serde_json::Value;
use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::{available_parallelism, sleep};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What a dataflow finds beside its file: the project's own.
const LINKS: [&str; 5] = ["target", "types", "models", "assets", ".mirror"];
/// Between two looks at whether the findings are there.
const LOOK: Duration = Duration::from_millis(50);

/// The dora command line: `DORA`, else the project's own, else the path's.
#[must_use]
pub fn dora(root: &Path) -> PathBuf {
    let own = root.join(".venv/bin/dora");
    match env::var_os("DORA") {
        Some(path) if !path.is_empty() => path.into(),
        _ if own.is_file() => own,
        _ => "dora".into(),
    }
}

/// A folder with a dataflow file, and the project's binaries, packs and types beside it.
pub struct Flow {
    root: PathBuf,
    folder: TempDir,
}

/// A dataflow that runs. Dropping it stops it.
pub struct Running {
    child: Child,
    log: PathBuf,
}

impl Flow {
    /// Writes a dataflow file into a folder of its own.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn new(root: &Path, yaml: &str) -> Result<Self> {
        let folder = tempfile::tempdir().wrap_err("a folder for the dataflow cannot be made")?;
        for link in LINKS {
            symlink(root.join(link), folder.path().join(link)).wrap_err_with(|| format!("{link} cannot be linked"))?;
        }
        fs::write(folder.path().join("dataflow.yml"), yaml)?;
        Ok(Self { root: root.to_owned(), folder })
    }

    /// A path in its folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts it, isolated: no coordinator, no ports of its own.
    ///
    /// # Errors
    /// There is no dora command line.
    pub fn start(&self) -> Result<Running> {
        let log = self.path("log");
        let file = fs::File::create(&log)?;
        let dora = dora(&self.root);
        // The Python of dora's own environment runs Python operators, as under `mirror run`.
        let path = env::var_os("PATH").unwrap_or_default();
        let folders = dora.parent().map(Path::to_owned).into_iter().chain(env::split_paths(&path));
        let child = Command::new(&dora)
            .env("PATH", env::join_paths(folders)?)
            .args(["run", "dataflow.yml"])
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .process_group(0)
            .spawn()
            .wrap_err_with(|| format!("{} cannot be started: run \"make setup\"", dora.display()))?;
        Ok(Running { child, log })
    }

    /// Runs it until the probe has written `findings.json`, and reads that.
    ///
    /// # Errors
    /// The dataflow ends before, or the findings are not there in time; the error holds the log.
    pub fn findings(&self, patience: Duration) -> Result<Value> {
        Ok(self.watch(self.start()?, patience, |_| Ok(()))?.0)
    }

    /// As [`findings`](Self::findings), of one that runs already; `last_look` is taken just before it is stopped.
    ///
    /// # Errors
    /// As [`findings`](Self::findings), or the last look's.
    pub fn watch<T>(
        &self,
        mut running: Running,
        patience: Duration,
        last_look: impl FnOnce(&Running) -> Result<T>,
    ) -> Result<(Value, T)> {
        let findings = self.path("findings.json");
        let until = Instant::now() + patience;
        while !findings.is_file() {
            if running.has_ended()? {
                bail!("the dataflow ended without findings:\n{}", running.log());
            }
            if Instant::now() > until {
                bail!("there were no findings after {} s:\n{}", patience.as_secs(), running.log());
            }
            sleep(LOOK);
        }
        let seen = last_look(&running)?;
        running.stop();
        Ok((serde_json::from_slice(&fs::read(&findings)?).wrap_err("the findings are not JSON")?, seen))
    }
}

impl Running {
    /// Whether it has ended by itself.
    ///
    /// # Errors
    /// The process cannot be asked.
    pub fn has_ended(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// The lines of its log so far, without dora's own noise.
    #[must_use]
    pub fn log(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        text.lines().filter(|line| !line.contains("DEBUG")).collect::<Vec<_>>().join("\n")
    }

    /// The process of dora.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Interrupts it as Ctrl-C does, and waits until it has ended.
    pub fn stop(&mut self) {
        let pid = i32::try_from(self.child.id()).unwrap_or(0);
        for signal in [libc::SIGINT, libc::SIGINT, libc::SIGKILL] {
            if matches!(self.child.try_wait(), Ok(None)) {
                // SAFETY: kill has no memory to harm; the group is that of our own child, which has not been waited for.
                unsafe { libc::kill(-pid, signal) };
            }
            for _ in 0..200 {
                match self.child.try_wait() {
                    Ok(None) => sleep(LOOK),
                    _ => return,
                }
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The resident memory of all processes that dora started, shared parts counted once (`Pss`), in MiB.
///
/// # Errors
/// `/proc` cannot be read.
pub fn memory_mib(running: &Running) -> Result<f64> {
    let mut total_kib = 0;
    for entry in fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
        // After the name in brackets: state, then the parent.
        let parent = stat.rsplit(')').next().and_then(|rest| rest.split_ascii_whitespace().nth(1)?.parse().ok());
        if pid == running.pid() || parent == Some(running.pid()) {
            let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
            let pss = rollup
                .lines()
                .find_map(|line| line.strip_prefix("Pss:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
            total_kib += pss.ok_or_else(|| eyre!("/proc/{pid}/smaps_rollup does not say Pss")).unwrap_or(0);
        }
    }
    Ok(total_kib as f64 / 1024.0)
}

/// What the encoder waits for before it takes the next picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// That nothing is under way: the least delay when more pictures come than can be painted.
    LeastDelay,
    /// That the last stage has taken up the picture before, as `dataflow.yml` has it: no stage waits for a message.
    Balanced,
    /// That the UNet has taken up the picture before: the stages overlap, and each has its share of the cores.
    Overlapped,
    /// The same, and each stage may have all cores: as fast as the one before where few pictures come.
    OverlappedWhole,
}

impl Pace {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::LeastDelay, Self::Balanced, Self::Overlapped, Self::OverlappedWhole];

    /// The encoder's edge that says so. Where each stage has its core, what is painted says it itself: its coming is the word that the
    /// UNet is done with it, and has taken up the next.
    fn edge(self) -> &'static str {
        match self {
            Self::LeastDelay => "taken: { source: decoder/finished, queue_size: 4 }",
            Self::Balanced => "taken: { source: decoder/taken, queue_size: 4 }",
            Self::Overlapped => "finished: { source: diffusion/denoised, queue_size: 4 }",
            Self::OverlappedWhole => "taken: { source: diffusion/taken, queue_size: 4 }",
        }
    }

    /// The edge of the decoder's word that the UNet goes by. A UNet that has cores of its own and is the slowest stage goes by none: the
    /// decoder has always finished, and the word would cost two processes a wake-up for each picture.
    fn word(self) -> &'static str {
        match self {
            Self::LeastDelay | Self::Balanced => "taken: { source: decoder/taken, queue_size: 4 }",
            Self::OverlappedWhole => "finished: { source: decoder/finished, queue_size: 4 }",
            Self::Overlapped => "",
        }
    }

    /// Threads of each stage; 0 is one a core. Three stages that work at once get in each other's way with that.
    fn threads(self) -> usize {
        match self {
            Self::LeastDelay | Self::Balanced | Self::OverlappedWhole => 0,
            Self::Overlapped => share_of_cores(3),
        }
    }

    /// The cores of the UNet and of the two other stages. Where three threads share two cores, the slowest stage has one for itself.
    /// The third is where the camera, and the UNet's node but for the UNet, are kept to: a message takes a fifth of a millisecond of
    /// somebody's time, and it is the UNet that all wait for.
    fn cores(self) -> [&'static str; 3] {
        match self {
            Self::Overlapped if cores() == 2 => ["0", "1", "cpu_affinity: [1]"],
            Self::LeastDelay | Self::Balanced | Self::Overlapped | Self::OverlappedWhole => ["auto", "auto", ""],
        }
    }

    /// Its name in the table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::LeastDelay => "least delay",
            Self::Balanced => "balanced",
            Self::Overlapped => "overlapped",
            Self::OverlappedWhole => "overlapped, all cores",
        }
    }
}

/// Threads of each of so many models that work at once.
fn share_of_cores(models: usize) -> usize {
    cores().div_ceil(models)
}

/// All that there are.
fn cores() -> usize {
    available_parallelism().map_or(1, usize::from)
}

/// A graph with the test pattern in front, the probe at its end, and `stages` between them, which find `control` and `embed`; with
/// the room in shared memory that `dataflow.yml` gives. `aside` is the camera's `cpu_affinity`, if it has one.
fn around(
    stages: &str,
    environment: &str,
    aside: &str,
    [size, seconds]: [usize; 2],
    camera_fps: f64,
    probe_inputs: &str,
) -> String {
    let settings = serde_json::json!({"size": size, "prompt": "neon lights"}).to_string();
    format!(
        r#"
env:
  MIRROR_PROVIDER: cpu
  CAMERA_SOURCE: pattern
  CONTROL_SETTINGS: '{settings}'
  PROBE_OUT: findings.json
  PROBE_SECONDS: {seconds}s
{environment}
nodes:
  - id: camera
    path: target/release/camera
    {aside}
    shared_memory_pool_size: 32MB
    env: {{ CAMERA_WIDTH: {size}, CAMERA_HEIGHT: {size}, CAMERA_FPS: {camera_fps} }}
    outputs: [frame, notice]
  - id: embed
    path: target/release/embed
    inputs:
      settings: {{ source: control/settings, queue_size: 64, queue_policy: backpressure }}
    outputs: [embedding, notice]
{stages}
  - id: control
    path: target/release/control
    inputs:
      tick: {{ source: dora/timer/millis/1000, queue_size: 1 }}
    outputs: [settings, notice]
  - id: probe
    path: target/release/probe
    inputs:
{probe_inputs}
"#
    )
}

/// The image path with the test pattern in front and the probe at its end.
#[must_use]
pub fn image_path(size: usize, camera_fps: f64, seconds: usize, pace: Pace, probe_inputs: &str) -> String {
    let (threads, [alone, others, aside]) = (pace.threads(), pace.cores());
    let (edge, word) = (pace.edge(), pace.word());
    let environment = format!(
        r#"  ENCODER_THREADS: "{threads}"
  DIFFUSION_THREADS: "{threads}"
  DECODER_THREADS: "{threads}"
  ENCODER_CORES: "{others}"
  DIFFUSION_CORES: "{alone}"
  DECODER_CORES: "{others}""#
    );
    let stages = format!(
        r"  - id: encoder
    path: target/release/encoder
    shared_memory_pool_size: 64MB
    inputs:
      frame: {{ source: camera/frame, queue_size: 1 }}
      {edge}
      settings: {{ source: control/settings, queue_size: 64, queue_policy: backpressure }}
    outputs: [latent, source, notice]
  - id: diffusion
    path: target/release/diffusion
    {aside}
    shared_memory_pool_size: 16MB
    inputs:
      latent: {{ source: encoder/latent, queue_size: 1 }}
      {word}
      embedding: {{ source: embed/embedding, queue_size: 64, queue_policy: backpressure }}
      settings: {{ source: control/settings, queue_size: 64, queue_policy: backpressure }}
    outputs: [denoised, taken, notice]
  - id: decoder
    path: target/release/decoder
    shared_memory_pool_size: 24MB
    inputs:
      denoised: {{ source: diffusion/denoised, queue_size: 1 }}
      source: {{ source: encoder/source, queue_size: 4 }}
      settings: {{ source: control/settings, queue_size: 64, queue_policy: backpressure }}
    outputs: [picture, taken, finished, notice]"
    );
    around(&stages, &environment, aside, [size, seconds], camera_fps, probe_inputs)
}

/// The image path in one process, the node `fused`, with the test pattern in front and the probe at its end.
#[must_use]
pub fn fused_path(size: usize, camera_fps: f64, seconds: usize, overlap: bool) -> String {
    // Overlapped, two models share the cores; in turn each has all of them.
    let (overlap, threads) = if overlap { ("on", share_of_cores(2)) } else { ("off", 0) };
    let environment = format!("  FUSED_OVERLAP: \"{overlap}\"\n  FUSED_THREADS: {threads}");
    let stages = r"  - id: fused
    path: target/release/fused
    shared_memory_pool_size: 24MB
    inputs:
      frame: { source: camera/frame, queue_size: 1 }
      embedding: { source: embed/embedding, queue_size: 64, queue_policy: backpressure }
      settings: { source: control/settings, queue_size: 64, queue_policy: backpressure }
    outputs: [picture, notice]";
    let probe = "      picture: { source: fused/picture, queue_size: 1 }";
    around(stages, &environment, "", [size, seconds], camera_fps, probe)
}

/// One edge between two probes: `frame` or `latent`.
#[must_use]
pub fn hop(port: &str, seconds: usize) -> String {
    format!(
        r"
nodes:
  - id: sender
    path: target/release/probe
    env: {{ PROBE_SEND: {port} }}
    outputs: [{port}]
  - id: probe
    path: target/release/probe
    env: {{ PROBE_OUT: findings.json, PROBE_SECONDS: {seconds}s }}
    inputs:
      {port}: {{ source: sender/{port}, queue_size: 1 }}
"
    )
}
