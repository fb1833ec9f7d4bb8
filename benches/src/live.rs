//! The whole mirror, as `mirror run` starts it, on ports of its own: for what is measured from outside.

use crate::flow::dora;
use eyre::{Result, WrapErr, bail, eyre};
use mirror_kit::processes::{self, Process};
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A mirror that runs. Dropping it stops it.
pub struct Live {
    child: Child,
    agent: ureq::Agent,
    page: String,
    coordinator: String,
    folder: TempDir,
    dataflow: String,
}

/// What the page says of now.
#[derive(Debug, Clone, PartialEq)]
pub struct Now {
    /// Pictures shown since the page's start.
    pub frames: u64,
    /// Pictures a second.
    pub fps: f64,
    /// From camera to page: median and 99th percentile, milliseconds.
    pub age_ms: [f64; 2],
    /// Messages dropped because newer ones came.
    pub drops: i64,
    /// What the newest picture was painted as.
    pub prompt: String,
}

impl Live {
    /// Starts `mirror run` with these arguments, without a window, and waits for its pictures.
    ///
    /// # Errors
    /// It does not start, or paints nothing within `patience`.
    pub fn start(root: &Path, arguments: &[&str], patience: Duration) -> Result<Self> {
        Self::start_after(root, arguments, patience, 30)
    }

    /// As [`start`](Self::start), but waits for so many pictures: a camera may be slow.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_after(root: &Path, arguments: &[&str], patience: Duration, pictures: u64) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let log = File::create(folder.path().join("log"))?;
        // All are held until all are known, so that they differ.
        let listeners = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0"));
        let mut ports = Vec::new();
        for listener in &listeners {
            let listener = listener.as_ref().map_err(|error| eyre!("no port is free: {error}"))?;
            ports.push(listener.local_addr()?.port().to_string());
        }
        drop(listeners);
        let address = format!("127.0.0.1:{}", ports[0]);
        let state = folder.path().join("settings.json");
        let mut command = Command::new(root.join("target/release/mirror"));
        command.args(["run", "--no-window", "--env", &format!("WEB_ADDRESS={address}")]);
        command.args(["--env", &format!("CONTROL_STATE={}", state.display())]);
        // What is said in the room is not measured, nor what somebody tries in his own mirror.
        command.args(["--env", "MICROPHONE_SOURCE=none"]);
        command.args(["--env", &format!("OPERATOR_LIBRARY={}", folder.path().join("operator.so").display())]);
        command.args(arguments);
        command.env("DORA", dora(root)).env("DORA_COORDINATOR_PORT", &ports[1]);
        command.env("DORA_DAEMON_LOCAL_LISTEN_PORT", &ports[2]).current_dir(root).process_group(0);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = command.spawn().wrap_err("target/release/mirror cannot be started: run \"make build\"")?;
        let config = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(2)));
        // A proxy of the environment leads elsewhere, not to this machine.
        let agent = config.proxy(None).build().new_agent();
        let page = format!("http://{address}");
        let coordinator = ports[1].clone();
        let mut live = Self { child, agent, page, coordinator, folder, dataflow: String::new() };
        let until = Instant::now() + patience;
        while live.now().is_none_or(|now| now.frames < pictures) {
            if live.child.try_wait()?.is_some() || Instant::now() > until {
                bail!("the mirror paints nothing:\n{}", live.log());
            }
            sleep(Duration::from_millis(100));
        }
        live.dataflow = live.find_dataflow()?;
        Ok(live)
    }

    /// The dataflow whose nodes this mirror's daemon has started.
    fn find_dataflow(&self) -> Result<String> {
        let web = format!("WEB_ADDRESS={}", self.page.trim_start_matches("http://"));
        let is_ours = |pid: &i32| {
            let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|pair| pair == web.as_bytes())
        };
        let config = processes::all().filter(is_ours).find_map(processes::config);
        let config = config.ok_or_else(|| eyre!("no node of this mirror is found"))?;
        let id = config.lines().find_map(|line| line.strip_prefix("dataflow_id: "));
        id.map(str::to_owned).ok_or_else(|| eyre!("a node does not say whose it is"))
    }

    /// What the page says; `None`: it does not answer.
    #[must_use]
    pub fn now(&self) -> Option<Now> {
        let mut response = self.agent.get(format!("{}/api/figures", self.page)).call().ok()?;
        let said: Value = response.body_mut().read_json().ok()?;
        Some(Now {
            frames: said["frames"].as_u64()?,
            fps: said["fps"].as_f64()?,
            age_ms: [said["age_ms"]["p50"].as_f64()?, said["age_ms"]["p99"].as_f64()?],
            drops: said["drops"].as_i64()?,
            prompt: said["prompt"].as_str()?.to_owned(),
        })
    }

    /// Changes a setting.
    ///
    /// # Errors
    /// The page does not answer, or refuses it.
    pub fn set(&self, values: &Value) -> Result<()> {
        let url = format!("{}/api/settings", self.page);
        self.agent.post(&url).send_json(values).wrap_err(url).map(drop)
    }

    /// Where its page is: `http://127.0.0.1:40001`.
    #[must_use]
    pub fn page(&self) -> &str {
        &self.page
    }

    /// A command of `mirror` for it.
    #[must_use]
    pub fn command(&self, root: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(root.join("target/release/mirror"));
        command.args(arguments).env("DORA", dora(root)).env("DORA_COORDINATOR_PORT", &self.coordinator);
        command.current_dir(root).stdin(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Watches its pictures from now on.
    #[must_use]
    pub fn eye(&self) -> Eye {
        Eye::open(self.page.trim_start_matches("http://").to_owned())
    }

    /// Its nodes.
    #[must_use]
    pub fn nodes(&self) -> Vec<Process> {
        let mut nodes = processes::nodes(&self.dataflow);
        nodes.sort_by(|one, other| one.node.cmp(&other.node));
        nodes
    }

    /// What it has said so far.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Whether it has ended by itself.
    ///
    /// # Errors
    /// The process cannot be asked.
    pub fn has_ended(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let pid = i32::try_from(self.child.id()).unwrap_or(0);
        for signal in [libc::SIGINT, libc::SIGKILL] {
            if matches!(self.child.try_wait(), Ok(None)) {
                // SAFETY: kill(2) touches no memory of this process; the group is our own child's, which was not waited for.
                unsafe { libc::kill(-pid, signal) };
            }
            for _ in 0..300 {
                match self.child.try_wait() {
                    Ok(None) => sleep(Duration::from_millis(50)),
                    _ => return,
                }
            }
        }
    }
}

/// Watches the pictures of a mirror's page, as a browser does: when each one came.
pub struct Eye {
    seen: Arc<Mutex<Vec<Instant>>>,
    closed: Arc<AtomicBool>,
}

impl Eye {
    /// Opens the stream of pictures, and again whenever it breaks.
    fn open(address: String) -> Self {
        let (seen, closed) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        let (into, end) = (Arc::clone(&seen), Arc::clone(&closed));
        std::thread::spawn(move || {
            while !end.load(Ordering::Relaxed) {
                // A page that is started again is not there for a moment.
                let _ = look(&address, &into, &end);
                sleep(Duration::from_millis(5));
            }
        });
        Self { seen, closed }
    }

    /// When pictures came since then, the latest last.
    #[must_use]
    pub fn since(&self, start: Instant) -> Vec<Instant> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().copied().filter(|at| *at >= start).collect()
    }
}

impl Drop for Eye {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::Relaxed);
    }
}

/// Reads a stream of pictures until it breaks: each part says the number of its frame in a line of its head.
fn look(address: &str, seen: &Mutex<Vec<Instant>>, end: &AtomicBool) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(stream, "GET /stream HTTP/1.1\r\nHost: {address}\r\n\r\n")?;
    let (mut reader, mut line) = (BufReader::new(stream), Vec::new());
    while !end.load(Ordering::Relaxed) && reader.read_until(b'\n', &mut line)? > 0 {
        if line.to_ascii_lowercase().starts_with(b"x-frame-id:") {
            seen.lock().unwrap_or_else(PoisonError::into_inner).push(Instant::now());
        }
        line.clear();
    }
    Ok(())
}

/// The memory that is a process's own, in MiB: not its program's file, which the kernel takes away and brings back, and
/// not what it shares. `None`: it has ended.
#[must_use]
pub fn own_memory_mib(pid: i32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let kib = status.lines().find_map(|line| line.strip_prefix("RssAnon:")?.trim().strip_suffix(" kB"))?;
    Some(kib.trim().parse::<f64>().ok()? / 1024.0)
}

/// The memory of a process with its share of what it has in common with others (`Pss`), in MiB: a sum counts nothing twice. `None`:
/// it has ended.
#[must_use]
pub fn share_mib(pid: i32) -> Option<f64> {
    let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let kib = rollup.lines().find_map(|line| line.strip_prefix("Pss:")?.trim().strip_suffix(" kB"))?;
    Some(kib.trim().parse::<f64>().ok()? / 1024.0)
}

/// The project's root: the folder that this is run in.
///
/// # Errors
/// It is another one.
pub fn root() -> Result<PathBuf> {
    let root = std::env::current_dir()?;
    if root.join("dataflow.yml").is_file() {
        return Ok(root);
    }
    bail!("run this in the project's root, where dataflow.yml is")
}
