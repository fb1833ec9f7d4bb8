//! Cuts sound into utterances: what somebody said, from the first word to the last.
//!
//! | port | message | shape |
//! |---|---|---|
//! | in `sound` | Audio | chunks of any length, 16 kHz |
//! | in `sound_web` | Audio | the same, of visitors |
//! | out `utterance` | Audio | one utterance, with its pre-roll; ends 100 ms after its last speech |
//! | out `notice` | Notice | what is wrong |
//!
//! | module | holds |
//! |---|---|
//! | [`config`] | the configuration |
//! | [`cut`] | where an utterance begins and ends |
//! | [`ears`] | an ear for each stream |
//! | [`floor`] | how loud it is when nobody speaks |
//! | [`speech`] | whether it sounds like somebody talking |
//! | [`detect`] | WebRTC's voice detector, and the others around it |
//! | [`node`] | ports and event loop |

pub mod config;
pub mod cut;
pub mod detect;
pub mod ears;
pub mod floor;
pub mod node;
pub mod speech;

pub use node::run;
