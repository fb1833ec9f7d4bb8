//! Standard input, line by line.

use std::io::{BufRead, Read};
use tokio::sync::mpsc::{Receiver, channel};

/// Longest line, in bytes: more than the longest prompt takes.
pub const MAX_BYTES: usize = 16 * 1024;

/// Lines of standard input as they come; the channel closes at the end of the input.
#[must_use]
pub fn stdin() -> Receiver<String> {
    // Bounded: a large file that is piped in waits here, not in memory.
    let (sender, receiver) = channel(16);
    // A thread of its own, because reading from a terminal cannot be given up; it ends with the process.
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        while let Some(line) = next_line(&mut input) {
            if sender.blocking_send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

/// The next line without its end, of at most [`MAX_BYTES`] bytes: the rest of a longer one is left out. Bytes that are not
/// UTF-8 become `�`. `None` at the end of the input and when it cannot be read.
pub fn next_line(input: &mut impl BufRead) -> Option<String> {
    let mut bytes = Vec::new();
    let read = input.by_ref().take(MAX_BYTES as u64).read_until(b'\n', &mut bytes).ok()?;
    if read == 0 {
        return None;
    }
    if read == MAX_BYTES && bytes.last() != Some(&b'\n') {
        skip_line(input)?;
    }
    Some(String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned())
}

fn skip_line(input: &mut impl BufRead) -> Option<()> {
    loop {
        let buffer = input.fill_buf().ok()?;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let used = end.map_or(buffer.len(), |end| end + 1);
        let over = buffer.is_empty() || end.is_some();
        input.consume(used);
        if over {
            return Some(());
        }
    }
}
