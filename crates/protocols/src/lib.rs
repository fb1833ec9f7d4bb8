//! What clients of other systems say to the mirror, and what they are answered.
//!
//! Three systems have clients that people already use: Real-Time LCM, Live Diffusion and DreamStream. Their messages are
//! read into settings of our own parameter table, and what the mirror has to say is put into their words. No sockets, no
//! clock, no threads: text in, values out. Whatever comes, the answer is a message of that protocol.
//!
//! | module | holds |
//! |---|---|
//! | [`realtime`] | Real-Time LCM: one socket a visitor, pictures go out as MJPEG |
//! | [`live`] | Live Diffusion: envelopes of `type` and `data`, pictures as binary frames |
//! | [`dream`] | DreamStream: broadcasters and viewers, pictures as data URLs |
//! | [`change`] | their values → values that the parameter table allows |
//! | [`picture`] | pictures in texts: Base64, data URLs |
//! | [`detail`] | errors of HTTP requests, in the form that all three have |

pub mod change;
pub mod detail;
pub mod dream;
pub mod live;
pub mod picture;
pub mod realtime;

pub use change::Changes;
