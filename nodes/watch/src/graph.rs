//! Whose output is whose input: what is watched of the dataflow file.

use mirror_kit::Member;

/// A stage of which an output is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// The node.
    pub node: String,
    /// Its output: `encoder/latent`.
    pub output: String,
    /// Which of the watched outputs come in to it: it has something to do when one of them does. A stage that only a
    /// timer drives always has.
    pub inputs: Vec<String>,
}

/// What makes a stage work: inputs of these names. Settings and words of other stages do not.
const WORK: [&str; 7] = ["frame", "frame_2", "frame_web", "latent", "denoised", "picture", "settings"];

/// The stages whose outputs are among those that this node sees, in the order of the dataflow file. Sources have no input
/// that could be seen: a camera that brings nothing has been unplugged, and says so itself. Nor is the page a stage, although
/// pictures come in to it and visitors' pictures go out: it is visitors who make them, when they like.
#[must_use]
pub fn stages(members: &[Member], seen: &[String]) -> Vec<Stage> {
    let stages = seen.iter().filter_map(|output| {
        let (node, _) = output.split_once('/')?;
        let member = members.iter().find(|member| member.id == node)?;
        let pictures = |port: &str| WORK.contains(&port) && port != "settings";
        let sees_pictures = member.inputs.iter().any(|(port, _)| pictures(port));
        if sees_pictures && output.ends_with("/frame") {
            return None;
        }
        // Settings are work only for who makes something of nothing else: `embed`.
        let works = |port: &str| if sees_pictures { pictures(port) } else { WORK.contains(&port) };
        let inputs = member.inputs.iter().filter(|(port, from)| works(port) && seen.contains(from));
        let inputs: Vec<String> = inputs.map(|(_, from)| from.clone()).collect();
        let timed = member.inputs.iter().any(|(_, from)| from.starts_with("dora/timer/"));
        (!inputs.is_empty() || timed).then(|| Stage { node: node.to_owned(), output: output.clone(), inputs })
    });
    let mut stages: Vec<Stage> = stages.collect();
    stages.sort_by_key(|stage| members.iter().position(|member| member.id == stage.node));
    stages
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(id: &str, inputs: &[(&str, &str)]) -> Member {
        let inputs = inputs.iter().map(|(port, from)| ((*port).to_owned(), (*from).to_owned())).collect();
        Member { id: id.to_owned(), is_dynamic: false, machine: None, inputs }
    }

    #[test]
    fn a_stage_works_on_what_is_seen_to_come_in() {
        let members = [
            member("camera", &[]),
            member(
                "encoder",
                &[("frame", "camera/frame"), ("frame_web", "web/frame"), ("settings", "control/settings")],
            ),
            member("embed", &[("settings", "control/settings")]),
            member("diffusion", &[("latent", "encoder/latent"), ("embedding", "embed/embedding")]),
            member("control", &[("update_web", "web/update"), ("tick", "dora/timer/millis/1000")]),
            // Here pictures come straight from the stage that is watched.
            member("web", &[("picture", "diffusion/denoised"), ("tick", "dora/timer/millis/500")]),
        ];
        let seen = [
            "diffusion/denoised",
            "camera/frame",
            "web/frame",
            "control/settings",
            "encoder/latent",
            "embed/embedding",
        ];
        let stages = stages(&members, &seen.map(str::to_owned));
        let found: Vec<(&str, Vec<&str>)> = stages
            .iter()
            .map(|stage| (stage.node.as_str(), stage.inputs.iter().map(String::as_str).collect()))
            .collect();
        let expected = [
            ("encoder", vec!["camera/frame", "web/frame"]),
            ("embed", vec!["control/settings"]),
            ("diffusion", vec!["encoder/latent"]),
            ("control", vec![]),
        ];
        assert_eq!(found, expected);
    }
}
