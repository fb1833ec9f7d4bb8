//! For tests: an operator that panics.

use mirror_operator::{Operator, Picture};

/// Panics on every picture.
#[derive(Default)]
struct Panics;

impl Operator for Panics {
    fn apply(&mut self, picture: &Picture, _: &mut [u8]) -> Result<(), String> {
        panic!("no picture of {} rows pleases me", picture.context.height);
    }
}

mirror_operator::register!(Panics);
