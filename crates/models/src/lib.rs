//! Model packs: directories in the diffusers ONNX layout.
//!
//! ```text
//! starter/
//!   model_index.json
//!   scheduler/scheduler_config.json   betas, prediction type, timestep spacing
//!   tokenizer/                        tokenizer.json, or CLIP's vocab.json and merges.txt
//!   text_encoder/model.onnx           input_ids → last_hidden_state
//!   unet/model.onnx                   sample, timestep, encoder_hidden_states → out_sample
//!   vae_encoder/model.onnx            sample → latent_sample
//!   vae_decoder/model.onnx            latent_sample → sample
//!   mirror.toml                       optional: the processors that the pack offers
//! ```
//!
//! Nothing is assumed that a pack can say: channels, scaling factor, widths and token count are read from it.

pub mod installed;
pub mod pack;
pub mod processor;

pub use installed::Installed;
pub use pack::{Pack, Part};
pub use processor::Processor;
