//! Recordings of the graph's messages: [MCAP](https://mcap.dev) files that Foxglove shows, and that come back bit for
//! bit.
//!
//! Every recorded output of a node is a topic, `camera/frame`. What is large is written as bytes that Foxglove knows (a
//! picture as `foxglove.RawImage`, a latent as a tensor), and beside it, on `camera/frame/stamp`, the message's metadata
//! as JSON; a text is one JSON object with both. A reader puts them together again.
//!
//! | module | holds |
//! |---|---|
//! | [`message`] | a message as it is recorded: topic, time, metadata, payload |
//! | [`parameters`] | dora's metadata ⇄ JSON, exactly |
//! | [`record`] | a message ⇄ the records of a file |
//! | [`schema`], [`proto`] | what the records look like, for programs that do not know Mirror |
//! | [`reel`] | writing: files of a size, an eye on the disk |
//! | [`reader`] | reading, file after file, also what was cut short |

pub mod message;
pub mod parameters;
pub mod proto;
pub mod reader;
pub mod record;
pub mod reel;
pub mod schema;

pub use message::{Payload, Taped};
pub use reader::Reader;
pub use record::Pictures;
pub use reel::{Limits, Reel};
