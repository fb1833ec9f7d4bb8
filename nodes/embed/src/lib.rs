//! Turns the prompt of each stream into what the UNet reads.
//!
//! | port | message | shape |
//! |---|---|---|
//! | in `settings` | Settings | `prompt`, `negative_prompt` |
//! | out `embedding` | Embedding | `[2, tokens, width]` f32: the prompt's row and the negative prompt's; of SDXL's packs the pooled `[2, width]`, too |

pub mod config;
pub mod embed;
pub mod node;
pub mod text;
pub mod tokens;

pub use node::run;
