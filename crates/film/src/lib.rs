//! Films of what the mirror shows: `mirror.mp4`.
//!
//! The demo's recorder gives [`Video`] its pictures. The program `film` takes those of a running mirror from its page, as a
//! browser does, so that no node of the mirror has anything to do with it: `mirror record --mp4` and the page's button start it.
//!
//! | module | holds |
//! |---|---|
//! | [`video`] | the film, encoded in a thread of its own, which ends before the disk is full |
//! | [`pace`] | which picture stands at which place of a film of constant rate |
//! | [`stream`] | a page's stream of pictures, taken apart |
//! | [`viewer`] | the program: from the page to the file |
//! | [`date`] | times as people write them |

pub mod date;
pub mod pace;
pub mod stream;
pub mod video;
pub mod viewer;

pub use mirror_kit::disk::Room;
pub use video::{Film, Video, choose_encoder_options};
