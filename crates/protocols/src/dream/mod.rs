//! DreamStream: `/ws/{broadcaster|viewer}/{stream_id}?processor_type=…`. A broadcaster sends pictures, viewers see the painted
//! ones, both as data URLs in JSON.

mod asked;
mod rest;
pub mod said;

pub use asked::{Ask, Role, hear};
pub use rest::{Health, Processors, Stream, Streams};

use serde_json::json;

/// Longest picture in a `frame` message, as text, in bytes.
pub const FRAME_MAX: usize = 1_900_000;
/// The prompt that a stream begins with.
pub const PROMPT: &str = "A painting in the style of van Gogh's 'Starry Night'";
/// The negative prompt that a stream begins with.
pub const NEGATIVE: &str = "ugly, deformed, disfigured, poor details, bad anatomy";
/// The strength that a stream begins with.
pub const STRENGTH: f64 = 0.9;
/// The two processors of its server. Here they stand for the packs that are installed.
pub const PROCESSORS: [&str; 2] = ["standard", "lightning"];
/// The one that paints where a client names none.
pub const PROCESSOR: &str = PROCESSORS[1];

/// The settings that a stream begins with. Its four steps are those of its models; here each processor has steps of its own.
#[must_use]
pub fn first() -> crate::Changes {
    let settings = json!({"prompt": PROMPT, "negative_prompt": NEGATIVE, "strength": STRENGTH});
    settings.as_object().cloned().unwrap_or_default()
}
