//! The moving test picture: a pure function of its number and its size.
//!
//! Colours run slowly across it, a disc goes round, and its number stands in a band of black and white cells along the
//! top of the square in the middle: whoever crops and resizes it can still read which picture it is.

use std::ops::Range;

/// Cells of the band, one bit each, the highest first: after 2²⁴ pictures (6 days at 30 fps) the numbers start again.
const CELLS: usize = 24;
/// Numbers are shown modulo this.
pub const NUMBERS: u64 = 1 << CELLS;
/// The pictures after which the disc has gone round once.
const ROUND: u64 = 120;
/// Brightness that parts white cells from black ones.
const MIDDLE: u8 = 128;

/// Paints picture `number` into `[height, width, 3]` u8, RGB. `into` must hold `height × width × 3` bytes; what it
/// holds beyond whole rows is left alone. A picture less than 24 wide or high has no band.
pub fn paint(number: u64, [height, width]: [usize; 2], into: &mut [u8]) {
    if height == 0 || width == 0 {
        return;
    }
    let square = height.min(width);
    let angle = (number % ROUND) as f32 / ROUND as f32 * std::f32::consts::TAU;
    let (sin, cos) = angle.sin_cos();
    let centre = (width as f32 / 2.0 + cos * square as f32 / 4.0, height as f32 / 2.0 + sin * square as f32 / 4.0);
    let radius = square as f32 / 8.0;
    let moved = (number % 256) as usize;
    // In 1/65536: a division for each pixel would take longer than all the rest.
    let slope = (255 << 16) / width;
    let band = square / CELLS;
    for (y, row) in into.chunks_exact_mut(width * 3).enumerate() {
        let green = (y * 255 / height) as u8;
        for (x, pixel) in row.as_chunks_mut::<3>().0.iter_mut().enumerate() {
            let red = (((x * slope) >> 16) + moved) as u8;
            *pixel = [red, green, 255 - red];
        }
        let across = radius * radius - (y as f32 + 0.5 - centre.1).powi(2);
        if across > 0.0 {
            let half = across.sqrt();
            // A float to integer cast saturates.
            let (from, to) = ((centre.0 - half) as usize, ((centre.0 + half) as usize).min(width));
            row[from * 3..to * 3].fill(240);
        }
        if y < band {
            for cell in 0..CELLS {
                let Range { start, end } = columns(cell, [height, width]);
                let bit = (number >> (CELLS - 1 - cell)) & 1;
                row[start * 3..end * 3].fill(if bit == 1 { 255 } else { 0 });
            }
        }
    }
}

/// The columns of a cell.
fn columns(cell: usize, [height, width]: [usize; 2]) -> Range<usize> {
    let square = height.min(width);
    let left = (width - square) / 2;
    left + cell * square / CELLS..left + (cell + 1) * square / CELLS
}

/// Reads the number back, modulo [`NUMBERS`], from the whole picture or its square in the middle, at any size of at
/// least 24; `None` if there is no band. `pixels` is `[height, width, 3]` u8, RGB.
#[must_use]
pub fn number(pixels: &[u8], [height, width]: [usize; 2]) -> Option<u64> {
    let square = height.min(width);
    if square < CELLS {
        return None;
    }
    let y = square / CELLS / 2;
    (0..CELLS).try_fold(0, |number, cell| {
        let columns = columns(cell, [height, width]);
        let x = columns.start.midpoint(columns.end);
        let value = *pixels.get((y * width + x) * 3 + 1)?;
        Some((number << 1) | u64::from(value >= MIDDLE))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn painted(number: u64, shape: [usize; 2]) -> Vec<u8> {
        let mut pixels = vec![7; shape[0] * shape[1] * 3];
        paint(number, shape, &mut pixels);
        pixels
    }

    proptest! {
        #[test]
        fn the_number_is_read_back_at_any_size(number_in in any::<u64>(), height in 24usize..200, width in 24usize..200) {
            let pixels = painted(number_in, [height, width]);
            prop_assert_eq!(number(&pixels, [height, width]), Some(number_in % NUMBERS));
        }

        #[test]
        fn no_size_panics(number_in in any::<u64>(), height in 0usize..40, width in 0usize..40, len in 0usize..5000) {
            paint(number_in, [height, width], &mut vec![0; len]);
            let _ = number(&vec![0; len], [height, width]);
        }
    }

    #[test]
    fn the_same_number_is_the_same_picture_and_the_next_one_another() {
        assert_eq!(painted(7, [48, 64]), painted(7, [48, 64]));
        assert_ne!(painted(7, [48, 64]), painted(8, [48, 64]));
    }

    #[test]
    fn every_pixel_is_painted() {
        let blank = |pixels: Vec<u8>| pixels.chunks(3).filter(|pixel| *pixel == [7; 3]).count();
        assert_eq!(blank(painted(0, [90, 160])), 0);
    }
}
