//! The terminal: what is typed or piped in becomes updates of the settings; what the mirror answers is printed.
//!
//! Not started by dora: people start it while the mirror runs, as often as they like. The commands are the rows of the
//! parameter table.
//!
//! | module | holds |
//! |---|---|
//! | [`config`] | the configuration |
//! | [`command`] | a line → what it asks for |
//! | [`talk`] | the conversation: what to send, what to print, what has been answered |
//! | [`lines`] | standard input, line by line |
//! | [`node`] | ports and event loop |

pub mod command;
pub mod config;
pub mod lines;
pub mod node;
pub mod talk;

pub use node::run;
