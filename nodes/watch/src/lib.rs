//! Finds a stage that hangs, and has it started again: one that has something to do and puts nothing out for so long, that
//! does not come back from what it took up, or whose process stands still. dora sees a process that ends, and not one that does nothing any more.
//!
//! | module | holds |
//! |---|---|
//! | [`busy`] | who does not come back |
//! | [`config`] | the configuration |
//! | [`graph`] | whose output is whose input |
//! | [`hang`] | who hangs |
//! | [`search`] | all of it together |
//! | [`still`] | the processes: which stand still, what they tell, how they are ended |
//! | [`node`] | ports and event loop |

pub mod busy;
pub mod config;
pub mod graph;
pub mod hang;
pub mod node;
pub mod search;
pub mod still;

pub use node::run;
