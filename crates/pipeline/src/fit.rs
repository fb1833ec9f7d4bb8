//! How a picture of any shape becomes one that a pack takes, and how what was painted becomes a picture of that shape.

use eyre::Result;
use mirror_imaging::{Image, Region};
use std::fmt;
use std::str::FromStr;

/// What happens to a picture that is no square.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fit {
    /// The whole picture in its own ratio: its longer side becomes `size`. What is painted is a little larger, so that
    /// its sides can be divided as the pack needs; the edges are repeated there, and cut off again.
    #[default]
    Keep,
    /// The largest square in its middle: what the mirror does with a camera.
    Crop,
    /// As [`Keep`](Self::Keep), but what is painted is a square: for packs that take nothing else.
    Pad,
    /// The whole picture, squeezed into a square.
    Stretch,
}

impl Fit {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Keep, Self::Crop, Self::Pad, Self::Stretch];

    /// Its name: `keep`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Crop => "crop",
            Self::Pad => "pad",
            Self::Stretch => "stretch",
        }
    }

    /// Where a `[height, width]` picture goes when the pack wants sides that `multiple` divides.
    #[must_use]
    pub fn place(self, shape: [usize; 2], size: usize, multiple: usize) -> Place {
        let square = Place { region: Region::whole(shape), drawn: [size; 2], canvas: [size; 2], mirror: false };
        match self {
            Self::Stretch => square,
            Self::Crop => Place { region: Region::middle(shape), ..square },
            Self::Pad => Place { drawn: within(shape, size), ..square },
            Self::Keep => {
                let drawn = within(shape, size);
                let canvas = drawn.map(|side| side.max(LEAST).next_multiple_of(multiple.max(1)));
                Place { drawn, canvas, ..square }
            }
        }
    }
}

/// Least side that is painted: a UNet of the SD family halves a latent three times, and eight pixels are one latent.
const LEAST: usize = 64;

/// The size of a picture whose longer side is `size`.
fn within([height, width]: [usize; 2], size: usize) -> [usize; 2] {
    let longer = height.max(width).max(1) as f64;
    [height, width].map(|side| ((side as f64 * size as f64 / longer).round() as usize).max(1))
}

impl fmt::Display for Fit {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Fit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|fit| fit.name() == text);
        found.ok_or_else(|| format!("{text:?} is not keep, crop, pad or stretch"))
    }
}

/// Where a picture goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The part of the picture that is taken.
    pub region: Region,
    /// Rows and columns that it has on the canvas, in its middle.
    pub drawn: [usize; 2],
    /// Rows and columns that are painted.
    pub canvas: [usize; 2],
    /// Left and right are swapped.
    pub mirror: bool,
}

impl Place {
    /// First row and column of the picture on the canvas.
    fn corner(&self) -> [usize; 2] {
        [(self.canvas[0] - self.drawn[0]) / 2, (self.canvas[1] - self.drawn[1]) / 2]
    }

    /// The picture on the canvas; around it its edges are repeated.
    ///
    /// # Errors
    /// A picture without pixels, or whose pixels are not those of its shape.
    pub fn lay(&self, picture: &Image) -> Result<Image> {
        let drawn = picture.resized(self.region, self.drawn, self.mirror)?;
        Ok(if self.drawn == self.canvas { drawn } else { drawn.padded(self.corner(), self.canvas)? })
    }

    /// The picture without what is around it.
    ///
    /// # Errors
    /// A canvas of another shape.
    pub fn cut(&self, canvas: Image) -> Result<Image> {
        if self.drawn == self.canvas {
            return Ok(canvas);
        }
        let ([top, left], [height, width]) = (self.corner(), self.drawn);
        Ok(canvas.resized(Region { top, left, height, width }, self.drawn, false)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gradient([height, width]: [usize; 2]) -> Image {
        let pixels = (0..height * width * 3).map(|at| (at * 7 % 251) as u8).collect();
        Image::new([height, width], pixels).expect("as many as the shape has")
    }

    #[test]
    fn a_picture_keeps_its_ratio_and_its_longer_side_becomes_the_size() {
        let place = Fit::Keep.place([300, 451], 512, 8);
        assert_eq!((place.drawn, place.canvas), ([341, 512], [344, 512]));
        let place = Fit::Keep.place([451, 300], 512, 8);
        assert_eq!((place.drawn, place.canvas), ([512, 341], [512, 344]));
        let place = Fit::Keep.place([64, 64], 256, 8);
        assert_eq!((place.drawn, place.canvas), ([256, 256], [256, 256]));
    }

    #[test]
    fn a_picture_that_is_almost_a_line_is_painted_large_enough_and_stays_one() {
        let place = Fit::Keep.place([3, 4000], 512, 8);
        assert_eq!((place.drawn, place.canvas), ([1, 512], [64, 512]));
        let line = gradient([3, 4000]);
        let cut = place.cut(place.lay(&line).expect("it fits")).expect("its own canvas");
        assert_eq!(cut.shape(), [1, 512]);
    }

    #[test]
    fn the_square_ways_paint_a_square() {
        assert_eq!(Fit::Crop.place([300, 450], 256, 8).region, Region { top: 0, left: 75, height: 300, width: 300 });
        assert_eq!(Fit::Stretch.place([300, 450], 256, 8).drawn, [256, 256]);
        let place = Fit::Pad.place([300, 450], 256, 8);
        assert_eq!((place.drawn, place.canvas), ([171, 256], [256, 256]));
    }

    #[test]
    fn what_is_laid_on_the_canvas_is_cut_out_of_it_unchanged() {
        let picture = gradient([171, 256]);
        for fit in [Fit::Keep, Fit::Pad] {
            let place = fit.place(picture.shape(), 256, 8);
            let canvas = place.lay(&picture).expect("it fits");
            assert_eq!(canvas.shape(), place.canvas);
            assert_eq!(place.cut(canvas).expect("its own canvas"), picture, "{fit}");
        }
    }

    #[test]
    fn every_way_has_a_name_and_others_are_refused_with_them() {
        for fit in Fit::ALL {
            assert_eq!(fit.name().parse(), Ok(fit));
        }
        let error = "fill".parse::<Fit>().expect_err("no such way");
        assert_eq!(error, "\"fill\" is not keep, crop, pad or stretch");
    }
}
