//! What can be written on: pixels of a picture or of a window.

/// Red, green, blue.
pub type Rgb = [u8; 3];

/// White: easy to read over a darkened picture.
pub const WHITE: Rgb = [255, 255, 255];
/// Black.
pub const BLACK: Rgb = [0, 0, 0];

/// Pixels that can be read and written one by one.
pub trait Surface {
    /// Rows and columns.
    fn size(&self) -> [usize; 2];
    /// The pixel at a row and column inside [`size`](Self::size).
    fn pixel(&self, row: usize, column: usize) -> Rgb;
    /// Sets the pixel at a row and column inside [`size`](Self::size).
    fn set_pixel(&mut self, row: usize, column: usize, colour: Rgb);
}

/// A `[height, width, 3]` u8 picture, RGB, rows from the top.
#[derive(Debug)]
pub struct Picture<'a> {
    pixels: &'a mut [u8],
    width: usize,
}

impl<'a> Picture<'a> {
    /// A picture of that width. Rows that `pixels` does not hold whole are not part of it.
    pub fn new(pixels: &'a mut [u8], width: usize) -> Self {
        Self { pixels, width }
    }
}

impl Surface for Picture<'_> {
    fn size(&self) -> [usize; 2] {
        [self.pixels.len() / (3 * self.width.max(1)), self.width]
    }

    fn pixel(&self, row: usize, column: usize) -> Rgb {
        let at = 3 * (row * self.width + column);
        [self.pixels[at], self.pixels[at + 1], self.pixels[at + 2]]
    }

    fn set_pixel(&mut self, row: usize, column: usize, colour: Rgb) {
        let at = 3 * (row * self.width + column);
        self.pixels[at..at + 3].copy_from_slice(&colour);
    }
}

/// A `[height, width]` u32 picture, `0x00RRGGBB`, rows from the top: what a window takes.
#[derive(Debug)]
pub struct Packed<'a> {
    pixels: &'a mut [u32],
    width: usize,
}

impl<'a> Packed<'a> {
    /// A picture of that width. Rows that `pixels` does not hold whole are not part of it.
    pub fn new(pixels: &'a mut [u32], width: usize) -> Self {
        Self { pixels, width }
    }
}

impl Surface for Packed<'_> {
    fn size(&self) -> [usize; 2] {
        [self.pixels.len() / self.width.max(1), self.width]
    }

    fn pixel(&self, row: usize, column: usize) -> Rgb {
        let [_, red, green, blue] = self.pixels[row * self.width + column].to_be_bytes();
        [red, green, blue]
    }

    fn set_pixel(&mut self, row: usize, column: usize, [red, green, blue]: Rgb) {
        self.pixels[row * self.width + column] = u32::from_be_bytes([0, red, green, blue]);
    }
}

/// Fills a rectangle with its upper left corner at `[row, column]`. What lies outside the surface is left out.
pub fn fill(surface: &mut impl Surface, corner: [i32; 2], size: [usize; 2], colour: Rgb) {
    block(surface, corner, size.map(signed), |_| colour);
}

/// A size as a coordinate; one beyond 2³¹ is clipped anyway.
pub(super) fn signed(size: usize) -> i32 {
    i32::try_from(size).unwrap_or(i32::MAX)
}

/// The part of a rectangle on the surface is repainted.
pub(super) fn block(
    surface: &mut impl Surface,
    [row, column]: [i32; 2],
    [height, width]: [i32; 2],
    repaint: impl Fn(Rgb) -> Rgb,
) {
    let clip = |start: i32, length: i32, limit: usize| {
        let limit = signed(limit);
        let range = start.clamp(0, limit)..start.saturating_add(length).clamp(0, limit);
        range.start as usize..range.end as usize
    };
    let [rows, columns] = surface.size();
    for row in clip(row, height, rows) {
        for column in clip(column, width, columns) {
            let colour = repaint(surface.pixel(row, column));
            surface.set_pixel(row, column, colour);
        }
    }
}
