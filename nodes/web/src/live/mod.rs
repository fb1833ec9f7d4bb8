//! Live Diffusion's clients: each socket is one of our streams.
//!
//! | module | holds |
//! |---|---|
//! | [`hall`] | who is connected, and the settings that a client begins with |
//! | [`talk`] | a socket's conversation |
//! | [`routes`] | the addresses |

mod hall;
pub mod routes;
mod talk;

pub use routes::{document, routes};
