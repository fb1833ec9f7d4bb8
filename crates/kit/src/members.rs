//! The nodes of the dataflow, as its file has them.

use dora_node_api::DoraNode;

/// A node of the dataflow file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub id: String,
    /// People start it, not dora.
    pub is_dynamic: bool,
    /// The machine that it is for, where the file names one.
    pub machine: Option<String>,
    /// Its inputs, and what they come from: `picture`, `decoder/picture`.
    pub inputs: Vec<(String, String)>,
}

/// All nodes; none if the file cannot be read.
pub(crate) fn of(dora: &DoraNode) -> Vec<Member> {
    let nodes = dora.dataflow_descriptor().map(|file| file.nodes.as_slice()).unwrap_or_default();
    let members = nodes.iter().map(|node| {
        // An operator under dora's own runtime has its edges one level below.
        let operator = node.operator.iter().map(|operator| &operator.config);
        let operators = node.operators.iter().flat_map(|runtime| &runtime.operators).map(|operator| &operator.config);
        let below = operator.chain(operators).flat_map(|config| &config.inputs);
        let inputs = node.inputs.iter().chain(below);
        Member {
            id: node.id.to_string(),
            is_dynamic: node.path.as_deref() == Some("dynamic"),
            machine: node.deploy.as_ref().and_then(|deploy| deploy.machine.clone()),
            inputs: inputs.map(|(port, input)| (port.to_string(), input.mapping.to_string())).collect(),
        }
    });
    members.collect()
}
