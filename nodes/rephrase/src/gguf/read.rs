//! The parts of a GGUF file, one after another.

use eyre::{Result, bail, ensure};
use std::io::Read;

/// Longest text, in bytes: chat templates are long.
const LONGEST_TEXT: u64 = 1 << 20;
/// Longest list.
const LONGEST_LIST: u64 = 1 << 22;

/// A value of the head.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A whole number, or a switch as 0 and 1. Negative ones are as large as can be: nothing that is checked may be.
    Number(u64),
    /// A number with a fraction.
    Fraction(f64),
    /// A text.
    Text(String),
    /// A list of texts.
    Texts(Vec<String>),
    /// A list of numbers: how many.
    Many(u64),
}

/// Reads a file, and knows how much of it there is.
pub struct Reader<R> {
    input: R,
    len: u64,
    at: u64,
}

impl<R: Read> Reader<R> {
    /// Reads `len` bytes from the start.
    pub fn new(input: R, len: u64) -> Self {
        Self { input, len, at: 0 }
    }

    /// Length of the file.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Bytes that have been read.
    pub fn position(&self) -> u64 {
        self.at
    }

    fn ahead(&mut self, count: u64) -> Result<()> {
        let left = self.len - self.at;
        ensure!(count <= left, "it ends {} bytes too early", count - left);
        self.at += count;
        Ok(())
    }

    /// So many bytes.
    pub fn bytes(&mut self, count: u64) -> Result<Vec<u8>> {
        self.ahead(count)?;
        let mut bytes = vec![0; usize::try_from(count)?];
        self.input.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn word<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.ahead(N as u64)?;
        let mut bytes = [0; N];
        self.input.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// A 32-bit number.
    pub fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.word()?))
    }

    /// A 64-bit number.
    pub fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.word()?))
    }

    /// A length and as many bytes of UTF-8.
    pub fn text(&mut self, longest: u64, what: &str) -> Result<String> {
        let len = self.u64()?;
        ensure!(len <= longest, "{what} is {len} bytes long");
        match String::from_utf8(self.bytes(len)?) {
            Ok(text) => Ok(text),
            Err(_) => bail!("{what} is no text"),
        }
    }

    /// A name and its value.
    pub fn value(&mut self) -> Result<(String, Value)> {
        let name = self.text(65_535, "the name of a value")?;
        let kind = self.u32()?;
        let value = if kind == 9 { self.list(&name)? } else { self.single(kind, &name)? };
        Ok((name, value))
    }

    /// The kinds are `gguf_type`: u8, i8, u16, i16, u32, i32, f32, bool, text, list, u64, i64, f64.
    fn single(&mut self, kind: u32, name: &str) -> Result<Value> {
        let signed = |value: i64| Value::Number(u64::try_from(value).unwrap_or(u64::MAX));
        Ok(match kind {
            0 | 7 => Value::Number(u64::from(self.word::<1>()?[0])),
            1 => signed(i64::from(i8::from_le_bytes(self.word()?))),
            2 => Value::Number(u64::from(u16::from_le_bytes(self.word()?))),
            3 => signed(i64::from(i16::from_le_bytes(self.word()?))),
            4 => Value::Number(u64::from(self.u32()?)),
            5 => signed(i64::from(i32::from_le_bytes(self.word()?))),
            6 => Value::Fraction(f64::from(f32::from_le_bytes(self.word()?))),
            8 => Value::Text(self.text(LONGEST_TEXT, name)?),
            10 => Value::Number(self.u64()?),
            11 => signed(i64::from_le_bytes(self.word()?)),
            12 => Value::Fraction(f64::from_le_bytes(self.word()?)),
            kind => bail!("its value {name} is of the unknown kind {kind}"),
        })
    }

    fn list(&mut self, name: &str) -> Result<Value> {
        let (kind, count) = (self.u32()?, self.u64()?);
        ensure!(count <= LONGEST_LIST, "its list {name} has {count} entries");
        if kind == 8 {
            // Not reserved ahead: the count may be a lie.
            let texts = (0..count).map(|_| self.text(LONGEST_TEXT, name)).collect::<Result<_>>()?;
            return Ok(Value::Texts(texts));
        }
        for _ in 0..count {
            self.single(kind, name)?;
        }
        Ok(Value::Many(count))
    }
}
