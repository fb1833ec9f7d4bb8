//! Takes pictures: the newest one of a camera, or those of a file at its own pace.
//!
//! | output | message | when |
//! |---|---|---|
//! | `frame` | `[height, width, 3]` u8, RGB | for each picture, stamped with the stream, a number and the time at which it was there |
//! | `notice` | a line for people | the source in use; that it has vanished; that it is back; what of it cannot be read |
//!
//! The pictures come in a thread of their own, which keeps only the newest one for the event loop: nothing queues, and
//! a source that hangs never keeps the mirror from stopping.
//!
//! | module | holds |
//! |---|---|
//! | [`config`] | the configuration |
//! | [`source`] | what `CAMERA_SOURCE` says |
//! | [`pace`] | which pictures are too many |
//! | [`pattern`] | the moving test picture |
//! | [`picture`] | a picture on its way to the shared memory |
//! | [`newest`] | where the thread leaves the newest picture |
//! | [`feed`] | cameras, films, still pictures, the test picture, what stands in for a camera: each brings one picture after another |
//! | [`open`] | from a source to the feed that brings its pictures |
//! | `auto` | the first camera that works, else the clip, until one does |
//! | [`grab`] | the thread: brings, paces, reopens (`mirror_kit::source`) |
//! | [`quiet`] | keeps the libraries below from writing lines of their own |
//! | [`node`] | ports and event loop |

mod auto;
pub mod config;
pub mod feed;
pub mod grab;
pub mod newest;
pub mod node;
pub mod open;
pub mod pace;
pub mod pattern;
pub mod picture;
pub mod quiet;
pub mod source;

pub use node::run;
