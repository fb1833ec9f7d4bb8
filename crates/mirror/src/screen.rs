//! The terminal: lines that stay, and below them a status line that is rewritten in place.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// How often the status is told where it cannot be rewritten: in a file, in a pipe.
const PLAIN_PERIOD: Duration = Duration::from_secs(5);

/// What is shown on standard output.
#[derive(Debug)]
pub struct Screen {
    terminal: bool,
    typing: bool,
    status: String,
    told: Option<Instant>,
}

impl Screen {
    /// Standard output; with a line to type into if both ends are a terminal.
    #[must_use]
    pub fn new() -> Self {
        let terminal = io::stdout().is_terminal();
        let typing = terminal && io::stdin().is_terminal();
        Self { terminal, typing, status: String::new(), told: None }
    }

    /// Whether people can type something in.
    #[must_use]
    pub fn typing(&self) -> bool {
        self.typing
    }

    /// Says a line that stays.
    pub fn say(&mut self, line: &str) {
        let text = if self.status.is_empty() { format!("{line}\n") } else { self.above(line) };
        write(&text);
    }

    /// Shows the status.
    pub fn show(&mut self, status: &str) {
        if !self.terminal {
            if self.told.is_none_or(|told| told.elapsed() >= PLAIN_PERIOD) {
                self.told = Some(Instant::now());
                write(&format!("{status}\n"));
            }
            return;
        }
        let before = std::mem::replace(&mut self.status, fit(status, width()));
        let text = match (before.is_empty(), self.typing) {
            (true, true) => format!("{}\n> ", self.status),
            // The cursor stays where somebody types.
            (false, true) => format!("\x1b7\x1b[1A\r\x1b[2K{}\x1b8", self.status),
            (_, false) => format!("\r\x1b[2K{}", self.status),
        };
        write(&text);
    }

    /// Somebody has typed a line, and with it moved the cursor down.
    pub fn entered(&mut self) {
        if self.typing && !self.status.is_empty() {
            write(&format!("\x1b[2A\r\x1b[J{}\n> ", self.status));
        }
    }

    /// The status goes away.
    pub fn clear(&mut self) {
        if self.terminal && !self.status.is_empty() {
            write(if self.typing { "\r\x1b[1A\x1b[J" } else { "\r\x1b[2K" });
        }
        self.status.clear();
    }

    fn above(&self, line: &str) -> String {
        match (self.terminal, self.typing) {
            (true, true) => format!("\r\x1b[1A\x1b[J{line}\n{}\n> ", self.status),
            (true, false) => format!("\r\x1b[2K{line}\n{}", self.status),
            (false, _) => format!("{line}\n"),
        }
    }
}

impl Default for Screen {
    fn default() -> Self {
        Self::new()
    }
}

/// A terminal that has gone away is no reason to leave the mirror running.
fn write(text: &str) {
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

/// Columns of the terminal.
fn width() -> usize {
    // SAFETY: the struct is plain numbers, for which zero is a value.
    let mut size: libc::winsize = unsafe { std::mem::zeroed() };
    // SAFETY: TIOCGWINSZ writes one `winsize` to the address it is given, which lives until the call returns.
    let result = unsafe { libc::ioctl(libc::STDOUT_FILENO, libc::TIOCGWINSZ, &raw mut size) };
    if result == 0 && size.ws_col > 0 { usize::from(size.ws_col) } else { 80 }
}

/// The line cut to the terminal's width: a longer one would wrap, and could not be rewritten.
fn fit(line: &str, width: usize) -> String {
    if line.chars().count() < width {
        return line.to_owned();
    }
    let kept: String = line.chars().take(width.saturating_sub(2)).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_too_long_is_cut() {
        assert_eq!(fit("short", 80), "short");
        assert_eq!(fit("longer than that", 8), "longer…");
        assert_eq!(fit("äöüß", 1), "…");
    }
}
