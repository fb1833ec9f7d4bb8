//! The outputs of a running graph, as its nodes were told of it: what can be recorded.

use eyre::{Result, bail, eyre};
use mirror_kit::processes;
use serde_yaml_ng::Value;

/// What is recorded unless somebody says otherwise, as far as the graph has it.
const USUAL: [&str; 7] = [
    "camera/frame",
    "control/settings",
    "decoder/picture",
    "control/notice",
    "stt/prompt",
    "rephrase/prompt",
    "web/update",
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
    Ok(outputs(&serde_yaml_ng::from_str(&config)?))
}

fn outputs(config: &Value) -> Vec<String> {
    let nodes = config["dataflow_descriptor"]["nodes"].as_sequence().into_iter().flatten();
    let of_node = |node: &Value| {
        let (id, outputs) = (node["id"].as_str()?.to_owned(), node["outputs"].as_sequence()?);
        let ports = outputs.iter().filter_map(|port| port.as_str());
        Some(ports.map(|port| format!("{id}/{port}")).collect::<Vec<_>>())
    };
    nodes.filter_map(of_node).flatten().collect()
}

/// The topics that were asked for: `camera/frame`, `picture` for all outputs of that name, `all`; nothing is the usual ones.
///
/// # Errors
/// One that the graph does not have; it says which there are.
pub fn chosen(asked: &[String], there: &[String]) -> Result<Vec<String>> {
    if asked.is_empty() {
        return Ok(there.iter().filter(|topic| USUAL.contains(&topic.as_str())).cloned().collect());
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

    const CONFIG: &str = "
node_id: camera
dataflow_descriptor:
  nodes:
  - { id: camera, path: x, outputs: [frame, notice] }
  - { id: chat, path: dynamic }
  - { id: control, path: x, outputs: [settings, notice] }
";

    fn there() -> Vec<String> {
        outputs(&serde_yaml_ng::from_str(CONFIG).unwrap())
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
