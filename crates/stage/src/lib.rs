//! What the nodes that run a part of a pack share (`encoder`, `embed`, `diffusion`, `decoder`): several packs may be in use
//! at once, each stream paints with its own, and another one is opened while the picture goes on.
//!
//! How a stream comes to another pack: `control` names it in the settings (`next_pack`); each stage opens it in a thread
//! of its own and says so (`Readiness`); when all have, `control` puts it in force (`pack`). From then on the encoder makes
//! latents of it, and every stage goes by the pack that a latent names: no picture is of two packs.
//!
//! | module | holds |
//! |---|---|
//! | [`shelf`] | the packs that are open: a few, the one that was used longest ago makes room. Pure |
//! | [`stage`] | a node's part of all of them, the settings, and what it says to `control` |
//! | [`downscale`] | whether an autoencoder is what its configuration says |

pub mod downscale;
pub mod shelf;
pub mod stage;

pub use shelf::Shelf;
pub use stage::{Opens, READINESS, Stage};
