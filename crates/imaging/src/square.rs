//! Centre crop, resize and mirror in one pass.

use crate::CHANNELS;
use crate::error::{ImagingError, check};
use crate::tensor::nearest;

/// The plan that takes a picture of one size to a square of another.
///
/// The largest square in the middle is resized with a triangle filter: bilinear when it grows, and as wide as a source
/// pixel's share when it shrinks, so that fine detail is averaged, not skipped. Same size, not mirrored: an exact copy.
#[derive(Debug)]
pub struct Square {
    /// `[height, width]` of the source.
    source: [usize; 2],
    /// Rows and columns of the result.
    size: usize,
    /// Where each row of the result comes from.
    rows: Taps,
    /// Where each column of the result comes from; in reverse order when mirrored.
    columns: Taps,
    /// One row of the result before its columns are resized: `crop × 3` values, and one that is only ever read along.
    row: Vec<f32>,
}

impl Square {
    /// Plans `[height, width, 3]` → `[size, size, 3]`.
    ///
    /// # Errors
    /// A height, a width or a size of 0, or so large that the picture cannot be addressed.
    pub fn new(source: [usize; 2], size: usize, mirror: bool) -> Result<Self, ImagingError> {
        let [height, width] = source;
        for [height, width] in [source, [size, size]] {
            let len = height.checked_mul(width).and_then(|pixels| pixels.checked_mul(CHANNELS));
            // An allocation cannot be longer than isize::MAX: neither can a slice.
            if len.is_none_or(|len| len == 0 || len > isize::MAX as usize) {
                return Err(ImagingError::WrongShape { height, width });
            }
        }
        let crop = height.min(width);
        let rows = Taps::new(crop, (height - crop) / 2, size);
        let mut columns = Taps::new(crop, 0, size);
        if mirror {
            columns.reverse();
        }
        Ok(Self { source, size, rows, columns, row: vec![0.0; crop * CHANNELS + 1] })
    }

    /// Whether this is the plan for that.
    #[must_use]
    pub fn fits(&self, source: [usize; 2], size: usize, mirror: bool) -> bool {
        self.source == source && self.size == size && self.columns.reversed == mirror
    }

    /// Carries the plan out: `source` is `[height, width, 3]` u8, `into` is `[size, size, 3]` u8.
    ///
    /// # Errors
    /// Buffers of other lengths.
    pub fn apply(&mut self, source: &[u8], into: &mut [u8]) -> Result<(), ImagingError> {
        let [height, width] = self.source;
        check("the source", source.len(), height * width * CHANNELS)?;
        check("the square", into.len(), self.size * self.size * CHANNELS)?;
        if self.source == [self.size; 2] && !self.columns.reversed {
            into.copy_from_slice(source);
            return Ok(());
        }
        self.carry_out(source, into);
        Ok(())
    }

    /// Carries it out in the widest vectors that this processor has: the same operations in the same order, so the same
    /// result.
    fn carry_out(&mut self, source: &[u8], into: &mut [u8]) {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has AVX2, which is all that the function asks for.
            return unsafe { self.carry_out_avx2(source, into) };
        }
        self.carry_out_anywhere(source, into);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn carry_out_avx2(&mut self, source: &[u8], into: &mut [u8]) {
        self.carry_out_anywhere(source, into);
    }

    // Always inlined: the body takes on the vector width of its caller.
    #[inline(always)]
    fn carry_out_anywhere(&mut self, source: &[u8], into: &mut [u8]) {
        let [height, width] = self.source;
        let len = self.row.len() - 1;
        let left = (width - height.min(width)) / 2 * CHANNELS;
        for (y, into) in into.chunks_exact_mut(self.size * CHANNELS).enumerate() {
            let (top, weights) = self.rows.of(y);
            let source = &source[top * width * CHANNELS + left..];
            mix_rows(source, width, weights, &mut self.row[..len]);
            self.columns.gather(&self.row, into);
        }
    }
}

/// The weighted mean of the first rows of `source`, which lie `width` pixels apart.
#[inline(always)]
fn mix_rows(source: &[u8], width: usize, weights: &[f32], row: &mut [f32]) {
    row.fill(0.0);
    // Up to four rows in one go: the sum is read and written once for all of them.
    for (group, weights) in weights.chunks(4).enumerate() {
        let source = &source[group * 4 * width * CHANNELS..];
        match *weights {
            [a, b, c, d] => add_rows(source, width, [a, b, c, d], row),
            [a, b, c] => add_rows(source, width, [a, b, c], row),
            [a, b] => add_rows(source, width, [a, b], row),
            [a] => add_rows(source, width, [a], row),
            _ => {}
        }
    }
}

#[inline(always)]
fn add_rows<const COUNT: usize>(source: &[u8], width: usize, weights: [f32; COUNT], row: &mut [f32]) {
    let rows: [&[u8]; COUNT] = std::array::from_fn(|tap| &source[tap * width * CHANNELS..][..row.len()]);
    for (at, sum) in row.iter_mut().enumerate() {
        for tap in 0..COUNT {
            *sum += f32::from(rows[tap][at]) * weights[tap];
        }
    }
}

/// For each position of the result: the first source position, and the weights of it and of those that follow.
#[derive(Debug)]
struct Taps {
    /// Weights of a position; the same number for all, so that the inner loop has one length.
    count: usize,
    starts: Vec<usize>,
    /// `count` for each position; they are not negative and their sum is 1.
    weights: Vec<f32>,
    reversed: bool,
}

impl Taps {
    /// `crop` source positions from `offset` on become `size` positions.
    fn new(crop: usize, offset: usize, size: usize) -> Self {
        let scale = crop as f64 / size as f64;
        let reach = scale.max(1.0);
        let first = |centre: f64| (((centre - reach + 0.5).floor().max(0.0)) as usize).min(crop - 1);
        let weight = |at: usize, centre: f64| (1.0 - (at as f64 + 0.5 - centre).abs() / reach).max(0.0);
        let centres = || (0..size).map(|position| (position as f64 + 0.5) * scale);
        let heavy = |centre| (first(centre)..crop).take_while(|at| weight(*at, centre) > 0.0).count();
        let count = centres().map(heavy).max().unwrap_or(0).max(1);
        let mut starts = Vec::with_capacity(size);
        let mut weights = Vec::with_capacity(size * count);
        for centre in centres() {
            let start = first(centre).min(crop - count);
            let sum: f64 = (start..start + count).map(|at| weight(at, centre)).sum();
            starts.push(offset + start);
            weights.extend((start..start + count).map(|at| (weight(at, centre) / sum) as f32));
        }
        Self { count, starts, weights, reversed: false }
    }

    fn of(&self, position: usize) -> (usize, &[f32]) {
        (self.starts[position], &self.weights[position * self.count..][..self.count])
    }

    fn reverse(&mut self) {
        self.starts.reverse();
        let count = self.count;
        self.weights.reverse();
        self.weights.chunks_exact_mut(count).for_each(<[f32]>::reverse);
        self.reversed = !self.reversed;
    }

    /// Resizes one row of pixels, which has one value more than they need.
    #[inline(always)]
    fn gather(&self, row: &[f32], into: &mut [u8]) {
        match self.count {
            1 => self.gather_count::<1>(row, into),
            2 => self.gather_count::<2>(row, into),
            3 => self.gather_count::<3>(row, into),
            4 => self.gather_count::<4>(row, into),
            5 => self.gather_count::<5>(row, into),
            6 => self.gather_count::<6>(row, into),
            _ => self.gather_any(row, into),
        }
    }

    /// As [`gather_any`](Self::gather_any), for a number of weights that the compiler can unroll.
    #[inline(always)]
    fn gather_count<const COUNT: usize>(&self, row: &[f32], into: &mut [u8]) {
        let (weights, _) = self.weights.as_chunks::<COUNT>();
        let (pixels, _) = into.as_chunks_mut::<CHANNELS>();
        for ((pixel, start), weights) in pixels.iter_mut().zip(&self.starts).zip(weights) {
            let values = &row[start * CHANNELS..][..COUNT * CHANNELS + 1];
            *pixel = mix(values, weights);
        }
    }

    #[inline(always)]
    fn gather_any(&self, row: &[f32], into: &mut [u8]) {
        let (pixels, _) = into.as_chunks_mut::<CHANNELS>();
        let weights = self.weights.chunks_exact(self.count);
        for ((pixel, start), weights) in pixels.iter_mut().zip(&self.starts).zip(weights) {
            let values = &row[start * CHANNELS..][..self.count * CHANNELS + 1];
            *pixel = mix(values, weights);
        }
    }
}

/// The weighted mean of as many pixels as there are weights. `values` has one value more than they need: four lanes at
/// a time are what a vector unit adds, and the fourth is thrown away.
#[inline(always)]
fn mix(values: &[f32], weights: &[f32]) -> [u8; CHANNELS] {
    let mut sum = [0.0f32; CHANNELS + 1];
    for (tap, weight) in weights.iter().enumerate() {
        let values = &values[tap * CHANNELS..][..CHANNELS + 1];
        for (sum, value) in sum.iter_mut().zip(values) {
            *sum += value * weight;
        }
    }
    let [red, green, blue, _] = sum.map(nearest);
    [red, green, blue]
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
