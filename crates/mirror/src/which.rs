//! Which mirror of this machine is meant: its name, and where its dora listens. Two mirrors share nothing: each has a
//! coordinator, a daemon, a page, settings and an operator of its own.

use crate::graph::NAME;
use crate::house::House;
use crate::overrides::Overrides;
use clap::Args;
use eyre::{Result, WrapErr, bail};
use mirror_kit::beside;
use serde_json::{Value, json};
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

/// Where dora's command line finds the coordinator.
pub const COORDINATOR: &str = "DORA_COORDINATOR_PORT";
/// Where nodes that people start find the daemon.
pub const DAEMON: &str = "DORA_DAEMON_LOCAL_LISTEN_PORT";
/// Files that two mirrors must not share: the settings that outlive a mirror; the operator, and the note of how often it took
/// its host down.
const OWN: [&str; 2] = ["CONTROL_STATE", "OPERATOR_LIBRARY"];
/// Where running mirrors that have a name leave their ports.
const RUNNING: &str = ".mirror/running";

/// A mirror of this machine.
#[derive(Debug, Clone, Args)]
pub struct Which {
    /// The mirror's name, where several run on one machine
    #[arg(long, env = "MIRROR_NAME", default_value = NAME, value_parser = name)]
    pub name: String,
}

/// Ports of a dora; `None`: dora's usual ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ports {
    /// The coordinator's.
    pub coordinator: Option<String>,
    /// The daemon's, for nodes that people start.
    pub daemon: Option<String>,
}

/// A mirror that runs, as others find it. Dropped, it is not found any more.
#[derive(Debug)]
pub struct Found(Option<PathBuf>);

impl Which {
    /// Ports for a mirror that is to be started: those of the environment; dora's usual ones for the mirror without a name
    /// of its own, free ones for another.
    ///
    /// # Errors
    /// No port is free.
    pub fn choose(&self) -> Result<Ports> {
        let own = Ports::from_env();
        if self.name == NAME || own.coordinator.is_some() {
            return Ok(own);
        }
        // Both are held until both are known, so that they differ.
        let listeners = [TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?];
        let [coordinator, daemon] = listeners.map(|listener| listener.local_addr().map(|at| at.port().to_string()));
        Ok(Ports { coordinator: Some(coordinator?), daemon: own.daemon.or(Some(daemon?)) })
    }

    /// Ports of a mirror that runs: those of the environment, those that it has left, or dora's usual ones.
    ///
    /// # Errors
    /// What it has left cannot be read.
    pub fn ports(&self, root: &Path) -> Result<Ports> {
        let (own, path) = (Ports::from_env(), self.path(root));
        if own.coordinator.is_some() || !path.is_file() {
            return Ok(own);
        }
        let text = fs::read_to_string(&path).wrap_err_with(|| path.display().to_string())?;
        let left: Value = serde_json::from_str(&text).wrap_err_with(|| path.display().to_string())?;
        let port = |key: &str| left[key].as_str().map(str::to_owned);
        Ok(Ports { coordinator: port("coordinator"), daemon: port("daemon") })
    }

    /// Leaves the ports for others to find, if the mirror has a name of its own.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn leave(&self, root: &Path, ports: &Ports) -> Result<Found> {
        if self.name == NAME {
            return Ok(Found(None));
        }
        let path = self.path(root);
        fs::create_dir_all(root.join(RUNNING)).wrap_err(RUNNING)?;
        let text = json!({"coordinator": ports.coordinator, "daemon": ports.daemon}).to_string();
        fs::write(&path, text).wrap_err_with(|| path.display().to_string())?;
        Ok(Found(Some(path)))
    }

    fn path(&self, root: &Path) -> PathBuf {
        root.join(RUNNING).join(format!("{}.json", self.name))
    }

    /// The file of the mirror of that name, where the one without a name of its own has `path`.
    #[must_use]
    pub fn own(&self, path: &str) -> String {
        if self.name == NAME { path.to_owned() } else { beside(path, &format!("-{}", self.name)) }
    }

    /// Gives the mirror files of its own, unless somebody has said which.
    pub fn separate(&self, house: &House, overrides: &mut Overrides) {
        for key in OWN {
            if let (Some(path), None) = (house.value(overrides, key), overrides.get(key)) {
                let own = self.own(&path);
                if own != path {
                    overrides.insert(key.to_owned(), own);
                }
            }
        }
    }
}

impl Ports {
    fn from_env() -> Self {
        let port = |key| std::env::var(key).ok().filter(|port| !port.is_empty());
        Self { coordinator: port(COORDINATOR), daemon: port(DAEMON) }
    }

    /// As the environment of a program that is to find them.
    pub fn environment(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let pairs = [(COORDINATOR, &self.coordinator), (DAEMON, &self.daemon)];
        pairs.into_iter().filter_map(|(key, port)| Some((key, port.as_deref()?)))
    }
}

impl Drop for Found {
    fn drop(&mut self) {
        // One that is gone already need not be removed.
        self.0.take().into_iter().for_each(|path| drop(fs::remove_file(path)));
    }
}

/// A name that dora takes, and that can be a part of a file's name.
fn name(text: &str) -> Result<String> {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    if text.is_empty() || text.len() > 32 || !text.chars().all(allowed) {
        bail!("a mirror's name is of up to 32 letters, digits, - and _: garden");
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn which(name: &str) -> Which {
        Which { name: super::name(name).unwrap() }
    }

    #[test]
    fn a_mirror_with_a_name_has_ports_of_its_own_and_is_found_by_them_while_it_runs() {
        let root = tempfile::tempdir().unwrap();
        let ports = which("garden").choose().unwrap();
        assert!(ports.coordinator.is_some() && ports.coordinator != ports.daemon, "{ports:?}");
        let found = which("garden").leave(root.path(), &ports).unwrap();
        assert_eq!(which("garden").ports(root.path()).unwrap(), ports);
        assert_eq!(which("hall").ports(root.path()).unwrap(), Ports::from_env());
        drop(found);
        assert_eq!(which("garden").ports(root.path()).unwrap(), Ports::from_env());
    }

    #[test]
    fn a_mirror_with_a_name_has_files_of_its_own() {
        assert_eq!(which(NAME).own(".mirror/settings.json"), ".mirror/settings.json");
        assert_eq!(which("garden").own(".mirror/settings.json"), ".mirror/settings-garden.json");
        assert_eq!(which("garden").own(".mirror/settings"), ".mirror/settings-garden");
        assert_eq!(which("garden").own(""), "");
    }

    #[test]
    fn what_nobody_has_said_where_to_keep_is_kept_apart() {
        let graph = "{ env: { CONTROL_STATE: a/settings.json, OPERATOR_LIBRARY: a/operator.so }, nodes: [] }";
        let graph = serde_yaml_ng::from_str(graph).unwrap();
        let house = House::with(Path::new("."), Path::new("dataflow.yml"), &graph).unwrap();
        let mut overrides = Overrides::from([("CONTROL_STATE".to_owned(), "here.json".to_owned())]);
        which(NAME).separate(&house, &mut overrides);
        assert_eq!(overrides.len(), 1);
        which("garden").separate(&house, &mut overrides);
        assert_eq!(overrides["OPERATOR_LIBRARY"], "a/operator-garden.so");
        assert_eq!(overrides["CONTROL_STATE"], "here.json");
    }

    #[test]
    fn a_name_that_is_no_part_of_a_path_is_refused() {
        for text in ["", "a/b", "a b", "..", &"x".repeat(33)] {
            assert!(super::name(text).is_err(), "{text}");
        }
    }
}
