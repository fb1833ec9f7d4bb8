//! `main` of every node.

use crate::log::Structured;
use eyre::{Report, Result};
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// What is logged unless `MIRROR_LOG` says otherwise. dora logs a line for every message that a newer one replaces, and
/// its transport tells of itself at length: the drops are in the figures, and faults end the node or raise an error. Whenever a
/// neighbour ends or comes back, the transport raises errors too, of names that it has forgotten and links that it has closed:
/// nine lines of ten in a log, and nothing that anybody could do. What remains of it are addresses and shared memory that it
/// cannot have.
const LEVELS: &str = "info,ort=warn,dora_node_api=error,dora_core=error,zenoh=error,zenoh_shm=error,\
     zenoh::api::session=off,zenoh::bug=off,zenoh::net::protocol=off,zenoh::net::routing=off,zenoh_transport=off";

/// Sets up logging, runs the node, and turns its error into one line and a non-zero exit.
///
/// Lines go to standard output, where the dora daemon collects them for `dora logs`: with time, level and fields, so that
/// `dora logs --level warn` and `--since` work. `MIRROR_LOG` sets the level: `info`, `debug`, `encoder=trace`.
#[must_use]
pub fn start(name: &str, run: impl FnOnce() -> Result<()>) -> ExitCode {
    let filter = EnvFilter::try_from_env("MIRROR_LOG").unwrap_or_else(|_| EnvFilter::new(LEVELS));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false);
    if std::env::var_os("DORA_NODE_CONFIG").is_some() {
        log.event_format(Structured).init();
        crate::locked::raise();
    } else {
        log.without_time().with_target(false).init();
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{name}: {}", one_line(&error));
            ExitCode::FAILURE
        }
    }
}

/// As [`start`], for a program that people talk to in a terminal: its own words go to standard output, nothing else;
/// errors and, if `MIRROR_LOG` asks for it, the log go to standard error.
#[must_use]
pub fn start_terminal(name: &str, run: impl FnOnce() -> Result<()>) -> ExitCode {
    if let Ok(filter) = EnvFilter::try_from_env("MIRROR_LOG") {
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).without_time().init();
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name}: {}", one_line(&error));
            ExitCode::FAILURE
        }
    }
}

/// An error and its causes in one line.
#[must_use]
pub fn one_line(error: &Report) -> String {
    let mut line = String::new();
    for cause in error.chain().map(ToString::to_string) {
        // A cause that its parent already quotes adds nothing.
        if line.is_empty() {
            line = cause;
        } else if !line.contains(&cause) {
            line = format!("{line}: {cause}");
        }
    }
    line.replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use eyre::{WrapErr, eyre};
    use tracing::Level;

    #[test]
    fn an_error_and_its_causes_are_one_line() {
        let error =
            Err::<(), _>(eyre!("no such file\nor directory")).wrap_err("models/starter").expect_err("it failed");
        assert_eq!(one_line(&error), "models/starter: no such file or directory");
    }

    #[test]
    fn what_the_transport_says_of_itself_is_left_out_and_what_it_cannot_have_is_said() {
        let filter = EnvFilter::new(LEVELS);
        let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::sink).finish();
        tracing::subscriber::with_default(log, || {
            // These made nine lines of ten in the logs of mirrors whose nodes were killed.
            assert!(!tracing::enabled!(target: "zenoh::net::routing::dispatcher::pubsub", Level::ERROR));
            assert!(!tracing::enabled!(target: "zenoh::net::routing::hat::peer::pubsub", Level::ERROR));
            assert!(!tracing::enabled!(target: "zenoh::net::protocol::gossip", Level::ERROR));
            assert!(!tracing::enabled!(target: "zenoh::api::session", Level::ERROR));
            assert!(!tracing::enabled!(target: "zenoh_transport::unicast::universal::transport", Level::ERROR));
            assert!(tracing::enabled!(target: "zenoh::net::runtime::orchestrator", Level::ERROR));
            assert!(tracing::enabled!(target: "zenoh_shm::posix_shm::segment", Level::ERROR));
            assert!(!tracing::enabled!(target: "zenoh_shm::posix_shm::segment", Level::WARN));
            assert!(tracing::enabled!(target: "encoder::node", Level::INFO));
        });
    }
}
