//! For tests: an operator that takes longer than all other stages together.

use mirror_operator::{Operator, Picture};
use std::time::Duration;

/// What a picture takes.
const TIME: Duration = Duration::from_millis(150);

/// Sleeps on every picture, and lets it pass.
#[derive(Default)]
struct Slow;

impl Operator for Slow {
    fn apply(&mut self, picture: &Picture, into: &mut [u8]) -> Result<(), String> {
        std::thread::sleep(TIME);
        into.copy_from_slice(picture.pixels);
        Ok(())
    }
}

mirror_operator::register!(Slow);
