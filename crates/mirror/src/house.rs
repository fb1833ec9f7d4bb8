//! The project on disk: its root, a dataflow file, and whether everything that the graph starts is there.

use crate::contract;
use crate::overrides::Overrides;
use eyre::{Result, WrapErr, bail, eyre};
use mirror_inference::runtime::INSTALLED;
use serde_yaml_ng::Value;
use std::collections::BTreeMap;
use std::fs;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::path::{Path, PathBuf};

/// The graph that makes a folder the project's root.
pub const DATAFLOW: &str = "dataflow.yml";

/// A dataflow file in the project.
#[derive(Debug, Clone)]
pub struct House {
    /// The project's root: nodes are started in it.
    pub root: PathBuf,
    /// The dataflow file, in the root, beside `types/`.
    pub dataflow: PathBuf,
    /// The environment that the file gives to all nodes, and after it that of single nodes.
    environment: BTreeMap<String, String>,
    /// Node names and their programs, seen from the root. Dynamic nodes are not among them.
    programs: Vec<(String, PathBuf)>,
}

impl House {
    /// Finds the project that `here` is in, and reads that dataflow file: looked for from here, then in the root.
    ///
    /// # Errors
    /// No project around, no such file, or one that is not a dataflow.
    pub fn find(here: &Path, dataflow: &Path) -> Result<Self> {
        let root = here.ancestors().find(|folder| folder.join(DATAFLOW).is_file()).ok_or_else(|| {
            let here = here.display();
            eyre!("neither {here} nor a folder above it holds {DATAFLOW}: run this inside the mirror's project")
        })?;
        let path = [here.join(dataflow), root.join(dataflow)].into_iter().find(|path| path.is_file());
        let path = path.ok_or_else(|| eyre!("there is no dataflow file {}", dataflow.display()))?;
        Self::read(root, &path)
    }

    fn read(root: &Path, path: &Path) -> Result<Self> {
        let shown = path.display();
        let text = fs::read_to_string(path).wrap_err_with(|| format!("{shown} cannot be read"))?;
        let graph: Value = serde_yaml_ng::from_str(&text).wrap_err_with(|| format!("{shown} is not YAML"))?;
        Self::with(root, path, &graph)
    }

    /// The project in that folder with that dataflow, whatever its file says by now.
    ///
    /// # Errors
    /// It has no nodes.
    pub fn with(root: &Path, path: &Path, graph: &Value) -> Result<Self> {
        let shown = path.display();
        let nodes = graph["nodes"].as_sequence().ok_or_else(|| eyre!("{shown} has no list of nodes"))?;
        let mut environment = pairs(&graph["env"]);
        for node in nodes {
            // A second one (`web_2`) has a page and settings of its own: those of the first are meant.
            if contract::program(node) == node["id"].as_str() {
                environment.extend(pairs(&node["env"]));
            }
        }
        let programs = nodes.iter().filter_map(|node| Some((node["id"].as_str()?, node["path"].as_str()?)));
        let programs = programs.filter(|(_, path)| *path != "dynamic");
        let programs = programs.map(|(id, path)| (id.to_owned(), PathBuf::from(path))).collect();
        Ok(Self { root: root.to_owned(), dataflow: path.to_owned(), environment, programs })
    }

    /// What the dataflow file says of a key, unless `overrides` says otherwise.
    #[must_use]
    pub fn value(&self, overrides: &Overrides, key: &str) -> Option<String> {
        overrides.get(key).or_else(|| self.environment.get(key)).cloned()
    }

    /// The keys of the dataflow file that this program's environment sets: `WEB_ADDRESS=0.0.0.0:8080 mirror run`. dora
    /// by itself would let the file win.
    #[must_use]
    pub fn inherited(&self) -> Overrides {
        let set = self.environment.keys().filter_map(|key| Some((key.clone(), std::env::var(key).ok()?)));
        set.collect()
    }

    /// What tells the nodes of that program apart: nothing for `control`, `_2` for `control_2`.
    pub fn numbers<'a>(&'a self, program: &'a str) -> impl Iterator<Item = &'a str> {
        let own = self.programs.iter().filter(move |(_, path)| path.file_name().is_some_and(|name| name == program));
        own.map(move |(id, _)| id.strip_prefix(program).unwrap_or_default())
    }

    /// The folder that the project's programs are in, links followed: as the system names it for a process.
    #[must_use]
    pub fn programs(&self) -> PathBuf {
        let folder = self.root.join("target/release");
        folder.canonicalize().unwrap_or(folder)
    }

    /// Whether all programs of the graph are built.
    ///
    /// # Errors
    /// The ones that are not, and the remedy.
    pub fn check_built(&self) -> Result<()> {
        let missing = self.programs.iter().filter(|(_, path)| !self.root.join(path).is_file());
        let mut missing: Vec<String> = missing.map(|(_, path)| path.display().to_string()).collect();
        missing.sort();
        missing.dedup();
        if missing.is_empty() {
            return Ok(());
        }
        bail!("not built: {}; run \"make build\"", missing.join(", "))
    }

    /// Whether the model pack is whole and ONNX Runtime loads.
    ///
    /// # Errors
    /// What is missing or wrong, and the remedy.
    pub fn check_models(&self, overrides: &Overrides) -> Result<()> {
        self.pack(overrides)?;
        self.runtime().map(drop)
    }

    /// The model pack.
    ///
    /// # Errors
    /// It is not there, or not whole.
    pub fn pack(&self, overrides: &Overrides) -> Result<mirror_models::Pack> {
        let pack = self.value(overrides, "MIRROR_PACK").unwrap_or_else(|| "models/starter".to_owned());
        mirror_models::Pack::open(&self.root.join(pack))
    }

    /// ONNX Runtime: the library that `ORT_DYLIB_PATH` names, else the project's.
    ///
    /// # Errors
    /// There is none, or it does not load.
    pub fn runtime(&self) -> Result<mirror_inference::Runtime> {
        let library = std::env::var_os("ORT_DYLIB_PATH").filter(|path| !path.is_empty());
        let library = self.root.join(library.map_or_else(|| PathBuf::from(INSTALLED), PathBuf::from));
        mirror_inference::Runtime::load_from(&library)
    }

    /// Where the page will be, after making sure that no other program has its port.
    ///
    /// # Errors
    /// `WEB_ADDRESS` is not an address, or it is taken.
    pub fn page(&self, overrides: &Overrides) -> Result<SocketAddr> {
        let text = self.value(overrides, "WEB_ADDRESS").unwrap_or_else(|| "127.0.0.1:8080".to_owned());
        let address = text.to_socket_addrs().ok().and_then(|mut addresses| addresses.next());
        let address = address.ok_or_else(|| eyre!("WEB_ADDRESS=\"{text}\" is not an address like 127.0.0.1:8080"))?;
        if let Err(error) = TcpListener::bind(address) {
            let remedy = "stop the program that has it, or choose another: WEB_ADDRESS=127.0.0.1:8090 make run";
            bail!("the page cannot be served on WEB_ADDRESS={text} ({error}): {remedy}");
        }
        Ok(address)
    }
}

/// The pairs of an `env:` block, as text.
pub(crate) fn pairs(block: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(switch) => Some(switch.to_string()),
        _ => None,
    };
    let pairs = block.as_mapping().into_iter().flatten();
    pairs.filter_map(|(key, value)| Some((key.as_str()?.to_owned(), text(value)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRAPH: &str = "
env: { MIRROR_PACK: models/none, WEB_ADDRESS: 127.0.0.1:8080, CAMERA_FPS: 30 }
nodes:
  - { id: camera, path: target/release/camera }
  - { id: web, path: target/release/web, env: { WEB_ADDRESS: 127.0.0.1:8099 } }
  - { id: web_2, path: target/release/web, env: { WEB_ADDRESS: 127.0.0.1:8100 } }
  - { id: chat, path: dynamic }
";

    fn project(graph: &str) -> (tempfile::TempDir, House) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(DATAFLOW), graph).unwrap();
        let house = House::find(folder.path(), Path::new(DATAFLOW)).unwrap();
        (folder, house)
    }

    #[test]
    fn the_root_is_the_nearest_parent_with_the_dataflow() {
        let (folder, _) = project(GRAPH);
        let deep = folder.path().join("nodes/camera/src");
        fs::create_dir_all(&deep).unwrap();
        let house = House::find(&deep, Path::new(DATAFLOW)).unwrap();
        assert_eq!(house.root, folder.path());
        assert_eq!(house.dataflow, folder.path().join(DATAFLOW));
    }

    #[test]
    fn outside_the_project_the_error_says_what_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let error = House::find(folder.path(), Path::new(DATAFLOW)).unwrap_err().to_string();
        assert!(error.contains("holds dataflow.yml"), "{error}");
    }

    #[test]
    fn an_unknown_dataflow_file_is_named() {
        let (folder, _) = project(GRAPH);
        let error = House::find(folder.path(), Path::new("dataflow.nowhere.yml")).unwrap_err().to_string();
        assert_eq!(error, "there is no dataflow file dataflow.nowhere.yml");
    }

    #[test]
    fn a_file_that_is_no_dataflow_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(DATAFLOW), "nodes: 7").unwrap();
        let error = House::find(folder.path(), Path::new(DATAFLOW)).unwrap_err().to_string();
        assert!(error.ends_with("dataflow.yml has no list of nodes"), "{error}");
    }

    #[test]
    fn a_value_is_the_commands_then_the_nodes_then_the_graphs() {
        let (_folder, house) = project(GRAPH);
        let none = Overrides::new();
        assert_eq!(house.value(&none, "CAMERA_FPS").as_deref(), Some("30"));
        assert_eq!(house.value(&none, "WEB_ADDRESS").as_deref(), Some("127.0.0.1:8099"));
        let overrides = Overrides::from([("CAMERA_FPS".to_owned(), "15".to_owned())]);
        assert_eq!(house.value(&overrides, "CAMERA_FPS").as_deref(), Some("15"));
    }

    #[test]
    fn programs_that_are_not_built_are_named_and_dynamic_nodes_are_not() {
        let (folder, house) = project(GRAPH);
        let error = house.check_built().unwrap_err().to_string();
        assert_eq!(error, "not built: target/release/camera, target/release/web; run \"make build\"");
        fs::create_dir_all(folder.path().join("target/release")).unwrap();
        fs::write(folder.path().join("target/release/camera"), "").unwrap();
        fs::write(folder.path().join("target/release/web"), "").unwrap();
        assert!(house.check_built().is_ok());
    }

    #[test]
    fn a_missing_pack_is_named_with_the_remedy() {
        let (_folder, house) = project(GRAPH);
        let error = house.check_models(&Overrides::new()).unwrap_err().to_string();
        assert!(error.contains("models/none is not there") && error.contains("MIRROR_PACK"), "{error}");
    }

    #[test]
    fn a_port_that_is_taken_is_named_with_the_remedy() {
        let (_folder, house) = project(GRAPH);
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = other.local_addr().unwrap().to_string();
        let overrides = Overrides::from([("WEB_ADDRESS".to_owned(), address.clone())]);
        let error = house.page(&overrides).unwrap_err().to_string();
        assert!(error.contains(&format!("WEB_ADDRESS={address}")) && error.contains("choose another"), "{error}");
        drop(other);
        assert_eq!(house.page(&overrides).unwrap().to_string(), address);
    }

    #[test]
    fn an_address_that_is_none_is_refused() {
        let (_folder, house) = project(GRAPH);
        let overrides = Overrides::from([("WEB_ADDRESS".to_owned(), "8080".to_owned())]);
        let error = house.page(&overrides).unwrap_err().to_string();
        assert_eq!(error, "WEB_ADDRESS=\"8080\" is not an address like 127.0.0.1:8080");
    }
}
