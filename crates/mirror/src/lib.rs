//! The `mirror` command line: starts the graph, watches it, stops it. Each subcommand is a file.
//!
//! | module | holds |
//! |---|---|
//! | [`run`], [`demo`], [`apply`], [`compare`] | the subcommands |
//! | [`top`] | the graph as it runs, on a screen |
//! | [`record`], [`topics`] | messages of a running mirror into a file; which there are |
//! | [`film`] | what it shows into another one |
//! | [`replay`], [`reroute`] | such a file instead of the camera; the graph in which other topics are played |
//! | [`rewire`], [`contract`] | the running mirror becomes what the edited dataflow file says; whether that fits together |
//! | [`variant`] | a dataflow file that a command has made |
//! | [`kept`] | what a running mirror was started with |
//! | [`swap`], [`pause`] | another program for one node while the others run; how long the picture pauses |
//! | [`operator`] | an operator into the running mirror, and what becomes of it |
//! | [`doctor`] | what is here, what is wrong, what to do about it |
//! | [`opening`] | how the two that start a graph begin: arguments that both take, and what has to be there |
//! | [`spoken`] | how long recordings of speech take to be spoken into the mirror |
//! | [`still`] | what the two that paint one picture share |
//! | [`house`] | the project on disk: its root, a dataflow file, whether all is built and there |
//! | [`front`] | who may come in, where, with which clients: flags, environment, `.env` |
//! | [`overrides`] | what the command line says, as environment of the nodes |
//! | [`which`] | which mirror of this machine is meant |
//! | [`dora`], [`graph`] | the dora command line; the graph that runs on it |
//! | [`recording`], [`report`] | a demo while it runs; what the recorder says of it |
//! | [`journal`], [`failures`] | the nodes' logs; which node cannot go on, and why |
//! | [`page`], [`nodes`] | the mirror's page, asked for its figures and for its nodes |
//! | [`screen`] | the terminal: lines that stay, and a status line that is rewritten |
//! | [`signals`] | Ctrl-C, and the signals that mean the same |
//! | [`remains`] | what a mirror that was killed leaves behind |
//! | [`runs`] | the folders that former runs have left |

pub mod apply;
pub mod compare;
pub mod contract;
pub mod demo;
pub mod doctor;
pub mod dora;
pub mod failures;
pub mod film;
pub mod front;
pub mod graph;
pub mod house;
pub mod journal;
pub mod kept;
pub mod nodes;
pub mod opening;
pub mod operator;
pub mod overrides;
pub mod page;
pub mod pause;
pub mod record;
pub mod recording;
pub mod remains;
pub mod replay;
pub mod report;
pub mod reroute;
pub mod rewire;
pub mod run;
pub mod runs;
pub mod screen;
pub mod signals;
pub mod spoken;
pub mod still;
pub mod swap;
pub mod top;
pub mod topics;
pub mod variant;
pub mod which;

use clap::{Parser, Subcommand};
use mirror_kit::start::one_line;
use std::process::ExitCode;

/// A real-time mirror: the camera's picture goes in, a painted one comes out.
#[derive(Debug, Parser)]
#[command(version, about, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Arguments),
    Demo(demo::Arguments),
    Apply(apply::Arguments),
    Compare(compare::Arguments),
    Top(top::Arguments),
    Swap(swap::Arguments),
    Rewire(rewire::Arguments),
    Operator(operator::Arguments),
    Record(record::Arguments),
    Replay(replay::Arguments),
    Doctor(doctor::Arguments),
}

/// Reads the command line and does what it says. An error is one line on standard error, and a non-zero exit.
#[must_use]
pub fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Apply(arguments) => apply::run(&arguments),
        Command::Compare(arguments) => compare::run(&arguments),
        Command::Top(arguments) => top::run(&arguments),
        Command::Swap(arguments) => swap::run(&arguments),
        Command::Rewire(arguments) => rewire::run(&arguments),
        Command::Operator(arguments) => operator::run(&arguments),
        Command::Record(arguments) => record::run(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", one_line(&error));
            ExitCode::FAILURE
        }
    }
}
