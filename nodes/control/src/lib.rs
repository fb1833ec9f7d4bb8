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
//! | [`ports`], [`node`] | ports; event loop |

pub mod config;
pub mod ledger;
pub mod node;
pub mod page;
pub mod ports;
pub mod processors;

pub use node::run;
