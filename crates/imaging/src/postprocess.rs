//! Lays the painted picture over the camera's, as far as `opacity` says.
//!
//! | | shape | type, range |
//! |---|---|---|
//! | in: painted, source | `[size, size, 3]`, RGB, rows from the top | u8 |
//! | out | the same | u8 |
//!
//! A pure function of one painted picture, the picture that it was painted from, and the settings.

use crate::{ImagingError, blend};
use thiserror::Error;

/// Pictures that cannot be laid over each other.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("postprocess: {0}")]
pub struct PostprocessError(#[from] ImagingError);

/// Which picture came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// The painted one alone: fully opaque, or its source is gone.
    Painted,
    /// The painted one over the camera's.
    Both,
    /// The camera's alone: `passthrough`, or nothing is left of the painted one.
    Source,
}

/// Lays `painted` over `source`, both `[size, size, 3]` u8, into a buffer of the same length.
///
/// `opacity` is in `[0, 1]`: 1 shows the painted picture alone, 0 the camera's; what lies outside is taken as the
/// nearer end, NaN as 0. `passthrough` shows the camera's picture whatever the opacity. Without a `source` (the mirror
/// keeps only the last few) the painted picture stands alone; the answer says so.
///
/// # Errors
/// Pictures or a buffer of different lengths.
pub fn apply(
    painted: &[u8],
    source: Option<&[u8]>,
    opacity: f32,
    passthrough: bool,
    into: &mut [u8],
) -> Result<Shown, PostprocessError> {
    let opacity = match source {
        None => 1.0,
        Some(_) if passthrough => 0.0,
        Some(_) => opacity,
    };
    blend(painted, source.unwrap_or(painted), opacity, into)?;
    Ok(match opacity {
        opacity if opacity >= 1.0 => Shown::Painted,
        opacity if opacity > 0.0 => Shown::Both,
        _ => Shown::Source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAINTED: &[u8] = &[200, 100, 0];
    const SOURCE: &[u8] = &[100, 200, 50];

    fn applied(source: Option<&[u8]>, opacity: f32, passthrough: bool) -> (Vec<u8>, Shown) {
        let mut into = vec![7; PAINTED.len()];
        let shown = apply(PAINTED, source, opacity, passthrough, &mut into).expect("lengths agree");
        (into, shown)
    }

    #[test]
    fn opacity_mixes_the_two() {
        assert_eq!(applied(Some(SOURCE), 1.0, false), (PAINTED.to_vec(), Shown::Painted));
        assert_eq!(applied(Some(SOURCE), 0.5, false), (vec![150, 150, 25], Shown::Both));
        assert_eq!(applied(Some(SOURCE), 0.0, false), (SOURCE.to_vec(), Shown::Source));
    }

    #[test]
    fn passthrough_shows_the_camera_whatever_the_opacity() {
        assert_eq!(applied(Some(SOURCE), 1.0, true), (SOURCE.to_vec(), Shown::Source));
    }

    #[test]
    fn without_its_source_the_painted_picture_stands_alone() {
        assert_eq!(applied(None, 0.2, false), (PAINTED.to_vec(), Shown::Painted));
        assert_eq!(applied(None, 0.2, true), (PAINTED.to_vec(), Shown::Painted));
    }

    #[test]
    fn an_opacity_that_is_no_number_shows_the_camera() {
        assert_eq!(applied(Some(SOURCE), f32::NAN, false), (SOURCE.to_vec(), Shown::Source));
    }

    #[test]
    fn pictures_of_different_sizes_are_refused_by_name() {
        let error = apply(PAINTED, Some(&[1]), 0.5, false, &mut [0; 3]).expect_err("another size");
        assert_eq!(error.to_string(), "postprocess: the picture below must hold 3 values, it holds 1");
        assert!(apply(PAINTED, None, 0.5, false, &mut [0; 2]).is_err());
    }
}
