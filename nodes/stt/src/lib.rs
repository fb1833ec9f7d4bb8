//! Writes down what was said.
//!
//! | port | message | shape |
//! |---|---|---|
//! | in `utterance` | Audio | what somebody said, 16 kHz |
//! | out `prompt` | Prompt | its words |
//! | out `notice` | Notice | `heard "…"`; which model |
//!
//! | module | holds |
//! |---|---|
//! | [`config`] | the configuration |
//! | [`ggml`] | whisper models in ggml format: everything that whisper.cpp would trip over is found before |
//! | [`hear`] | what a transcriber does, whichever it is; how an utterance is cut to its window |
//! | [`words`] | what of a transcript is words, and what nobody said |
//! | [`node`] | ports and event loop |
//!
//! whisper.cpp itself is in the program, `src/whisper.rs`: see `Cargo.toml`.

pub mod config;
pub mod ggml;
pub mod hear;
pub mod node;
pub mod words;

pub use node::run;
