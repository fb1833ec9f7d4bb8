//! What comes to a node: a message, nothing, or the end.

use dora_node_api::{DoraArray, MetadataParameters};
use mirror_contract::{ContractError, Message};

/// A message that came in.
pub struct Input {
    /// The input's name in the dataflow.
    pub port: String,
    /// Its payload, in the sender's shared memory if it is large.
    pub data: DoraArray,
    /// Its metadata.
    pub parameters: MetadataParameters,
    /// When the node took it up: nanoseconds since the Unix epoch.
    pub received_ns: i64,
}

impl Input {
    /// Reads the message.
    ///
    /// # Errors
    /// A message that breaks the contract.
    pub fn decode<M: Message>(&self) -> Result<M, ContractError> {
        M::decode(&self.data, &self.parameters)
    }
}

/// What a node that also waits for something else finds when it looks at its inputs.
pub enum Next {
    /// A message.
    Input(Input),
    /// Nothing has come.
    Nothing,
    /// The mirror stops.
    Stop,
}

/// What has woken a node that waits for the graph and for something else at once.
pub enum Woken<T> {
    /// The graph.
    Graph(Next),
    /// The other thing.
    Other(T),
}
