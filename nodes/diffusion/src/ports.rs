//! The ports.

use mirror_contract::{Embedding, Latent, Message, Notice, Readiness, Settings, Taken};
use mirror_kit::node::{FINISHED, NOTICE, TAKEN};
use mirror_stage::READINESS;

/// The pictures in the latent space.
pub const LATENT: &str = "latent";
/// The prompts as the UNet reads them.
pub const EMBEDDING: &str = "embedding";
/// The settings of all streams.
pub const SETTINGS: &str = "settings";
/// The painted latents.
pub const DENOISED: &str = "denoised";
/// All inputs, with the types of their messages.
pub const INPUTS: &[(&str, &str)] = &[
    (LATENT, Latent::TYPE),
    (EMBEDDING, Embedding::TYPE),
    (SETTINGS, Settings::TYPE),
    (TAKEN, Taken::TYPE),
    (FINISHED, Taken::TYPE),
];
/// All outputs, with the types of their messages.
pub const OUTPUTS: &[(&str, &str)] =
    &[(DENOISED, Latent::TYPE), (TAKEN, Taken::TYPE), (READINESS, Readiness::TYPE), (NOTICE, Notice::TYPE)];
