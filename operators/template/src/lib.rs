//! Darkens the picture towards its edges. Replace this line, and what it is about, by your own.

use mirror_operator::{Operator, Picture};

/// How much light is left in the corners, from 0 (none) to 1 (all).
const CORNERS: f32 = 0.35;

/// What the operator keeps between two pictures: nothing. It is made when its library is loaded.
#[derive(Default)]
struct Stage;

impl Operator for Stage {
    fn apply(&mut self, picture: &Picture, into: &mut [u8]) -> Result<(), String> {
        let (height, width) = (picture.context.height, picture.context.width);
        let (from, _) = picture.pixels.as_chunks::<3>();
        for (index, (into, from)) in into.as_chunks_mut::<3>().0.iter_mut().zip(from).enumerate() {
            let light = light(centred(index / width, height), centred(index % width, width));
            *into = from.map(|value| (f32::from(value) * light + 0.5) as u8);
        }
        Ok(())
    }
}

/// A place among `len`, from -1 (first) to 1 (last).
fn centred(place: usize, len: usize) -> f32 {
    (2 * place + 1) as f32 / len as f32 - 1.0
}

/// How much light is left at a place: all in the middle, [`CORNERS`] in a corner.
fn light(y: f32, x: f32) -> f32 {
    1.0 - (1.0 - CORNERS) * (y * y + x * x) / 2.0
}

mirror_operator::register!(Stage);

#[cfg(test)]
mod tests {
    use super::*;
    use mirror_operator::Context;

    #[test]
    fn the_middle_stays_and_the_corners_darken() {
        let size = 65;
        let context = Context { height: size, width: size, ..Context::default() };
        let pixels = vec![200; size * size * 3];
        let mut into = vec![0; pixels.len()];
        Stage.apply(&Picture { context, pixels: &pixels, source: None }, &mut into).expect("a picture");
        assert_eq!(into[size * size / 2 * 3], 200);
        let corner = f32::from(into[0]);
        assert!((corner - 200.0 * CORNERS).abs() < 5.0, "{corner}");
    }
}
