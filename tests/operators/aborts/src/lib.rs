//! For tests: an operator that takes its process down.

use mirror_operator::{Operator, Picture};

/// Aborts on every picture.
#[derive(Default)]
struct Aborts;

impl Operator for Aborts {
    fn apply(&mut self, _: &Picture, _: &mut [u8]) -> Result<(), String> {
        std::process::abort()
    }
}

mirror_operator::register!(Aborts);
