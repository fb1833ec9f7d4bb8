//! For tests: an operator whose pictures have one byte less than they should.

use mirror_operator::dora_operator_api::arrow_v59::array::UInt8Array;
use mirror_operator::dora_operator_api::{
    self, DoraArray, DoraOperator, DoraOutputSender, DoraStatus, Event, register_operator,
};
use mirror_operator::{Abi, PICTURE};

/// Leaves out the last byte.
#[derive(Default)]
struct Shrinks;

impl DoraOperator for Shrinks {
    fn on_event(&mut self, event: &Event, sender: &mut DoraOutputSender) -> Result<DoraStatus, String> {
        if let Event::Input { data, .. } = event {
            sender.send(PICTURE, DoraArray::from_array(UInt8Array::from(vec![0u8; data.len() - 1])))?;
        }
        Ok(DoraStatus::Continue)
    }
}

/// What it was built for.
#[unsafe(no_mangle)]
#[allow(non_upper_case_globals, reason = "the symbol's name")]
pub static mirror_operator_abi: Abi = Abi::of("operator-shrinks");

#[allow(missing_docs, unsafe_op_in_unsafe_fn, reason = "register_operator! writes these functions")]
mod registered {
    use super::{Shrinks, dora_operator_api, register_operator};
    register_operator!(Shrinks);
}
