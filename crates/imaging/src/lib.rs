//! Kernels on pictures: pure, in the caller's buffers, without allocation once a plan is made.
//!
//! A picture is `[height, width, 3]` u8, RGB, rows from the top (HWC); a tensor is `[3, height, width]` f32 (CHW).
//!
//! | module | holds |
//! |---|---|
//! | [`image`] | a picture that owns its pixels |
//! | [`resize`] | crop, resize and mirror in one pass |
//! | [`square`] | the same, of the square in the middle |
//! | [`tensor`] | picture to tensor and back |
//! | [`blend`] | one picture laid over another |
//! | [`preprocess`], [`postprocess`] | what is done to a picture before it is painted, and after |
//! | [`text`] | captions, figures, notices on a picture |
//! | [`sheet`] | pictures side by side, captioned |

pub mod blend;
pub mod image;
pub mod postprocess;
pub mod preprocess;
pub mod resize;
pub mod sheet;
pub mod square;
pub mod tensor;
pub mod text;

mod error;

pub use blend::blend;
pub use error::ImagingError;
pub use image::Image;
pub use preprocess::Preprocess;
pub use resize::{Region, Resize};
pub use square::Square;
pub use tensor::{denormalise, normalise};

/// Colours of a pixel: red, green, blue.
pub const CHANNELS: usize = 3;
