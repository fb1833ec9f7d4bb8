//! Encoder, diffusion and decoder in one process.
//!
//! | port | message | shape |
//! |---|---|---|
//! | in `frame` | Frame | `[height, width, 3]` u8, any size |
//! | in `frame_2` | Frame | the same, of a second camera |
//! | in `frame_web` | Frame | the same, of visitors |
//! | in `embedding` | Embedding | `[2, tokens, width]` f32: the prompt's row and the negative prompt's |
//! | in `settings` | Settings | all that encoder, diffusion and decoder go by |
//! | out `picture` | Frame | `[size, size, 3]` u8 |
//! | out `taken` | Taken | a visitor's picture was taken up, the next one may come |

pub mod config;
pub mod easel;
pub mod node;
pub mod prompts;
pub mod repaint;
pub mod way;

pub use node::run;
