//! `mirror doctor`: what is here, what is wrong, and what to do about it.

mod clients;
mod devices;
mod project;
mod sources;
mod subject;
mod voice;

use crate::which::Which;
use clap::Args;
use devices::Machine;
use eyre::{Result, WrapErr, bail};
use std::path::PathBuf;
use subject::Subject;

/// Lists cameras, microphones, displays, packs, models of the voice and libraries, looks at what the mirror is told to use, and says what to do
/// about each fault.
///
/// A mirror that runs is looked at as it was started; where none does, what "mirror run" would start.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The dataflow file whose programs and settings are looked at, whatever runs
    #[arg(long, value_name = "FILE")]
    dataflow: Option<PathBuf>,
    #[command(flatten)]
    which: Which,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// As it should be.
    Fine,
    /// The mirror runs without it.
    Missing,
    /// The mirror does not run.
    Fault,
}

/// Something that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    state: State,
    /// What it is about: `camera`.
    about: &'static str,
    /// What was found, and the remedy if it is not fine.
    text: String,
}

impl Finding {
    fn fine(about: &'static str, text: impl Into<String>) -> Self {
        Self { state: State::Fine, about, text: text.into() }
    }

    fn missing(about: &'static str, text: impl Into<String>) -> Self {
        Self { state: State::Missing, about, text: text.into() }
    }

    fn fault(about: &'static str, text: impl Into<String>) -> Self {
        Self { state: State::Fault, about, text: text.into() }
    }

    /// The line for people.
    fn line(&self) -> String {
        let mark = match self.state {
            State::Fine => "ok   ",
            State::Missing => "--   ",
            State::Fault => "FAULT",
        };
        format!("{mark}  {:<11} {}", self.about, self.text)
    }
}

/// Looks at everything, and says it.
///
/// # Errors
/// No project around; something without which the mirror does not run: how many faults there are.
pub fn run(arguments: &Arguments) -> Result<()> {
    let here = std::env::current_dir().wrap_err("the current folder is not there any more")?;
    let (subject, machine) = (Subject::find(arguments, &here)?, Machine::here());
    let findings: Vec<Finding> = [
        project::look(&subject),
        sources::look(&subject, machine.hears()),
        clients::look(&subject),
        machine.look(),
        vec![devices::disk(&subject.house.root)],
    ]
    .concat();
    findings.iter().for_each(|finding| println!("{}", finding.line()));
    match findings.iter().filter(|finding| finding.state == State::Fault).count() {
        0 => Ok(()),
        1 => bail!("the mirror does not run with that fault"),
        faults => bail!("the mirror does not run with these {faults} faults"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_says_how_it_is_and_what_it_is_about() {
        assert_eq!(Finding::fine("camera", "it works").line(), "ok     camera      it works");
        assert_eq!(Finding::missing("microphone", "none").line(), "--     microphone  none");
        assert_eq!(Finding::fault("dora", "run \"make setup\"").line(), "FAULT  dora        run \"make setup\"");
    }
}
