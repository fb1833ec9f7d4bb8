//! A sheet: pictures side by side, each with a caption below.

use crate::image::Image;
use crate::text::{Behind, Letters, Picture, Style, draw, fill, wrap};

/// Between the pictures and around them, in pixels.
const MARGIN: usize = 12;
/// Widest sheet: pictures are shown at a half, a third … of their size where more are needed side by side.
const MAX_WIDTH: usize = 4096;
/// The paper.
const PAPER: [u8; 3] = [24, 24, 24];
/// Where a picture would be if there were one.
const EMPTY: [u8; 3] = [56, 56, 56];
/// A column is at least this wide, so that captions have room.
const MIN_TILE: usize = 128;
/// Most lines of a caption.
const CAPTION_LINES: usize = 4;

/// A column: pictures above each other, and what is written below them.
#[derive(Debug, Clone, Default)]
pub struct Column<'a> {
    /// The pictures from the top; `None`: its place stays empty, and the caption says so.
    pub pictures: Vec<Option<&'a Image>>,
    /// What is written below: wrapped, and cut after four lines.
    pub caption: String,
}

impl Column<'_> {
    fn lines(&self, columns: usize) -> Vec<String> {
        let mut lines = wrap(&self.caption, columns);
        lines.truncate(CAPTION_LINES);
        if self.pictures.iter().any(Option::is_none) {
            lines.push("(no picture)".to_owned());
        }
        lines
    }
}

/// Lays out a sheet: at most `across` columns side by side, the others in bands below.
#[must_use]
pub fn compose(columns: &[Column], across: usize) -> Image {
    let images = || columns.iter().flat_map(|column| column.pictures.iter().flatten());
    let widest = images().map(|image| image.width).max().unwrap_or(0).max(MIN_TILE);
    let highest = images().map(|image| image.height).max().unwrap_or(0).max(MIN_TILE);
    let across = across.min(columns.len()).max(1);
    let room = (MAX_WIDTH / across).saturating_sub(MARGIN).max(MIN_TILE);
    let shrink = widest.div_ceil(room);
    let [tile_height, tile_width] = [highest, widest].map(|side| (side / shrink).max(MIN_TILE));

    let letters = if tile_width < 200 { Letters::Small } else { Letters::Large };
    let style = Style { letters, behind: Behind::Nothing, ..Style::default() };
    let [line_height, letter_width] = style.character();
    let captions: Vec<Vec<String>> = columns.iter().map(|column| column.lines(tile_width / letter_width)).collect();
    let caption_height = captions.iter().map(Vec::len).max().unwrap_or(0) * line_height;
    let rows = columns.iter().map(|column| column.pictures.len()).max().unwrap_or(0);

    let band = rows * (tile_height + MARGIN) + caption_height + MARGIN;
    let width = MARGIN + across.min(columns.len()) * (tile_width + MARGIN);
    let height = MARGIN + columns.len().div_ceil(across) * band;
    let mut sheet = Image::plain([height, width], PAPER);
    for (index, (column, caption)) in columns.iter().zip(&captions).enumerate() {
        let left = MARGIN + index % across * (tile_width + MARGIN);
        let top = MARGIN + index / across * band;
        for (row, image) in column.pictures.iter().enumerate() {
            let top = top + row * (tile_height + MARGIN);
            match image {
                Some(image) => paste(&mut sheet, [top, left], &smaller(image, shrink)),
                None => {
                    fill(
                        &mut Picture::new(&mut sheet.pixels, width),
                        corner(top, left),
                        [tile_height, tile_width],
                        EMPTY,
                    );
                }
            }
        }
        let at = corner(top + rows * (tile_height + MARGIN), left);
        draw(&mut Picture::new(&mut sheet.pixels, width), at, &caption.join("\n"), &style);
    }
    sheet
}

/// No sheet is larger than 2³¹ pixels along a side.
fn corner(top: usize, left: usize) -> [i32; 2] {
    [top, left].map(|at| i32::try_from(at).unwrap_or(i32::MAX))
}

/// A picture at one `times`-th of its size: means of squares. Rows and columns that fill no square are left out.
fn smaller(image: &Image, times: usize) -> Image {
    if times <= 1 {
        return image.clone();
    }
    let (height, width) = (image.height / times, image.width / times);
    let mut pixels = Vec::with_capacity(height * width * 3);
    for row in 0..height {
        for column in 0..width {
            for channel in 0..3 {
                let square = (0..times * times).map(|index| {
                    let (row, column) = (row * times + index / times, column * times + index % times);
                    usize::from(image.pixels[3 * (row * image.width + column) + channel])
                });
                pixels.push((square.sum::<usize>() / (times * times)) as u8);
            }
        }
    }
    Image { height, width, pixels }
}

/// Copies a picture onto the sheet, which is large enough.
fn paste(sheet: &mut Image, [top, left]: [usize; 2], image: &Image) {
    for (row, line) in image.pixels.chunks_exact(3 * image.width.max(1)).enumerate() {
        let start = 3 * ((top + row) * sheet.width + left);
        sheet.pixels[start..start + line.len()].copy_from_slice(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(height: usize, width: usize, colour: [u8; 3]) -> Image {
        Image::plain([height, width], colour)
    }

    /// What was seen and what was shown.
    fn shot(side: usize) -> [Image; 2] {
        [plain(side, side, [200, 0, 0]), plain(side, side, [0, 0, 200])]
    }

    fn column<'a>(caption: &str, pictures: &'a [Image]) -> Column<'a> {
        Column { pictures: pictures.iter().map(Some).collect(), caption: caption.to_owned() }
    }

    fn pixel(image: &Image, row: usize, column: usize) -> &[u8] {
        &image.pixels[3 * (row * image.width + column)..][..3]
    }

    #[test]
    fn pictures_are_above_each_other_above_the_caption() {
        let shot = shot(256);
        let sheet = compose(&[column("neon lights", &shot), column("oil", &shot)], 8);
        assert_eq!(sheet.width, 3 * MARGIN + 2 * 256);
        assert_eq!(pixel(&sheet, MARGIN + 128, MARGIN + 128), [200, 0, 0]);
        assert_eq!(pixel(&sheet, 2 * MARGIN + 256 + 128, MARGIN + 128), [0, 0, 200]);
        assert_eq!(pixel(&sheet, 2 * MARGIN + 256 + 128, 2 * MARGIN + 256 + 128), [0, 0, 200]);
        let below = 3 * (3 * MARGIN + 512) * sheet.width;
        assert!(sheet.pixels[below..].contains(&255), "a caption in white");
        assert!(!sheet.pixels[..below].contains(&255));
    }

    #[test]
    fn columns_that_have_no_room_beside_stand_below() {
        let picture = [plain(200, 300, [200, 0, 0])];
        let last = [plain(200, 300, [0, 0, 200])];
        let sheet = compose(&[column("one", &picture), column("two", &picture), column("three", &last)], 2);
        assert_eq!(sheet.width, 3 * MARGIN + 2 * 300);
        let band = 200 + MARGIN + 20 + MARGIN;
        assert_eq!(sheet.height, MARGIN + 2 * band);
        assert_eq!(pixel(&sheet, MARGIN + band + 100, MARGIN + 150), [0, 0, 200]);
        assert_eq!(pixel(&sheet, MARGIN + band + 100, 2 * MARGIN + 300 + 150), PAPER);
    }

    #[test]
    fn a_column_without_a_picture_keeps_its_place_and_says_so() {
        let shot = shot(256);
        let unseen = Column { pictures: vec![None, None], caption: "unseen".to_owned() };
        let sheet = compose(&[column("seen", &shot), unseen.clone()], 8);
        assert_eq!(pixel(&sheet, MARGIN + 128, 2 * MARGIN + 256 + 128), EMPTY);
        let nothing = compose(&[unseen], 8);
        assert_eq!(pixel(&nothing, MARGIN + 4, MARGIN + 4), EMPTY);
        assert_eq!(nothing.height, MARGIN + 2 * (MIN_TILE + MARGIN) + 2 * 10 + MARGIN);
    }

    #[test]
    fn many_large_pictures_are_shown_smaller() {
        let shot = shot(512);
        let columns: Vec<_> = (0..12).map(|_| column("a prompt", &shot)).collect();
        let sheet = compose(&columns, 12);
        assert!(sheet.width <= MAX_WIDTH, "{}", sheet.width);
        assert_eq!(pixel(&sheet, MARGIN + 80, MARGIN + 80), [200, 0, 0]);
        assert_eq!(sheet.pixels.len(), sheet.height * sheet.width * 3);
    }

    #[test]
    fn a_long_caption_is_wrapped_and_cut() {
        let shot = shot(256);
        let caption = "a very long prompt that goes on and on ".repeat(20);
        let short = compose(&[column("one line", &shot)], 1);
        let long = compose(&[column(&caption, &shot)], 1);
        assert_eq!(long.height - short.height, (CAPTION_LINES - 1) * 20);
    }

    #[test]
    fn pictures_of_different_sizes_fit_on_one_sheet() {
        let (large, small) = (shot(300), shot(64));
        let sheet = compose(&[column("large", &large), column("small", &small)], 8);
        assert_eq!(pixel(&sheet, MARGIN + 299, MARGIN + 299), [200, 0, 0]);
        assert_eq!(pixel(&sheet, MARGIN + 63, 2 * MARGIN + 300 + 63), [200, 0, 0]);
    }

    #[test]
    fn a_smaller_picture_holds_the_means() {
        let image = Image { height: 2, width: 2, pixels: [[10, 0, 0], [20, 0, 0], [30, 0, 0], [40, 4, 0]].concat() };
        assert_eq!(smaller(&image, 2), Image { height: 1, width: 1, pixels: vec![25, 1, 0] });
    }

    #[test]
    fn no_columns_make_an_empty_sheet() {
        assert_eq!(compose(&[], 4).width, MARGIN);
    }
}
