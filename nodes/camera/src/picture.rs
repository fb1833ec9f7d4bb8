//! A picture on its way to the shared memory.

use crate::pattern;
use eyre::{Result, WrapErr, bail};
use opencv::core::{CV_8UC3, Mat, MatTraitConst, Size, Vec3b};
use opencv::imgproc;
use std::sync::Arc;

/// A picture as its feed has it. It becomes RGB only where it is sent from.
pub enum Picture {
    /// As OpenCV decodes: BGR. The buffer goes round between the thread and the event loop.
    Bgr(Mat),
    /// A picture that is shown again and again: `[height, width, 3]` u8, RGB.
    Still {
        /// `height × width × 3` bytes.
        pixels: Arc<[u8]>,
        /// `[height, width]`.
        shape: [usize; 2],
    },
    /// The test picture of that number.
    Pattern {
        /// Its number.
        number: u64,
        /// `[height, width]`.
        shape: [usize; 2],
    },
}

impl Default for Picture {
    fn default() -> Self {
        Self::Bgr(Mat::default())
    }
}

impl Picture {
    /// `[height, width]`.
    #[must_use]
    pub fn shape(&self) -> [usize; 2] {
        match self {
            Self::Bgr(mat) => [mat.rows(), mat.cols()].map(|axis| usize::try_from(axis).unwrap_or(0)),
            Self::Still { shape, .. } | Self::Pattern { shape, .. } => *shape,
        }
    }

    /// The buffer that OpenCV is to decode into: the one that is there, if there is one.
    pub fn mat(&mut self) -> &mut Mat {
        if !matches!(self, Self::Bgr(_)) {
            *self = Self::default();
        }
        match self {
            Self::Bgr(mat) => mat,
            Self::Still { .. } | Self::Pattern { .. } => unreachable!("it has just been made a Bgr"),
        }
    }

    /// Writes the picture where it is sent from: `[height, width, 3]` u8, RGB.
    ///
    /// # Errors
    /// A buffer of another length, or OpenCV's error.
    pub fn write(&self, into: &mut [u8]) -> Result<()> {
        let [height, width] = self.shape();
        if into.len() != height * width * 3 {
            bail!("a picture of {height}×{width} does not fit {} bytes", into.len());
        }
        match self {
            Self::Still { pixels, .. } => into.copy_from_slice(pixels),
            Self::Pattern { number, shape } => pattern::paint(*number, *shape, into),
            Self::Bgr(mat) => {
                let (rows, columns) = (mat.rows(), mat.cols());
                let mut rgb = Mat::new_rows_cols_with_bytes_mut::<Vec3b>(rows, columns, into)?;
                imgproc::cvt_color_def(mat, &mut rgb, imgproc::COLOR_BGR2RGB).wrap_err("BGR to RGB")?;
            }
        }
        Ok(())
    }
}

/// Where a picture that is larger than asked is reduced.
#[derive(Debug)]
pub struct Fit {
    longer: usize,
    shorter: usize,
    scratch: Mat,
}

impl Fit {
    /// Pictures are to be no larger than that, upright ones the other way round.
    #[must_use]
    pub fn new([height, width]: [usize; 2]) -> Self {
        Self { longer: height.max(width), shorter: height.min(width), scratch: Mat::default() }
    }

    /// Reduces a picture that is larger, keeping its proportions.
    ///
    /// # Errors
    /// A picture that is not 8-bit BGR, or OpenCV's error.
    pub fn reduce(&mut self, mat: &mut Mat) -> Result<()> {
        if mat.typ() != CV_8UC3 || mat.empty() {
            bail!("pictures of OpenCV's type {} cannot be used: they must be 8-bit colours", mat.typ());
        }
        let (rows, columns) = (mat.rows(), mat.cols());
        let (longer, shorter) = (f64::from(rows.max(columns)), f64::from(rows.min(columns)));
        let scale = (self.longer as f64 / longer).min(self.shorter as f64 / shorter);
        if scale < 1.0 {
            let reduced = |axis: i32| ((f64::from(axis) * scale).round() as i32).max(1);
            let size = Size::new(reduced(columns), reduced(rows));
            imgproc::resize(mat, &mut self.scratch, size, 0.0, 0.0, imgproc::INTER_AREA)?;
            std::mem::swap(mat, &mut self.scratch);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opencv::core::Scalar;

    fn mat(rows: i32, columns: i32) -> Mat {
        Mat::new_rows_cols_with_default(rows, columns, CV_8UC3, Scalar::new(1.0, 2.0, 3.0, 0.0)).expect("memory")
    }

    #[test]
    fn blue_green_red_becomes_red_green_blue_in_place() {
        let mut into = vec![0; 4 * 6 * 3];
        Picture::Bgr(mat(4, 6)).write(&mut into).expect("it fits");
        assert_eq!(into, [3, 2, 1].repeat(24));
    }

    #[test]
    fn a_buffer_of_another_length_is_refused() {
        assert!(Picture::Bgr(mat(4, 6)).write(&mut [0; 71]).is_err());
        assert!(Picture::Pattern { number: 0, shape: [4, 6] }.write(&mut [0; 73]).is_err());
    }

    #[test]
    fn a_picture_that_is_larger_is_reduced_in_proportion_and_a_smaller_one_left() {
        let mut fit = Fit::new([720, 1280]);
        for ((rows, columns), expected) in [
            ((2160, 3840), [720, 1280]),
            ((1920, 1080), [1280, 720]),
            ((1200, 1600), [720, 960]),
            ((48, 64), [48, 64]),
            ((1, 5000), [1, 1280]),
        ] {
            let mut picture = mat(rows, columns);
            fit.reduce(&mut picture).expect("8-bit colours");
            assert_eq!(Picture::Bgr(picture).shape(), expected);
        }
    }
}
