//! Takes a camera's picture to the square that the model wants, as an operator: `[height, width, 3]` → `[size, size, 3]`.
//!
//! What it does is [`mirror_imaging::preprocess`], which `encoder` has compiled in; here it is a library that is swapped while
//! the mirror runs, between camera and encoder (`dataflow.operators.yml`).

use mirror_imaging::Preprocess;
use mirror_operator::{Context, Operator, Picture};

/// The stage. It keeps the plan for the last geometry.
#[derive(Default)]
struct Stage(Preprocess);

impl Operator for Stage {
    fn size(&self, context: &Context) -> [usize; 2] {
        [context.settings.size; 2]
    }

    fn apply(&mut self, picture: &Picture, into: &mut [u8]) -> Result<(), String> {
        let Context { height, width, settings, .. } = picture.context;
        let applied = self.0.apply(picture.pixels, [height, width], settings.size, settings.mirror, into);
        applied.map_err(|error| error.to_string())
    }
}

mirror_operator::register!(Stage);

#[cfg(test)]
mod tests {
    use super::*;
    use mirror_operator::Settings;

    #[test]
    fn size_and_side_are_those_of_the_settings() {
        let settings = Settings { size: 2, mirror: true, ..Settings::default() };
        let context = Context { height: 2, width: 4, settings, ..Context::default() };
        let pixels: Vec<u8> = [1, 2, 3, 4, 5, 6, 7, 8].iter().flat_map(|value| [*value; 3]).collect();
        let (mut stage, mut into) = (Stage::default(), [0; 12]);
        assert_eq!(stage.size(&context), [2, 2]);
        stage.apply(&Picture { context, pixels: &pixels, source: None }, &mut into).expect("a picture");
        assert_eq!(into.as_chunks::<3>().0, [[3; 3], [2; 3], [7; 3], [6; 3]]);
    }
}
