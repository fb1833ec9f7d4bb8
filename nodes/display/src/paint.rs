//! Fits a picture into a window's pixels.

/// A weight of a neighbour, in 256ths.
type Weight = u32;

/// Which two neighbours a pixel lies between, and how near to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tap {
    first: usize,
    second: usize,
    weight: Weight,
}

/// A window's pixels, with a picture in its middle: as large as fits, its aspect kept, black around it.
///
/// Buffers are made when a size changes and used again for every picture.
#[derive(Debug, Default)]
pub struct Canvas {
    /// `height × width` pixels, `0x00RRGGBB`.
    pixels: Vec<u32>,
    window: [usize; 2],
    picture: [usize; 2],
    fitted: [usize; 2],
    corner: [usize; 2],
    rows: Vec<Tap>,
    columns: Vec<Tap>,
    /// Two source rows, already as wide as the window shows them, and which rows they are.
    cache: [(Option<usize>, Vec<u32>); 2],
}

impl Canvas {
    /// The window's pixels, `0x00RRGGBB`, rows from the top.
    #[must_use]
    pub fn pixels(&self) -> &[u32] {
        &self.pixels
    }

    /// The window's pixels, to write on.
    pub fn pixels_mut(&mut self) -> &mut [u32] {
        &mut self.pixels
    }

    /// Rows and columns of the window.
    #[must_use]
    pub fn window(&self) -> [usize; 2] {
        self.window
    }

    /// First row and column of the picture in the window.
    #[must_use]
    pub fn corner(&self) -> [usize; 2] {
        self.corner
    }

    /// Rows and columns of the picture in the window.
    #[must_use]
    pub fn fitted(&self) -> [usize; 2] {
        self.fitted
    }

    /// An empty window.
    pub fn clear(&mut self, window: [usize; 2]) {
        self.resize(window, [0, 0]);
        self.pixels.fill(0);
    }

    /// Paints a `[height, width, 3]` u8 RGB picture into a window of the given rows and columns.
    ///
    /// The picture is taken as it is if it fits exactly; else neighbours are blended (bilinear).
    pub fn paint(&mut self, picture: &[u8], [height, width]: [usize; 2], window: [usize; 2]) {
        debug_assert_eq!(picture.len(), height * width * 3);
        self.resize(window, [height, width]);
        let [rows, columns] = self.fitted;
        if rows == 0 || columns == 0 {
            return;
        }
        if self.fitted == [height, width] {
            for (row, source) in picture.chunks_exact(3 * width).enumerate() {
                for (target, pixel) in self.line(row).iter_mut().zip(source.chunks_exact(3)) {
                    *target = pack(pixel);
                }
            }
            return;
        }
        for (wide, _) in &mut self.cache {
            *wide = None;
        }
        for row in 0..rows {
            let Tap { first, second, weight } = self.rows[row];
            self.widen(picture, width, first, second);
            self.widen(picture, width, second, first);
            let [top, left] = self.corner;
            let start = (top + row) * self.window[1] + left;
            let target = &mut self.pixels[start..start + columns];
            let cached = |row: usize| &self.cache[usize::from(self.cache[0].0 != Some(row))].1;
            for ((pixel, upper), lower) in target.iter_mut().zip(cached(first)).zip(cached(second)) {
                *pixel = blend(*upper, *lower, weight);
            }
        }
    }

    fn line(&mut self, row: usize) -> &mut [u32] {
        let start = (self.corner[0] + row) * self.window[1] + self.corner[1];
        &mut self.pixels[start..start + self.fitted[1]]
    }

    /// Sees to it that the cache holds that source row; `keep` is the one that must stay.
    fn widen(&mut self, picture: &[u8], width: usize, row: usize, keep: usize) {
        if self.cache.iter().any(|(cached, _)| *cached == Some(row)) {
            return;
        }
        let slot = usize::from(self.cache[0].0 == Some(keep));
        let (cached, line) = &mut self.cache[slot];
        *cached = Some(row);
        let source = &picture[row * width * 3..(row + 1) * width * 3];
        for (target, tap) in line.iter_mut().zip(&self.columns) {
            let pixel = |column: usize| pack(&source[3 * column..3 * column + 3]);
            *target = blend(pixel(tap.first), pixel(tap.second), tap.weight);
        }
    }

    fn resize(&mut self, window: [usize; 2], picture: [usize; 2]) {
        if self.window == window && self.picture == picture {
            return;
        }
        self.window = window;
        self.picture = picture;
        self.fitted = fit(picture, window);
        self.corner = [0, 1].map(|axis| (window[axis] - self.fitted[axis]) / 2);
        self.pixels.clear();
        self.pixels.resize(window[0] * window[1], 0);
        self.rows = taps(picture[0], self.fitted[0]);
        self.columns = taps(picture[1], self.fitted[1]);
        for (_, line) in &mut self.cache {
            line.resize(self.fitted[1], 0);
        }
    }
}

/// The largest rows and columns of a picture's aspect that fit into a window.
fn fit([height, width]: [usize; 2], [rows, columns]: [usize; 2]) -> [usize; 2] {
    if height == 0 || width == 0 || rows == 0 || columns == 0 {
        return [0, 0];
    }
    if rows * width <= columns * height {
        [rows, (width * rows / height).clamp(1, columns)]
    } else {
        [(height * columns / width).clamp(1, rows), columns]
    }
}

/// For each of `to` pixels its neighbours among `from` pixels: centres over centres, edges repeated.
fn taps(from: usize, to: usize) -> Vec<Tap> {
    (0..to)
        .map(|index| {
            // Position of the pixel's centre in 512ths of a source pixel, less half a source pixel.
            let position = ((2 * index + 1) * from * 256 / to).saturating_sub(256);
            let first = (position / 512).min(from - 1);
            let weight = (position % 512 / 2) as Weight;
            Tap { first, second: (first + 1).min(from - 1), weight }
        })
        .collect()
}

/// Red, green, blue as `0x00RRGGBB`.
fn pack(pixel: &[u8]) -> u32 {
    u32::from(pixel[0]) << 16 | u32::from(pixel[1]) << 8 | u32::from(pixel[2])
}

/// Two pixels blended: red and blue in one multiplication, green in another.
fn blend(first: u32, second: u32, weight: Weight) -> u32 {
    const RED_BLUE: u32 = 0x00ff_00ff;
    const GREEN: u32 = 0x0000_ff00;
    let rest = 256 - weight;
    let red_blue = ((first & RED_BLUE) * rest + (second & RED_BLUE) * weight) >> 8 & RED_BLUE;
    let green = ((first & GREEN) * rest + (second & GREEN) * weight) >> 8 & GREEN;
    red_blue | green
}

#[cfg(test)]
mod tests {
    use super::*;

    const RED: u32 = 0x00ff_0000;
    const BLUE: u32 = 0x0000_00ff;

    /// A picture whose left half is red and whose right half is blue.
    fn halves(height: usize, width: usize) -> Vec<u8> {
        let row = (0..width).flat_map(|column| if column < width / 2 { [255, 0, 0] } else { [0, 0, 255] });
        row.collect::<Vec<u8>>().repeat(height)
    }

    #[test]
    fn a_picture_of_the_windows_size_is_taken_as_it_is() {
        let mut canvas = Canvas::default();
        let picture: Vec<u8> = (0..4 * 6 * 3).map(|value| value as u8 * 3).collect();
        canvas.paint(&picture, [4, 6], [4, 6]);
        let expected: Vec<u32> = picture.chunks_exact(3).map(pack).collect();
        assert_eq!(canvas.pixels(), expected);
    }

    #[test]
    fn a_wide_window_has_black_on_both_sides() {
        let mut canvas = Canvas::default();
        canvas.paint(&halves(10, 10), [10, 10], [20, 40]);
        assert_eq!((canvas.corner(), canvas.fitted()), ([0, 10], [20, 20]));
        let line = &canvas.pixels()[5 * 40..6 * 40];
        assert_eq!((line[9], line[10], line[29], line[30]), (0, RED, BLUE, 0));
    }

    #[test]
    fn a_high_window_has_black_above_and_below() {
        let mut canvas = Canvas::default();
        canvas.paint(&halves(10, 20), [10, 20], [60, 40]);
        assert_eq!((canvas.corner(), canvas.fitted()), ([20, 0], [20, 40]));
        assert_eq!((canvas.pixels()[19 * 40], canvas.pixels()[20 * 40]), (0, RED));
    }

    #[test]
    fn a_plain_picture_stays_plain_at_any_size() {
        let mut canvas = Canvas::default();
        let grey = vec![200; 24 * 32 * 3];
        for window in [[24, 32], [48, 64], [7, 9], [300, 401], [1, 1]] {
            canvas.paint(&grey, [24, 32], window);
            let [rows, columns] = canvas.fitted();
            let lit = canvas.pixels().iter().filter(|pixel| **pixel == 0x00c8_c8c8).count();
            assert_eq!(lit, rows * columns, "{window:?}");
        }
    }

    #[test]
    fn a_pixel_between_two_is_a_blend_of_them() {
        let mut canvas = Canvas::default();
        canvas.paint(&[0, 0, 0, 100, 200, 40], [1, 2], [2, 4]);
        assert_eq!(canvas.pixels(), [0, 0x0019_320a, 0x004b_961e, 0x0064_c828].repeat(2));
    }

    #[test]
    fn rows_are_blended_like_columns() {
        let mut canvas = Canvas::default();
        canvas.paint(&[0, 0, 0, 100, 200, 40], [2, 1], [4, 2]);
        let column: Vec<u32> = canvas.pixels().iter().step_by(2).copied().collect();
        assert_eq!(column, [0, 0x0019_320a, 0x004b_961e, 0x0064_c828]);
    }

    #[test]
    fn another_size_leaves_nothing_of_the_last_picture() {
        let mut canvas = Canvas::default();
        canvas.paint(&[255; 8 * 8 * 3], [8, 8], [8, 8]);
        canvas.paint(&[255; 4 * 8 * 3], [4, 8], [8, 8]);
        assert_eq!(canvas.pixels().iter().filter(|pixel| **pixel == 0).count(), 4 * 8);
        canvas.clear([8, 8]);
        assert!(canvas.pixels().iter().all(|pixel| *pixel == 0));
    }

    #[test]
    fn an_empty_picture_is_an_empty_window() {
        let mut canvas = Canvas::default();
        canvas.paint(&[], [0, 0], [4, 4]);
        assert_eq!(canvas.pixels(), [0; 16]);
        canvas.paint(&[9; 3], [1, 1], [0, 4]);
        assert!(canvas.pixels().is_empty());
    }
}
