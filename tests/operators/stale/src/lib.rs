//! For tests: an operator that was built for another version.

use mirror_operator::dora_operator_api::{self, register_operator};
use mirror_operator::{Abi, Operator, Picture, Shell};

/// Never called.
#[derive(Default)]
struct Stale;

impl Operator for Stale {
    fn apply(&mut self, _: &Picture, _: &mut [u8]) -> Result<(), String> {
        Err("a library of another version was called".to_owned())
    }
}

/// What it says of itself.
#[unsafe(no_mangle)]
#[allow(non_upper_case_globals, reason = "the symbol's name")]
pub static mirror_operator_abi: Abi = Abi::of_version("operator-stale", "dora-operator-api 0.3.0, Arrow 52, mirror 0");

#[allow(missing_docs, unsafe_op_in_unsafe_fn, reason = "register_operator! writes these functions")]
mod registered {
    use super::{Shell, Stale, dora_operator_api, register_operator};
    type Registered = Shell<Stale>;
    register_operator!(Registered);
}
