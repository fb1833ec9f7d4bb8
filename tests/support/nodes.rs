//! Every node of the house, as its own source declares it.

use mirror_contract::{Frame, Message, Taken};
use mirror_kit::Key;

/// Ports: name and message type; a timer has none.
pub type Ports = &'static [(&'static str, &'static str)];

/// A node as its crate declares it.
pub struct Declared {
    /// Folder, crate, binary and usual id.
    pub name: &'static str,
    /// Its inputs.
    pub inputs: Ports,
    /// Its outputs.
    pub outputs: Ports,
    /// Its configuration.
    pub keys: &'static [Key],
}

macro_rules! declared {
    ($($node:ident),*) => {
        &[$(Declared {
            name: stringify!($node),
            inputs: $node::node::INPUTS,
            outputs: $node::node::OUTPUTS,
            keys: $node::config::KEYS,
        }),*]
    };
}

/// Operators that are no crates, as a dataflow file names them: their source.
pub const OPERATORS: &[Declared] = &[Declared {
    name: "operators/posterise.py",
    inputs: &[("picture", Frame::TYPE)],
    outputs: &[("picture", Frame::TYPE), ("taken", Taken::TYPE)],
    keys: &[],
}];

/// All nodes. A folder under `nodes/` that is missing here fails a test.
pub const NODES: &[Declared] = declared!(
    camera, chat, control, decoder, diffusion, display, embed, encoder, fused, microphone, operator, recorder,
    rephrase, replay, stt, tape, vad, watch, web
);
