//! Turns the prompt of each stream into what the UNet reads.
//!
//! | port | message | shape |
//! |---|---|---|
//! | in `settings` | Settings | `prompt`, `negative_prompt` |
//! | out `embedding` | Embedding | `[2, tokens, width]` f32: the prompt's row and the negative prompt's |

pub mod config;
pub mod embed;
pub mod node;
pub mod tokens;

pub use node::run;
