//! The instructions, in a file that may be edited while the mirror runs.

use eyre::{Result, WrapErr, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Longest instructions, in bytes: they are read by the model before every new wish.
const LONGEST: u64 = 16_384;

/// The model's instructions, and the file that they come from.
#[derive(Debug)]
pub struct Instructions {
    file: Option<(PathBuf, Option<(SystemTime, u64)>)>,
    text: String,
}

impl Instructions {
    /// Reads the file; without one there are no instructions.
    ///
    /// # Errors
    /// A file that is not there, is empty, too long, or no text.
    pub fn open(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else { return Ok(Self { file: None, text: String::new() }) };
        let seen = seen(path);
        Ok(Self { text: read(path)?, file: Some((path.to_owned(), seen)) })
    }

    /// The instructions; empty if there are none.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Looks whether the file has changed, and reads it again if it has. `true`: the instructions are others than before.
    ///
    /// # Errors
    /// It has changed and cannot be used: the instructions stay as they were. Said once for each change.
    pub fn refresh(&mut self) -> Result<bool> {
        let Some((path, last)) = &mut self.file else { return Ok(false) };
        let now = seen(path);
        if now == *last {
            return Ok(false);
        }
        *last = now;
        let text = read(path)?;
        let changed = text != self.text;
        self.text = text;
        Ok(changed)
    }
}

/// Time of the last change and length, as far as they can be known.
fn seen(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

fn read(path: &Path) -> Result<String> {
    let name = path.display();
    let len = fs::metadata(path).wrap_err_with(|| format!("{name} cannot be read"))?.len();
    ensure!(len <= LONGEST, "{name} is {len} bytes long, instructions have at most {LONGEST}");
    let text = fs::read_to_string(path).wrap_err_with(|| format!("{name} cannot be read"))?;
    let text = text.trim().to_owned();
    ensure!(!text.is_empty(), "{name} is empty; write what the model is to do, or set REPHRASE_SYSTEM=none");
    // A C text ends there.
    ensure!(!text.contains('\0'), "{name} holds a NUL character");
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    #[test]
    fn what_is_edited_counts_from_then_on_and_what_is_broken_does_not() {
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().join("system.txt");
        let write = |text: &str| fs::write(&path, text).expect("it can be written");
        write("Describe a picture.\n");
        let mut instructions = Instructions::open(Some(&path)).expect("it can be read");
        assert!(matches!(instructions.refresh(), Ok(false)));
        write("Describe a picture in French.");
        assert!(matches!(instructions.refresh(), Ok(true)));
        assert_eq!(instructions.text(), "Describe a picture in French.");
        write("");
        assert!(instructions.refresh().is_err_and(|error| error.to_string().contains("is empty")));
        // Said once.
        assert!(matches!(instructions.refresh(), Ok(false)));
        fs::remove_file(&path).expect("it is there");
        assert!(instructions.refresh().is_err());
        assert_eq!(instructions.text(), "Describe a picture in French.");
    }

    #[test]
    fn no_file_is_no_instructions() {
        let mut instructions = Instructions::open(None).expect("nothing is fine");
        assert_eq!(instructions.text(), "");
        assert!(matches!(instructions.refresh(), Ok(false)));
        assert!(Instructions::open(Some(Path::new("/nowhere"))).is_err());
    }
}
