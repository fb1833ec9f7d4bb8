//! Paints: noise, UNet, scheduler.
//!
//! | port | message | shape |
//! |---|---|---|
//! | in `latent` | Latent | `[1, channels, height, width]` f32, times the scaling factor |
//! | in `embedding` | Embedding | `[2, tokens, width]` f32: the prompt's row and the negative prompt's |
//! | in `settings` | Settings | `strength`, `steps`, `guidance_scale`, `seed`, `fixed_seed`, `text_to_image`, `passthrough`, `prompt_fade_ms` |
//! | out `denoised` | Latent | as `latent` |

pub mod condition;
pub mod config;
pub mod fade;
pub mod memory;
pub mod node;
pub mod paint;
pub mod ports;

pub use node::run;
