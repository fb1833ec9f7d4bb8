//! The graph of a replay that plays other topics than those it was written for: `mirror replay --topics encoder/latent`.
//!
//! Whoever has taken such a message from a stage takes it from the recording. The stage stays, and sends it to nobody; what
//! else it sends may be wanted.

use crate::contract;
use eyre::{Result, bail, eyre};
use mirror_kit::members::must_arrive;
use serde_yaml_ng::{Mapping, Value};
use std::path::Path;

/// The program that plays recordings.
const PLAYER: &str = "replay";
/// How many messages wait where the graph says nothing of it: texts, rare and not to be lost.
const QUEUE: u64 = 64;

/// The graph in which these topics are played too. `None`: it plays them as it is.
///
/// # Errors
/// A graph that plays nothing; a topic that is none, or that no node of the graph takes.
pub fn reroute(root: &Path, graph: &Value, topics: &[&str]) -> Result<Option<Value>> {
    let mut rerouted = graph.clone();
    for topic in topics {
        play(root, &mut rerouted, topic)?;
    }
    Ok(Some(rerouted).filter(|rerouted| rerouted != graph))
}

fn play(root: &Path, graph: &mut Value, topic: &str) -> Result<()> {
    let (_, port) = topic.rsplit_once('/').ok_or_else(|| eyre!("\"{topic}\" is no topic, like camera/frame"))?;
    let nodes = graph["nodes"].as_sequence_mut().ok_or_else(|| eyre!("there is no list of nodes"))?;
    let at = nodes.iter().position(|node| contract::program(node) == Some(PLAYER));
    let at = at.ok_or_else(|| eyre!("the graph has no node that plays recordings ({PLAYER})"))?;
    let mut player = nodes.remove(at);
    let mut outputs = player["outputs"].as_sequence().cloned().unwrap_or_default();
    if !outputs.iter().any(|own| own == port) {
        let id = player["id"].as_str().unwrap_or(PLAYER).to_owned();
        let manifest = contract::manifest(root, &id, &player)?.unwrap_or_default();
        let kind = manifest["outputs"][port]["type"].as_str();
        let unknown = || eyre!("{topic} cannot be played: there is no {port} among what {PLAYER} sends");
        let kind = kind.ok_or_else(unknown)?;
        let played = format!("{id}/{port}");
        let of_port = |source: &str| source.rsplit_once('/').is_some_and(|(_, sent)| sent == port);
        let mut taken = redirect(nodes, kind, &played, |source| source == topic);
        // A stage that this graph does not have: the fused one, an operator.
        if taken == 0 {
            taken = redirect(nodes, kind, &played, of_port);
        }
        if taken == 0 {
            taken = connect(root, nodes, kind, &played)?;
        }
        if taken == 0 {
            bail!("{topic} cannot be played: no node of the graph takes {port}");
        }
        outputs.push(port.into());
        player["outputs"] = Value::Sequence(outputs);
        player["output_types"][port] = kind.into();
    }
    nodes.insert(at, player);
    Ok(())
}

/// Has the inputs of that type that come from such outputs come from the player; how many there are.
fn redirect(nodes: &mut [Value], kind: &str, played: &str, from: impl Fn(&str) -> bool) -> usize {
    let mut count = 0;
    for node in nodes {
        let types = node["input_types"].clone();
        let inputs = node.get_mut("inputs").and_then(Value::as_mapping_mut);
        for (port, input) in inputs.into_iter().flatten() {
            let source = input["source"].as_str().or(input.as_str()).unwrap_or_default();
            if types[port] != *kind || source == played || !from(source) {
                continue;
            }
            count += 1;
            if input.is_string() {
                *input = played.into();
            } else {
                input["source"] = played.into();
            }
        }
    }
    count
}

/// Connects the inputs of that name and type that nothing is connected to, one of each node: `prompt_voice` of `control` for a
/// prompt. How many there are.
fn connect(root: &Path, nodes: &mut [Value], kind: &str, played: &str) -> Result<usize> {
    let port = played.rsplit('/').next().unwrap_or(played);
    let mut count = 0;
    for node in nodes {
        let Some(manifest) = contract::manifest(root, node["id"].as_str().unwrap_or_default(), node)? else { continue };
        let mut inputs = manifest["inputs"].as_mapping().into_iter().flatten();
        let open = inputs.find_map(|(name, input)| {
            let name = name.as_str()?;
            let fits = name == port || name.strip_prefix(port).is_some_and(|rest| rest.starts_with('_'));
            (fits && input["type"] == *kind && node["inputs"][name].is_null()).then_some(name)
        });
        let Some(name) = open else { continue };
        count += 1;
        let mut input = Mapping::from_iter([("source".into(), played.into()), ("queue_size".into(), QUEUE.into())]);
        if must_arrive(kind) {
            input.insert("queue_policy".into(), "backpressure".into());
        }
        node["inputs"][name] = Value::Mapping(input);
        node["input_types"][name] = kind.into();
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    fn rerouted(topics: &[&str]) -> Result<Option<Value>> {
        let rerouted = reroute(&root(), &contract::graph(&root().join("dataflow.replay.yml"))?, topics)?;
        if let Some(graph) = &rerouted {
            assert_eq!(contract::faults(&root(), graph)?, [""; 0], "{topics:?}");
        }
        Ok(rerouted)
    }

    /// Where the inputs of the nodes come from that the player sends that to: `diffusion latent`.
    fn takers(graph: &Value, played: &str) -> Vec<String> {
        let mut takers = Vec::new();
        for (id, node) in contract::nodes(graph).unwrap() {
            for (port, input) in node["inputs"].as_mapping().into_iter().flatten() {
                if input["source"] == *played {
                    takers.push(format!("{id} {}", port.as_str().unwrap()));
                }
            }
        }
        takers
    }

    #[test]
    fn a_graph_that_plays_it_already_stays_as_it_is() {
        for topics in [&[][..], &["camera/frame"], &["garden/frame", "control/settings", "control/notice"]] {
            assert_eq!(rerouted(topics).unwrap(), None, "{topics:?}");
        }
    }

    #[test]
    fn whoever_takes_a_message_from_its_stage_takes_it_from_the_recording() {
        let graph = rerouted(&["encoder/latent", "encoder/source"]).unwrap().unwrap();
        assert_eq!(takers(&graph, "replay/latent"), ["diffusion latent"]);
        assert_eq!(takers(&graph, "replay/source"), ["decoder source"]);
        assert_eq!(takers(&graph, "diffusion/denoised"), ["decoder denoised"]);
        let player = &contract::nodes(&graph).unwrap()["replay"];
        assert_eq!(player["output_types"]["latent"], "mirror/media/v1/Latent");
    }

    #[test]
    fn what_a_stage_has_sent_that_the_graph_does_not_have_goes_where_the_like_of_it_goes() {
        for topic in ["fused/picture", "operator/picture", "decoder/picture"] {
            let graph = rerouted(&[topic]).unwrap().unwrap();
            assert_eq!(takers(&graph, "replay/picture"), ["display picture", "tape picture", "web picture"], "{topic}");
        }
    }

    #[test]
    fn words_go_to_inputs_that_nothing_was_connected_to() {
        let graph = rerouted(&["rephrase/prompt", "stt/prompt"]).unwrap().unwrap();
        assert_eq!(takers(&graph, "replay/prompt"), ["control prompt_voice", "web prompt"]);
    }

    #[test]
    fn all_that_a_recording_may_hold_is_played_but_what_nobody_listens_to() {
        let manifest = contract::graph(&root().join("nodes/replay/dora-node.yml")).unwrap();
        for (port, _) in manifest["outputs"].as_mapping().unwrap() {
            let topic = format!("somewhere/{}", port.as_str().unwrap());
            match rerouted(&[&topic]) {
                Ok(_) => {}
                Err(error) if ["somewhere/sound", "somewhere/utterance"].contains(&topic.as_str()) => {
                    assert!(error.to_string().contains("no node of the graph takes"), "{error}");
                }
                Err(error) => panic!("{topic}: {error}"),
            }
        }
    }

    #[test]
    fn what_cannot_be_played_is_named() {
        let message = |topic| rerouted(&[topic]).unwrap_err().to_string();
        assert_eq!(message("latent"), "\"latent\" is no topic, like camera/frame");
        assert!(message("decoder/taken").starts_with("decoder/taken cannot be played: there is no taken among"));
        let graph = contract::graph(&root().join("dataflow.yml")).unwrap();
        let error = reroute(&root(), &graph, &["encoder/latent"]).unwrap_err().to_string();
        assert!(error.contains("no node that plays recordings"), "{error}");
    }
}
