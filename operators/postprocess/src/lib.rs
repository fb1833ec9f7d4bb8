//! Lays the painted picture over the one that it was painted from, as an operator.
//!
//! What it does is [`mirror_imaging::postprocess`], which `decoder` has compiled in; here it is a library that is swapped while
//! the mirror runs, behind the decoder (`dataflow.operators.yml`).

use mirror_imaging::postprocess;
use mirror_operator::{Operator, Picture};

/// The stage: it keeps nothing.
#[derive(Default)]
struct Stage;

impl Operator for Stage {
    fn apply(&mut self, picture: &Picture, into: &mut [u8]) -> Result<(), String> {
        let settings = picture.context.settings;
        let Picture { pixels, source, .. } = *picture;
        let applied = postprocess::apply(pixels, source, settings.opacity, settings.passthrough, into);
        applied.map(drop).map_err(|error| error.to_string())
    }
}

mirror_operator::register!(Stage);

#[cfg(test)]
mod tests {
    use super::*;
    use mirror_operator::{Context, Settings};

    fn applied(source: Option<&[u8]>, settings: Settings) -> [u8; 3] {
        let context = Context { height: 1, width: 1, settings, ..Context::default() };
        let mut into = [0; 3];
        Stage.apply(&Picture { context, pixels: &[200, 100, 0], source }, &mut into).expect("a picture");
        into
    }

    #[test]
    fn opacity_and_passthrough_are_those_of_the_settings() {
        let source = Some(&[100, 200, 50][..]);
        let half = Settings { opacity: 0.5, ..Settings::default() };
        assert_eq!(applied(source, half), [150, 150, 25]);
        assert_eq!(applied(None, half), [200, 100, 0]);
        assert_eq!(applied(source, Settings { passthrough: true, ..Settings::default() }), [100, 200, 50]);
    }
}
