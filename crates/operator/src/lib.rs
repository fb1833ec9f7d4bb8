//! What an operator is written with, and what its host knows of it.
//!
//! An operator is a shared library that turns one picture into another. The node `operator` loads it, runs it on every
//! picture and swaps it for a newer one between two pictures, while the mirror runs. It is an ordinary operator of dora:
//! [`register!`] calls `dora_operator_api::register_operator!`, and adds the one thing that dora's three symbols do not say:
//! which types the library was compiled with ([`Abi`]).
//!
//! ```
//! use mirror_operator::{Operator, Picture};
//!
//! /// Turns every picture into its negative.
//! #[derive(Default)]
//! struct Negative;
//!
//! impl Operator for Negative {
//!     fn apply(&mut self, picture: &Picture, into: &mut [u8]) -> Result<(), String> {
//!         for (into, from) in into.iter_mut().zip(picture.pixels) {
//!             *into = 255 - from;
//!         }
//!         Ok(())
//!     }
//! }
//!
//! mirror_operator::register!(Negative);
//! # fn main() {}
//! ```
//!
//! | module | holds |
//! |---|---|
//! | [`operator`] | the trait, and its way from and to dora's messages |
//! | [`context`] | the line of text that names a picture: its size, its stamp, its settings |
//! | [`abi`] | what host and library must agree on |

pub mod abi;
pub mod context;
pub mod operator;

pub use abi::Abi;
pub use context::{Context, Settings};
pub use dora_operator_api;
pub use operator::{Operator, PICTURE, Picture, SHAPE, SOURCE, Shell};

/// Makes the library that this crate becomes an operator: dora's three symbols, and the mirror's [`Abi`].
///
/// It takes the name of a type that implements [`Operator`]. Once in a library.
#[macro_export]
macro_rules! register {
    ($operator:ident) => {
        #[allow(missing_docs, unsafe_op_in_unsafe_fn, reason = "register_operator! writes these functions")]
        mod registered {
            use $crate::dora_operator_api;
            type Registered = $crate::Shell<super::$operator>;
            dora_operator_api::register_operator!(Registered);

            #[unsafe(no_mangle)]
            #[allow(non_upper_case_globals, reason = "a symbol beside dora's")]
            pub static mirror_operator_abi: $crate::Abi = $crate::Abi::of(env!("CARGO_PKG_NAME"));
        }
    };
}
