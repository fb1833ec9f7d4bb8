//! Brings the camera's picture into the pack's latent space.
//!
//! | port | message | shape |
//! |---|---|---|
//! | in `frame` | Frame | `[height, width, 3]` u8, any size |
//! | in `frame_2` | Frame | the same, of a second camera |
//! | in `frame_web` | Frame | the same, of visitors |
//! | in `settings` | Settings | `size`, `mirror` |
//! | in `wanted` | Wanted | somebody looks at a stream's source pictures |
//! | out `before` | Frame | as `source`, of streams at which somebody looks |
//! | out `source` | Frame | `[size, size, 3]` u8: the picture as the model sees it, where somebody needs it |
//! | out `taken` | Taken | a visitor's picture was taken up, the next one may come |
//! | out `latent` | Latent | `[1, channels, size/8, size/8]` f32, times the scaling factor |

pub mod config;
pub mod desk;
pub mod encode;
pub mod lookers;
pub mod node;
pub mod ports;
pub mod takers;

pub use node::run;
