//! Writing on pictures: captions, figures, notices.
//!
//! Fixed-width bitmap fonts, whole multiples of their size, clipped at the picture's edges. Latin, Cyrillic, Greek
//! and Turkish letters have glyphs; any other character shows as `?`.

use embedded_graphics::Pixel;
use embedded_graphics::geometry::{OriginDimensions, Point, Size};
use embedded_graphics::mono_font::{MonoFont, MonoTextStyle, mapping};
use embedded_graphics::mono_font::{iso_8859_1, iso_8859_2, iso_8859_5, iso_8859_7, iso_8859_9, iso_8859_15};
use embedded_graphics::pixelcolor::BinaryColor;
use embedded_graphics::prelude::{DrawTarget, Drawable};
use embedded_graphics::text::{Baseline, Text};
use std::convert::Infallible;

mod lines;
mod surface;

pub use lines::{shorten, wrap};
pub use surface::{BLACK, Packed, Picture, Rgb, Surface, WHITE, fill};
use surface::{block, signed};

/// The size of the letters, before [`Style::scale`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Letters {
    /// 6 × 10 pixels a character.
    Small,
    /// 10 × 20 pixels a character.
    Large,
}

impl Letters {
    /// Height and width of a character, in pixels.
    #[must_use]
    pub fn size(self) -> [usize; 2] {
        match self {
            Self::Small => [10, 6],
            Self::Large => [20, 10],
        }
    }
}

/// What keeps the letters legible over any picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behind {
    /// Nothing: over a plain colour.
    Nothing,
    /// A black copy, one (scaled) pixel to the right and below.
    Shadow,
    /// The picture darkened to three eighths, in a box around the text.
    Box,
}

/// How text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// The size of the letters.
    pub letters: Letters,
    /// Each pixel of a letter is a square of this side; 0 draws nothing.
    pub scale: usize,
    /// The colour of the letters.
    pub colour: Rgb,
    /// What is behind them.
    pub behind: Behind,
}

impl Default for Style {
    fn default() -> Self {
        Self { letters: Letters::Small, scale: 1, colour: WHITE, behind: Behind::Shadow }
    }
}

impl Style {
    /// Height and width of a character, in pixels of the picture.
    #[must_use]
    pub fn character(&self) -> [usize; 2] {
        self.letters.size().map(|side| side * self.scale)
    }

    /// Height and width of a text of several lines, in pixels of the picture, without its box's margin.
    #[must_use]
    pub fn extent(&self, text: &str) -> [usize; 2] {
        let columns = text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
        let [height, width] = self.character();
        [text.lines().count() * height, columns * width]
    }

    /// The margin of a box around the text, in pixels of the picture.
    #[must_use]
    pub fn margin(&self) -> usize {
        match self.behind {
            Behind::Box => 3 * self.scale,
            Behind::Nothing | Behind::Shadow => 0,
        }
    }
}

/// Draws a text of one or more lines with its upper left corner (its box's, if it has one) at `[row, column]`.
/// What lies outside the surface is left out.
pub fn draw(surface: &mut impl Surface, [row, column]: [i32; 2], text: &str, style: &Style) {
    let margin = signed(style.margin());
    // No picture is this large; the sums below stay in range.
    let [row, column] = [row, column].map(|at| at.clamp(-(1 << 20), 1 << 20) + margin);
    match style.behind {
        Behind::Nothing => {}
        Behind::Shadow => {
            let offset = signed(style.scale);
            letters(surface, [row + offset, column + offset], text, BLACK, style);
        }
        Behind::Box => {
            let [height, width] = style.extent(text).map(|side| signed(side) + 2 * margin);
            let darken = |colour: Rgb| colour.map(|channel| (u16::from(channel) * 3 / 8) as u8);
            block(surface, [row - margin, column - margin], [height, width], darken);
        }
    }
    letters(surface, [row, column], text, style.colour, style);
}

fn letters(surface: &mut impl Surface, [row, column]: [i32; 2], text: &str, colour: Rgb, style: &Style) {
    let [height, width] = style.character().map(signed);
    let mut buffer = [0; 4];
    for (line_index, line) in text.lines().enumerate() {
        for (index, character) in line.chars().enumerate() {
            let character = plain(character);
            let text = character.encode_utf8(&mut buffer);
            let corner = [row + signed(line_index) * height, column + signed(index) * width];
            let mut ink = Ink { surface: &mut *surface, corner, scale: signed(style.scale), colour };
            let glyph = MonoTextStyle::new(font(character, style.letters), BinaryColor::On);
            let drawn = Text::with_baseline(text, Point::zero(), glyph, Baseline::Top).draw(&mut ink);
            match drawn {
                Ok(_) => {}
                Err(never) => match never {},
            }
        }
    }
}

/// A character that has a glyph for one of the punctuation marks that have none.
fn plain(character: char) -> char {
    match character {
        '\t' | '\u{2009}' | '\u{202f}' => ' ',
        '‘' | '’' | '‚' | '′' => '\'',
        '“' | '”' | '„' | '″' => '"',
        '‐' | '‑' | '–' | '—' | '−' => '-',
        '…' => '~',
        '•' => '·',
        other => other,
    }
}

/// The font that has the character, else one that shows it as `?`.
fn font(character: char, letters: Letters) -> &'static MonoFont<'static> {
    macro_rules! sizes {
        ($set:ident) => {
            match letters {
                Letters::Small => &$set::FONT_6X10,
                Letters::Large => &$set::FONT_10X20,
            }
        };
    }
    // Almost every character is one of these: no search.
    if character.is_ascii() || mapping::ISO_8859_1.contains(character) {
        sizes!(iso_8859_1)
    } else if mapping::ISO_8859_5.contains(character) {
        sizes!(iso_8859_5)
    } else if mapping::ISO_8859_7.contains(character) {
        sizes!(iso_8859_7)
    } else if mapping::ISO_8859_2.contains(character) {
        sizes!(iso_8859_2)
    } else if mapping::ISO_8859_9.contains(character) {
        sizes!(iso_8859_9)
    } else if mapping::ISO_8859_15.contains(character) {
        sizes!(iso_8859_15)
    } else {
        sizes!(iso_8859_1)
    }
}

/// The place of one character: each pixel drawn becomes a square of the surface.
struct Ink<'a, S> {
    surface: &'a mut S,
    corner: [i32; 2],
    scale: i32,
    colour: Rgb,
}

impl<S> OriginDimensions for Ink<'_, S> {
    fn size(&self) -> Size {
        // The largest character; the real bounds are the surface's, where squares are clipped.
        Size::new(10, 20)
    }
}

impl<S: Surface> DrawTarget for Ink<'_, S> {
    type Color = BinaryColor;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<BinaryColor>>>(&mut self, pixels: I) -> Result<(), Infallible> {
        for Pixel(point, state) in pixels {
            if state.is_on() {
                let at = [self.corner[0] + point.y * self.scale, self.corner[1] + point.x * self.scale];
                block(self.surface, at, [self.scale; 2], |_| self.colour);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(height: usize, width: usize) -> Vec<u8> {
        vec![128; height * width * 3]
    }

    fn count(pixels: &[u8], colour: Rgb) -> usize {
        pixels.chunks_exact(3).filter(|pixel| *pixel == colour).count()
    }

    fn drawn(text: &str, style: &Style) -> Vec<u8> {
        let mut pixels = grey(60, 200);
        draw(&mut Picture::new(&mut pixels, 200), [4, 4], text, style);
        pixels
    }

    #[test]
    fn letters_have_their_colour_and_shadows_are_black() {
        let pixels = drawn("neon lights", &Style { colour: [255, 0, 0], ..Style::default() });
        assert!(count(&pixels, [255, 0, 0]) > 50);
        assert!(count(&pixels, BLACK) > 20);
    }

    #[test]
    fn twice_the_scale_has_four_times_the_pixels() {
        let style = Style { behind: Behind::Nothing, ..Style::default() };
        let [once, twice] = [1, 2].map(|scale| count(&drawn("Mirror", &Style { scale, ..style }), WHITE));
        assert_eq!(twice, 4 * once);
    }

    #[test]
    fn a_box_darkens_the_picture_around_the_text() {
        let style = Style { behind: Behind::Box, ..Style::default() };
        let pixels = drawn("a", &style);
        let [height, width] = style.extent("a").map(|side| side + 2 * style.margin());
        assert_eq!(count(&pixels, [48; 3]) + count(&pixels, WHITE), height * width);
        assert_eq!(pixels[0], 128, "outside the box");
    }

    #[test]
    fn text_is_clipped_at_every_edge() {
        let style = Style { scale: 3, behind: Behind::Box, letters: Letters::Large, ..Style::default() };
        for at in [[-30, -30], [50, 190], [-2000, 3], [3, 2000], [i32::MAX - 100, 0]] {
            let mut pixels = grey(60, 200);
            draw(&mut Picture::new(&mut pixels, 200), at, "clipped\nhere", &style);
        }
        draw(&mut Picture::new(&mut [], 0), [0, 0], "nowhere", &style);
    }

    #[test]
    fn both_kinds_of_surface_show_the_same() {
        let mut pixels = grey(30, 80);
        draw(&mut Picture::new(&mut pixels, 80), [2, 2], "same", &Style::default());
        let mut packed = vec![0x0080_8080; 30 * 80];
        draw(&mut Packed::new(&mut packed, 80), [2, 2], "same", &Style::default());
        let unpacked: Vec<u8> = packed.iter().flat_map(|pixel| pixel.to_be_bytes()[1..].to_vec()).collect();
        assert_eq!(pixels, unpacked);
    }

    #[test]
    fn other_alphabets_have_glyphs_and_unknown_characters_show_a_question_mark() {
        let style = Style::default();
        for text in ["é", "ß", "Ж", "λ", "ő", "ş", "€"] {
            assert_ne!(drawn(text, &style), drawn("?", &style), "{text}");
        }
        for text in ["漢", "ｱ", "😀", "\u{7}"] {
            assert_eq!(drawn(text, &style), drawn("?", &style), "{text}");
        }
    }

    #[test]
    fn typographic_marks_become_plain_ones() {
        let style = Style::default();
        assert_eq!(drawn("“it’s – so”", &style), drawn("\"it's - so\"", &style));
    }

    #[test]
    fn the_extent_is_that_of_the_longest_line() {
        let style = Style { scale: 2, ..Style::default() };
        assert_eq!(style.extent("ab\nabcd"), [40, 48]);
        assert_eq!(style.extent(""), [0, 0]);
    }
}
