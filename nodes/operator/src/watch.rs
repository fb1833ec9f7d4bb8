//! When a file that others write is there, and still.
//!
//! The file is looked at again and again: that works for a new file in its place and for one that is written over, on
//! every file system, and costs one system call each time.

use std::fmt::{self, Display, Formatter};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// Between two looks.
pub const EVERY: Duration = Duration::from_millis(50);
/// A file that has not changed for so long is looked into.
const STILL: Duration = Duration::from_millis(150);
/// A file that is gone for so long is not being replaced.
const GONE: Duration = Duration::from_secs(1);
/// A file that is not whole, and has not changed for so long, will not become so.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// What tells one state of a file from another: device and number, length, time of the last change in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    file: (u64, u64),
    len: u64,
    changed_ns: (i64, i64),
}

impl Mark {
    /// The file's present state; `None` if there is no such file.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let data = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
        Some(Self { file: (data.dev(), data.ino()), len: data.len(), changed_ns: (data.mtime(), data.mtime_nsec()) })
    }
}

impl Display for Mark {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        let Self { file: (device, number), len, changed_ns: (seconds, nanoseconds) } = self;
        write!(to, "{device}:{number} {len} {seconds}.{nanoseconds:09}")
    }
}

/// What has happened to the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is another one, and has been still for so long.
    Came(Mark, Duration),
    /// It is gone.
    Gone,
}

/// What was seen of the file, and since when.
#[derive(Debug)]
pub struct Watch {
    seen: Option<Mark>,
    since: Instant,
    taken: Option<Mark>,
}

impl Watch {
    /// Nothing has been seen yet.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self { seen: None, since: now, taken: None }
    }

    /// Takes in a look. What it says is said at every look until it is [`take`](Self::take)n.
    pub fn look(&mut self, now: Instant, found: Option<Mark>) -> Option<Change> {
        if found != self.seen {
            (self.seen, self.since) = (found, now);
        }
        let still = now.saturating_duration_since(self.since);
        match found {
            _ if found == self.taken => None,
            Some(mark) if still >= STILL => Some(Change::Came(mark, still)),
            None if still >= GONE => Some(Change::Gone),
            _ => None,
        }
    }

    /// This state has been dealt with.
    pub fn take(&mut self, state: Option<Mark>) {
        self.taken = state;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn mark(len: u64) -> Option<Mark> {
        Some(Mark { file: (1, 1), len, changed_ns: (0, 0) })
    }

    #[test]
    fn a_file_that_is_still_being_written_is_waited_for() {
        let start = Instant::now();
        let mut watch = Watch::new(start);
        let mut now = start;
        for len in 0..20 {
            now += STILL / 2;
            assert_eq!(watch.look(now, mark(len)), None);
        }
        assert_eq!(watch.look(now + STILL, mark(19)), mark(19).map(|it| Change::Came(it, STILL)));
    }

    #[test]
    fn what_was_taken_is_said_no_more_until_it_changes() {
        let start = Instant::now();
        let mut watch = Watch::new(start);
        watch.look(start, mark(1));
        assert!(watch.look(start + STILL, mark(1)).is_some());
        assert!(watch.look(start + STILL * 2, mark(1)).is_some());
        watch.take(mark(1));
        assert_eq!(watch.look(start + STILL * 3, mark(1)), None);
        assert_eq!(watch.look(start + STILL * 4, mark(2)), None);
        assert!(watch.look(start + STILL * 5, mark(2)).is_some());
    }

    #[test]
    fn a_file_that_is_replaced_is_not_gone_and_one_that_stays_away_is() {
        let start = Instant::now();
        let mut watch = Watch::new(start);
        watch.look(start, mark(1));
        watch.take(mark(1));
        assert_eq!(watch.look(start, None), None);
        assert_eq!(watch.look(start + GONE / 2, None), None);
        assert_eq!(watch.look(start + GONE, None), Some(Change::Gone));
        watch.take(None);
        assert_eq!(watch.look(start + GONE * 2, None), None);
    }

    #[test]
    fn a_file_that_was_never_there_is_not_gone() {
        let start = Instant::now();
        assert_eq!(Watch::new(start).look(start + GONE * 2, None), None);
    }

    #[test]
    fn a_file_in_its_place_and_one_written_over_are_other_states() -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        let (path, other) = (folder.path().join("a"), folder.path().join("b"));
        assert_eq!(Mark::of(&path), None);
        fs::write(&path, "one")?;
        let first = Mark::of(&path);
        assert!(first.is_some() && Mark::of(&path) == first);
        fs::write(&other, "two")?;
        fs::rename(&other, &path)?;
        let second = Mark::of(&path);
        assert_ne!(first, second);
        fs::OpenOptions::new().append(true).open(&path)?.write_all(b"more")?;
        assert_ne!(Mark::of(&path), second);
        assert_eq!(Mark::of(folder.path()), None);
        Ok(())
    }
}
