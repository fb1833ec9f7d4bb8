//! What flows through the graph, and what can be set.
//!
//! Every message is a plain struct that goes to and from an Arrow array plus dora metadata. Pixels and tensors are
//! Arrow buffers: what arrives in shared memory is read where it lies.
//!
//! | module | holds |
//! |---|---|
//! | [`keys`] | the names of all metadata keys |
//! | [`stamp`], [`trace`] | who and when a frame is; what each stage took |
//! | [`message`] | the [`Message`] trait, and one file a message |
//! | [`parameters`] | THE table of parameters: name, type, range, default, text |
//! | [`settings`] | one stream's values of that table, and partial updates of them |

pub mod error;
pub mod keys;
pub mod message;
pub mod parameters;
pub mod settings;
pub mod stamp;
pub mod trace;

mod metadata;

pub use dora_node_api::{DoraArray, MetadataParameters};
pub use error::ContractError;
pub use message::Message;
pub use message::audio::Audio;
pub use message::embedding::{Embedding, Pooled};
pub use message::frame::Frame;
pub use message::header::{Header, Painting};
pub use message::latent::Latent;
pub use message::notice::{Level, Notice};
pub use message::prompt::Prompt;
pub use message::readiness::Readiness;
pub use message::settings::SettingsUpdate;
pub use message::taken::Taken;
pub use message::wanted::Wanted;
pub use settings::{SettingError, Settings};
pub use stamp::{HOUSE, Stamp, VISITOR, now_ns};
pub use trace::{StageTime, Trace};
