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

/// A table for each colour: the graded value of each of the 256.
struct Grade([[f32; 256]; 3]);

impl Default for Grade {
    fn default() -> Self {
        Self::of(LIFT, GAMMA, GAIN)
    }
}

impl Grade {
    fn of(lift: [f32; 3], gamma: [f32; 3], gain: [f32; 3]) -> Self {
        let value = |colour: usize, value: usize| {
            let value = value as f32 / 255.0;
            let lifted = gain[colour] * (value + lift[colour] * (1.0 - value));
            lifted.clamp(0.0, 1.0).powf(1.0 / gamma[colour])
        };
        Self(std::array::from_fn(|colour| std::array::from_fn(|at| value(colour, at))))
    }

    /// Grades one pixel, then draws it towards the tint.
    fn pixel(&self, pixel: [u8; 3], tint: [f32; 3], strength: f32) -> [u8; 3] {
        let graded: [f32; 3] = std::array::from_fn(|colour| self.0[colour][usize::from(pixel[colour])]);
        let luma: f32 = graded.iter().zip(LUMA).map(|(value, weight)| value * weight).sum();
        // Rounds; the cast saturates.
        std::array::from_fn(|colour| {
            let value = graded[colour] + strength * (luma * tint[colour] - graded[colour]);
            (value * 255.0 + 0.5) as u8
        })
    }
}

impl Operator for Grade {
    fn apply(&mut self, picture: &Picture, into: &mut [u8]) -> Result<(), String> {
        let (from, _) = picture.pixels.as_chunks::<3>();
        for (into, from) in into.as_chunks_mut::<3>().0.iter_mut().zip(from) {
            *into = self.pixel(*from, TINT, TINT_STRENGTH);
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

    fn graded([lift, gamma, gain]: [[f32; 3]; 3], pixel: [u8; 3]) -> [u8; 3] {
        Grade::of(lift, gamma, gain).pixel(pixel, [1.0; 3], 0.0)
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
        let [lift, gamma, gain] = NEUTRAL;
        let pixel = Grade::of(lift, gamma, gain).pixel([255, 0, 0], [1.0, 0.5, 0.0], 1.0);
        assert_eq!(pixel, [54, 27, 0]);
    }

    #[test]
    fn the_look_that_ships_is_seen() {
        let pixels = [0, 64, 128, 192, 255, 100];
        let context = Context { height: 1, width: 2, frame_id: 0, captured_ns: 0, stream: "house" };
        let mut into = [0; 6];
        Grade::default().apply(&Picture { context, pixels: &pixels }, &mut into).expect("a picture");
        assert_ne!(into, pixels);
    }
}
