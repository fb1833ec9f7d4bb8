//! Brings the painted latent back to pixels, and lays it over the camera's picture.
//!
//! | port | message | shape |
//! |---|---|---|
//! | in `denoised` | Latent | `[1, channels, height, width]` f32, times the scaling factor |
//! | in `source` | Frame | `[height × 8, width × 8, 3]` u8: the picture that it was made from |
//! | in `settings` | Settings | `opacity` |
//! | out `picture` | Frame | `[height × 8, width × 8, 3]` u8 |

pub mod compose;
pub mod config;
pub mod decode;
pub mod node;

pub use node::run;
