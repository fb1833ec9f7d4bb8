//! The page: live picture, prompt, settings, figures.
//!
//! Pictures of one stream come in and go out to browsers, the newest one only; each is encoded once, and only while
//! somebody watches. What people set on the page is checked against the parameter table and goes out as an update.
//!
//! | module | holds |
//! |---|---|
//! | [`config`] | the configuration |
//! | [`check`] | settings from outside → accepted, or errors that name the range |
//! | [`form`] | the parameter table as JSON: the page builds its form from it |
//! | [`board`] | what the page shows besides the picture: settings, figures, notices |
//! | [`press`] | pictures → JPEG, on a thread of its own |
//! | [`site`] | what node and server share |
//! | [`routes`] | the addresses and what they answer |
//! | [`census`] | the nodes: which run, and what they use |
//! | [`meter`] | counters for Prometheus |
//! | [`traces`] | every picture's way, for OpenTelemetry |
//! | [`watching`] | the addresses for those who watch over the mirror |
//! | [`page`] | the files of the page |
//! | [`server`] | connections: limits, time-outs, the end |
//! | [`node`] | ports and event loop |

pub mod board;
pub mod census;
pub mod check;
pub mod config;
pub mod form;
pub mod meter;
pub mod node;
pub mod page;
pub mod press;
pub mod routes;
pub mod server;
pub mod site;
pub mod traces;
pub mod watching;

pub use node::run;
