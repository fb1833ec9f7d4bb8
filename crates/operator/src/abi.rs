//! What host and library must agree on before one calls the other.
//!
//! dora's three symbols carry no version, and two of the types that cross (`Input`, `Output`) have Rust's own layout, which
//! another compiler or another version of dora may order otherwise. Called all the same, such a library would read a
//! pointer where a length is. So every library says in a symbol of plain C layout what it was compiled with: the versions in
//! words, and sizes and offsets of all that crosses, as its own compiler laid them out.

use dora_operator_api::arrow_v59::ffi::{FFI_ArrowArray, FFI_ArrowSchema};
use dora_operator_api::types::{
    DoraInitResult, DoraResult, Input, Metadata, OnEventResult, Output, RawEvent, SendOutput,
};
use std::mem::{align_of, offset_of, size_of};

/// The symbol's name.
pub const SYMBOL: &str = "mirror_operator_abi";
/// The first bytes of the symbol.
const MAGIC: [u8; 8] = *b"mirrorop";
/// The versions, in words. The last number rises when [`Context`](crate::Context) or the meaning of a message changes.
pub const VERSION: &str = "dora-operator-api 1.1.0, Arrow 59, mirror 2";

/// Sizes and offsets of all that crosses the boundary, in bytes.
const LAYOUT: [usize; 24] = [
    size_of::<RawEvent>(),
    offset_of!(RawEvent, input),
    offset_of!(RawEvent, input_closed),
    offset_of!(RawEvent, stop),
    offset_of!(RawEvent, error),
    size_of::<Input>(),
    offset_of!(Input, id),
    offset_of!(Input, data_array),
    offset_of!(Input, schema),
    offset_of!(Input, metadata),
    size_of::<Output>(),
    offset_of!(Output, id),
    offset_of!(Output, data_array),
    offset_of!(Output, schema),
    offset_of!(Output, metadata),
    size_of::<OnEventResult>(),
    offset_of!(OnEventResult, status),
    size_of::<DoraInitResult>(),
    size_of::<DoraResult>(),
    size_of::<SendOutput>(),
    size_of::<Metadata>(),
    size_of::<Option<FFI_ArrowArray>>(),
    size_of::<FFI_ArrowSchema>(),
    align_of::<Input>() * 256 + align_of::<Output>(),
];

/// What a library says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Abi {
    magic: [u8; 8],
    /// Bytes of the whole, so that no reader goes beyond the end of a shorter one.
    size: usize,
    version: [u8; 64],
    layout: [usize; LAYOUT.len()],
    name: [u8; 64],
}

impl Abi {
    /// What the library of that name says when it is compiled here. A name is cut after 64 bytes.
    #[must_use]
    pub const fn of(name: &str) -> Self {
        Self { magic: MAGIC, size: size_of::<Self>(), version: text(VERSION), layout: LAYOUT, name: text(name) }
    }

    /// As [`of`](Self::of), of another version: for the test of a library that must be refused.
    #[must_use]
    pub const fn of_version(name: &str, version: &str) -> Self {
        Self { version: text(version), ..Self::of(name) }
    }

    /// Reads what lies at a library's symbol: the name of the operator.
    ///
    /// # Errors
    /// It was compiled with other versions, or by a compiler that lays the types out otherwise; it is no such symbol.
    ///
    /// # Safety
    /// `at` points to what a library exports as [`SYMBOL`]: at least magic and size can be read.
    pub unsafe fn read(at: *const Self) -> Result<String, String> {
        // SAFETY: the caller's promise; reading field by field, unaligned, makes no reference to what may not be there.
        let (magic, size) =
            unsafe { ((&raw const (*at).magic).read_unaligned(), (&raw const (*at).size).read_unaligned()) };
        if magic != MAGIC || size != size_of::<Self>() {
            return Err(format!(
                "its symbol {SYMBOL} is not one that this mirror knows: build it again (make operator)"
            ));
        }
        // SAFETY: it says itself that it is as long as ours, and consists of integers only.
        unsafe { at.read_unaligned() }.check()
    }

    /// The name of the operator.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn check(&self) -> Result<String, String> {
        let said = words(&self.version);
        if said != VERSION {
            return Err(format!(
                "it was built for {said:?}, this mirror is {VERSION:?}: build it again (make operator)"
            ));
        }
        if self.layout != LAYOUT {
            return Err(
                "another compiler laid its messages out: build it with the compiler of the mirror (make operator)"
                    .into(),
            );
        }
        Ok(words(&self.name))
    }
}

const fn text<const LEN: usize>(from: &str) -> [u8; LEN] {
    let (from, mut into, mut at) = (from.as_bytes(), [0; LEN], 0);
    while at < from.len() && at < LEN {
        into[at] = from[at];
        at += 1;
    }
    into
}

fn words(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compiled_here_is_accepted_and_says_its_name() {
        let abi = Abi::of("grade");
        assert_eq!(abi.check().as_deref(), Ok("grade"));
        // SAFETY: it points to an Abi.
        assert_eq!(unsafe { Abi::read(&raw const abi) }.as_deref(), Ok("grade"));
    }

    #[test]
    fn another_version_is_refused_with_both_in_words() {
        let error = Abi::of_version("grade", "dora-operator-api 0.9.0").check().expect_err("another version");
        assert!(error.contains("\"dora-operator-api 0.9.0\"") && error.contains(VERSION), "{error}");
    }

    #[test]
    fn another_layout_is_refused() {
        let mut abi = Abi::of("grade");
        abi.layout[3] += 8;
        assert!(abi.check().expect_err("another layout").contains("another compiler"));
    }

    #[test]
    fn nothing_beyond_the_size_is_read_of_what_is_shorter() {
        let short = (MAGIC, 16usize);
        // SAFETY: magic and size are there; no more is read.
        let error = unsafe { Abi::read((&raw const short).cast()) }.expect_err("too short");
        assert!(error.contains(SYMBOL), "{error}");
    }

    #[test]
    fn the_version_in_words_is_the_one_of_cargo_lock() {
        let lock = include_str!("../../../Cargo.lock");
        let (dora, arrow) =
            ("name = \"dora-operator-api\"\nversion = \"1.1.0\"\n", "name = \"arrow\"\nversion = \"59.");
        assert!(lock.contains(dora) && lock.contains(arrow), "VERSION is no longer true");
    }
}
