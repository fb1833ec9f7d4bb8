//! Reads the arrays that NumPy wrote (`numpy.lib.format`, version 1.0).

use std::fs;
use std::path::Path;

/// The values of a little-endian f32 array in C order.
///
/// # Panics
/// Anything else: fixtures are ours.
#[must_use]
pub fn floats(path: &Path) -> Vec<f32> {
    let value = |chunk: &[u8]| f32::from_le_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]);
    values(path, "'<f4'").chunks_exact(4).map(value).collect()
}

/// The values of a u8 array in C order.
///
/// # Panics
/// As [`floats`].
#[must_use]
pub fn bytes(path: &Path) -> Vec<u8> {
    values(path, "'|u1'")
}

/// What stands behind the header.
fn values(path: &Path, element: &str) -> Vec<u8> {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00", "{}", path.display());
    let header = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let text = String::from_utf8_lossy(&bytes[10..10 + header]);
    assert!(text.contains(element) && text.contains("'fortran_order': False"), "{}: {text}", path.display());
    bytes[10 + header..].to_vec()
}
