//! Colour grading: the look of the whole picture, in a few numbers.
//!
//! Change one, run `make operator NAME=grade`, and the running mirror shows it.

use mirror_operator::{Operator, Picture};

/// How much light the shadows get, red, green, blue: 0 leaves black black, 0.1 is milky.
const LIFT: [f32; 3] = [0.00, 0.01, 0.04];
/// Brightness of the middle tones: 1 leaves them, more is brighter.
const GAMMA: [f32; 3] = [1.04, 1.00, 0.98];
/// Brightness of the lights: 1 leaves white white.
const GAIN: [f32; 3] = [1.05, 1.00, 0.92];
/// The colour that everything is drawn towards.
const TINT: [f32; 3] = [1.00, 0.85, 0.60];
/// How far, from 0 (not at all) to 1 (shades of that colour only).
const TINT_STRENGTH: f32 = 0.08;

/// Weights of red, green and blue in brightness (ITU-R BT.709, 3.2).
const LUMA: [f32; 3] = [0.2126, 0.7152, 0.0722];

/// Fractional bits of a table's numbers.
const FRACTION: u32 = 10;
/// Bits from one colour of a table's entry to the next: a whole number below 2048 with its fraction.
const LANE: u32 = 21;
/// Half a step, for all three colours: it rounds.
const HALF: u64 = (1 << (FRACTION - 1)) * (1 | 1 << LANE | 1 << (2 * LANE));

/// What each value of each colour adds to the painted pixel: its red, green and blue side by side in one number, each as
/// 0 to 255 with [`FRACTION`] fractional bits. Grading a pixel is three look-ups and two additions.
struct Grade([[u64; 256]; 3]);

impl Default for Grade {
    fn default() -> Self {
        Self::of([LIFT, GAMMA, GAIN], TINT, TINT_STRENGTH)
    }
}

impl Grade {
    fn of([lift, gamma, gain]: [[f32; 3]; 3], tint: [f32; 3], strength: f32) -> Self {
        let strength = strength.clamp(0.0, 1.0);
        let graded = |colour: usize, value: usize| {
            let value = value as f32 / 255.0;
            let lifted = gain[colour] * (value + lift[colour] * (1.0 - value));
            lifted.clamp(0.0, 1.0).powf(1.0 / gamma[colour])
        };
        let entry = |colour: usize, value: usize| {
            let graded = graded(colour, value);
            (0..3).fold(0, |entry, onto| {
                // Drawn towards the tint: the pixel's brightness, of which each colour has its part, times the tint.
                let own = if onto == colour { 1.0 - strength } else { 0.0 };
                let share = own + strength * LUMA[colour] * tint[onto].max(0.0);
                // None is negative: one that is white by itself makes the sum white, and three of them fit a lane.
                let share = (share * graded * 255.0).min(256.0) * (1 << FRACTION) as f32;
                entry | (share.round() as u64) << (onto as u32 * LANE)
            })
        };
        Self(std::array::from_fn(|colour| std::array::from_fn(|value| entry(colour, value))))
    }

    fn pixel(&self, [red, green, blue]: [u8; 3]) -> [u8; 3] {
        let Self([reds, greens, blues]) = self;
        let sum = reds[usize::from(red)] + greens[usize::from(green)] + blues[usize::from(blue)] + HALF;
        [0, 1, 2].map(|onto| {
            let whole = sum >> (onto * LANE + FRACTION) & ((1 << (LANE - FRACTION)) - 1);
            whole.min(255) as u8
        })
    }
}

impl Operator for Grade {
    fn apply(&mut self, picture: &Picture, into: &mut [u8]) -> Result<(), String> {
        let (from, _) = picture.pixels.as_chunks::<3>();
        for (into, from) in into.as_chunks_mut::<3>().0.iter_mut().zip(from) {
            *into = self.pixel(*from);
        }
        Ok(())
    }
}

mirror_operator::register!(Grade);

#[cfg(test)]
mod tests {
    use super::*;
    use mirror_operator::Context;

    const NEUTRAL: [[f32; 3]; 3] = [[0.0; 3], [1.0; 3], [1.0; 3]];

    fn graded(numbers: [[f32; 3]; 3], pixel: [u8; 3]) -> [u8; 3] {
        Grade::of(numbers, [1.0; 3], 0.0).pixel(pixel)
    }

    #[test]
    fn neutral_numbers_change_nothing() {
        for value in 0..=255 {
            let pixel = [value, 255 - value, value / 2];
            assert_eq!(graded(NEUTRAL, pixel), pixel);
        }
    }

    #[test]
    fn lift_is_for_shadows_gain_for_lights_and_gamma_for_what_is_between() {
        let [lift, gamma, gain] = NEUTRAL;
        assert_eq!(graded([[0.2, 0.0, 0.0], gamma, gain], [0, 0, 0]), [51, 0, 0]);
        assert_eq!(graded([[0.2; 3], gamma, gain], [255; 3]), [255; 3]);
        assert_eq!(graded([lift, gamma, [1.0, 0.8, 1.0]], [255; 3]), [255, 204, 255]);
        let lighter = graded([lift, [2.0; 3], gain], [0, 128, 255]);
        assert_eq!((lighter[0], lighter[2]), (0, 255));
        assert!(lighter[1] > 170);
    }

    #[test]
    fn what_is_too_bright_is_white() {
        assert_eq!(graded([[0.0; 3], [1.0; 3], [9.0; 3]], [200; 3]), [255; 3]);
    }

    #[test]
    fn a_full_tint_leaves_shades_of_one_colour() {
        let pixel = Grade::of(NEUTRAL, [1.0, 0.5, 0.0], 1.0).pixel([255, 0, 0]);
        assert_eq!(pixel, [54, 27, 0]);
    }

    /// The same in floating point, as the numbers at the top say it.
    fn exact([lift, gamma, gain]: [[f32; 3]; 3], tint: [f32; 3], strength: f32, pixel: [u8; 3]) -> [f32; 3] {
        let graded: [f32; 3] = std::array::from_fn(|colour| {
            let value = f32::from(pixel[colour]) / 255.0;
            let lifted = gain[colour] * (value + lift[colour] * (1.0 - value));
            lifted.clamp(0.0, 1.0).powf(1.0 / gamma[colour])
        });
        let luma: f32 = graded.iter().zip(LUMA).map(|(value, weight)| value * weight).sum();
        let drawn = |colour| graded[colour] + strength * (luma * tint[colour] - graded[colour]);
        std::array::from_fn(|colour| (drawn(colour) * 255.0).clamp(0.0, 255.0))
    }

    #[test]
    fn tables_say_what_the_formula_says_for_every_look() {
        let looks = [
            ([LIFT, GAMMA, GAIN], TINT, TINT_STRENGTH),
            (NEUTRAL, [1.0; 3], 0.0),
            ([[0.1, 0.0, 0.3], [0.5, 2.0, 1.0], [1.4, 0.6, 1.0]], [0.2, 1.0, 0.7], 0.5),
            // A tint that is brighter than white.
            ([[0.2; 3], [1.0; 3], [3.0; 3]], [4.0, 0.0, 9.0], 1.0),
        ];
        for (numbers, tint, strength) in looks {
            let grade = Grade::of(numbers, tint, strength);
            for pixel in (0u32..1 << 18).map(|at| [at, at >> 6, at >> 12].map(|part| ((part & 63) * 255 / 63) as u8)) {
                let exact = exact(numbers, tint, strength, pixel);
                let off = grade.pixel(pixel).into_iter().zip(exact).map(|(is, exact)| (f32::from(is) - exact).abs());
                assert!(off.fold(0.0, f32::max) < 0.51, "{pixel:?}: {:?}, not {exact:?}", grade.pixel(pixel));
            }
        }
    }

    #[test]
    fn the_look_that_ships_is_seen() {
        let pixels = [0, 64, 128, 192, 255, 100];
        let context = Context { height: 1, width: 2, ..Context::default() };
        let mut into = [0; 6];
        Grade::default().apply(&Picture { context, pixels: &pixels, source: None }, &mut into).expect("a picture");
        assert_ne!(into, pixels);
    }
}
