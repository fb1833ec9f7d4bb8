//! What a running mirror was started with: kept beside its logs, for whoever changes it while it runs.

use crate::house::House;
use crate::overrides::Overrides;
use eyre::{Result, WrapErr};
use serde::{Deserialize, Serialize};
use serde_yaml_ng::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// A mirror as it was started, and as it was changed since.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// The dataflow file.
    pub dataflow: PathBuf,
    /// Its content: what runs, whatever the file says by now.
    pub graph: Value,
    /// What the nodes were told over it.
    pub overrides: Overrides,
}

/// What comes after a run of the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Nothing: it is the one.
    Nothing,
    /// Another one is being started.
    Coming,
    /// This one.
    Run(String),
}

fn folder(root: &Path, id: &str) -> PathBuf {
    root.join("out").join(id)
}

impl Kept {
    /// Of a graph that is being started.
    ///
    /// # Errors
    /// The dataflow file cannot be read.
    pub fn of(house: &House, overrides: &Overrides) -> Result<Self> {
        let graph = crate::contract::graph(&house.dataflow)?;
        Ok(Self { dataflow: house.dataflow.clone(), graph, overrides: overrides.clone() })
    }

    /// Of the run with that number.
    ///
    /// # Errors
    /// It was not started by `mirror run`.
    pub fn read(root: &Path, id: &str) -> Result<Self> {
        let path = folder(root, id).join("mirror.yml");
        let text = fs::read_to_string(&path).wrap_err_with(|| {
            format!("{} is not there: this mirror was not started by \"mirror run\"", path.display())
        })?;
        serde_yaml_ng::from_str(&text).wrap_err_with(|| path.display().to_string())
    }

    /// Keeps it for the run with that number.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, root: &Path, id: &str) -> Result<()> {
        let folder = folder(root, id);
        let (path, new) = (folder.join("mirror.yml"), folder.join("mirror.yml.new"));
        let written = fs::create_dir_all(&folder)
            .and_then(|()| fs::write(&new, serde_yaml_ng::to_string(self).unwrap_or_default()))
            .and_then(|()| fs::rename(&new, &path));
        written.wrap_err_with(|| format!("{} cannot be written", path.display()))
    }

    /// Another definition of one of its nodes.
    pub fn replace(&mut self, definition: &Value) {
        let nodes = self.graph["nodes"].as_sequence_mut().into_iter().flatten();
        nodes.filter(|node| node["id"] == definition["id"]).for_each(|node| *node = definition.clone());
    }
}

/// What comes after the run with that number.
#[must_use]
pub fn next(root: &Path, id: &str) -> Next {
    match fs::read_to_string(folder(root, id).join("next")) {
        Ok(text) if text.trim().is_empty() => Next::Coming,
        Ok(text) => Next::Run(text.trim().to_owned()),
        Err(_) => Next::Nothing,
    }
}

/// Says what comes after the run with that number, to the program that watches it.
///
/// # Errors
/// It cannot be written.
pub fn announce(root: &Path, id: &str, next: &Next) -> Result<()> {
    let (path, new) = (folder(root, id).join("next"), folder(root, id).join("next.new"));
    let said = match next {
        Next::Nothing => fs::remove_file(&path),
        Next::Coming => fs::write(&path, ""),
        Next::Run(id) => fs::write(&new, id).and_then(|()| fs::rename(&new, &path)),
    };
    said.wrap_err_with(|| format!("{} cannot be written", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_is_read_again_with_the_node_that_was_replaced() {
        let root = tempfile::tempdir().unwrap();
        let graph = serde_yaml_ng::from_str("nodes: [{ id: camera }, { id: web, env: { A: 1 } }]").unwrap();
        let overrides = Overrides::from([("CAMERA_SOURCE".to_owned(), "pattern".to_owned())]);
        let mut kept = Kept { dataflow: "/home/me/dataflow.yml".into(), graph, overrides };
        kept.write(root.path(), "01a1").unwrap();
        assert_eq!(Kept::read(root.path(), "01a1").unwrap(), kept);
        kept.replace(&serde_yaml_ng::from_str("{ id: web, env: { A: 2 } }").unwrap());
        assert_eq!((&kept.graph["nodes"][0]["id"], &kept.graph["nodes"][1]["env"]["A"]), (&"camera".into(), &2.into()));
        let error = Kept::read(root.path(), "02b2").unwrap_err().to_string();
        assert!(error.contains("was not started by \"mirror run\""), "{error}");
    }

    #[test]
    fn whoever_watches_a_run_learns_of_the_next_one() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder(root.path(), "01a1")).unwrap();
        assert_eq!(next(root.path(), "01a1"), Next::Nothing);
        for said in [Next::Coming, Next::Run("02b2".to_owned()), Next::Nothing] {
            announce(root.path(), "01a1", &said).unwrap();
            assert_eq!(next(root.path(), "01a1"), said);
        }
    }
}
