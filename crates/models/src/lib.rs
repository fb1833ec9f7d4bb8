//! Model packs: directories in the diffusers ONNX layout.
//!
//! ```text
//! starter/
//!   scheduler/scheduler_config.json   betas, prediction type, timestep spacing
//!   tokenizer/                        tokenizer.json, or CLIP's vocab.json and merges.txt
//!   text_encoder/model.onnx           input_ids → last_hidden_state
//!   text_encoder_2/, tokenizer_2/     only SDXL's shape: input_ids → text_embeds, hidden_states.N
//!   unet/model.onnx                   sample, timestep, encoder_hidden_states → out_sample
//!   vae_encoder/model.onnx            sample → latent_sample
//!   vae_decoder/model.onnx            latent_sample → sample
//!   model_index.json                  optional: what no negative prompt means
//!   mirror.toml                       optional: the processors that the pack offers
//! ```
//!
//! Nothing is assumed that a pack can say: channels, scaling factor, widths and token count are read from it.

pub mod installed;
pub mod pack;
pub mod processor;

mod shapes;
mod widths;

pub use installed::Installed;
pub use pack::{Pack, Part};
pub use processor::Processor;
