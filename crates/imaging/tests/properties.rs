//! What holds for pictures of any size.

use mirror_imaging::{Square, blend, denormalise, normalise};
use proptest::prelude::*;

/// A picture and its `[height, width]`.
fn picture() -> impl Strategy<Value = (Vec<u8>, [usize; 2])> {
    (1usize..60, 1usize..60).prop_flat_map(|(height, width)| {
        (proptest::collection::vec(any::<u8>(), height * width * 3), Just([height, width]))
    })
}

fn squared(source: &[u8], shape: [usize; 2], size: usize, mirror: bool) -> Vec<u8> {
    let mut into = vec![0; size * size * 3];
    Square::new(shape, size, mirror).expect("a shape").apply(source, &mut into).expect("lengths agree");
    into
}

proptest! {
    #[test]
    fn any_size_becomes_any_size_within_the_range_of_its_colours((pixels, shape) in picture(), size in 1usize..80) {
        let square = squared(&pixels, shape, size, false);
        let (low, high) = (pixels.iter().min().copied(), pixels.iter().max().copied());
        prop_assert!(square.iter().all(|value| Some(*value) >= low && Some(*value) <= high));
    }

    #[test]
    fn the_same_size_is_an_exact_copy((pixels, [height, width]) in picture()) {
        let side = height.min(width);
        let square = &pixels[..side * side * 3];
        prop_assert_eq!(squared(square, [side, side], side, false), square);
    }

    #[test]
    fn mirrored_twice_is_not_mirrored((pixels, shape) in picture(), size in 1usize..80) {
        let straight = squared(&pixels, shape, size, false);
        let mirrored = squared(&pixels, shape, size, true);
        prop_assert_eq!(squared(&mirrored, [size, size], size, true), straight);
    }

    #[test]
    fn one_colour_stays_that_colour(colour in any::<[u8; 3]>(), height in 1usize..300, width in 1usize..300, size in 1usize..40) {
        let pixels = colour.repeat(height * width);
        prop_assert_eq!(squared(&pixels, [height, width], size, false), colour.repeat(size * size));
    }

    #[test]
    fn a_picture_survives_the_tensor((pixels, _) in picture()) {
        let mut tensor = vec![0.0; pixels.len()];
        let mut back = vec![0; pixels.len()];
        normalise(&pixels, &mut tensor).expect("lengths agree");
        prop_assert!(tensor.iter().all(|value| (-1.0..=1.0).contains(value)));
        denormalise(&tensor, &mut back).expect("lengths agree");
        prop_assert_eq!(back, pixels);
    }

    #[test]
    fn any_tensor_is_a_picture(tensor in proptest::collection::vec(any::<f32>(), 0..200)) {
        let tensor = &tensor[..tensor.len() / 3 * 3];
        let mut pixels = vec![0; tensor.len()];
        denormalise(tensor, &mut pixels).expect("lengths agree");
    }

    #[test]
    fn a_blend_lies_between_its_two(
        pairs in proptest::collection::vec(any::<(u8, u8)>(), 0..100),
        opacity in 0.0f32..=1.0,
    ) {
        let (over, under): (Vec<u8>, Vec<u8>) = pairs.into_iter().unzip();
        let mut into = vec![0; over.len()];
        blend(&over, &under, opacity, &mut into).expect("lengths agree");
        for ((over, under), value) in over.iter().zip(&under).zip(into) {
            prop_assert!(value >= *over.min(under) && value <= *over.max(under));
        }
    }
}
