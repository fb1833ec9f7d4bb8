//! Real-Time LCM's clients: their sockets and pictures, as one of our streams each.
//!
//! | module | holds |
//! |---|---|
//! | [`visitors`] | who is connected |
//! | [`talk`] | a socket's conversation |
//! | [`routes`] | the addresses |

pub mod routes;
mod talk;
mod visitors;

pub use routes::{document, routes};
pub use visitors::Visitors;
