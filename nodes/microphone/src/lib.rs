//! The sound of a microphone, or of WAV files in real time: 16 kHz, one channel, in even chunks.
//!
//! | output | message | when |
//! |---|---|---|
//! | `sound` | `[samples]` f32, −1 to 1, 16,000 a second | for each chunk, stamped with the stream, a number and the time of its first sample |
//! | `notice` | a line for people | the source in use; that it has vanished; that it is back; what of it cannot be read |
//!
//! The sound comes in a thread of its own: a device that hangs never keeps the mirror from stopping.
//!
//! | module | holds |
//! |---|---|
//! | [`config`] | the configuration |
//! | [`source`] | what `MICROPHONE_SOURCE` says |
//! | [`feed`] | devices, WAV files, nothing: each brings one stretch of sound after another |
//! | [`open`] | from a source to the feed that brings its sound |
//! | [`chunks`] | any rate to 16 kHz, in even chunks, each with its time |
//! | [`queue`] | where the thread leaves the chunks |
//! | [`listen`] | the thread: brings, paces, reopens (`mirror_kit::source`) |
//! | [`node`] | ports and event loop |

pub mod chunks;
pub mod config;
pub mod feed;
pub mod listen;
pub mod node;
pub mod open;
pub mod queue;
pub mod source;

pub use node::run;
