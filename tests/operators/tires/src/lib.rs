//! For tests: an operator that paints twenty pictures in one grey, and then panics.

use mirror_operator::{Operator, Picture};

/// How many pictures it has painted.
#[derive(Default)]
struct Tires(u32);

impl Operator for Tires {
    fn apply(&mut self, _: &Picture, into: &mut [u8]) -> Result<(), String> {
        assert!(self.0 < 20, "twenty pictures are enough");
        self.0 += 1;
        into.fill(7);
        Ok(())
    }
}

mirror_operator::register!(Tires);
