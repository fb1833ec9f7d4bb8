//! Measures the mirror: what the bare models could do at most, what the dataflow makes of it, and what a hop costs.
//!
//! | module | holds |
//! |---|---|
//! | [`limit`] | the pack's sessions in one process, without a dataflow |
//! | [`live`] | the whole mirror, measured from outside |
//! | [`chart`] | figures over time, drawn |
//! | [`flow`] | small dataflows, really run, watched by the `probe` |
//! | [`machine`] | what something was measured on, and when |
//! | [`shared`] | whether memory belongs to a shared mapping |
//! | [`table`] | the results as people read them |
//! | [`whole`] | the whole mirror: age, memory, start, a new prompt |

pub mod chart;
pub mod flow;
pub mod limit;
pub mod live;
pub mod machine;
pub mod shared;
pub mod table;
pub mod whole;
