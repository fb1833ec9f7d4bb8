//! For tests: an operator that never answers.

use mirror_operator::{Operator, Picture};

/// Sleeps on every picture.
#[derive(Default)]
struct Hangs;

impl Operator for Hangs {
    fn apply(&mut self, _: &Picture, _: &mut [u8]) -> Result<(), String> {
        loop {
            std::thread::park();
        }
    }
}

mirror_operator::register!(Hangs);
