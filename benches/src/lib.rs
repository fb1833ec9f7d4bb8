//! Measures the mirror: what the bare models could do at most, what the dataflow makes of it, and what a hop costs.
//!
//! | module | holds |
//! |---|---|
//! | [`limit`] | the pack's sessions in one process, without a dataflow |
//! | [`flow`] | small dataflows, really run, watched by the `probe` |
//! | [`shared`] | whether memory belongs to a shared mapping |
//! | [`table`] | the results as people read them |

pub mod flow;
pub mod limit;
pub mod shared;
pub mod table;
