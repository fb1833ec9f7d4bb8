//! Feeds recorded messages back into a graph: at the pace at which they came, or one after the other as fast as the
//! mirror paints them.
//!
//! A message goes out on the port whose name ends its topic, `camera/frame` on `frame`, if the graph connects that port.
//! What was captured then is captured now: times are those of the replay, numbers and contents those of the recording.
//! Settings that are not replayed come from `control` and go through this node, so that a graph needs one wiring for both.
//!
//! | module | holds |
//! |---|---|
//! | [`config`] | the configuration |
//! | [`play`] | which message is next, and where it goes |
//! | [`send`] | sending it when it is due, and listening meanwhile |
//! | [`stamp`] | the times of a message that is sent once more |
//! | [`ports`], [`node`] | ports; event loop |

pub mod config;
pub mod node;
pub mod play;
pub mod ports;
pub mod send;
pub mod stamp;

pub use node::run;
