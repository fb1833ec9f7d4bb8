//! A kaleidoscope: one wedge of the picture, mirrored around its middle.

use mirror_operator::{Operator, Picture};
use std::f32::consts::TAU;

/// How many mirrored pairs of wedges there are in a circle.
const PAIRS: f32 = 4.0;
/// Where the wedge that is shown begins, in turns: 0.75 is upwards, where a face is.
const FROM: f32 = 0.75;

/// For each pixel the one that it shows, for the size of the last picture.
#[derive(Default)]
struct Kaleidoscope {
    size: [usize; 2],
    shown: Vec<u32>,
}

impl Kaleidoscope {
    fn fit(&mut self, size: [usize; 2]) {
        if self.size != size {
            let [height, width] = size;
            let places = (0..height).flat_map(|row| (0..width).map(move |column| shown([row, column], size)));
            self.shown = places.map(|[row, column]| (row * width + column) as u32).collect();
            self.size = size;
        }
    }
}

/// Row and column of the pixel that is shown at a place: its angle around the middle, folded into the first wedge.
fn shown([row, column]: [usize; 2], [height, width]: [usize; 2]) -> [usize; 2] {
    let middle = [(height as f32 - 1.0) / 2.0, (width as f32 - 1.0) / 2.0];
    let [y, x] = [row as f32 - middle[0], column as f32 - middle[1]];
    let pair = TAU / PAIRS;
    let angle = (y.atan2(x) - FROM * TAU).rem_euclid(pair);
    // Every other wedge is the mirror image of the one before.
    let angle = FROM * TAU + angle.min(pair - angle);
    let radius = x.hypot(y);
    [within(middle[0] + radius * angle.sin(), height), within(middle[1] + radius * angle.cos(), width)]
}

/// The nearest pixel of `len`. What lies beyond the edge is mirrored back, once; what is left shows the edge.
fn within(place: f32, len: usize) -> usize {
    let last = len as f32 - 1.0;
    let inwards = place.abs();
    let inwards = if inwards > last { 2.0 * last - inwards } else { inwards };
    inwards.round().clamp(0.0, last) as usize
}

impl Operator for Kaleidoscope {
    fn apply(&mut self, picture: &Picture, into: &mut [u8]) -> Result<(), String> {
        self.fit([picture.context.height, picture.context.width]);
        let (from, _) = picture.pixels.as_chunks::<3>();
        for (into, shown) in into.as_chunks_mut::<3>().0.iter_mut().zip(&self.shown) {
            *into = from[*shown as usize];
        }
        Ok(())
    }
}

mirror_operator::register!(Kaleidoscope);

#[cfg(test)]
mod tests {
    use super::*;
    use mirror_operator::Context;

    fn applied(stage: &mut Kaleidoscope, [height, width]: [usize; 2], pixels: &[u8]) -> Vec<u8> {
        let context = Context { height, width, ..Context::default() };
        let mut into = vec![0; pixels.len()];
        stage.apply(&Picture { context, pixels, source: None }, &mut into).expect("a picture");
        into
    }

    /// A picture whose every pixel is another one.
    fn varied([height, width]: [usize; 2]) -> Vec<u8> {
        (0..height * width).flat_map(|index| [index as u8, (index >> 8) as u8, 7]).collect()
    }

    #[test]
    fn it_looks_the_same_after_each_turn_by_a_pair_of_wedges() {
        let size = 65;
        let painted = applied(&mut Kaleidoscope::default(), [size; 2], &varied([size; 2]));
        let at = |row: usize, column: usize| &painted[(row * size + column) * 3..][..3];
        // A quarter turn takes (row, column) to (column, last − row). Rounding may choose a neighbour on a wedge's edge.
        let turned = |row: usize, column: usize| at(column, size - 1 - row);
        let same = (0..size * size).filter(|it| at(it / size, it % size) == turned(it / size, it % size)).count();
        assert!(same > size * size * 9 / 10, "{same} of {}", size * size);
    }

    #[test]
    fn only_the_wedge_is_shown() {
        let size = 65;
        let mut pixels = vec![0; size * size * 3];
        // Only above the middle, to the right, is there any colour.
        for row in 0..size / 2 {
            for column in size / 2 + 1..size {
                pixels[(row * size + column) * 3] = 255;
            }
        }
        let painted = applied(&mut Kaleidoscope::default(), [size; 2], &pixels);
        let coloured = painted.chunks_exact(3).filter(|pixel| pixel[0] == 255).count();
        assert!(coloured > size * size * 9 / 10, "{coloured}");
    }

    #[test]
    fn what_lies_beyond_the_edge_is_mirrored_back() {
        let shown = [-9.0, -2.0, -0.4, 0.0, 2.6, 3.0, 4.0, 9.0].map(|place| within(place, 4));
        assert_eq!(shown, [0, 2, 0, 0, 3, 3, 2, 0]);
        assert_eq!([-1.0, 0.0, 5.0].map(|place| within(place, 1)), [0; 3]);
    }

    #[test]
    fn another_size_makes_another_plan() {
        let mut stage = Kaleidoscope::default();
        for size in [[1, 1], [2, 3], [48, 64], [64, 48], [2, 3]] {
            let pixels = varied(size);
            assert_eq!(applied(&mut stage, size, &pixels), applied(&mut Kaleidoscope::default(), size, &pixels));
        }
    }
}
