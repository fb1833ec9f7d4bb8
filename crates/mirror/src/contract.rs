//! Whether a dataflow file fits together: what `dora validate` does not look at, before anything is started.
//!
//! The ports are those of the manifests `nodes/<program>/dora-node.yml`, which a test compares with the sources. A node
//! without a manifest, somebody's own, is checked as far as its own entry goes.

use eyre::{Result, WrapErr, eyre};
use mirror_kit::members::{is_image_path, must_arrive};
use serde_yaml_ng::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Programs that take whatever is connected, under whatever name: they look into nothing of it.
const TAKE_ALL: [&str; 2] = ["watch", "tape"];

/// Reads a dataflow file.
///
/// # Errors
/// It cannot be read, or is not YAML.
pub fn graph(path: &Path) -> Result<Value> {
    let shown = path.display();
    let text = fs::read_to_string(path).wrap_err_with(|| format!("{shown} cannot be read"))?;
    serde_yaml_ng::from_str(&text).wrap_err_with(|| format!("{shown} is not YAML"))
}

/// The nodes of a dataflow file by name.
///
/// # Errors
/// There is no list of nodes, or one without a name; two of the same.
pub fn nodes(graph: &Value) -> Result<BTreeMap<String, Value>> {
    let list = graph["nodes"].as_sequence().ok_or_else(|| eyre!("there is no list of nodes"))?;
    let mut nodes = BTreeMap::new();
    for node in list {
        let id = node["id"].as_str().ok_or_else(|| eyre!("a node has no id"))?;
        // An operator under dora's own runtime has its edges one level below.
        let entry = if node["operator"].is_mapping() { &node["operator"] } else { node };
        if nodes.insert(id.to_owned(), entry.clone()).is_some() {
            return Err(eyre!("there are two nodes {id}"));
        }
    }
    Ok(nodes)
}

/// What is wrong with the graph of a project, a line each; nothing if it fits together.
///
/// # Errors
/// As [`nodes`]; a manifest that cannot be read.
pub fn faults(root: &Path, graph: &Value) -> Result<Vec<String>> {
    let nodes = nodes(graph)?;
    let mut faults = Vec::new();
    for (id, node) in &nodes {
        let manifest = manifest(root, id, node)?;
        for (port, input) in pairs(&node["inputs"]) {
            faults.extend(input_faults(&nodes, (id, node), (&port, &input), manifest.as_ref()));
        }
        for port in node["outputs"].as_sequence().into_iter().flatten().filter_map(Value::as_str) {
            let said = node["output_types"][port].as_str().unwrap_or_default();
            match manifest.as_ref().map(|manifest| manifest["outputs"][port]["type"].as_str()) {
                Some(None) => faults.push(format!("{id} has no output {port}")),
                Some(Some(own)) if own != said => {
                    faults.push(format!("{id}: the output {port} is {own}, not \"{said}\" (output_types)"));
                }
                _ => {}
            }
        }
    }
    Ok(faults)
}

fn input_faults(
    nodes: &BTreeMap<String, Value>,
    (id, node): (&str, &Value),
    (port, input): (&str, &Value),
    manifest: Option<&Value>,
) -> Vec<String> {
    let mut faults = Vec::new();
    let own = manifest.map(|manifest| &manifest["inputs"][port]);
    let takes_all = program(node).is_some_and(|program| TAKE_ALL.contains(&program));
    if own.is_some_and(Value::is_null) && !takes_all {
        return vec![format!("{id} has no input {port}")];
    }
    let source = input["source"].as_str().or(input.as_str()).unwrap_or_default();
    let said = node["input_types"][port].as_str().unwrap_or_default();
    let expected = own.and_then(|own| own["type"].as_str());
    if let Some(expected) = expected.filter(|expected| *expected != said) {
        faults.push(format!("{id}: the input {port} is {expected}, not \"{said}\" (input_types)"));
    }
    // A recording wants them all; the page picks the newest of each stream itself.
    let is_sorted = id == "tape" || (id == "web" && port == "picture");
    if is_image_path(port, said) && !is_sorted && input["queue_size"] != 1 {
        faults.push(format!("{id}: the input {port} needs queue_size: 1, or old pictures wait for a model"));
    }
    faults.extend(policy_fault(id, port, input, said));
    if source.starts_with("dora/") {
        return faults;
    }
    let Some((from, output)) = source.split_once('/') else {
        faults.push(format!("{id}: the input {port} comes from \"{source}\", which is not node/output"));
        return faults;
    };
    let Some(sender) = nodes.get(from) else {
        faults.push(format!("{id}: the input {port} comes from {source}, and there is no node {from}"));
        return faults;
    };
    let lists = sender["outputs"].as_sequence().is_some_and(|ports| ports.iter().any(|port| port == output));
    let sent = sender["output_types"][output].as_str().unwrap_or_default();
    if !lists {
        faults
            .push(format!("{id}: the input {port} comes from {source}, and {from} does not list the output {output}"));
    } else if sent != said {
        faults.push(format!("{id}: the input {port} is \"{said}\", and {source} is \"{sent}\""));
    }
    faults
}

/// Pictures go from node to node through shared memory, words by the daemon, which loses none.
fn policy_fault(id: &str, port: &str, input: &Value, said: &str) -> Option<String> {
    let by_daemon = input["queue_policy"] == "backpressure";
    // Whoever keeps one message looks whether any comes.
    let is_a_look = input["queue_size"] == 1;
    match (must_arrive(said), by_daemon) {
        (true, false) if !is_a_look => {
            Some(format!("{id}: the input {port} needs queue_policy: backpressure, or what is said may be lost unseen"))
        }
        (false, true) if !said.is_empty() => {
            Some(format!("{id}: queue_policy: backpressure on the input {port} takes it out of shared memory"))
        }
        _ => None,
    }
}

/// The program of a node, without its folder: `camera` of `target/release/camera`.
#[must_use]
pub fn program(node: &Value) -> Option<&str> {
    node["path"].as_str()?.rsplit('/').next()
}

/// The manifest of a node's program, if it is one of the project's.
///
/// # Errors
/// It cannot be read.
pub fn manifest(root: &Path, id: &str, node: &Value) -> Result<Option<Value>> {
    let program = program(node).map_or("", |program| if program == "dynamic" { id } else { program });
    let manifest = root.join("nodes").join(program).join("dora-node.yml");
    if manifest.is_file() { graph(&manifest).map(Some) } else { Ok(None) }
}

fn pairs(block: &Value) -> impl Iterator<Item = (String, Value)> {
    let pairs = block.as_mapping().into_iter().flatten();
    pairs.filter_map(|(key, value)| Some((key.as_str()?.to_owned(), value.clone())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    #[test]
    fn every_dataflow_of_the_project_fits_together() {
        let names = fs::read_dir(root()).unwrap().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let own = |name: &String| name.starts_with("dataflow") && name.ends_with(".yml") && !name.contains(".run");
        let names: Vec<String> = names.filter(own).collect();
        assert!(names.len() > 3, "{names:?}");
        for name in names {
            let faults = faults(&root(), &graph(&root().join(&name)).unwrap()).unwrap();
            assert_eq!(faults, [""; 0], "{name}");
        }
    }

    #[test]
    fn every_kind_of_fault_is_named() {
        let text = fs::read_to_string(root().join("dataflow.yml")).unwrap();
        for (from, to, fault) in [
            ("source: camera/frame, ", "source: kamera/frame, ", "there is no node kamera"),
            ("source: camera/frame, ", "source: camera/picture, ", "camera does not list the output picture"),
            ("source: camera/frame, ", "source: frame, ", "which is not node/output"),
            ("camera/frame, queue_size: 1", "camera/frame, queue_size: 4", "needs queue_size: 1"),
            (
                "operator: { source: operator/picture, queue_size: 1",
                "operator: { source: operator/picture",
                "input picture_operator needs",
            ),
            ("frame: { source: camera", "frames: { source: camera", "encoder has no input frames"),
            ("outputs: [latent, ", "outputs: [letter, latent, ", "encoder has no output letter"),
            (
                "latent: mirror/media/v1/Latent\n      embedding",
                "latent: mirror/media/v1/Frame\n      embedding",
                "the input latent is mirror/media/v1/Latent, not",
            ),
            ("camera/frame, queue_size: 1", "camera/frame, queue_size: 1, queue_policy: backpressure", "shared memory"),
            ("web/update, queue_size: 100, queue_policy: backpressure", "web/update, queue_size: 100", "lost unseen"),
        ] {
            assert!(text.contains(from), "{from}");
            let graph = serde_yaml_ng::from_str(&text.replacen(from, to, 1)).unwrap();
            let found = faults(&root(), &graph).unwrap();
            assert!(found.iter().any(|line| line.contains(fault)), "{to}: {found:?}");
        }
    }

    #[test]
    fn what_is_watched_may_have_a_name_of_its_own() {
        let text = fs::read_to_string(root().join("dataflow.yml")).unwrap();
        let text = text.replace("picture_operator: ", "picture_blur: ");
        assert!(text.contains("picture_blur: { source: operator/picture, "));
        assert_eq!(faults(&root(), &serde_yaml_ng::from_str(&text).unwrap()).unwrap(), [""; 0]);
    }

    #[test]
    fn a_node_of_somebody_elses_is_no_fault() {
        let graph = serde_yaml_ng::from_str(
            "nodes: [{ id: mine, path: mine.py, outputs: [frame], output_types: { frame: mirror/media/v1/Frame } }]",
        );
        assert_eq!(faults(&root(), &graph.unwrap()).unwrap(), [""; 0]);
    }
}
