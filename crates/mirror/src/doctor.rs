//! `mirror doctor`: what is here, what is wrong, and what to do about it.

mod devices;
mod project;

use crate::house::{DATAFLOW, House};
use clap::Args;
use devices::Machine;
use eyre::{Result, WrapErr, bail};
use std::path::PathBuf;

/// Lists cameras, microphones, displays, packs and libraries, and what to do about each fault.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The dataflow file whose programs and settings are looked at
    #[arg(long, default_value = DATAFLOW)]
    dataflow: PathBuf,
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
    let house = House::find(&here, &arguments.dataflow)?;
    let machine = Machine::here();
    let findings: Vec<Finding> = [project::look(&house), machine.look(), vec![devices::disk(&house.root)]].concat();
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
