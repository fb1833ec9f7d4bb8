//! The window.
//!
//! Pictures `[height, width, 3]` u8 RGB come in; each is fitted into the window and shown at once. How old it is then,
//! what each stage took and what was dropped goes to the log every five seconds, and on the picture if asked for.
//!
//! | module | holds |
//! |---|---|
//! | [`config`] | the configuration |
//! | [`paint`] | fitting a picture into a window's pixels |
//! | [`overlay`] | the figures as a line for the log and as text for the window |
//! | [`window`] | the window itself: opening, keys, full screen |
//! | [`monitor`] | where the screens are |
//! | [`view`] | what is in the window: picture, figures, notice |
//! | [`node`] | ports and event loop |

pub mod config;
pub mod monitor;
pub mod node;
pub mod overlay;
pub mod paint;
pub mod view;
pub mod window;

pub use node::run;
