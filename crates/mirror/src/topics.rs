//! The outputs of a running graph, as its nodes were told of it: what can be recorded.

use eyre::{Result, bail, eyre};
use mirror_kit::processes;
use serde_yaml_ng::Value;

/// What is recorded unless somebody says otherwise, as far as the graph has it.
const USUAL: [(&str, &str); 10] = [
    ("camera", "frame"),
    ("control", "settings"),
    ("decoder", "picture"),
    ("fused", "picture"),
    // What operators make of the painting: what was shown.
    ("postprocess", "picture"),
    ("operator", "picture"),
    ("control", "notice"),
    ("stt", "prompt"),
    ("rephrase", "prompt"),
    ("web", "update"),
];

/// The outputs of a running dataflow: `camera/frame`, in the order of the file. They are in the environment of every
/// node that dora has started.
///
/// # Errors
/// No node of it runs on this machine.
pub fn of(dataflow: &str) -> Result<Vec<String>> {
    let node = processes::nodes(dataflow).into_iter().next();
    let config = node.and_then(|node| processes::config(node.pid));
    let config = config.ok_or_else(|| eyre!("no node of the mirror runs on this machine"))?;
    let config: Value = serde_yaml_ng::from_str(&config)?;
    Ok(outputs(&config["dataflow_descriptor"]))
}

fn outputs(graph: &Value) -> Vec<String> {
    let nodes = graph["nodes"].as_sequence().into_iter().flatten();
    let of_node = |node: &Value| {
        let (id, outputs) = (node["id"].as_str()?.to_owned(), node["outputs"].as_sequence()?);
        let ports = outputs.iter().filter_map(|port| port.as_str());
        Some(ports.map(|port| format!("{id}/{port}")).collect::<Vec<_>>())
    };
    nodes.filter_map(of_node).flatten().collect()
}

/// Whether it is recorded unless somebody says otherwise: of a second node, `camera_2`, as of the first.
fn is_usual(topic: &str) -> bool {
    let Some((node, port)) = topic.split_once('/') else { return false };
    let first = node.trim_end_matches(|letter: char| letter.is_ascii_digit()).strip_suffix('_').unwrap_or(node);
    USUAL.contains(&(first, port))
}

/// The topics that were asked for: `camera/frame`, `picture` for all outputs of that name, `all`; nothing is the usual ones.
///
/// # Errors
/// One that the graph does not have; it says which there are.
pub fn chosen(asked: &[String], there: &[String]) -> Result<Vec<String>> {
    if asked.is_empty() {
        return Ok(there.iter().filter(|topic| is_usual(topic)).cloned().collect());
    }
    let mut chosen: Vec<String> = Vec::new();
    for asked in asked {
        let fits = |topic: &&String| {
            asked == "all" || **topic == *asked || topic.split_once('/').is_some_and(|(_, port)| port == asked)
        };
        let found: Vec<&String> = there.iter().filter(fits).collect();
        if found.is_empty() {
            bail!("the mirror has no \"{asked}\"; it has {}", there.join(", "));
        }
        chosen.extend(found.into_iter().filter(|topic| !chosen.contains(topic)).cloned().collect::<Vec<_>>());
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;

    const GRAPH: &str = "
nodes:
- { id: camera, path: x, outputs: [frame, notice] }
- { id: chat, path: dynamic }
- { id: control, path: x, outputs: [settings, notice] }
";

    fn there() -> Vec<String> {
        outputs(&serde_yaml_ng::from_str(GRAPH).unwrap())
    }

    fn chosen(asked: &[&str]) -> Result<Vec<String>> {
        super::chosen(&asked.iter().map(ToString::to_string).collect::<Vec<_>>(), &there())
    }

    #[test]
    fn the_outputs_of_a_graph_are_its_topics() {
        assert_eq!(there(), ["camera/frame", "camera/notice", "control/settings", "control/notice"]);
    }

    #[test]
    fn what_is_usual_is_recorded_as_far_as_it_is_there() {
        assert_eq!(chosen(&[]).unwrap(), ["camera/frame", "control/settings", "control/notice"]);
    }

    #[test]
    fn of_every_graph_what_it_sees_and_what_it_paints_are_usual() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let names = fs::read_dir(&root).unwrap().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let own = |name: &String| name.starts_with("dataflow") && name.ends_with(".yml") && !name.contains(".run");
        let names: Vec<String> = names.filter(own).collect();
        assert!(names.len() > 3, "{names:?}");
        for name in names {
            let graph: Value = serde_yaml_ng::from_str(&fs::read_to_string(root.join(&name)).unwrap()).unwrap();
            let there = outputs(&graph);
            let usual = super::chosen(&[], &there).unwrap();
            let holds = |topic: &str| usual.iter().any(|usual| usual == topic);
            assert!(holds("decoder/picture") || holds("fused/picture"), "{name}: {usual:?}");
            // Every camera, and what operators have made of the painting.
            let seen = |topic: &&String| topic.starts_with("camera") && topic.ends_with("/frame");
            let shown = |topic: &&String| ["operator/picture", "postprocess/picture"].contains(&topic.as_str());
            assert!(there.iter().filter(seen).all(|topic| holds(topic)), "{name}: {usual:?}");
            assert!(there.iter().filter(shown).all(|topic| holds(topic)), "{name}: {usual:?}");
        }
    }

    #[test]
    fn a_second_node_is_recorded_as_the_first_is() {
        for topic in ["camera_2/frame", "fused_2/picture", "control_12/settings"] {
            assert!(is_usual(topic), "{topic}");
        }
        for topic in ["camera_2/notice", "camera2/frame", "preprocess/picture", "frame"] {
            assert!(!is_usual(topic), "{topic}");
        }
    }

    #[test]
    fn a_topic_is_named_whole_or_by_its_last_word_and_is_there_once() {
        assert_eq!(chosen(&["notice", "camera/frame"]).unwrap(), ["camera/notice", "control/notice", "camera/frame"]);
        assert_eq!(chosen(&["all", "frame"]).unwrap(), there());
    }

    #[test]
    fn a_topic_that_is_not_there_says_which_are() {
        let error = chosen(&["latent"]).unwrap_err().to_string();
        assert!(error.starts_with("the mirror has no \"latent\"; it has camera/frame, "), "{error}");
    }
}
