//! Constants in the source, `dora-node.yml`, README and every dataflow file say the same: dora drops an output that is
//! not declared with one warning and no error, so a misspelt port must fail here.

use mirror_contract::parameters::{Kind, parameter};
use mirror_contract::{Frame, Latent, Message};
use mirror_kit::members::{is_image_path, must_arrive};
use mirror_kit::{Environment, Member};
use mirror_tests::nodes::{Declared, NODES, OPERATORS};
use mirror_tests::root;
use serde_yaml_ng::{Mapping, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

/// What is large enough to fill a sender's shared memory.
#[derive(Debug, Clone, Copy)]
enum Large {
    /// A camera's picture, or a visitor's.
    Shot,
    /// A picture of the largest size that can be set.
    Picture,
    /// A latent of that size.
    Latent,
}

impl Large {
    fn bytes(self) -> u64 {
        let Some(Kind::Integer { max: side, .. }) = parameter("size").map(|size| size.kind) else { panic!("no size") };
        let side = side as u64;
        match self {
            // Full HD: what most cameras have to give.
            Self::Shot => 1920 * 1080 * 3,
            Self::Picture => side * side * 3,
            // The starter pack's: 32 channels of f32, an eighth of the side.
            Self::Latent => (side / 8) * (side / 8) * 32 * 4,
        }
    }
}

/// How many messages each program's shared memory must have room for: the one that is written, and what others still hold. A
/// reader holds one in hand and one that waits, an operator one more, the page one of its queue of four for each stream that is
/// watched. Of the encoder's pictures the decoder keeps six (`mirror_kit::Sources`), and the page six while somebody compares.
const HELD: [(&str, u64, Large); 8] = [
    ("camera", 5, Large::Shot),
    ("replay", 5, Large::Shot),
    ("web", 4, Large::Shot),
    ("encoder", 20, Large::Picture),
    ("diffusion", 7, Large::Latent),
    ("decoder", 7, Large::Picture),
    ("operator", 7, Large::Picture),
    ("fused", 7, Large::Picture),
];
/// What dora gives a node that asks for nothing (`DORA_NODE_SHM_POOL_SIZE`'s default), in MB.
const USUAL_MB: u64 = 8;
/// Most that a graph may take: it is taken when a node starts, not when it is needed, and the whole mirror has 1.5 GiB.
const ALL_MB: u64 = 320;

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
fn the_image_path_keeps_one_picture_words_go_by_the_daemon_and_every_edge_says_how_many_it_keeps() {
    for (file, id, entry, node) in nodes() {
        for (port, input) in entries(&entry["inputs"]) {
            let queue = input["queue_size"].as_u64();
            assert!(queue.is_some(), "{file}: {id} {port} has no queue_size");
            // A recording wants them all; the page picks the newest of each stream itself.
            let is_sorted = id == "tape" || (id == "web" && port == "picture");
            let of = type_of(node.inputs, &port).unwrap_or_default();
            if is_image_path(&port, of) && !is_sorted {
                assert_eq!(queue, Some(1), "{file}: {id} {port}");
            }
            // `watch` only looks whether any come.
            let policy = (must_arrive(of) && queue > Some(1)).then_some("backpressure");
            assert_eq!(
                input["queue_policy"].as_str(),
                policy,
                "{file}: {id} {port}: pictures leave shared memory by it"
            );
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
fn the_log_of_every_node_that_dora_starts_has_an_end() {
    for (file, id, entry, _) in nodes() {
        // Nobody keeps the words of a node that people start. An operator's keys stand in its block, and are the entry here.
        if entry["path"] != "dynamic" {
            let (size, files) = (entry["max_log_size"].as_str(), entry["max_rotated_files"].as_u64());
            assert_eq!((size, files), (Some("4MB"), Some(3)), "{file}: {id}");
        }
    }
}

#[test]
fn every_node_that_sends_pictures_or_latents_has_room_for_those_that_others_still_read() {
    let mut graphs: BTreeMap<String, u64> = BTreeMap::new();
    for (file, id, entry, node) in nodes() {
        // What people start comes later, and dora has no such key for operators.
        if entry["path"] == "dynamic" || !entry["python"].is_null() {
            continue;
        }
        let outputs = entry["outputs"].as_sequence().into_iter().flatten().filter_map(Value::as_str);
        let mut types = outputs.filter_map(|port| type_of(node.outputs, port));
        let is_large = types.any(|of| of == Frame::TYPE || of == Latent::TYPE);
        let asked = entry["shared_memory_pool_size"].as_str();
        let room_mb = asked.and_then(|text| text.strip_suffix("MB")?.parse().ok()).unwrap_or(USUAL_MB);
        *graphs.entry(file.clone()).or_default() += room_mb;
        if !is_large {
            assert_eq!(asked, None, "{file}: {id} sends nothing that is large");
            continue;
        }
        let held = HELD.iter().find(|(name, ..)| *name == node.name);
        let (_, count, large) = held.unwrap_or_else(|| panic!("how many pictures of {} are held?", node.name));
        let needed = count * large.bytes();
        let room = room_mb << 20;
        assert!(room > needed, "{file}: {id} has room for {room} bytes, and needs {needed}: {count} of {large:?}");
        assert!(room < 2 * needed, "{file}: {id} takes {room} bytes, and needs {needed}");
    }
    for (file, all_mb) in graphs {
        assert!(all_mb <= ALL_MB, "{file} takes {all_mb} MB of shared memory");
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

/// Files without a watch: a demo ends by itself, and a replay with its recording.
const UNWATCHED: [&str; 3] = ["dataflow.demo.yml", "dataflow.demo-voice.yml", "dataflow.replay.yml"];
/// What a stage of the image path puts out. A `frame` is a source's: a camera's, or a visitor's.
const PAINTED: [&str; 3] = ["latent", "denoised", "picture"];

/// The inputs of an entry, with what they come from.
fn edges(entry: &Value) -> Vec<(String, String)> {
    let source = |input: &Value| input["source"].as_str().or(input.as_str()).expect("a source").to_owned();
    entries(&entry["inputs"]).into_iter().map(|(port, input)| (port, source(&input))).collect()
}

/// The message types of an entry's inputs.
fn types(entry: &Value) -> BTreeMap<String, String> {
    let types = entries(&entry["input_types"]).into_iter();
    types.map(|(port, of)| (port, of.as_str().expect("a type").to_owned())).collect()
}

#[test]
fn every_stage_of_the_image_path_is_watched_with_all_that_comes_in_to_it_and_no_source_is() {
    let all = nodes();
    for file in dataflows() {
        let own: Vec<_> = all.iter().filter(|(of, ..)| *of == file).collect();
        let member = |(_, id, entry, _): &&(String, String, Value, &'static Declared)| Member {
            id: id.clone(),
            inputs: edges(entry),
            input_types: types(entry),
            ..Member::default()
        };
        let members: Vec<Member> = own.iter().map(member).collect();
        let mut stages = Vec::new();
        for (_, _, entry, _) in own.iter().filter(|(.., node)| node.name == "watch") {
            let seen: Vec<String> = edges(entry).into_iter().map(|(_, source)| source).collect();
            stages.extend(watch::graph::stages(&members, &seen));
        }
        assert_eq!(stages.is_empty(), UNWATCHED.contains(&file.as_str()), "{file}: {stages:?}");
        for (_, id, entry, node) in &own {
            let stage = stages.iter().find(|stage| stage.node == *id);
            let is_source = ["camera", "microphone", "replay", "web"].contains(&node.name);
            assert!(!is_source || stage.is_none(), "{file}: {id} only brings what others give it, and is watched");
            let outputs = entry["outputs"].as_sequence().cloned().unwrap_or_default();
            let paints = outputs.iter().filter_map(Value::as_str).any(|output| PAINTED.contains(&output));
            if !paints || stages.is_empty() {
                continue;
            }
            let stage = stage.unwrap_or_else(|| panic!("{file}: nobody watches {id}"));
            let of = |port: &str| type_of(node.inputs, port).unwrap_or_default();
            let works = edges(entry).into_iter().filter(|(port, _)| is_image_path(port, of(port)));
            let works: BTreeSet<String> = works.map(|(_, source)| source).collect();
            let seen: BTreeSet<String> = stage.inputs.iter().cloned().collect();
            assert_eq!(seen, works, "{file}: {id}");
        }
    }
}
