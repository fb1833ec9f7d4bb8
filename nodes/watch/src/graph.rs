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

/// Work only for who has no input of the image path: `embed`.
const SETTINGS: &str = "settings";
/// What sources put out.
const FRAME: &str = "/frame";
/// Where timers come from.
const TIMER: &str = "dora/timer/";

/// The stages whose outputs are among those that this node sees, in the order of the dataflow file.
#[must_use]
pub fn stages(members: &[Member], seen: &[String]) -> Vec<Stage> {
    let stages = seen.iter().filter_map(|output| {
        let (node, _) = output.split_once('/')?;
        stage(members.iter().find(|member| member.id == node)?, output, seen)
    });
    let mut stages: Vec<Stage> = stages.collect();
    stages.sort_by_key(|stage| members.iter().position(|member| member.id == stage.node));
    stages
}

/// The node as a stage, if what it puts out can be expected of it. A source's cannot: a camera that brings nothing has been
/// unplugged, and says so itself; another process could not open it either. Nor can the page's, although pictures come in
/// to it and visitors' pictures go out: it is visitors who make them, when they like.
///
/// What comes in on the image path makes a stage work; words of other stages do not.
fn stage(member: &Member, output: &str, seen: &[String]) -> Option<Stage> {
    let is_timer = |(_, from): &&(String, String)| from.starts_with(TIMER);
    let timers = member.inputs.iter().filter(is_timer).count();
    if output.ends_with(FRAME) || timers == member.inputs.len() {
        return None;
    }
    let sees_pictures = member.inputs.iter().any(|(port, _)| member.is_image_path(port));
    let works = |port: &str| if sees_pictures { member.is_image_path(port) } else { port == SETTINGS };
    let inputs = member.inputs.iter().filter(|(port, from)| works(port) && seen.contains(from));
    let inputs: Vec<String> = inputs.map(|(_, from)| from.clone()).collect();
    // What stands still between pictures that nobody here sees is not known, whatever else it has a timer for.
    let is_driven = timers > 0 && !sees_pictures;
    (!inputs.is_empty() || is_driven).then(|| Stage { node: member.id.clone(), output: output.to_owned(), inputs })
}

#[cfg(test)]
mod tests {
    use super::*;
    use mirror_contract::{Frame, Latent, Message, Settings};

    /// A node with these inputs, as its file has them: `picture: decoder/picture`, of the type that its sender's port tells.
    fn member(id: &str, inputs: &[(&str, &str)]) -> Member {
        let message_type = |from: &str| match from.rsplit('/').next() {
            Some("frame" | "picture" | "source") => Frame::TYPE,
            Some("latent" | "denoised") => Latent::TYPE,
            Some("settings") => Settings::TYPE,
            _ => "",
        };
        let input_types = inputs.iter().map(|(port, from)| ((*port).to_owned(), message_type(from).to_owned()));
        let input_types = input_types.filter(|(_, of)| !of.is_empty()).collect();
        let inputs = inputs.iter().map(|(port, from)| ((*port).to_owned(), (*from).to_owned())).collect();
        Member { id: id.to_owned(), inputs, input_types, ..Member::default() }
    }

    /// The stages of these members, with what makes them work, when these outputs are seen.
    fn found(members: &[Member], seen: &[&str]) -> Vec<(String, Vec<String>)> {
        let seen: Vec<String> = seen.iter().map(ToString::to_string).collect();
        stages(members, &seen).into_iter().map(|stage| (stage.node, stage.inputs)).collect()
    }

    fn expected(stages: &[(&str, &[&str])]) -> Vec<(String, Vec<String>)> {
        let owned = |inputs: &[&str]| inputs.iter().map(ToString::to_string).collect();
        stages.iter().map(|(node, inputs)| ((*node).to_owned(), owned(inputs))).collect()
    }

    #[test]
    fn a_stage_works_on_what_is_seen_to_come_in() {
        let members = [
            member("camera", &[("tick", "dora/timer/millis/1000")]),
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
        let expected = expected(&[
            ("encoder", &["camera/frame", "web/frame"]),
            ("embed", &["control/settings"]),
            ("diffusion", &["encoder/latent"]),
            ("control", &[]),
        ]);
        assert_eq!(found(&members, &seen), expected);
    }

    #[test]
    fn a_stage_of_somebody_elses_is_watched_whatever_it_calls_what_it_works_on_and_what_lies_beside_is_no_work() {
        let blur = [("soft", "decoder/picture"), ("source", "encoder/source"), ("settings", "control/settings")];
        let seen = ["blur/picture", "decoder/picture", "encoder/source", "control/settings"];
        assert_eq!(found(&[member("blur", &blur)], &seen), expected(&[("blur", &["decoder/picture"])]));
    }

    #[test]
    fn a_source_is_not_watched_whatever_its_output_is_called() {
        let tick = [("tick", "dora/timer/millis/1000")];
        let replay = member("replay", &[("settings", "control/settings"), ("finished", "decoder/finished")]);
        let members = [member("camera", &tick), member("microphone", &tick), member("by_hand", &[]), replay];
        let seen = ["camera/frame", "microphone/sound", "by_hand/picture", "replay/frame", "control/settings"];
        assert!(found(&members, &seen).is_empty());
    }

    #[test]
    fn a_stage_with_a_timer_is_expected_to_put_out_what_comes_in_and_not_more() {
        let operator = [("picture", "decoder/picture"), ("tick", "dora/timer/millis/500")];
        let members = [member("operator", &operator)];
        let both = ["decoder/picture", "operator/picture"];
        assert_eq!(found(&members, &both), expected(&[("operator", &["decoder/picture"])]));
        assert!(found(&members, &["operator/picture"]).is_empty());
    }
}
