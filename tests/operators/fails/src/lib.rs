//! For tests: an operator that fails on its second picture.

use mirror_operator::{Operator, Picture};

/// How many pictures it has seen.
#[derive(Default)]
struct Fails(usize);

impl Operator for Fails {
    fn apply(&mut self, picture: &Picture, into: &mut [u8]) -> Result<(), String> {
        into.copy_from_slice(picture.pixels);
        self.0 += 1;
        if self.0 < 2 { Ok(()) } else { Err("the second picture is too much".to_owned()) }
    }
}

mirror_operator::register!(Fails);
