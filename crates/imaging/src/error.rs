//! What can be wrong with a buffer.

use thiserror::Error;

/// Buffers that do not fit each other.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ImagingError {
    /// A buffer is longer or shorter than its shape says.
    #[error("{what} must hold {expected} values, it holds {actual}")]
    WrongLength {
        /// Which buffer.
        what: &'static str,
        /// Values that it must hold.
        expected: usize,
        /// Values that it holds.
        actual: usize,
    },
    /// A picture without pixels, or with more than memory can address.
    #[error(
        "a picture of {height} rows and {width} columns cannot be: both must be at least 1, and it must fit in memory"
    )]
    WrongShape {
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
}

/// Checks the length of a buffer.
pub(crate) fn check(what: &'static str, actual: usize, expected: usize) -> Result<(), ImagingError> {
    if actual == expected { Ok(()) } else { Err(ImagingError::WrongLength { what, expected, actual }) }
}
