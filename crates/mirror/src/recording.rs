//! `dora run`, while the recorder records: its lines, its progress, its end.

use crate::failures::{self, Failures, Verdict};
use crate::journal::Line;
use crate::{dora, report, signals};
use eyre::{Result, WrapErr, bail};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use mirror_kit::processes;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::Child;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// The node that records.
const RECORDER: &str = "recorder";
/// How long the graph may take beyond the seconds that are recorded: loading models, writing the film.
const MARGIN: Duration = Duration::from_secs(120);
/// How long dora may take to stop the graph before it is told more firmly.
const PATIENCE: Duration = Duration::from_secs(15);

/// A recording that runs.
#[derive(Debug)]
pub struct Recording {
    child: Child,
    /// The dataflow's id, once dora has said it.
    id: Option<String>,
    report: PathBuf,
    log: PathBuf,
}

impl Recording {
    /// The recording of that `dora run`: it is over when the report is there; all that is said goes into the log.
    #[must_use]
    pub fn of(child: Child, report: PathBuf, log: PathBuf) -> Self {
        Self { child, id: None, report, log }
    }

    /// The dataflow's id, once dora has said it.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Watches it until the report is there.
    ///
    /// # Errors
    /// A node cannot go on, dora ends too early, or it takes too long; somebody stops it.
    pub fn watch(&mut self, seconds: u32) -> Result<()> {
        let lines = self.lines()?;
        let bar = bar(seconds);
        let (begin, limit) = (Instant::now(), Duration::from_secs(seconds.into()) + MARGIN);
        let mut failures = Failures::default();
        let mut progress = 0;
        loop {
            match lines.recv_timeout(Duration::from_millis(100)) {
                Ok(text) => {
                    self.id = self.id.take().or_else(|| dataflow(&text));
                    let Some(line) = Line::parse(&text) else { continue };
                    if line.node == RECORDER {
                        // It is not started again. The report says the reason better, if there is one.
                        if let Some(text) = failures::fatal(&line)
                            && !self.report.is_file()
                        {
                            bail!(text);
                        }
                        if let Some(second) = report::progress(&line.text) {
                            progress = second;
                            tell(&bar, progress, words(&line.text));
                        }
                    }
                    if let Some(Verdict::Hopeless(text)) = failures.note(&line, progress, Instant::now()) {
                        bail!(text);
                    }
                }
                Err(RecvTimeoutError::Timeout) => bar.tick(),
                Err(RecvTimeoutError::Disconnected) => thread::sleep(Duration::from_millis(100)),
            }
            let settled = failures.settle(Instant::now(), || self.nodes());
            if let Some(Verdict::Hopeless(text)) =
                settled.into_iter().find(|verdict| matches!(verdict, Verdict::Hopeless(_)))
            {
                bail!(text);
            }
            if self.report.is_file() {
                bar.finish_and_clear();
                return Ok(());
            }
            if signals::stop() {
                bail!("stopped before the recording was complete");
            }
            if let Some(status) = self.child.try_wait()? {
                // Its last words may still be on their way into the log.
                while lines.recv_timeout(Duration::from_millis(300)).is_ok() {}
                let said = dora::error_text(&fs::read_to_string(&self.log).unwrap_or_default());
                bail!(
                    "dora ended before the recording was complete ({status}){}",
                    said.map(|said| format!(": {said}")).unwrap_or_default()
                );
            }
            if begin.elapsed() > limit {
                bail!("the recording was not complete after {} s", limit.as_secs());
            }
        }
    }

    /// The nodes that run.
    fn nodes(&self) -> BTreeSet<String> {
        self.id.as_deref().map(processes::names).unwrap_or_default()
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
    pub fn stop(&mut self) {
        // Once it has ended and been waited for, its number may be another program's.
        let (Ok(None), Ok(process)) = (self.child.try_wait(), i32::try_from(self.child.id())) else { return };
        for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGKILL] {
            let begin = Instant::now();
            // SAFETY: kill(2) takes two integers and touches no memory of this process. The child is not waited for
            // yet, so its number is still its own; dora alone is told, it stops the nodes itself.
            unsafe { libc::kill(process, signal) };
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

    #[test]
    fn a_line_is_told_without_its_level() {
        assert_eq!(words(" INFO second 5 of 20, 120 pictures"), "second 5 of 20, 120 pictures");
        assert_eq!(words("alone"), "alone");
    }

    #[test]
    fn the_dataflow_says_its_id_in_every_line() {
        assert_eq!(dataflow(r#"{"dataflow_id": "01a1", "message": "x"}"#).as_deref(), Some("01a1"));
        assert_eq!(dataflow("[ERROR]"), None);
    }
}
