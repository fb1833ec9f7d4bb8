//! Writes messages of the graph into MCAP files: whatever is connected to it, on as many inputs as there are.
//!
//! A message is copied out of its sender's shared memory and waits for the disk in a queue of so many bytes; when that is
//! full, messages are dropped and counted. So the disk never slows the picture, and the picture never waits.
//!
//! | module | holds |
//! |---|---|
//! | [`config`] | the configuration |
//! | [`backlog`] | the queue between the graph and the disk |
//! | [`write`] | the thread that writes, and how far it is |
//! | [`node`] | ports and event loop |

pub mod backlog;
pub mod config;
pub mod node;
pub mod write;

pub use node::run;
