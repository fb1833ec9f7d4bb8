//! Takes a camera's picture to the square that the model wants: `[height, width, 3]` → `[size, size, 3]`.
//!
//! | | shape | type, range |
//! |---|---|---|
//! | in | `[height, width, 3]`, RGB, rows from the top | u8 |
//! | out | `[size, size, 3]`, RGB, rows from the top | u8 |
//!
//! A pure function of one picture and the settings `size` and `mirror`. Where nobody needs that picture, only the tensor that a model
//! reads, both are made in one pass.

use crate::{ImagingError, Square};
use thiserror::Error;

/// A picture that cannot be taken to a square.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("preprocess: {0}")]
pub struct PreprocessError(#[from] ImagingError);

/// The stage. It keeps the plan for the last geometry: a camera and its settings rarely change theirs.
#[derive(Debug, Default)]
pub struct Preprocess {
    plan: Option<Square>,
}

impl Preprocess {
    /// Crops the middle of `source` (`[height, width, 3]` u8) to a square, resizes it to `size` rows and columns, and
    /// swaps left and right if `mirror` says so. The caller lends `into`: `[size, size, 3]` u8, which may lie in the
    /// shared memory that is sent. A picture that is right already is copied.
    ///
    /// # Errors
    /// A height, width or size of 0; a buffer whose length is not that of its shape.
    pub fn apply(
        &mut self,
        source: &[u8],
        [height, width]: [usize; 2],
        size: usize,
        mirror: bool,
        into: &mut [u8],
    ) -> Result<(), PreprocessError> {
        Ok(self.plan([height, width], size, mirror)?.apply(source, into)?)
    }

    /// As [`apply`](Self::apply), into the tensor that a model reads: `[3, size, size]` f32 in `[-1, 1]`, bit for bit what
    /// [`normalise`](crate::normalise) makes of the picture.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub fn normalise(
        &mut self,
        source: &[u8],
        shape: [usize; 2],
        size: usize,
        mirror: bool,
        tensor: &mut [f32],
    ) -> Result<(), PreprocessError> {
        Ok(self.plan(shape, size, mirror)?.normalise(source, tensor)?)
    }

    fn plan(&mut self, shape: [usize; 2], size: usize, mirror: bool) -> Result<&mut Square, ImagingError> {
        let plan = match self.plan.take() {
            Some(plan) if plan.fits(shape, size, mirror) => plan,
            _ => Square::new(shape, size, mirror)?,
        };
        Ok(self.plan.insert(plan))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(source: &[u8], shape: [usize; 2], size: usize, mirror: bool) -> Result<Vec<u8>, PreprocessError> {
        let mut into = vec![0; size * size * 3];
        Preprocess::default().apply(source, shape, size, mirror, &mut into)?;
        Ok(into)
    }

    #[test]
    fn a_picture_that_is_right_already_is_copied() {
        let picture: Vec<u8> = (0..12).collect();
        assert_eq!(applied(&picture, [2, 2], 2, false), Ok(picture));
    }

    #[test]
    fn the_middle_is_taken_and_mirrored() {
        let picture: Vec<u8> = [1, 2, 3, 4, 5, 6, 7, 8].iter().flat_map(|value| [*value; 3]).collect();
        let expected: Vec<u8> = [3, 2, 7, 6].iter().flat_map(|value| [*value; 3]).collect();
        assert_eq!(applied(&picture, [2, 4], 2, true), Ok(expected));
    }

    #[test]
    fn a_change_of_geometry_changes_the_plan() {
        let mut stage = Preprocess::default();
        for (shape, size, mirror) in [([2, 4], 2, true), ([4, 2], 2, true), ([4, 2], 3, true), ([4, 2], 3, false)] {
            let source: Vec<u8> = (0..24).collect();
            let mut into = vec![0; size * size * 3];
            stage.apply(&source, shape, size, mirror, &mut into).expect("a shape");
            assert_eq!(Ok(&into), applied(&source, shape, size, mirror).as_ref());
            let (mut tensor, mut expected) = (vec![0.0; into.len()], vec![0.0; into.len()]);
            stage.normalise(&source, shape, size, mirror, &mut tensor).expect("a shape");
            crate::normalise(&into, &mut expected).expect("lengths agree");
            assert_eq!(tensor, expected);
        }
    }

    #[test]
    fn buffers_that_do_not_fit_are_refused_by_name() {
        let mut stage = Preprocess::default();
        let error = stage.apply(&[0; 12], [2, 2], 2, false, &mut [0; 11]).expect_err("too short");
        assert_eq!(error.to_string(), "preprocess: the square must hold 12 values, it holds 11");
        let error = stage.normalise(&[0; 12], [2, 2], 2, false, &mut [0.0; 11]).expect_err("too short");
        assert_eq!(error.to_string(), "preprocess: the tensor must hold 12 values, it holds 11");
        let error = stage.apply(&[0; 9], [2, 2], 2, false, &mut [0; 9]).expect_err("both too short");
        assert_eq!(error.to_string(), "preprocess: the source must hold 12 values, it holds 9");
        assert!(stage.apply(&[], [0, 0], 0, false, &mut []).is_err());
    }
}
