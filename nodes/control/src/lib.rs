//! The one owner of the settings.
//!
//! Updates of settings come in from everywhere (page, chat, recorder …); the whole settings of a stream go out, checked
//! against the parameter table, versioned, and said again every second for nodes that have just (re)started. What the
//! nodes have to say to people comes in as well and goes on to all screens.
//!
//! | module | holds |
//! |---|---|
//! | [`config`] | the configuration |
//! | [`processors`] | the ways of painting that the installed packs offer, and what choosing one sets |
//! | [`page`] | the settings of one stream, and those that wait for their pack to be opened |
//! | [`ledger`] | the settings of every stream: checks, merges, versions |
//! | [`visitors`] | visitors' streams: who is gone, and of whom is spoken when |
//! | [`memory`], [`state`], [`keeper`] | the settings over the end of this node: the file, what is in it, how it is written |
//! | [`ports`], [`node`] | ports; event loop |

pub mod config;
pub mod keeper;
pub mod ledger;
pub mod memory;
pub mod node;
pub mod page;
pub mod ports;
pub mod processors;
pub mod state;
pub mod visitors;

pub use node::run;
