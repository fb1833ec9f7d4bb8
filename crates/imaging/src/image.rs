//! A picture that owns its pixels.

use crate::CHANNELS;
use crate::error::{ImagingError, check};
use crate::resize::{Region, Resize};

/// A picture: `[height, width, 3]` u8, RGB, rows from the top.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Image {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// `height × width × 3` bytes.
    pub pixels: Vec<u8>,
}

impl Image {
    /// A picture of those pixels, `[height, width, 3]` u8.
    ///
    /// # Errors
    /// Another number of bytes than the shape says.
    pub fn new([height, width]: [usize; 2], pixels: Vec<u8>) -> Result<Self, ImagingError> {
        check("the picture", pixels.len(), height * width * CHANNELS)?;
        Ok(Self { height, width, pixels })
    }

    /// A picture of one colour.
    #[must_use]
    pub fn plain([height, width]: [usize; 2], colour: [u8; CHANNELS]) -> Self {
        Self { height, width, pixels: colour.repeat(height * width) }
    }

    /// Rows and columns.
    #[must_use]
    pub fn shape(&self) -> [usize; 2] {
        [self.height, self.width]
    }

    /// A part of the picture in another size, left and right swapped if `mirror` says so.
    ///
    /// # Errors
    /// As [`Resize::new`]; a picture whose pixels are not those of its shape.
    pub fn resized(&self, region: Region, result: [usize; 2], mirror: bool) -> Result<Self, ImagingError> {
        let mut plan = Resize::new(self.shape(), region, result, mirror)?;
        let mut pixels = vec![0; result[0] * result[1] * CHANNELS];
        plan.apply(&self.pixels, &mut pixels)?;
        Ok(Self { height: result[0], width: result[1], pixels })
    }

    /// The picture in a larger one, with `top` rows above it and `left` columns before it; what is new repeats its edges.
    ///
    /// # Errors
    /// A picture without pixels; a larger one that is not large enough.
    pub fn padded(&self, [top, left]: [usize; 2], [height, width]: [usize; 2]) -> Result<Self, ImagingError> {
        let room = self.height + top <= height && self.width + left <= width;
        if !room || self.height == 0 || self.width == 0 {
            return Err(ImagingError::WrongShape { height, width });
        }
        check("the picture", self.pixels.len(), self.height * self.width * CHANNELS)?;
        let mut pixels = Vec::with_capacity(height * width * CHANNELS);
        for row in 0..height {
            let row = row.saturating_sub(top).min(self.height - 1);
            for column in 0..width {
                let column = column.saturating_sub(left).min(self.width - 1);
                pixels.extend_from_slice(&self.pixels[CHANNELS * (row * self.width + column)..][..CHANNELS]);
            }
        }
        Ok(Self { height, width, pixels })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(shape: [usize; 2], values: &[u8]) -> Image {
        let pixels = values.iter().flat_map(|value| [*value; CHANNELS]).collect();
        Image::new(shape, pixels).expect("as many values as the shape has")
    }

    #[test]
    fn pixels_that_are_not_those_of_the_shape_are_refused() {
        let error = Image::new([2, 2], vec![0; 11]).expect_err("one too few").to_string();
        assert_eq!(error, "the picture must hold 12 values, it holds 11");
    }

    #[test]
    fn what_is_padded_repeats_the_edges() {
        let padded = grey([1, 2], &[1, 2]).padded([1, 1], [3, 4]).expect("there is room");
        assert_eq!(padded, grey([3, 4], &[1, 1, 2, 2, 1, 1, 2, 2, 1, 1, 2, 2]));
    }

    #[test]
    fn what_was_padded_can_be_cut_off_again() {
        let picture = grey([2, 3], &[1, 2, 3, 4, 5, 6]);
        let padded = picture.padded([1, 0], [4, 4]).expect("there is room");
        let region = Region { top: 1, left: 0, height: 2, width: 3 };
        assert_eq!(padded.resized(region, [2, 3], false), Ok(picture));
    }

    #[test]
    fn a_picture_that_does_not_fit_into_the_larger_one_is_refused() {
        assert!(grey([2, 2], &[0; 4]).padded([1, 0], [2, 4]).is_err());
        assert!(Image::default().padded([0, 0], [2, 2]).is_err());
    }
}
