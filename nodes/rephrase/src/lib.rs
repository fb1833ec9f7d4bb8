//! Turns what was said into a description for the painter.
//!
//! | port | message | shape |
//! |---|---|---|
//! | in `prompt` | Prompt | what somebody said |
//! | out `prompt` | Prompt | what is to be painted |
//! | out `notice` | Notice | `painting "…"`; what is not painted, and what took too long |
//!
//! | module | holds |
//! |---|---|
//! | [`config`] | the configuration |
//! | [`gguf`] | language models in GGUF: everything that llama.cpp would trip over is found before |
//! | [`answer`] | what a language model does, whichever it is; the bounds of its answer |
//! | [`system`] | the instructions, in a file that may be edited while the mirror runs |
//! | [`policy`] | what is not painted |
//! | [`rephrase`] | all of it together: one wish in, one verdict out |
//! | [`node`] | ports and event loop |
//!
//! llama.cpp itself is in the program, `src/llama.rs`: see `Cargo.toml`.

pub mod answer;
pub mod config;
pub mod gguf;
pub mod node;
pub mod policy;
pub mod rephrase;
pub mod system;

pub use node::run;
