//! `mirror demo`: paints some seconds without a screen, and says what came out.

use crate::dora::Dora;
use crate::failures::{self, Failures, Verdict};
use crate::house::House;
use crate::journal::Line;
use crate::remains::Remains;
use crate::{overrides, report, signals};
use clap::Args;
use eyre::{Result, WrapErr, bail};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// The node that records.
const RECORDER: &str = "recorder";
/// What it writes, the report last.
const RESULTS: [&str; 3] = ["report.json", "sheet.png", "mirror.mp4"];
/// How long the graph may take beyond the seconds that are recorded: loading models, writing the film.
const MARGIN: Duration = Duration::from_secs(120);
/// How long dora may take to stop the graph before it is told more firmly.
const PATIENCE: Duration = Duration::from_secs(15);

/// Paints a while without a screen, then ends: writes a report, a sheet of pictures and a film.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The camera: its number, /dev/video2, a film, a folder of pictures, rtsp://…, http://…, pattern, auto
    #[arg(long)]
    source: Option<String>,
    /// What to paint, one after the other, with semicolons between: "a pencil drawing;neon lights"
    #[arg(long)]
    prompts: Option<String>,
    /// How many seconds to record, all prompts together
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=3600))]
    seconds: u32,
    /// Side of the square picture in pixels, 128 to 1024 in steps of 64
    #[arg(long, default_value_t = 256)]
    size: i64,
    /// The folder for report.json, sheet.png, mirror.mp4 and mirror.log
    #[arg(long, value_name = "FOLDER", default_value = "out/demo")]
    out: PathBuf,
    /// The model pack: a directory in the diffusers ONNX layout
    #[arg(long, value_name = "DIRECTORY")]
    pack: Option<String>,
    /// A setting of a node, as often as you like, over the one in the dataflow file: CAMERA_FPS=15
    #[arg(long, value_name = "KEY=VALUE")]
    env: Vec<String>,
    /// The graph
    #[arg(long, value_name = "FILE", default_value = "dataflow.demo.yml")]
    dataflow: PathBuf,
}

impl Arguments {
    /// What the nodes are told, over the dataflow file's own words.
    fn overrides(&self, house: &House, here: &Path) -> Result<BTreeMap<String, String>> {
        let mut overrides = BTreeMap::new();
        for text in &self.env {
            let (key, value) = overrides::key(text)?;
            overrides.insert(key, value);
        }
        if let Some(source) = &self.source {
            overrides.insert("CAMERA_SOURCE".to_owned(), overrides::source(source, here)?);
        }
        if let Some(pack) = &self.pack {
            overrides.insert("MIRROR_PACK".to_owned(), overrides::absolute(pack, here)?);
        }
        if let Some(prompts) = &self.prompts {
            overrides.insert("RECORDER_PROMPTS".to_owned(), overrides::prompts(prompts)?.join(";"));
        }
        let base = house.value(&overrides, "CONTROL_SETTINGS").unwrap_or_default();
        overrides.insert("CONTROL_SETTINGS".to_owned(), overrides::settings(&base, &[("size", json!(self.size))])?);
        // With its unit: dora does not take what looks like a number.
        overrides.insert("RECORDER_SECONDS".to_owned(), format!("{}s", self.seconds));
        overrides.insert("RECORDER_OUT".to_owned(), overrides::absolute(&self.out.to_string_lossy(), here)?);
        Ok(overrides)
    }
}

/// Runs the subcommand.
///
/// # Errors
/// Something is missing or wrong; a node cannot go on; no picture was shown.
pub fn run(arguments: &Arguments) -> Result<()> {
    signals::listen()?;
    let here = std::env::current_dir().wrap_err("the current folder cannot be found")?;
    let house = House::find(&here, &arguments.dataflow)?;
    let overrides = arguments.overrides(&house, &here)?;
    house.check_built()?;
    let dora = Dora::find(&house.root, std::env::var_os("PATH").as_deref())?;
    house.check_models(&overrides)?;

    let out = &arguments.out;
    clear(out)?;
    let log = out.join("mirror.log");
    let before = Remains::before();
    let child = dora.run(&house.dataflow, &overrides::arguments(&overrides)?)?;
    let mut recording = Recording { child, id: None, report: out.join(RESULTS[0]), log: log.clone() };
    let watched = recording.watch(arguments.seconds);
    recording.stop();
    if let Some(id) = &recording.id {
        for line in before.clear(id, Duration::from_secs(2)) {
            eprintln!("{line}");
        }
    }
    watched.wrap_err_with(|| format!("the log is {}", log.display())).map_err(reason_first)?;
    conclude(out)
}

/// The reason, then where to read more: `wrap_err` would say it the other way round.
fn reason_first(error: eyre::Report) -> eyre::Report {
    let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
    match causes.split_first() {
        Some((log, reasons)) => eyre::eyre!("{} ({log})", reasons.join(": ")),
        None => error,
    }
}

/// Makes the folder, and removes what an earlier run has left there: an old report must not pass for a new one.
fn clear(out: &Path) -> Result<()> {
    fs::create_dir_all(out).wrap_err_with(|| format!("the folder {} cannot be made", out.display()))?;
    for name in RESULTS.iter().chain(&["mirror.log"]) {
        let path = out.join(name);
        if path.exists() {
            fs::remove_file(&path).wrap_err_with(|| format!("{} cannot be replaced", path.display()))?;
        }
    }
    Ok(())
}

/// Tells what came out.
fn conclude(out: &Path) -> Result<()> {
    let path = out.join(RESULTS[0]);
    let text = fs::read_to_string(&path).wrap_err_with(|| format!("{} cannot be read", path.display()))?;
    let report = serde_json::from_str(&text).wrap_err_with(|| format!("{} is not JSON", path.display()))?;
    println!("{}", report::table(&report));
    for name in RESULTS.iter().map(|name| out.join(name)).filter(|path| path.is_file()) {
        println!("{}", name.display());
    }
    if report::displayed(&report) == 0 {
        bail!("no picture was shown; the log is {}", out.join("mirror.log").display());
    }
    Ok(())
}

/// `dora run`, while the recorder records.
struct Recording {
    child: Child,
    /// The dataflow's id, once dora has said it.
    id: Option<String>,
    report: PathBuf,
    log: PathBuf,
}

impl Recording {
    /// Until the report is there.
    fn watch(&mut self, seconds: u32) -> Result<()> {
        let lines = self.lines()?;
        let bar = bar(seconds);
        let (begin, limit) = (Instant::now(), Duration::from_secs(seconds.into()) + MARGIN);
        let mut failures = Failures::default();
        let mut progress = 0;
        let mut trouble = String::new();
        loop {
            match lines.recv_timeout(Duration::from_millis(100)) {
                Ok(text) => {
                    self.id = self.id.take().or_else(|| dataflow(&text));
                    let Some(line) = Line::parse(&text) else { continue };
                    if line.node == RECORDER {
                        // It is not started again: its recording is over.
                        if let Some(text) = failures::fatal(&line) {
                            bail!("{text}{trouble}");
                        }
                        progress = report::progress(&line.text).unwrap_or(progress);
                        tell(&bar, progress, words(&line.text));
                    } else if is_trouble(&line.text) {
                        trouble = format!("; before that, {}: {}", line.node, words(&line.text));
                    }
                    if let Some(Verdict::Hopeless(text)) = failures.note(&line, progress) {
                        bail!(text);
                    }
                }
                Err(RecvTimeoutError::Timeout) => bar.tick(),
                Err(RecvTimeoutError::Disconnected) => thread::sleep(Duration::from_millis(100)),
            }
            if self.report.is_file() {
                bar.finish_and_clear();
                return Ok(());
            }
            if signals::stop() {
                bail!("stopped before the recording was complete");
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("dora ended before the recording was complete ({status})");
            }
            if begin.elapsed() > limit {
                bail!("the recording was not complete after {} s", limit.as_secs());
            }
        }
    }

    /// All that dora prints, also written to the log file.
    fn lines(&mut self) -> Result<Receiver<String>> {
        let file = File::create(&self.log).wrap_err_with(|| format!("{} cannot be written", self.log.display()))?;
        let (sender, receiver) = channel();
        if let Some(stdout) = self.child.stdout.take() {
            forward(stdout, file.try_clone()?, sender.clone());
        }
        if let Some(stderr) = self.child.stderr.take() {
            forward(stderr, file, sender);
        }
        Ok(receiver)
    }

    /// Stops dora and with it all nodes: as Ctrl-C would, then more firmly.
    fn stop(&mut self) {
        let Ok(group) = i32::try_from(self.child.id()) else { return };
        for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGKILL] {
            let begin = Instant::now();
            // SAFETY: kill(2) takes two integers and touches no memory of this process. The child is not waited for
            // yet, so its number is still its own; dora alone is told, it stops the nodes itself.
            unsafe { libc::kill(group, signal) };
            while begin.elapsed() < PATIENCE && !(signals::kill() && signal != libc::SIGKILL) {
                if !matches!(self.child.try_wait(), Ok(None)) {
                    return;
                }
                thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.stop();
        }
    }
}

fn forward(pipe: impl Read + Send + 'static, mut file: File, sender: Sender<String>) {
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            // A full disk ends the log, not the recording.
            let _ = writeln!(file, "{line}");
            if sender.send(line).is_err() {
                return;
            }
        }
    });
}

/// The dataflow's id out of a line of `dora run --log-format json`.
fn dataflow(line: &str) -> Option<String> {
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    line["dataflow_id"].as_str().map(str::to_owned)
}

/// How far it is; where a bar cannot be drawn, a line every five seconds.
fn tell(bar: &ProgressBar, progress: u64, words: &str) {
    if bar.is_hidden() && progress.is_multiple_of(5) {
        eprintln!("{words}");
    }
    bar.set_position(progress);
    bar.set_message(words.to_owned());
}

/// Whether a node warns of something, or calls it an error.
fn is_trouble(text: &str) -> bool {
    ["WARN ", "ERROR "].iter().any(|level| text.trim_start().starts_with(level))
}

/// A node's line without its level.
fn words(text: &str) -> &str {
    text.trim_start().split_once(' ').map_or(text, |(_, words)| words.trim_start())
}

fn bar(seconds: u32) -> ProgressBar {
    let bar = ProgressBar::new(seconds.into());
    if !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    // The template is fixed, so it parses; the plain bar would do as well.
    let style =
        ProgressStyle::with_template("{bar:30} {pos}/{len} s  {msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style);
    bar.set_message("loading the models");
    bar
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Words {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn overrides(words: &[&str]) -> Result<BTreeMap<String, String>> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("dataflow.yml"), "nodes: []").unwrap();
        let house = House::find(folder.path(), Path::new("dataflow.yml")).unwrap();
        let words = Words::parse_from(std::iter::once(&"demo").chain(words));
        words.arguments.overrides(&house, Path::new("/home/me"))
    }

    #[test]
    fn arguments_become_the_environment_of_the_nodes() {
        let overrides =
            overrides(&["--prompts", "neon lights; a map", "--seconds", "6", "--out", "made", "--source", "a.mp4"])
                .unwrap();
        assert_eq!(overrides["RECORDER_PROMPTS"], "neon lights;a map");
        assert_eq!(overrides["RECORDER_SECONDS"], "6s");
        assert_eq!(overrides["RECORDER_OUT"], "/home/me/made");
        assert_eq!(overrides["CAMERA_SOURCE"], "/home/me/a.mp4");
        assert_eq!(overrides["CONTROL_SETTINGS"], r#"{"size":256}"#);
    }

    #[test]
    fn without_a_prompt_nothing_is_started() {
        assert!(overrides(&["--prompts", ";"]).unwrap_err().to_string().starts_with("there is no prompt"));
    }

    #[test]
    fn an_old_report_does_not_pass_for_a_new_one() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("report.json"), "{}").unwrap();
        clear(folder.path()).unwrap();
        assert!(!folder.path().join("report.json").exists());
    }

    #[test]
    fn a_report_without_pictures_is_a_failure() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("report.json"), r#"{"frames": {"captured": 9, "displayed": 0, "dropped": 9}}"#)
            .unwrap();
        let error = conclude(folder.path()).unwrap_err().to_string();
        assert!(error.starts_with("no picture was shown; the log is "), "{error}");
    }

    #[test]
    fn the_reason_comes_before_the_place_of_the_log() {
        let error = Err::<(), _>(eyre::eyre!("camera: no such file")).wrap_err("the log is mirror.log").unwrap_err();
        assert_eq!(reason_first(error).to_string(), "camera: no such file (the log is mirror.log)");
    }
}
