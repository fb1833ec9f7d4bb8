//! DreamStream's clients: one of our streams for each name that somebody broadcasts.
//!
//! | module | holds |
//! |---|---|
//! | [`studio`] | the channels: who broadcasts, who views, how they are painted |
//! | [`broadcaster`], [`viewer`] | a socket's conversation |
//! | [`routes`] | the addresses |

mod broadcaster;
pub mod routes;
mod studio;
mod viewer;

pub use routes::{document, routes};
