//! The end of the demo graph.
//!
//! Pictures and what they were painted from come in, both `[height, width, 3]` u8 RGB; a list of prompts goes out, each
//! at its time. What happened is written down: `report.json`, `sheet.png`, `mirror.mp4`. Then the node ends.
//!
//! | module | holds |
//! |---|---|
//! | [`config`] | the configuration |
//! | [`schedule`] | which prompt is due when |
//! | [`statistics`] | frame rate, age, stage times and drops over the whole recording |
//! | [`spoken`] | what was said to the mirror, and how soon it was painted |
//! | [`shots`] | for each prompt a picture and what it was painted from |
//! | [`machine`] | what the recording ran on |
//! | [`report`] | the report as it is written |
//! | [`recording`] | all of these together |
//! | [`node`] | ports and event loop |

pub mod config;
pub mod machine;
pub mod node;
pub mod recording;
pub mod report;
pub mod schedule;
pub mod shots;
pub mod spoken;
pub mod statistics;

pub use node::run;
