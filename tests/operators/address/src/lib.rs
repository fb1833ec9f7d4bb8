//! For tests: an operator that paints the address at which it has seen its picture.

use mirror_operator::{Operator, Picture};

/// Writes eight bytes.
#[derive(Default)]
struct Address;

impl Operator for Address {
    fn apply(&mut self, picture: &Picture, into: &mut [u8]) -> Result<(), String> {
        into.copy_from_slice(picture.pixels);
        into[..8].copy_from_slice(&(picture.pixels.as_ptr() as usize).to_ne_bytes());
        Ok(())
    }
}

mirror_operator::register!(Address);
