//! As much of protobuf's wire format as recordings need (protobuf.dev/programming-guides/encoding).

use eyre::{Result, bail, eyre};

const VARINT: u64 = 0;
const LENGTH: u64 = 2;
const FIXED32: u64 = 5;
const FIXED64: u64 = 1;

/// A message being written, field by field.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Message(pub Vec<u8>);

impl Message {
    /// A message for which that many bytes are set aside.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            // The low seven bits; the cast keeps just them and the mark that more follow.
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn tag(&mut self, field: u64, wire: u64) {
        self.varint(field << 3 | wire);
    }

    /// An int64, int32, enum or bool. Zero is what a field that is not there reads as.
    #[must_use]
    pub fn integer(mut self, field: u64, value: i64) -> Self {
        self.tag(field, VARINT);
        // Two's complement, as the format has it for negative numbers.
        self.varint(value as u64);
        self
    }

    /// A fixed32.
    #[must_use]
    pub fn fixed32(mut self, field: u64, value: u32) -> Self {
        self.tag(field, FIXED32);
        self.0.extend(value.to_le_bytes());
        self
    }

    /// Bytes.
    #[must_use]
    pub fn bytes(mut self, field: u64, value: &[u8]) -> Self {
        self.tag(field, LENGTH);
        self.varint(value.len() as u64);
        self.0.extend(value);
        self
    }

    /// A string.
    #[must_use]
    pub fn text(self, field: u64, value: &str) -> Self {
        self.bytes(field, value.as_bytes())
    }

    /// A message within the message.
    #[must_use]
    pub fn message(self, field: u64, value: &Self) -> Self {
        self.bytes(field, &value.0)
    }

    /// A packed list of integers.
    #[must_use]
    pub fn integers(self, field: u64, values: &[i64]) -> Self {
        let mut packed = Self::default();
        values.iter().for_each(|value| packed.varint(*value as u64));
        self.message(field, &packed)
    }

    /// A `google.protobuf.Timestamp`; times before 1970 read 1970.
    #[must_use]
    pub fn timestamp(self, field: u64, ns: i64) -> Self {
        let (seconds, nanos) = (ns.max(0) / 1_000_000_000, ns.max(0) % 1_000_000_000);
        self.message(field, &Self::default().integer(1, seconds).integer(2, nanos))
    }
}

/// The first field of that number that holds bytes, a text or a message.
///
/// # Errors
/// There is none, or the bytes are not a message.
pub fn bytes_of(message: &[u8], wanted: u64) -> Result<&[u8]> {
    let mut rest = message;
    while !rest.is_empty() {
        let tag = varint(&mut rest)?;
        let value = match tag & 7 {
            VARINT => {
                varint(&mut rest)?;
                continue;
            }
            FIXED32 => take(&mut rest, 4)?,
            FIXED64 => take(&mut rest, 8)?,
            LENGTH => {
                let len = varint(&mut rest)?;
                take(&mut rest, usize::try_from(len)?)?
            }
            wire => bail!("a field of the unknown kind {wire}"),
        };
        if tag == (wanted << 3 | LENGTH) {
            return Ok(value);
        }
    }
    Err(eyre!("there is no field {wanted}"))
}

fn take<'a>(rest: &mut &'a [u8], len: usize) -> Result<&'a [u8]> {
    let (value, after) = rest.split_at_checked(len).ok_or_else(|| eyre!("it ends in the middle of a field"))?;
    *rest = after;
    Ok(value)
}

fn varint(rest: &mut &[u8]) -> Result<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = take(rest, 1)?[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    bail!("a number of more than 64 bits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_written_as_the_format_has_them() {
        // The examples of protobuf.dev/programming-guides/encoding.
        assert_eq!(Message::default().integer(1, 150).0, [0x08, 0x96, 0x01]);
        assert_eq!(Message::default().text(2, "testing").0, *b"\x12\x07testing");
        assert_eq!(Message::default().integers(6, &[3, 270, 86942]).0, *b"\x32\x06\x03\x8e\x02\x9e\xa7\x05");
        assert_eq!(Message::default().integer(1, -2).0.len(), 11);
    }

    #[test]
    fn a_field_is_found_among_others() {
        let message = Message::default().integer(1, 300).fixed32(2, 7).text(3, "a").bytes(6, &[1, 2, 3]);
        assert_eq!(bytes_of(&message.0, 6).expect("it is there"), [1, 2, 3]);
        assert!(bytes_of(&message.0, 1).is_err(), "a number is no bytes");
        assert!(bytes_of(&message.0[..message.0.len() - 1], 6).is_err(), "it was cut short");
    }
}
