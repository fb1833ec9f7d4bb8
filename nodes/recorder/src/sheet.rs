//! The sheet: for each prompt what the mirror saw above what it showed, captioned.

use crate::shots::{Image, Shot};
use mirror_imaging::text::{Behind, Letters, Picture, Style, draw, fill, wrap};

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

/// Lays out the sheet: one column a prompt, in turn.
#[must_use]
pub fn compose(columns: &[(&str, Option<&Shot>)]) -> Image {
    let images = || columns.iter().filter_map(|(_, shot)| *shot).flat_map(|shot| [&shot.input, &shot.output]);
    let widest = images().map(|image| image.width).max().unwrap_or(0).max(MIN_TILE);
    let highest = images().map(|image| image.height).max().unwrap_or(0).max(MIN_TILE);
    let room = (MAX_WIDTH / columns.len().max(1)).saturating_sub(MARGIN).max(MIN_TILE);
    let shrink = widest.div_ceil(room);
    let [tile_height, tile_width] = [highest, widest].map(|side| (side / shrink).max(MIN_TILE));

    let letters = if tile_width < 200 { Letters::Small } else { Letters::Large };
    let style = Style { letters, behind: Behind::Nothing, ..Style::default() };
    let [line_height, letter_width] = style.character();
    let captions: Vec<Vec<String>> = columns
        .iter()
        .map(|(prompt, shot)| {
            let mut lines = wrap(prompt, tile_width / letter_width);
            lines.truncate(CAPTION_LINES);
            if shot.is_none() {
                lines.push("(never shown)".to_owned());
            }
            lines
        })
        .collect();
    let caption_height = captions.iter().map(Vec::len).max().unwrap_or(0) * line_height;

    let width = MARGIN + columns.len() * (tile_width + MARGIN);
    let height = 3 * MARGIN + 2 * tile_height + caption_height + MARGIN;
    let mut sheet = Image { height, width, pixels: PAPER.repeat(height * width) };
    for (index, ((_, shot), caption)) in columns.iter().zip(&captions).enumerate() {
        let left = MARGIN + index * (tile_width + MARGIN);
        for (row, image) in [shot.map(|shot| &shot.input), shot.map(|shot| &shot.output)].into_iter().enumerate() {
            let top = MARGIN + row * (tile_height + MARGIN);
            match image {
                Some(image) => paste(&mut sheet, [top, left], &smaller(image, shrink)),
                None => {
                    let corner = [top, left].map(|at| i32::try_from(at).unwrap_or(i32::MAX));
                    fill(&mut Picture::new(&mut sheet.pixels, width), corner, [tile_height, tile_width], EMPTY);
                }
            }
        }
        let corner = [3 * MARGIN + 2 * tile_height, left].map(|at| i32::try_from(at).unwrap_or(i32::MAX));
        draw(&mut Picture::new(&mut sheet.pixels, width), corner, &caption.join("\n"), &style);
    }
    sheet
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
        Image { height, width, pixels: colour.repeat(height * width) }
    }

    fn shot(side: usize) -> Shot {
        Shot { input: plain(side, side, [200, 0, 0]), output: plain(side, side, [0, 0, 200]), ..Shot::default() }
    }

    fn pixel(image: &Image, row: usize, column: usize) -> &[u8] {
        &image.pixels[3 * (row * image.width + column)..][..3]
    }

    #[test]
    fn input_is_above_output_above_the_caption() {
        let shot = shot(256);
        let sheet = compose(&[("neon lights", Some(&shot)), ("oil", Some(&shot))]);
        assert_eq!(sheet.width, 3 * MARGIN + 2 * 256);
        assert_eq!(pixel(&sheet, MARGIN + 128, MARGIN + 128), [200, 0, 0]);
        assert_eq!(pixel(&sheet, 2 * MARGIN + 256 + 128, MARGIN + 128), [0, 0, 200]);
        assert_eq!(pixel(&sheet, 2 * MARGIN + 256 + 128, 2 * MARGIN + 256 + 128), [0, 0, 200]);
        let below = 3 * (3 * MARGIN + 512) * sheet.width;
        assert!(sheet.pixels[below..].contains(&255), "a caption in white");
        assert!(!sheet.pixels[..below].contains(&255));
    }

    #[test]
    fn a_prompt_without_a_picture_keeps_its_column() {
        let shot = shot(256);
        let sheet = compose(&[("seen", Some(&shot)), ("unseen", None)]);
        assert_eq!(pixel(&sheet, MARGIN + 128, 2 * MARGIN + 256 + 128), EMPTY);
        let nothing = compose(&[("unseen", None)]);
        assert_eq!(pixel(&nothing, MARGIN + 4, MARGIN + 4), EMPTY);
    }

    #[test]
    fn many_large_pictures_are_shown_smaller() {
        let shot = shot(512);
        let columns: Vec<_> = (0..12).map(|_| ("a prompt", Some(&shot))).collect();
        let sheet = compose(&columns);
        assert!(sheet.width <= MAX_WIDTH, "{}", sheet.width);
        assert_eq!(pixel(&sheet, MARGIN + 80, MARGIN + 80), [200, 0, 0]);
        assert_eq!(sheet.pixels.len(), sheet.height * sheet.width * 3);
    }

    #[test]
    fn a_long_prompt_is_wrapped_and_cut() {
        let shot = shot(256);
        let prompt = "a very long prompt that goes on and on ".repeat(20);
        let short = compose(&[("one line", Some(&shot))]);
        let long = compose(&[(&prompt, Some(&shot))]);
        assert_eq!(long.height - short.height, (CAPTION_LINES - 1) * 20);
    }

    #[test]
    fn pictures_of_different_sizes_fit_on_one_sheet() {
        let (large, small) = (shot(300), shot(64));
        let sheet = compose(&[("large", Some(&large)), ("small", Some(&small))]);
        assert_eq!(pixel(&sheet, MARGIN + 299, MARGIN + 299), [200, 0, 0]);
        assert_eq!(pixel(&sheet, MARGIN + 63, 2 * MARGIN + 300 + 63), [200, 0, 0]);
    }

    #[test]
    fn a_smaller_picture_holds_the_means() {
        let image = Image { height: 2, width: 2, pixels: [[10, 0, 0], [20, 0, 0], [30, 0, 0], [40, 4, 0]].concat() };
        assert_eq!(smaller(&image, 2), Image { height: 1, width: 1, pixels: vec![25, 1, 0] });
    }

    #[test]
    fn no_prompts_make_an_empty_sheet() {
        assert_eq!(compose(&[]).width, MARGIN);
    }
}
