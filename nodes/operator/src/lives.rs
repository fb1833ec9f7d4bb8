//! How often the host has died with a library: a note beside it, `operator.so.lives`, that only a good end takes away.
//!
//! A library that passes its trial and takes the host down later would do so again and again, until dora gives the node up
//! and no picture comes any more. After a few lives in a short time it is left out instead.

use crate::watch::Mark;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Bad ends within [`WINDOW_S`] after which a library is left out.
pub const MOST: usize = 3;
/// How long a bad end counts, in seconds: dora's window for restarts in `dataflow.yml`.
const WINDOW_S: i64 = 60;

/// The note.
#[derive(Debug, Clone)]
pub struct Lives(PathBuf);

impl Lives {
    /// The note beside that library.
    #[must_use]
    pub fn of(library: &Path) -> Self {
        let mut name: OsString = library.as_os_str().to_owned();
        name.push(".lives");
        Self(name.into())
    }

    /// When lives of that state of the library began that had no good end, of those that still count: seconds since the Unix
    /// epoch. A note that cannot be read counts nothing.
    #[must_use]
    pub fn lost(&self, mark: Mark, now_s: i64) -> Vec<i64> {
        let text = fs::read_to_string(&self.0).unwrap_or_default();
        let mut lines = text.lines();
        if lines.next() != Some(mark.to_string().as_str()) {
            return Vec::new();
        }
        lines.filter_map(|line| line.parse().ok()).filter(|begun| now_s - begun < WINDOW_S).collect()
    }

    /// A life of that state of the library begins.
    ///
    /// # Errors
    /// The note cannot be written.
    pub fn begin(&self, mark: Mark, now_s: i64) -> io::Result<()> {
        let mut text = format!("{mark}\n");
        for begun in self.lost(mark, now_s).into_iter().chain([now_s]) {
            text.push_str(&format!("{begun}\n"));
        }
        fs::write(&self.0, text)
    }

    /// It has come to a good end.
    pub fn end(&self) {
        // There may be none.
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lives_without_a_good_end_are_counted_for_a_minute() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let library = folder.path().join("operator.so");
        fs::write(&library, "one")?;
        let mark = Mark::of(&library).expect("it is there");
        let lives = Lives::of(&library);
        assert_eq!(lives.lost(mark, 1000), [0; 0]);
        for now_s in [1000, 1010, 1050] {
            lives.begin(mark, now_s)?;
        }
        assert_eq!(lives.lost(mark, 1055), [1000, 1010, 1050]);
        assert_eq!(lives.lost(mark, 1069), [1010, 1050]);
        assert_eq!(lives.lost(mark, 2000), [0; 0]);
        Ok(())
    }

    #[test]
    fn a_good_end_or_another_library_begins_anew() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let library = folder.path().join("operator.so");
        fs::write(&library, "one")?;
        let mark = Mark::of(&library).expect("it is there");
        let lives = Lives::of(&library);
        lives.begin(mark, 1000)?;
        fs::write(&library, "another")?;
        let other = Mark::of(&library).expect("it is there");
        assert_eq!(lives.lost(other, 1001), [0; 0]);
        lives.begin(other, 1001)?;
        assert_eq!(lives.lost(other, 1002), [1001]);
        lives.end();
        assert_eq!(lives.lost(other, 1002), [0; 0]);
        lives.end();
        Ok(())
    }

    #[test]
    fn a_note_of_nonsense_counts_nothing() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let library = folder.path().join("operator.so");
        fs::write(&library, "one")?;
        let mark = Mark::of(&library).expect("it is there");
        fs::write(folder.path().join("operator.so.lives"), format!("{mark}\nsoon\n99\n"))?;
        assert_eq!(Lives::of(&library).lost(mark, 100), [99]);
        Ok(())
    }
}
