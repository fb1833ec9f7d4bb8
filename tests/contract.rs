//! Constants in the source, `dora-node.yml`, README and every dataflow file say the same: dora drops an output that is
//! not declared with one warning and no error, so a misspelt port must fail here.

use mirror_kit::Environment;
use mirror_tests::nodes::{Declared, NODES, OPERATORS};
use mirror_tests::root;
use serde_yaml_ng::{Mapping, Value};
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

/// Ports whose newest message alone counts: an old picture must never wait for a model.
const LATEST_WINS: [&str; 6] = ["frame", "frame_2", "frame_web", "latent", "denoised", "picture"];

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn yaml(path: &str) -> Value {
    serde_yaml_ng::from_str(&read(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn dataflows() -> Vec<String> {
    let names = fs::read_dir(root()).expect("the root").filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let own =
        |name: &String| name.starts_with("dataflow") && name.ends_with(".yml") && !name.starts_with("dataflow.run");
    let found: Vec<String> = names.filter(own).collect();
    assert!(found.len() >= 2, "{found:?}");
    found
}

fn entries(value: &Value) -> Vec<(String, Value)> {
    let empty = Mapping::new();
    let text = |key: &Value| key.as_str().expect("keys are texts").to_owned();
    value.as_mapping().unwrap_or(&empty).iter().map(|(key, value)| (text(key), value.clone())).collect()
}

fn declared(binary: &str) -> &'static Declared {
    NODES.iter().find(|node| node.name == binary).unwrap_or_else(|| panic!("no node is called {binary}"))
}

/// A node of a dataflow file: its file, id, entry, and what its crate declares.
fn nodes() -> Vec<(String, String, Value, &'static Declared)> {
    let mut all = Vec::new();
    for file in dataflows() {
        for entry in yaml(&file)["nodes"].as_sequence().expect("nodes").clone() {
            let id = entry["id"].as_str().expect("an id").to_owned();
            if let Some((entry, node)) = operator(&entry) {
                all.push((file.clone(), id, entry, node));
                continue;
            }
            let path = entry["path"].as_str().expect("a path").to_owned();
            let binary =
                if path == "dynamic" { id.clone() } else { path.rsplit('/').next().unwrap_or(&path).to_owned() };
            all.push((file.clone(), id, entry, declared(&binary)));
        }
    }
    all
}

/// The one operator that runs in a node of dora's own runtime: its ports, and what it is known by.
fn operator(entry: &Value) -> Option<(Value, &'static Declared)> {
    let operator = entry.get("operator")?.clone();
    let source = operator["python"].as_str().expect("a Python operator").to_owned();
    let declared = OPERATORS.iter().find(|known| known.name == source);
    Some((operator, declared.unwrap_or_else(|| panic!("no operator is called {source}"))))
}

fn type_of(ports: &[(&str, &'static str)], port: &str) -> Option<&'static str> {
    ports.iter().find(|(name, _)| *name == port).map(|(_, of)| *of)
}

#[test]
fn every_folder_of_a_node_is_tested_here() {
    let folders = fs::read_dir(root().join("nodes"))
        .expect("nodes/")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let folders: BTreeSet<String> = folders.collect();
    let known: BTreeSet<String> = NODES.iter().map(|node| node.name.to_owned()).collect();
    assert_eq!(folders, known);
}

#[test]
fn every_manifest_lists_the_ports_of_its_source() {
    for node in NODES {
        let manifest = yaml(&format!("nodes/{}/dora-node.yml", node.name));
        for (side, ports) in [("inputs", node.inputs), ("outputs", node.outputs)] {
            let listed: BTreeSet<(String, String)> = entries(&manifest[side])
                .into_iter()
                .map(|(port, value)| (port, value["type"].as_str().unwrap_or("").to_owned()))
                .collect();
            let own: BTreeSet<(String, String)> =
                ports.iter().map(|(port, of)| ((*port).to_owned(), (*of).to_owned())).collect();
            assert_eq!(listed, own, "{} {side}", node.name);
        }
    }
}

#[test]
fn every_dataflow_connects_ports_that_exist_with_their_types() {
    for (file, id, entry, node) in nodes() {
        let types = &entry["input_types"];
        for (port, _) in entries(&entry["inputs"]) {
            let of = type_of(node.inputs, &port).unwrap_or_else(|| panic!("{file}: {id} has no input {port}"));
            assert_eq!(types[port.as_str()].as_str().unwrap_or(""), of, "{file}: {id} input {port}");
        }
        let outputs: Vec<String> = entry["outputs"]
            .as_sequence()
            .into_iter()
            .flatten()
            .filter_map(|port| Some(port.as_str()?.to_owned()))
            .collect();
        for port in &outputs {
            let of = type_of(node.outputs, port).unwrap_or_else(|| panic!("{file}: {id} has no output {port}"));
            assert_eq!(entry["output_types"][port.as_str()].as_str(), Some(of), "{file}: {id} output {port}");
        }
    }
}

#[test]
fn every_edge_comes_from_an_output_that_is_declared_and_carries_what_its_end_expects() {
    let all = nodes();
    for (file, id, entry, node) in &all {
        for (port, input) in entries(&entry["inputs"]) {
            let source = input["source"].as_str().or(input.as_str()).expect("a source").to_owned();
            if source.starts_with("dora/timer/") {
                assert_eq!(type_of(node.inputs, &port), Some(""), "{file}: {id} {port} is no timer");
                continue;
            }
            let (from, output) = source.split_once('/').expect("node/output");
            let sender = all.iter().find(|(of, name, ..)| of == file && name == from);
            let (.., sender_entry, sender) = sender.unwrap_or_else(|| panic!("{file}: {id} {port}: no node {from}"));
            let listed =
                sender_entry["outputs"].as_sequence().is_some_and(|ports| ports.iter().any(|port| port == output));
            assert!(listed, "{file}: {id} {port}: {from} does not list the output {output}");
            assert_eq!(type_of(sender.outputs, output), type_of(node.inputs, &port), "{file}: {id} {port}");
        }
    }
}

#[test]
fn the_image_path_keeps_one_picture_and_every_edge_says_how_many_it_keeps() {
    for (file, id, entry, _) in nodes() {
        for (port, input) in entries(&entry["inputs"]) {
            let queue = input["queue_size"].as_u64();
            assert!(queue.is_some(), "{file}: {id} {port} has no queue_size");
            assert!(input["queue_policy"].is_null(), "{file}: {id} {port}: backpressure leaves shared memory");
            // A recording wants them all; the page picks the newest of each stream itself.
            let is_sorted = id == "tape" || (id == "web" && port == "picture");
            if LATEST_WINS.contains(&port.as_str()) && !is_sorted {
                assert_eq!(queue, Some(1), "{file}: {id} {port}");
            }
        }
    }
}

#[test]
fn every_node_that_dora_starts_is_started_again_when_it_fails() {
    for (file, id, entry, _) in nodes() {
        // The recorder's end is the end of the demo, whatever it ended with. dora has no such policy for operators.
        if entry["path"] != "dynamic" && id != "recorder" && entry["python"].is_null() {
            assert_eq!(entry["restart_policy"], "on-failure", "{file}: {id}");
            // dora 1.1.0 does not, whatever the policy, if the node has no input.
            assert!(!entries(&entry["inputs"]).is_empty(), "{file}: {id} has no input: give it a tick");
        }
    }
}

#[test]
fn every_key_that_a_dataflow_sets_is_one_of_a_node() {
    let known: BTreeSet<&str> = NODES.iter().flat_map(|node| node.keys).map(|key| key.name).collect();
    for file in dataflows() {
        for (key, _) in entries(&yaml(&file)["env"]) {
            assert!(known.contains(key.as_str()), "{file}: no node has the key {key}");
        }
    }
    for (file, id, entry, node) in nodes() {
        for (key, _) in entries(&entry["env"]) {
            assert!(node.keys.iter().any(|known| known.name == key), "{file}: {id} has no key {key}");
        }
    }
}

#[test]
fn every_node_refuses_a_key_of_its_own_name_that_it_does_not_have() {
    for node in NODES {
        let key = format!("{}_NONSENSE", node.name.to_uppercase());
        let error = Environment::given(node.keys, [(key.as_str(), "1")]).expect_err(&key).to_string();
        assert!(error.starts_with(&format!("{key} is not a setting of this node; its settings are ")), "{error}");
    }
}

#[test]
fn every_readme_lists_the_configuration_and_the_ports_of_its_source() {
    for node in NODES {
        let readme = read(&format!("nodes/{}/README.md", node.name));
        for section in ["## Purpose", "## Ports", "## Configuration", "## Try it alone", "## Replace it"] {
            assert!(readme.contains(section), "nodes/{}/README.md has no section {section}", node.name);
        }
        for key in node.keys {
            let default = if key.default.is_empty() { String::new() } else { format!("`{}`", key.default) };
            let row = format!("| `{}` | {default} | {} |", key.name, key.text).replace("|  |", "| |");
            assert!(readme.contains(&row), "nodes/{}/README.md lacks the row\n{row}", node.name);
        }
        for (port, _) in node.inputs.iter().chain(node.outputs) {
            let family = port.split_once('_').map_or(*port, |(family, _)| family);
            let named = readme.contains(&format!("`{port}`")) || readme.contains(&format!("`{family}_"));
            assert!(named, "nodes/{}/README.md does not name the port {port}", node.name);
        }
    }
}

#[test]
fn every_message_type_is_written_down() {
    let types = yaml("types/mirror/media/v1.yml");
    for (_, of) in NODES.iter().flat_map(|node| node.inputs.iter().chain(node.outputs)).filter(|(_, of)| !of.is_empty())
    {
        let name = of.strip_prefix("mirror/media/v1/").unwrap_or_else(|| panic!("{of} is not of v1"));
        assert!(types["types"][name].is_mapping(), "types/mirror/media/v1.yml lacks {name}");
    }
}

#[test]
fn no_source_of_a_node_shell_is_longer_than_it_can_be_seen_at_once() {
    for node in NODES {
        let path: PathBuf = ["nodes", node.name, "src", "node.rs"].iter().collect();
        let lines = read(&path.to_string_lossy()).lines().count();
        assert!(lines <= 80, "{} has {lines} lines", path.display());
    }
}

#[test]
fn every_key_of_the_page_is_in_the_help_of_mirror_run() {
    let output = std::process::Command::new(root().join("target/release/mirror")).args(["run", "--help"]).output();
    let help = String::from_utf8(output.expect("the program is built").stdout).expect("text");
    for key in web::config::KEYS.iter().filter(|key| key.name.starts_with("WEB_")) {
        assert!(help.contains(key.name), "{} is not in the help:\n{help}", key.name);
    }
}
