//! The messages: one file each. Their Arrow types are written down in `types/mirror/media/v1.yml` as well.

pub mod audio;
pub mod embedding;
pub mod frame;
pub mod header;
pub mod latent;
pub mod notice;
pub mod prompt;
pub mod readiness;
pub mod settings;
pub mod taken;
pub mod wanted;

mod payload;

use crate::error::ContractError;
use dora_node_api::{DoraArray, MetadataParameters};

/// Something that flows along an edge of the graph.
pub trait Message: Sized {
    /// The type's name in the graph: `mirror/media/v1/Frame`.
    const TYPE: &'static str;

    /// Reads the message. Pixels and tensors keep pointing into the array's own buffer.
    ///
    /// # Errors
    /// A missing key, a wrong type, shape or length: named in the error.
    fn decode(data: &DoraArray, parameters: &MetadataParameters) -> Result<Self, ContractError>;

    /// The message as metadata and payload. Buffers are moved, not copied.
    fn encode(self) -> (MetadataParameters, DoraArray);
}
