//! Crop, resize and mirror in one pass.

use crate::CHANNELS;
use crate::error::{ImagingError, check};
use crate::tensor::{fill, nearest};

/// The part of a picture that is looked at, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// First row.
    pub top: usize,
    /// First column.
    pub left: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl Region {
    /// The whole of a `[height, width]` picture.
    #[must_use]
    pub fn whole([height, width]: [usize; 2]) -> Self {
        Self { top: 0, left: 0, height, width }
    }

    /// The largest square in the middle of a `[height, width]` picture.
    #[must_use]
    pub fn middle([height, width]: [usize; 2]) -> Self {
        let side = height.min(width);
        Self { top: (height - side) / 2, left: (width - side) / 2, height: side, width: side }
    }
}

/// The plan that takes a part of a picture of one size to a picture of another.
///
/// It is resized with a triangle filter: bilinear when it grows, and as wide as a source pixel's share when it shrinks,
/// so that fine detail is averaged, not skipped. In its own size it is copied exactly, mirrored or not.
#[derive(Debug)]
pub struct Resize {
    /// `[height, width]` of the source.
    source: [usize; 2],
    region: Region,
    /// `[height, width]` of the result.
    result: [usize; 2],
    /// Where each row of the result comes from.
    rows: Taps,
    /// Where each column of the result comes from; in reverse order when mirrored.
    columns: Taps,
    /// One row of the result before its columns are resized: `width of the part × 3` values, and one that is only ever
    /// read along.
    row: Vec<f32>,
    /// One row of the result, on its way to a tensor.
    line: Vec<u8>,
}

impl Resize {
    /// Plans `[height, width, 3]`, of which the region is taken, → `result` rows and columns, left and right swapped if
    /// `mirror` says so.
    ///
    /// # Errors
    /// A height or a width of 0, or so large that the picture cannot be addressed; a region that is not in the picture.
    pub fn new(source: [usize; 2], region: Region, result: [usize; 2], mirror: bool) -> Result<Self, ImagingError> {
        for [height, width] in [source, [region.height, region.width], result] {
            let len = height.checked_mul(width).and_then(|pixels| pixels.checked_mul(CHANNELS));
            // An allocation cannot be longer than isize::MAX: neither can a slice.
            if len.is_none_or(|len| len == 0 || len > isize::MAX as usize) {
                return Err(ImagingError::WrongShape { height, width });
            }
        }
        let Region { top, left, height, width } = region;
        let ends = [top.checked_add(height), left.checked_add(width)];
        if ends.iter().zip(source).any(|(end, side)| end.is_none_or(|end| end > side)) {
            return Err(ImagingError::WrongShape { height, width });
        }
        let rows = Taps::new(height, top, result[0]);
        let mut columns = Taps::new(width, 0, result[1]);
        if mirror {
            columns.reverse();
        }
        let (row, line) = (vec![0.0; width * CHANNELS + 1], vec![0; result[1] * CHANNELS]);
        Ok(Self { source, region, result, rows, columns, row, line })
    }

    /// Whether this is the plan for that.
    #[must_use]
    pub fn fits(&self, source: [usize; 2], region: Region, result: [usize; 2], mirror: bool) -> bool {
        (self.source, self.region, self.result) == (source, region, result) && self.columns.reversed == mirror
    }

    /// Carries the plan out: `source` is `[height, width, 3]` u8, `into` has the rows and columns of the result.
    ///
    /// # Errors
    /// Buffers of other lengths.
    pub fn apply(&mut self, source: &[u8], into: &mut [u8]) -> Result<(), ImagingError> {
        let [height, width] = self.source;
        check("the source", source.len(), height * width * CHANNELS)?;
        check("the result", into.len(), self.result[0] * self.result[1] * CHANNELS)?;
        if self.keeps_size() {
            self.copy(source, into);
        } else {
            self.carry_out(source, 0, into);
        }
        Ok(())
    }

    /// Carries the plan out into a tensor: `[3, rows, columns]` f32, what [`normalise`](crate::normalise) makes of the picture that
    /// [`apply`](Self::apply) would write. Row by row, so that the picture itself never leaves the nearest cache.
    ///
    /// # Errors
    /// Buffers of other lengths.
    pub fn normalise(&mut self, source: &[u8], tensor: &mut [f32]) -> Result<(), ImagingError> {
        let ([height, width], [rows, columns]) = (self.source, self.result);
        check("the source", source.len(), height * width * CHANNELS)?;
        check("the tensor", tensor.len(), rows * columns * CHANNELS)?;
        let (red, others) = tensor.split_at_mut(rows * columns);
        let (green, blue) = others.split_at_mut(rows * columns);
        let mut line = std::mem::take(&mut self.line);
        let planes =
            red.chunks_exact_mut(columns).zip(green.chunks_exact_mut(columns)).zip(blue.chunks_exact_mut(columns));
        for (y, ((red, green), blue)) in planes.enumerate() {
            let planes = [red, green, blue];
            if !self.keeps_size() {
                self.carry_out(source, y, &mut line);
                fill(line.as_chunks().0, false, planes);
            } else {
                fill(self.part_of_row(source, y), self.columns.reversed, planes);
            }
        }
        self.line = line;
        Ok(())
    }

    /// A part in its own size: every weight is 1, so the filter would give the same pixels, only later.
    fn keeps_size(&self) -> bool {
        [self.region.height, self.region.width] == self.result
    }

    /// The pixels of the part in its own size that row `y` of the result is made of.
    fn part_of_row<'a>(&self, source: &'a [u8], y: usize) -> &'a [[u8; CHANNELS]] {
        let Region { top, left, width, .. } = self.region;
        source[((top + y) * self.source[1] + left) * CHANNELS..][..width * CHANNELS].as_chunks().0
    }

    /// Copies a part in its own size.
    fn copy(&self, source: &[u8], into: &mut [u8]) {
        for (y, into) in into.chunks_exact_mut(self.result[1] * CHANNELS).enumerate() {
            let (from, (into, _)) = (self.part_of_row(source, y), into.as_chunks_mut::<CHANNELS>());
            if self.columns.reversed {
                from.iter().rev().zip(into).for_each(|(from, into)| *into = *from);
            } else {
                into.copy_from_slice(from);
            }
        }
    }

    /// Carries it out, for as many rows as `into` has from row `first` of the result on, in the widest vectors that this processor
    /// has: the same operations in the same order, so the same result.
    fn carry_out(&mut self, source: &[u8], first: usize, into: &mut [u8]) {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has AVX2, which is all that the function asks for.
            return unsafe { self.carry_out_avx2(source, first, into) };
        }
        self.carry_out_anywhere(source, first, into);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn carry_out_avx2(&mut self, source: &[u8], first: usize, into: &mut [u8]) {
        self.carry_out_anywhere(source, first, into);
    }

    // Always inlined: the body takes on the vector width of its caller.
    #[inline(always)]
    fn carry_out_anywhere(&mut self, source: &[u8], first: usize, into: &mut [u8]) {
        let [_, width] = self.source;
        let len = self.row.len() - 1;
        let left = self.region.left * CHANNELS;
        for (y, into) in into.chunks_exact_mut(self.result[1] * CHANNELS).enumerate() {
            let (top, weights) = self.rows.of(first + y);
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

    /// A grey picture, one byte a pixel.
    fn grey(values: &[u8]) -> Vec<u8> {
        values.iter().flat_map(|value| [*value; 3]).collect()
    }

    fn resized(source: &[u8], shape: [usize; 2], region: Region, result: [usize; 2]) -> Vec<u8> {
        let mut into = vec![0; result[0] * result[1] * CHANNELS];
        Resize::new(shape, region, result, false).expect("a shape").apply(source, &mut into).expect("lengths agree");
        into
    }

    #[test]
    fn a_part_in_its_own_size_is_cut_out() {
        let picture = grey(&[1, 2, 3, 4, 5, 6, 7, 8, 9]);
        let region = Region { top: 1, left: 1, height: 2, width: 2 };
        assert_eq!(resized(&picture, [3, 3], region, [2, 2]), grey(&[5, 6, 8, 9]));
    }

    #[test]
    fn a_part_in_its_own_size_is_what_the_filter_makes_of_it() {
        let picture: Vec<u8> = (0..5 * 7 * CHANNELS).map(|at| (at * 37 % 251) as u8).collect();
        for mirror in [false, true] {
            let region = Region { top: 1, left: 2, height: 3, width: 4 };
            let mut plan = Resize::new([5, 7], region, [3, 4], mirror).expect("a shape");
            let [mut copied, mut filtered] = [vec![0; 3 * 4 * CHANNELS], vec![0; 3 * 4 * CHANNELS]];
            plan.apply(&picture, &mut copied).expect("lengths agree");
            plan.carry_out(&picture, 0, &mut filtered);
            assert_eq!(copied, filtered);
        }
    }

    #[test]
    fn the_tensor_is_that_of_the_picture_bit_for_bit() {
        let picture: Vec<u8> = (0..11 * 17 * CHANNELS).map(|at| (at * 37 % 251) as u8).collect();
        let region = Region { top: 1, left: 2, height: 9, width: 13 };
        // In its own size, smaller, larger, and one side of each.
        for result in [[9, 13], [4, 5], [20, 30], [9, 5], [30, 13]] {
            for mirror in [false, true] {
                let mut plan = Resize::new([11, 17], region, result, mirror).expect("a shape");
                let len = result[0] * result[1] * CHANNELS;
                let (mut seen, mut expected, mut tensor) = (vec![0; len], vec![0.0; len], vec![9.0; len]);
                plan.apply(&picture, &mut seen).expect("lengths agree");
                crate::normalise(&seen, &mut expected).expect("lengths agree");
                plan.normalise(&picture, &mut tensor).expect("lengths agree");
                assert_eq!(tensor, expected, "{result:?} {mirror}");
                assert!(plan.normalise(&picture, &mut tensor[1..]).is_err());
            }
        }
    }

    #[test]
    fn rows_and_columns_may_change_by_different_factors() {
        let picture = grey(&[0, 100, 0, 100]);
        assert_eq!(resized(&picture, [2, 2], Region::whole([2, 2]), [1, 4]), grey(&[0, 25, 75, 100]));
        assert_eq!(resized(&picture, [2, 2], Region::whole([2, 2]), [3, 1]), grey(&[50, 50, 50]));
    }

    #[test]
    fn a_part_that_is_not_in_the_picture_is_refused() {
        let region = |top, left| Region { top, left, height: 2, width: 2 };
        assert!(Resize::new([3, 3], region(1, 1), [2, 2], false).is_ok());
        for region in [region(2, 0), region(0, 2), region(usize::MAX, 0)] {
            assert!(Resize::new([3, 3], region, [2, 2], false).is_err(), "{region:?}");
        }
    }
}
