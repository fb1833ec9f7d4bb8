//! What is looked at: a mirror that runs, as it was started; else what the next one would be.

use super::Arguments;
use crate::contract;
use crate::front::Front;
use crate::graph::NAME;
use crate::house::{DATAFLOW, House, pairs};
use crate::kept::Kept;
use crate::overrides::Overrides;
use crate::swap::running;
use crate::which::Which;
use eyre::Result;
use mirror_kit::start::one_line;
use serde_yaml_ng::Value;
use std::path::Path;

/// A mirror: what it is made of, and what its nodes are told.
#[derive(Debug)]
pub struct Subject {
    /// The project, and the dataflow.
    pub house: House,
    /// What the dataflow file says, or said when the mirror was started.
    pub graph: Value,
    /// What the nodes are told over it.
    pub overrides: Overrides,
    /// It runs.
    pub runs: bool,
    /// What cannot be used of what is said about the page, in the environment or in `.env`.
    pub fault: Option<String>,
    name: String,
}

impl Subject {
    /// The mirror of that name, if it runs and no dataflow file is asked for; else the one that would be started.
    ///
    /// # Errors
    /// No project around; no such dataflow file.
    pub fn find(arguments: &Arguments, here: &Path) -> Result<Self> {
        let file = arguments.dataflow.as_deref();
        let house = House::find(here, file.unwrap_or(Path::new(DATAFLOW)))?;
        if file.is_none()
            && let Some(subject) = Self::running(&house.root, &arguments.which)
        {
            return Ok(subject);
        }
        Self::next(house, &arguments.which, here)
    }

    fn running(root: &Path, which: &Which) -> Option<Self> {
        let (_, id) = running(root, which).ok()?;
        let Kept { dataflow, graph, overrides } = Kept::read(root, &id).ok()?;
        let house = House::with(root, &dataflow, &graph).ok()?;
        Some(Self { house, graph, overrides, runs: true, fault: None, name: which.name.clone() })
    }

    /// The one that `mirror run` would start. What is open to the network gets its token here already.
    ///
    /// # Errors
    /// The dataflow file cannot be read.
    pub fn next(house: House, which: &Which, here: &Path) -> Result<Self> {
        let (graph, mut overrides) = (contract::graph(&house.dataflow)?, house.inherited());
        let fault = Front::default().add(&mut overrides, &house, here).err().map(|error| one_line(&error));
        which.separate(&house, &mut overrides);
        Ok(Self { house, graph, overrides, runs: false, fault, name: which.name.clone() })
    }

    /// What it is, in a line.
    pub fn line(&self) -> String {
        let (release, file) = (env!("CARGO_PKG_VERSION"), self.house.dataflow.display());
        match self.name.as_str() {
            name if self.runs => {
                format!("release {release}, {file}: {name} runs, and this is what it was started with")
            }
            NAME => format!("release {release}, {file}"),
            name => format!("release {release}, {file}: no mirror called {name} runs, and this is what it would be"),
        }
    }

    /// The nodes of that program, and what each of them is told of a key: by its own entry, else over the dataflow file, else
    /// for all nodes.
    pub fn told(&self, program: &str, key: &str) -> Vec<(String, Option<String>)> {
        let is_its = |node: &&Value| contract::program(node) == Some(program);
        let nodes = self.graph["nodes"].as_sequence().into_iter().flatten().filter(is_its);
        let told = |node: &Value| {
            let own = pairs(&node["env"]).remove(key).or_else(|| self.house.value(&self.overrides, key));
            (node["id"].as_str().unwrap_or_default().to_owned(), own)
        };
        nodes.map(told).collect()
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use std::fs;
    use tempfile::TempDir;

    /// What `mirror run` would start out of a folder that holds this dataflow file and nothing else.
    pub fn subject(graph: &str) -> (TempDir, Subject) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(DATAFLOW), graph).unwrap();
        let house = House::find(folder.path(), Path::new(DATAFLOW)).unwrap();
        let subject = Subject::next(house, &Which { name: NAME.to_owned() }, folder.path()).unwrap();
        (folder, subject)
    }

    #[test]
    fn a_node_is_told_what_its_own_entry_says_and_else_what_all_are_told() {
        let (_folder, subject) = subject(
            "
env: { CAMERA_SOURCE: auto }
nodes:
  - { id: camera, path: target/release/camera }
  - { id: camera_2, path: target/release/camera, env: { CAMERA_SOURCE: pattern } }
  - { id: web, path: target/release/web }
",
        );
        let text = |text: &str| text.to_owned();
        let expected = [(text("camera"), Some(text("auto"))), (text("camera_2"), Some(text("pattern")))];
        assert_eq!(subject.told("camera", "CAMERA_SOURCE"), expected);
        assert_eq!(subject.told("camera", "CAMERA_CLIP")[0].1, None);
        assert!(subject.told("microphone", "MICROPHONE_SOURCE").is_empty());
    }

    #[test]
    fn a_mirror_that_does_not_run_is_looked_at_as_it_would_be_started() {
        let (folder, subject) = subject("{ env: { CONTROL_STATE: settings.json }, nodes: [] }");
        assert!(!subject.runs && subject.line().ends_with("/dataflow.yml"), "{}", subject.line());
        let garden = Subject::next(subject.house, &Which { name: "garden".to_owned() }, folder.path()).unwrap();
        assert!(garden.line().contains("no mirror called garden runs"), "{}", garden.line());
        assert_eq!(garden.overrides["CONTROL_STATE"], "settings-garden.json");
    }

    #[test]
    fn what_is_misspelt_beside_the_dataflow_file_is_a_fault() {
        let (folder, subject) = subject("nodes: []");
        assert_eq!(subject.fault, None);
        fs::write(folder.path().join(".env"), "WEB_TOKENS=x\n").unwrap();
        let subject = Subject::next(subject.house, &Which { name: NAME.to_owned() }, folder.path()).unwrap();
        assert!(
            subject.fault.as_ref().is_some_and(|fault| fault.contains("WEB_TOKENS is not a setting")),
            "{subject:?}"
        );
    }
}
