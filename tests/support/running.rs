//! A mirror that a test starts, asks and stops.

use crate::root;
use eyre::{Result, bail, eyre};
use mirror_benches::flow::dora;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::ops::Range;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::NamedTempFile;

/// Longer than anything takes on a slow machine that builds at the same time.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// How long the page may take to answer: its own limit is ten seconds.
const ANSWER: Duration = Duration::from_secs(30);

/// The variable that says where a daemon waits for nodes that are started by hand.
pub const DAEMON: &str = "DORA_DAEMON_LOCAL_LISTEN_PORT";
/// The variable that says where dora's command line finds the coordinator.
pub const COORDINATOR: &str = "DORA_COORDINATOR_PORT";

/// Where ports are looked for.
const PORTS: Range<u16> = 20_000..32_000;

/// The operator that somebody tries in his own mirror must not paint in a test: this library is not there. A test that wants
/// one says so after it.
pub const NO_OPERATOR: &str = "OPERATOR_LIBRARY=.mirror/tests/operator.so";
/// What is said in the room must not be painted in a test.
const NO_MICROPHONE: &str = "MICROPHONE_SOURCE=none";
/// Settings of another test must not come back, nor anybody's operator, and nobody listens; arguments that say otherwise come
/// later.
const SETTLED: [&str; 6] = ["--env", "CONTROL_STATE=", "--env", NO_OPERATOR, "--env", NO_MICROPHONE];

/// Waits until something is so.
///
/// # Errors
/// It is not so after [`PATIENCE`]; `what` names it.
pub fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    while !is_so() {
        if Instant::now() > until {
            bail!("{what} did not happen in {} s", PATIENCE.as_secs());
        }
        sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// The program `mirror` with these arguments, in a process group of its own.
#[must_use]
pub fn mirror(arguments: &[&str]) -> Command {
    let mut command = Command::new(root().join("target/release/mirror"));
    command.args(arguments).current_dir(root()).stdin(Stdio::null()).env("DORA", dora(&root())).process_group(0);
    command
}

/// A port that nobody listens on, and that no connection is given by chance before it is used: those are from 32768 on.
///
/// # Errors
/// There is none.
pub fn free_port() -> Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let begin = std::process::id() as u16;
    for _ in 0..PORTS.len() {
        let at = begin.wrapping_mul(31).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) as usize;
        let port = PORTS.start + (at % PORTS.len()) as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no port from {} to {} is free", PORTS.start, PORTS.end)
}

/// The names of all files in shared memory.
#[must_use]
pub fn shared_files() -> Vec<String> {
    let entries = fs::read_dir("/dev/shm").into_iter().flatten();
    let mut files: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    files.sort();
    files
}

/// `mirror run` with a dora of its own. It ends with the test, whatever happens to it.
pub struct Running {
    child: Child,
    log: NamedTempFile,
    address: String,
    /// Its coordinator's, and its daemon's for nodes that are started by hand; `None`: it has found some itself.
    ports: Option<[String; 2]>,
}

impl Running {
    /// Starts `mirror run` with these arguments, without a window or a microphone, its page on a free port.
    ///
    /// # Errors
    /// The program cannot be started.
    pub fn start(arguments: &[&str]) -> Result<Self> {
        let mut command = mirror(&["run", "--no-window"]);
        command.args(SETTLED).args(arguments);
        Self::with(&mut command)
    }

    /// As [`start`](Self::start), with its window on that X11 screen: `:99`.
    ///
    /// # Errors
    /// The program cannot be started.
    pub fn start_on(screen: &str, arguments: &[&str]) -> Result<Self> {
        let mut command = mirror(&["run"]);
        command.args(SETTLED).args(arguments).env("DISPLAY", screen);
        command.env_remove("WAYLAND_DISPLAY").env_remove("WAYLAND_SOCKET");
        Self::with(&mut command)
    }

    /// Starts that command, its page and its dora on free ports.
    fn with(command: &mut Command) -> Result<Self> {
        let address = format!("127.0.0.1:{}", free_port()?);
        let log = NamedTempFile::new()?;
        let ports = [free_port()?.to_string(), free_port()?.to_string()];
        command.args(["--env", &format!("WEB_ADDRESS={address}")]);
        command.env(COORDINATOR, &ports[0]).env(DAEMON, &ports[1]);
        let child = command.stdout(log.reopen()?).stderr(log.reopen()?).spawn()?;
        Ok(Self { child, log, address, ports: Some(ports) })
    }

    /// As [`start`](Self::start), with a name, with ports that it finds itself, and with settings and an operator of its own.
    ///
    /// # Errors
    /// The program cannot be started.
    pub fn start_named(name: &str, arguments: &[&str]) -> Result<Self> {
        let address = format!("127.0.0.1:{}", free_port()?);
        let (log, page) = (NamedTempFile::new()?, format!("WEB_ADDRESS={address}"));
        let mut command = mirror(&["run", "--name", name, "--no-window", "--env", &page, "--env", NO_MICROPHONE]);
        let child = command.args(arguments).stdout(log.reopen()?).stderr(log.reopen()?).spawn()?;
        Ok(Self { child, log, address, ports: None })
    }

    /// The program `mirror` with these arguments, for this mirror: `record`.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = mirror(arguments);
        if let Some([coordinator, daemon]) = &self.ports {
            command.env(COORDINATOR, coordinator).env(DAEMON, daemon);
        }
        command
    }

    /// `scripts/operator` with these arguments, for this mirror.
    #[must_use]
    pub fn operator(&self, arguments: &[&str]) -> Command {
        let (told, mut command) = (self.command(&[]), Command::new(root().join("scripts/operator")));
        command.envs(told.get_envs().filter_map(|(key, value)| Some((key, value?))));
        // What make and cargo tell those that they start is not meant for the cargo that the script starts: libraries that look
        // at it would be built anew.
        let own = ["MAKEFLAGS", "MFLAGS", "CARGO"].map(str::to_owned);
        let of_package = |key: &String| {
            ["CARGO_MAKEFLAGS", "CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"]
                .iter()
                .any(|start| key.starts_with(start))
        };
        let told = std::env::vars_os().filter_map(|(key, _)| key.into_string().ok()).filter(of_package);
        for key in own.into_iter().chain(told) {
            command.env_remove(key);
        }
        command.args(arguments).stdin(Stdio::null());
        command
    }

    /// Sends JSON to the page at that path.
    ///
    /// # Errors
    /// It does not answer, or refuses it.
    pub fn post(&self, path: &str, body: &Value) -> Result<()> {
        let request = ureq::post(format!("{}{path}", self.page()));
        request.config().timeout_global(Some(ANSWER)).build().send_json(body)?;
        Ok(())
    }

    /// Where the page is: `http://127.0.0.1:40001`.
    #[must_use]
    pub fn page(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What the page says at that path, as JSON.
    ///
    /// # Errors
    /// It does not answer, or not with JSON.
    pub fn get(&self, path: &str) -> Result<Value> {
        let request = ureq::get(format!("{}{path}", self.page()));
        Ok(request.config().timeout_global(Some(ANSWER)).build().call()?.body_mut().read_json()?)
    }

    /// Waits until it has painted a few pictures; with a prompt, until they are painted with that.
    ///
    /// # Errors
    /// That takes too long: with all that it has said.
    pub fn paints(&self, prompt: Option<&str>) -> Result<()> {
        let is_so = |figures: &Value| {
            figures["frames"].as_u64() > Some(5) && prompt.is_none_or(|prompt| figures["prompt"] == prompt)
        };
        wait_for("pictures", || self.get("/api/figures").is_ok_and(|figures| is_so(&figures)))
            .map_err(|error| eyre!("{error}\n{}\n{}", self.flow(), self.log()))
    }

    /// What comes to each node and goes out of it: where pictures stop.
    fn flow(&self) -> String {
        self.get("/api/nodes").map_or_else(|error| format!("{error:#}"), |nodes| nodes["nodes"].to_string())
    }

    /// Has that typed into its chat: what the chat says to it, and what it complains of.
    ///
    /// # Errors
    /// The chat cannot be started, or fails.
    pub fn chat(&self, typed: &str) -> Result<(String, String)> {
        let mut command = Command::new(root().join("target/release/chat"));
        command
            .envs(self.ports.as_ref().map(|[_, daemon]| (DAEMON, daemon)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut chat = command.spawn()?;
        // Dropped at the end of the line: the input ends.
        chat.stdin.take().ok_or_else(|| eyre!("no input"))?.write_all(typed.as_bytes())?;
        let output = chat.wait_with_output()?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (said, complaints) = (text(&output.stdout), text(&output.stderr));
        if output.status.success() { Ok((said, complaints)) } else { bail!("the chat failed: {said}{complaints}") }
    }

    /// What it has said so far.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.log.path()).unwrap_or_default()
    }

    /// Its node of that program: the process.
    #[must_use]
    pub fn node(&self, program: &str) -> Option<u32> {
        let mut family = vec![self.child.id()];
        let processes: Vec<(u32, u32, String)> =
            fs::read_dir("/proc").ok()?.filter_map(|entry| stat(entry.ok()?.file_name().to_str()?)).collect();
        let mut at = 0;
        while let Some(&parent) = family.get(at) {
            family.extend(processes.iter().filter(|(_, of, _)| *of == parent).map(|(pid, ..)| *pid));
            at += 1;
        }
        processes.into_iter().find(|(pid, _, name)| name == program && family.contains(pid)).map(|(pid, ..)| pid)
    }

    /// The programs of all its processes by their numbers, dora's and its nodes' among them: all that were told its coordinator's
    /// port. None of a mirror that has found its ports itself.
    #[must_use]
    pub fn processes(&self) -> BTreeMap<u32, String> {
        let Some([coordinator, _]) = &self.ports else { return BTreeMap::new() };
        let told = format!("{COORDINATOR}={coordinator}");
        let is_ours = |pid: &u32| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|pair| pair == told.as_bytes())
        };
        let names =
            fs::read_dir("/proc").into_iter().flatten().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let ours = names.filter_map(|name| stat(&name)).filter(|(pid, ..)| is_ours(pid));
        ours.map(|(pid, _, program)| (pid, program)).collect()
    }

    /// Does what Ctrl-C does, and waits for the end. `true`: it ended well.
    ///
    /// # Errors
    /// It does not end.
    pub fn interrupt(&mut self) -> Result<bool> {
        signal("INT", self.child.id())?;
        self.wait()
    }

    /// Waits until it has ended by itself. `true`: it ended well.
    ///
    /// # Errors
    /// It does not end.
    pub fn wait(&mut self) -> Result<bool> {
        let mut success = None;
        wait_for("the end of the mirror", || {
            success = self.child.try_wait().ok().flatten().map(|status| status.success());
            success.is_some()
        })?;
        Ok(success == Some(true))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.interrupt();
            let _ = self.child.kill();
        }
    }
}

/// Sends a signal: `INT`, `STOP`, `KILL`.
///
/// # Errors
/// There is no `kill`, or no such process.
pub fn signal(name: &str, pid: u32) -> Result<()> {
    let status = Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status()?;
    if status.success() { Ok(()) } else { bail!("kill -{name} {pid} failed") }
}

/// A process, its parent and the name of its program (15 characters of it): `/proc/<pid>/stat`, proc(5).
fn stat(pid: &str) -> Option<(u32, u32, String)> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.parse::<u32>().ok()?)).ok()?;
    let (before, after) = stat.rsplit_once(')')?;
    let parent = after.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some((pid.parse().ok()?, parent, before.split_once('(')?.1.to_owned()))
}
