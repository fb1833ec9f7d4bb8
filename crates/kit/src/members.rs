//! The nodes of the dataflow, as its file has them.

use dora_node_api::DoraNode;
use mirror_contract::{
    Audio, Embedding, Frame, Latent, Message, Notice, Prompt, Readiness, Settings, SettingsUpdate, Wanted,
};
use std::collections::{BTreeMap, BTreeSet};

/// Inputs that are laid beside a picture which comes in elsewhere: several wait there, to be found for that picture, and none is
/// work of its own.
const BESIDE: [&str; 2] = ["source", "before"];

/// What is said once, or what somebody waits for. A picture that is lost is followed by the next one, and so is the word that
/// one was taken up; these are not.
const WORDS: [&str; 8] = [
    Audio::TYPE,
    Embedding::TYPE,
    Notice::TYPE,
    Prompt::TYPE,
    Readiness::TYPE,
    Settings::TYPE,
    SettingsUpdate::TYPE,
    Wanted::TYPE,
];

/// Whether a message of that type has to arrive. Its inputs have dora's `queue_policy: backpressure` then: it goes by the daemon, which
/// loses nothing. From node to node dora drops what finds no room for a thousandth of a second, and tells nobody: of fifty
/// settings at once it was one in six on a busy machine.
#[must_use]
pub fn must_arrive(message_type: &str) -> bool {
    WORDS.contains(&message_type)
}

/// Whether an input of that name and message type belongs to the image path: its newest message alone counts, for an old picture
/// must never wait for a model, and a node that has such an input has something to do when one comes.
#[must_use]
pub fn is_image_path(port: &str, message_type: &str) -> bool {
    [Frame::TYPE, Latent::TYPE].contains(&message_type) && !BESIDE.contains(&port)
}

/// A node of the dataflow file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Member {
    /// Its name.
    pub id: String,
    /// People start it, not dora.
    pub is_dynamic: bool,
    /// The machine that it is for, where the file names one.
    pub machine: Option<String>,
    /// Its inputs, and what they come from: `picture`, `decoder/picture`.
    pub inputs: Vec<(String, String)>,
    /// The message types of those inputs, where the file says them: `picture`, `mirror/media/v1/Frame`.
    pub input_types: BTreeMap<String, String>,
}

impl Member {
    /// Whether that input of it belongs to the image path.
    #[must_use]
    pub fn is_image_path(&self, port: &str) -> bool {
        self.input_types.get(port).is_some_and(|message_type| is_image_path(port, message_type))
    }

    /// Its inputs that belong to the image path.
    #[must_use]
    pub fn work(&self) -> BTreeSet<String> {
        self.inputs.iter().map(|(port, _)| port).filter(|port| self.is_image_path(port)).cloned().collect()
    }
}

/// All nodes; none if the file cannot be read.
pub(crate) fn of(dora: &DoraNode) -> Vec<Member> {
    let nodes = dora.dataflow_descriptor().map(|file| file.nodes.as_slice()).unwrap_or_default();
    let members = nodes.iter().map(|node| {
        // An operator under dora's own runtime has its edges one level below.
        let operator = node.operator.iter().map(|operator| &operator.config);
        let operators = node.operators.iter().flat_map(|runtime| &runtime.operators).map(|operator| &operator.config);
        let below: Vec<_> = operator.chain(operators).collect();
        let inputs = node.inputs.iter().chain(below.iter().flat_map(|config| &config.inputs));
        let types = node.input_types.iter().chain(below.iter().flat_map(|config| &config.input_types));
        Member {
            id: node.id.to_string(),
            is_dynamic: node.path.as_deref() == Some("dynamic"),
            machine: node.deploy.as_ref().and_then(|deploy| deploy.machine.clone()),
            inputs: inputs.map(|(port, input)| (port.to_string(), input.mapping.to_string())).collect(),
            input_types: types.map(|(port, message_type)| (port.to_string(), message_type.clone())).collect(),
        }
    });
    members.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_and_latents_are_the_image_path_whatever_their_inputs_are_called_and_what_is_laid_beside_them_is_not() {
        for (port, message_type, expected) in [
            ("picture", Frame::TYPE, true),
            ("picture_blur", Frame::TYPE, true),
            ("bild", Frame::TYPE, true),
            ("latent", Latent::TYPE, true),
            ("source", Frame::TYPE, false),
            ("before", Frame::TYPE, false),
            ("picture", "mirror/media/v1/Settings", false),
            ("picture", "", false),
        ] {
            assert_eq!(is_image_path(port, message_type), expected, "{port} {message_type}");
        }
    }
}
