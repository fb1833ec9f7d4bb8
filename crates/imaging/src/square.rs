//! The square that a model wants out of a camera's picture.

use crate::CHANNELS;
use crate::error::{ImagingError, check};
use crate::resize::{Region, Resize};

/// The plan that takes the largest square in the middle of a picture to a square of another size: see [`Resize`].
#[derive(Debug)]
pub struct Square {
    plan: Resize,
    source: [usize; 2],
    size: usize,
}

impl Square {
    /// Plans `[height, width, 3]` → `[size, size, 3]`.
    ///
    /// # Errors
    /// A height, a width or a size of 0, or so large that the picture cannot be addressed.
    pub fn new(source: [usize; 2], size: usize, mirror: bool) -> Result<Self, ImagingError> {
        Ok(Self { plan: Resize::new(source, Region::middle(source), [size; 2], mirror)?, source, size })
    }

    /// Whether this is the plan for that.
    #[must_use]
    pub fn fits(&self, source: [usize; 2], size: usize, mirror: bool) -> bool {
        self.plan.fits(source, Region::middle(source), [size; 2], mirror)
    }

    /// Carries the plan out: `source` is `[height, width, 3]` u8, `into` is `[size, size, 3]` u8.
    ///
    /// # Errors
    /// Buffers of other lengths.
    pub fn apply(&mut self, source: &[u8], into: &mut [u8]) -> Result<(), ImagingError> {
        check("the source", source.len(), self.source[0] * self.source[1] * CHANNELS)?;
        check("the square", into.len(), self.size * self.size * CHANNELS)?;
        self.plan.apply(source, into)
    }

    /// Carries the plan out into a tensor, `[3, size, size]` f32: see [`Resize::normalise`].
    ///
    /// # Errors
    /// Buffers of other lengths.
    pub fn normalise(&mut self, source: &[u8], tensor: &mut [f32]) -> Result<(), ImagingError> {
        self.plan.normalise(source, tensor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn squared(source: &[u8], shape: [usize; 2], size: usize, mirror: bool) -> Vec<u8> {
        let mut into = vec![0; size * size * CHANNELS];
        Square::new(shape, size, mirror).expect("a shape").apply(source, &mut into).expect("lengths agree");
        into
    }

    /// A grey picture, one byte a pixel.
    fn grey(values: &[u8]) -> Vec<u8> {
        values.iter().flat_map(|value| [*value; 3]).collect()
    }

    #[test]
    fn the_square_in_the_middle_is_taken() {
        let wide = grey(&[1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(squared(&wide, [2, 4], 2, false), grey(&[2, 3, 6, 7]));
        let tall = grey(&[1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(squared(&tall, [4, 2], 2, false), grey(&[3, 4, 5, 6]));
    }

    #[test]
    fn a_mirror_swaps_left_and_right() {
        let picture = grey(&[1, 2, 3, 4]);
        assert_eq!(squared(&picture, [2, 2], 2, true), grey(&[2, 1, 4, 3]));
    }

    #[test]
    fn a_picture_that_shrinks_is_averaged_not_skipped() {
        let board: Vec<u8> = (0..64 * 64).map(|at| if (at / 64 + at) % 2 == 0 { 255 } else { 0 }).collect();
        let small = squared(&grey(&board), [64, 64], 8, false);
        assert!(small.iter().all(|value| (126..=129).contains(value)), "{small:?}");
    }

    #[test]
    fn a_picture_that_grows_runs_smoothly_between_its_pixels() {
        let large = squared(&grey(&[0, 100, 0, 100]), [2, 2], 4, false);
        assert_eq!(large[..12], grey(&[0, 25, 75, 100]));
    }

    #[test]
    fn colours_do_not_mix() {
        let picture = [10, 20, 30].repeat(100 * 50);
        assert_eq!(squared(&picture, [50, 100], 33, true), [10, 20, 30].repeat(33 * 33));
    }

    #[test]
    fn a_picture_without_pixels_is_refused() {
        for (shape, size) in [([0, 4], 4), ([4, 0], 4), ([4, 4], 0), ([usize::MAX, 2], 4), ([2, 2], usize::MAX)] {
            assert!(Square::new(shape, size, false).is_err(), "{shape:?} {size}");
        }
    }

    #[test]
    fn buffers_of_other_lengths_are_refused_by_name() {
        let mut square = Square::new([2, 2], 2, false).expect("a shape");
        let error = square.apply(&[0; 11], &mut [0; 12]).expect_err("too short");
        assert_eq!(error.to_string(), "the source must hold 12 values, it holds 11");
        assert!(square.apply(&[0; 12], &mut [0; 13]).is_err());
    }
}
