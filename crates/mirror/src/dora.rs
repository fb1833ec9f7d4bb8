//! The dora command line.

use crate::signals;
use crate::which::Ports;
use eyre::{Result, WrapErr, bail, eyre};
use serde_json::Value;
use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The release that the nodes are built for; command line and nodes must agree.
pub const VERSION: &str = "1.1.0";

/// How long a command of dora may take before it counts as hung.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long nodes have to stop by themselves, in dora's notation.
const GRACE: &str = "5s";

/// The dora command line of this project.
#[derive(Debug, Clone)]
pub struct Dora {
    program: PathBuf,
    root: PathBuf,
    ports: Ports,
}

/// Coordinator and daemon that were started here.
#[derive(Debug)]
pub struct Background {
    processes: Vec<Child>,
}

impl Background {
    /// Whether one of them is gone.
    fn has_ended(&mut self) -> bool {
        self.processes.iter_mut().any(|process| !matches!(process.try_wait(), Ok(None)))
    }

    /// Whether both are gone, or go within that time.
    pub fn ends_within(&mut self, patience: Duration) -> bool {
        let begin = Instant::now();
        while self.processes.iter_mut().any(|process| matches!(process.try_wait(), Ok(None))) {
            if begin.elapsed() > patience {
                return false;
            }
            thread::sleep(Duration::from_millis(20));
        }
        true
    }
}

impl Drop for Background {
    /// Nothing of it outlives this program.
    fn drop(&mut self) {
        for process in &mut self.processes {
            // One that has ended already cannot be killed, and need not be.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// What a command of dora said.
struct Output {
    success: bool,
    stdout: String,
    stderr: String,
}

impl Dora {
    /// Finds dora: where `DORA` says, in the project's virtual environment, or in the folders of `PATH`.
    ///
    /// # Errors
    /// As [`find_in`](Self::find_in).
    pub fn find(root: &Path) -> Result<Self> {
        let path = std::env::var_os("PATH");
        match std::env::var_os("DORA") {
            Some(program) if !program.is_empty() => Self::of(root, program.into()),
            _ => Self::find_in(root, path.as_deref()),
        }
    }

    /// Finds dora: in the project's virtual environment, then in the folders of `path` (a `PATH`).
    ///
    /// # Errors
    /// No dora, or another release than [`VERSION`].
    pub fn find_in(root: &Path, path: Option<&OsStr>) -> Result<Self> {
        let installed = root.join(".venv/bin");
        let folders = path.map(|path| std::env::split_paths(path).collect::<Vec<_>>()).unwrap_or_default();
        let candidates = std::iter::once(installed).chain(folders).map(|folder| folder.join("dora"));
        let program = candidates.into_iter().find(|program| program.is_file());
        let program = program
            .ok_or_else(|| eyre!("there is no dora command line, neither in .venv nor in PATH: run \"make setup\""))?;
        Self::of(root, program)
    }

    /// The same, with the coordinator and the daemon of one mirror.
    #[must_use]
    pub fn on(self, ports: Ports) -> Self {
        Self { ports, ..self }
    }

    fn of(root: &Path, program: PathBuf) -> Result<Self> {
        let dora = Self { program, root: root.to_owned(), ports: Ports::default() };
        let shown = dora.program.display();
        let output =
            dora.output(&["--version"]).wrap_err_with(|| format!("{shown} does not run: run \"make setup\""))?;
        match output.stdout.split_whitespace().last() {
            Some(VERSION) => Ok(dora),
            Some(version) => bail!("{shown} is dora {version}, but {VERSION} is needed: run \"make setup\""),
            None => bail!("{shown} does not say its version: run \"make setup\""),
        }
    }

    /// Whether a coordinator and a daemon are there to run dataflows.
    ///
    /// # Errors
    /// dora cannot be asked.
    pub fn is_up(&self) -> Result<bool> {
        let output = self.output(&["status", "--format", "json"])?;
        let status: Value = serde_json::from_str(&output.stdout).unwrap_or_default();
        Ok(["coordinator", "daemon"].iter().all(|part| status[part]["status"] == "running"))
    }

    /// Starts coordinator and daemon, as `dora up` does, but for this program alone: they end with it, and the
    /// coordinator keeps its state in memory. (The one of `dora up` keeps it in the home folder, where a second
    /// coordinator cannot start and old dataflows are found again.)
    ///
    /// # Errors
    /// They do not come up.
    pub fn up(&self) -> Result<Background> {
        let mut background = Background { processes: Vec::new() };
        // Nodes that people start, the chat, look for the daemon where this variable says; dora itself does not read it.
        let mut daemon = vec!["daemon", "--quiet"];
        daemon.extend(self.ports.daemon.iter().flat_map(|port| ["--local-listen-port", port]));
        for arguments in [vec!["coordinator", "--quiet", "--store", "memory"], daemon] {
            let mut command = self.command();
            command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
            // SAFETY: prctl(2) with these arguments only sets a flag of the new process, and may be called after fork.
            unsafe {
                command.pre_exec(|| {
                    libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM);
                    Ok(())
                })
            };
            let program = self.program.display();
            background.processes.push(command.spawn().wrap_err_with(|| format!("{program} cannot be started"))?);
        }
        let begin = Instant::now();
        while !self.is_up()? {
            if background.has_ended() || begin.elapsed() > PATIENCE || signals::stop() {
                bail!(
                    "dora's coordinator and daemon did not come up; out/dora-coordinator.txt and out/dora-daemon.txt may say why"
                );
            }
        }
        Ok(background)
    }

    /// Stops coordinator and daemon, and all that runs on them.
    ///
    /// # Errors
    /// dora's own words.
    pub fn down(&self) -> Result<()> {
        self.output(&["down", "--force"])?.done("dora down").map(drop)
    }

    /// Starts a dataflow; gives its id.
    ///
    /// # Errors
    /// dora's own words.
    pub fn start(&self, dataflow: &Path, name: &str, environment: &[String]) -> Result<String> {
        let dataflow = dataflow.to_string_lossy();
        let mut arguments = vec!["start", &*dataflow, "--detach", "--name", name];
        arguments.extend(environment.iter().map(String::as_str));
        let text = self.output(&arguments)?.done("dora start")?;
        // "dataflow start triggered: 01a1…", then "dataflow started: 01a1…".
        let id = text.lines().rev().find_map(|line| line.strip_prefix("dataflow start")?.split_once(": "));
        id.map(|(_, id)| id.trim().to_owned())
            .ok_or_else(|| eyre!("dora start did not say which dataflow it started: {text}"))
    }

    /// Checks a dataflow file and the types of its edges.
    ///
    /// # Errors
    /// dora's own words.
    pub fn validate(&self, dataflow: &Path) -> Result<()> {
        self.output(&["validate", "--strict-types", &dataflow.to_string_lossy()])?.done("dora validate").map(drop)
    }

    /// Stops a dataflow. Nodes that do not stop by themselves are killed.
    ///
    /// # Errors
    /// dora's own words.
    pub fn stop(&self, id: &str) -> Result<()> {
        self.output(&["stop", id, "--grace-duration", GRACE])?.done("dora stop").map(drop)
    }

    /// Whether a dataflow of that name or id runs.
    ///
    /// # Errors
    /// dora cannot be asked.
    pub fn runs(&self, name_or_id: &str) -> Result<bool> {
        Ok(self.running()?.iter().any(|flow| flow["name"] == name_or_id || flow["uuid"] == name_or_id))
    }

    /// The id of the dataflow of that name that runs, if one does.
    ///
    /// # Errors
    /// dora cannot be asked.
    pub fn id_of(&self, name: &str) -> Result<Option<String>> {
        let flows = self.running()?;
        let flow = flows.iter().find(|flow| flow["name"] == name);
        Ok(flow.and_then(|flow| flow["uuid"].as_str()).map(str::to_owned))
    }

    /// Adds a node to a running dataflow: `yaml` holds it as a dataflow file would.
    ///
    /// # Errors
    /// dora's own words.
    pub fn add_node(&self, dataflow: &str, yaml: &Path) -> Result<()> {
        let yaml = yaml.to_string_lossy();
        self.output(&["node", "add", "--dataflow", dataflow, "--from-yaml", &yaml])?.done("dora node add").map(drop)
    }

    /// Switches a parameter of a running node on (`Node::is_on`).
    ///
    /// # Errors
    /// dora's own words.
    pub fn switch_on(&self, dataflow: &str, node: &str, parameter: &str) -> Result<()> {
        self.output(&["param", "set", "--dataflow", dataflow, node, parameter, "true"])?
            .done("dora param set")
            .map(drop)
    }

    /// Replaces a node of a running dataflow: `yaml` holds its new definition, with the same edges.
    ///
    /// # Errors
    /// dora's own words; the old one runs on then.
    pub fn replace_node(&self, dataflow: &str, node: &str, yaml: &Path) -> Result<()> {
        let yaml = yaml.to_string_lossy();
        let arguments = ["node", "replace", node, "--dataflow", dataflow, "--from-yaml", &yaml, "--grace", GRACE];
        self.output(&arguments)?.done("dora node replace").map(drop)
    }

    /// Stops a node and takes it out of a running dataflow; no other one ends.
    ///
    /// # Errors
    /// dora's own words; also if it has ended by itself.
    pub fn remove_node(&self, dataflow: &str, node: &str) -> Result<()> {
        let arguments = ["node", "remove", node, "--dataflow", dataflow, "--grace", GRACE];
        self.output(&arguments)?.done("dora node remove").map(drop)
    }

    fn running(&self) -> Result<Vec<Value>> {
        let text = self.output(&["list", "--format", "json"])?.done("dora list")?;
        let flows = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        Ok(flows.filter(|flow| flow["status"] == "Running").collect())
    }

    /// `dora run`: a dataflow by itself, without a coordinator. Its log is on the child's standard output and error.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn run(&self, dataflow: &Path, environment: &[String]) -> Result<Child> {
        let mut command = self.command();
        command.arg("run").arg(dataflow).args(["--log-format", "json"]).args(environment);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().wrap_err_with(|| format!("{} cannot be started", self.program.display()))
    }

    /// A command in a process group of its own: Ctrl-C in the terminal reaches this program only, which then stops
    /// things in order.
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(&self.root).stdin(Stdio::null()).process_group(0).envs(self.ports.environment());
        command.env("RUST_BACKTRACE", "0").env("RUST_LIB_BACKTRACE", "0").env("NO_COLOR", "1");
        // The Python of dora's own environment runs Python operators: it has dora's package.
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = self.program.parent().map(Path::to_owned).into_iter().chain(std::env::split_paths(&path));
        if let Ok(path) = std::env::join_paths(folders) {
            command.env("PATH", path);
        }
        command
    }

    fn output(&self, arguments: &[&str]) -> Result<Output> {
        let name = format!("dora {}", arguments.first().unwrap_or(&""));
        let mut command = self.command();
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().wrap_err_with(|| format!("{} cannot be started", self.program.display()))?;
        let (stdout, stderr) = (collect(child.stdout.take()), collect(child.stderr.take()));
        let start = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if start.elapsed() > PATIENCE || signals::kill() {
                child.kill()?;
                child.wait()?;
                bail!("\"{name}\" did not end in {} s", start.elapsed().as_secs());
            }
            thread::sleep(Duration::from_millis(10));
        };
        // What dora has started in the background may hold the pipes open: what it says later is not waited for.
        let text = |receiver: std::sync::mpsc::Receiver<String>| {
            receiver.recv_timeout(Duration::from_millis(500)).unwrap_or_default()
        };
        Ok(Output { success: status.success(), stdout: text(stdout), stderr: text(stderr) })
    }
}

/// Reads a pipe in a thread: a full one would block the program that writes to it.
fn collect(pipe: Option<impl Read + Send + 'static>) -> std::sync::mpsc::Receiver<String> {
    let (sender, receiver) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // A pipe that breaks has said what it had to say.
            let _ = pipe.read_to_end(&mut bytes);
        }
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receiver
}

impl Output {
    fn done(self, name: &str) -> Result<String> {
        if self.success {
            return Ok(self.stdout);
        }
        let text = format!("{}\n{}", self.stdout, self.stderr);
        bail!("{name} failed: {}", error_text(&text).unwrap_or_else(|| one_line(&text)))
    }
}

/// What dora says of an error, without the place in its sources and the stack: one line. `None`: it says of none.
#[must_use]
pub fn error_text(text: &str) -> Option<String> {
    let (_, text) = text.rsplit_once("[ERROR]")?;
    let text = ["Location:", "Stack backtrace:"].iter().fold(text, |text, end| text.split(end).next().unwrap_or(text));
    Some(one_line(text))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    /// A folder with a program called `dora` that is this shell script.
    fn fake(folder: &Path, script: &str) {
        fs::create_dir_all(folder).unwrap();
        let program = folder.join("dora");
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn message(result: Result<Dora>) -> String {
        format!("{:#}", result.unwrap_err())
    }

    #[test]
    fn the_projects_own_dora_comes_before_the_one_in_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let bin = folder.path().join("bin");
        fake(&folder.path().join(".venv/bin"), "echo dora-cli 1.1.0");
        fake(&bin, "echo dora-cli 1.1.0");
        let dora = Dora::find_in(folder.path(), Some(bin.as_os_str())).unwrap();
        assert_eq!(dora.program, folder.path().join(".venv/bin/dora"));
        fs::remove_dir_all(folder.path().join(".venv")).unwrap();
        let dora = Dora::find_in(folder.path(), Some(bin.as_os_str())).unwrap();
        assert_eq!(dora.program, bin.join("dora"));
    }

    #[test]
    fn without_dora_the_error_names_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let expected = "there is no dora command line, neither in .venv nor in PATH: run \"make setup\"";
        assert_eq!(message(Dora::find_in(folder.path(), None)), expected);
    }

    #[test]
    fn another_release_of_dora_is_refused_with_both_numbers() {
        let folder = tempfile::tempdir().unwrap();
        fake(folder.path(), "echo dora-cli 0.3.12");
        let error = message(Dora::find_in(Path::new("/"), Some(folder.path().as_os_str())));
        assert!(error.contains("is dora 0.3.12, but 1.1.0 is needed: run \"make setup\""), "{error}");
    }

    #[test]
    fn a_dora_that_does_not_run_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path()).unwrap();
        fs::write(folder.path().join("dora"), "").unwrap();
        let error = message(Dora::find_in(Path::new("/"), Some(folder.path().as_os_str())));
        assert!(error.contains("does not run: run \"make setup\""), "{error}");
    }

    #[test]
    fn a_started_dataflow_has_its_id() {
        let folder = tempfile::tempdir().unwrap();
        let script = "[ $1 = --version ] && echo dora-cli 1.1.0 || { echo dataflow start triggered: 5a; echo dataflow started: 5a; }";
        fake(folder.path(), script);
        let dora = Dora::find_in(Path::new("/"), Some(folder.path().as_os_str())).unwrap();
        assert_eq!(dora.start(Path::new("dataflow.yml"), "mirror", &[]).unwrap(), "5a");
    }

    #[test]
    fn an_error_of_dora_is_one_line_without_the_stack() {
        let text = "noise\n\n[ERROR]\nthere is already a\n  running dataflow\n\nLocation:\n    a.rs:78\n\nStack backtrace:\n 0: x";
        assert_eq!(error_text(text).as_deref(), Some("there is already a running dataflow"));
        assert_eq!(error_text("plain words\n"), None);
    }
}
