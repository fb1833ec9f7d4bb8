//! For tests: an operator that takes its process down on its tenth picture, long after its trial.

use mirror_operator::{Operator, Picture};

/// How many pictures it has seen.
#[derive(Default)]
struct Dies(u32);

impl Operator for Dies {
    fn apply(&mut self, picture: &Picture, into: &mut [u8]) -> Result<(), String> {
        self.0 += 1;
        if self.0 == 10 {
            std::process::abort();
        }
        into.copy_from_slice(picture.pixels);
        Ok(())
    }
}

mirror_operator::register!(Dies);
