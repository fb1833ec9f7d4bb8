//! Live Diffusion: `/ws` with envelopes `{"type": …, "data": {…}}` and pictures as binary messages.
//!
//! A client sends pictures as often as it likes; one that comes while the one before is painted is dropped without a word.
//! For each painted one it gets `processed_frame` and then the JPEG.

mod heard;
mod rest;
mod settings;

pub use heard::{Heard, hear, said};
pub use rest::{Health, Load, Model, Models, Put, ServerStatus, System, Wrapped};
pub use settings::{changes, shown};
