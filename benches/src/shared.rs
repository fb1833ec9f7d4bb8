//! Whether memory is shared with another process: what "zero copy" means, seen from the receiver.

use eyre::{Result, WrapErr};
use std::fs;

/// Whether the address lies in a mapping of `/dev/shm`: what a sender wrote there is read where it lies.
///
/// # Errors
/// `/proc/self/maps` cannot be read.
pub fn is_shared(address: *const u8) -> Result<bool> {
    let maps = fs::read_to_string("/proc/self/maps").wrap_err("/proc/self/maps cannot be read")?;
    Ok(holds(&maps, address as usize))
}

/// Looks an address up in the text of `/proc/<pid>/maps`: `start-end permissions offset device inode path`.
#[must_use]
pub fn holds(maps: &str, address: usize) -> bool {
    let hex = |text: &str| usize::from_str_radix(text, 16).ok();
    maps.lines().any(|line| {
        let mut fields = line.split_ascii_whitespace();
        let range = fields.next().and_then(|range| range.split_once('-'));
        let path = fields.nth(4).unwrap_or_default();
        let Some((Some(start), Some(end))) = range.map(|(start, end)| (hex(start), hex(end))) else { return false };
        (start..end).contains(&address) && path.starts_with("/dev/shm/")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shared_if_its_mapping_is_a_file_of_dev_shm() {
        let maps = "7f00-7f10 rw-s 00000000 00:19 42 /dev/shm/1.zenoh\n7f10-7f20 rw-p 00000000 00:00 0\n";
        assert!(holds(maps, 0x7f05));
        assert!(!holds(maps, 0x7f10));
        assert!(!holds(maps, 0x7e00));
    }

    #[test]
    fn memory_of_our_own_is_not_shared() -> Result<()> {
        assert!(!is_shared(vec![1u8; 10_000].as_ptr())?);
        Ok(())
    }
}
