//! Whether a library is whole on disk: a linker and a copy write in several steps.
//!
//! A shared library is ELF (System V ABI, "Object Files"): its header says where the tables of segments and of sections
//! lie, the first of them where the segments do. Loading a file that ends before does not fail, it kills the process.

use eyre::{Result, bail, ensure};

/// Bytes of the header of a 64-bit file.
const HEADER: usize = 64;

/// Checks that all the parts that the file speaks of are in it.
///
/// # Errors
/// It is no 64-bit ELF file of this machine's byte order, or it is cut short.
pub fn check(bytes: &[u8]) -> Result<()> {
    ensure!(!bytes.is_empty(), "the file is empty");
    let order = if cfg!(target_endian = "little") { 1 } else { 2 };
    let known = bytes.starts_with(b"\x7fELF") && bytes.get(4) == Some(&2) && bytes.get(5) == Some(&order);
    ensure!(known, "the file is no shared library");
    ensure!(bytes.len() >= HEADER, "the file is cut short: {} bytes", bytes.len());
    let (segments, segment, sections) = (long(bytes, 0x20), half(bytes, 0x36), long(bytes, 0x28));
    let count = half(bytes, 0x38);
    let tables = [(segments, segment * count), (sections, half(bytes, 0x3A) * half(bytes, 0x3C))];
    let ends = tables.iter().map(|(from, len)| from.saturating_add(*len)).collect::<Vec<_>>();
    let there = |end: u64| end <= bytes.len() as u64;
    if !ends.iter().all(|end| there(*end)) {
        bail!("the file is cut short: {} bytes of {}", bytes.len(), ends.iter().max().unwrap_or(&0));
    }
    for index in 0..count {
        // Program header: p_offset at 8, p_filesz at 32.
        let at = usize::try_from(segments + index * segment)?;
        ensure!(bytes.len() >= at + 40, "the file's table of segments has no room for them");
        let end = long(bytes, at + 8).saturating_add(long(bytes, at + 32));
        ensure!(there(end), "the file is cut short: {} bytes of {end}", bytes.len());
    }
    Ok(())
}

fn long(bytes: &[u8], at: usize) -> u64 {
    let mut value = [0; 8];
    value.copy_from_slice(&bytes[at..at + 8]);
    u64::from_ne_bytes(value)
}

fn half(bytes: &[u8], at: usize) -> u64 {
    u64::from(u16::from_ne_bytes([bytes[at], bytes[at + 1]]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_whole_and_no_beginning_of_it_is() -> Result<()> {
        let bytes = std::fs::read(std::env::current_exe()?)?;
        check(&bytes)?;
        for len in [0, 1, 4, 63, 64, 4096, bytes.len() / 2, bytes.len() - 1] {
            assert!(check(&bytes[..len]).is_err(), "{len} of {} bytes", bytes.len());
        }
        Ok(())
    }

    #[test]
    fn what_is_no_library_is_said_to_be_none() {
        let error = check(b"#!/bin/sh\n").expect_err("a script").to_string();
        assert_eq!(error, "the file is no shared library");
    }

    #[test]
    fn a_header_that_points_nowhere_is_refused() {
        let mut bytes = vec![0xFF; 4096];
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
        assert!(check(&bytes).is_err());
        // The table of segments begins within the file, with entries of no length.
        bytes[0x20..0x28].copy_from_slice(&4090u64.to_ne_bytes());
        bytes[0x28..0x30].copy_from_slice(&0u64.to_ne_bytes());
        bytes[0x36..0x3A].copy_from_slice(&[0, 0, 1, 0]);
        bytes[0x3A..0x3E].fill(0);
        assert!(check(&bytes).is_err());
    }
}
