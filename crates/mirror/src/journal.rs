//! What the nodes say: dora keeps their output in `out/<dataflow>/log_<node>.jsonl`, and `dora run` prints it.

use mirror_kit::log::TARGET;
use serde_json::Value;
use std::collections::HashMap;
use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// One line that a node printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The node.
    pub node: String,
    /// What it printed.
    pub text: String,
}

impl Line {
    /// A line of a log file, or of `dora run --log-format json`. `None`: dora's own words, not a node's.
    #[must_use]
    pub fn parse(json: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(json).ok()?;
        let text = |keys: [&str; 2]| keys.iter().find_map(|key| value[*key].as_str());
        let (node, said) = (text(["node", "node_id"])?.to_owned(), text(["msg", "message"])?);
        let text = match value["level"].as_str()? {
            // What did not come through the log: a panic, a word of the loader.
            "stdout" => said.to_owned(),
            level if value["target"] == TARGET => format!("{:>5} {said}", level.to_ascii_uppercase()),
            _ => return None,
        };
        Some(Self { node, text })
    }
}

/// The log files of a dataflow, read as they grow.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    /// How far each file has been read, by what the disk knows it by: a log that has grown too large gets another name, and
    /// a new one has its old name.
    read: HashMap<u64, u64>,
}

impl Journal {
    /// The log of a dataflow that was started in `root`.
    #[must_use]
    pub fn of(root: &Path, dataflow: &str) -> Self {
        Self { folder: root.join("out").join(dataflow), read: HashMap::new() }
    }

    /// Where the log files are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The lines that have come since the last call. Files that cannot be read (yet) have none.
    pub fn news(&mut self) -> Vec<Line> {
        let mut files: Vec<PathBuf> =
            fs::read_dir(&self.folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        files.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
        files.sort();
        files.iter().flat_map(|path| self.tail(path)).collect()
    }

    fn tail(&mut self, path: &Path) -> Vec<Line> {
        let Ok(mut file) = fs::File::open(path) else { return Vec::new() };
        let Ok(metadata) = file.metadata() else { return Vec::new() };
        let from = self.read.entry(metadata.ino()).or_default();
        if metadata.len() < *from {
            // The disk has given the number of an old log, which is removed, to this one.
            *from = 0;
        }
        let mut bytes = Vec::new();
        let read = file.seek(SeekFrom::Start(*from)).and_then(|_| file.read_to_end(&mut bytes));
        // A line that is not written to its end yet is read next time.
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        if read.is_err() || whole == 0 {
            return Vec::new();
        }
        *from += whole as u64;
        String::from_utf8_lossy(&bytes[..whole]).lines().filter_map(Line::parse).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::OpenOptions;
    use std::io::Write;

    const FILE: &str = r#"{"ts":"2026-11-21T08:17:02Z","level":"stdout","node":"camera","stream":"stdout","msg":" INFO hello","target":null}"#;

    fn line(node: &str, text: &str) -> Line {
        Line { node: node.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn a_line_of_a_log_file_and_one_of_dora_run_read_alike() {
        assert_eq!(Line::parse(FILE), Some(line("camera", " INFO hello")));
        let run = r#"{"dataflow_id":"01","node_id":"camera","level":"stdout","message":" INFO hello"}"#;
        assert_eq!(Line::parse(run), Some(line("camera", " INFO hello")));
    }

    #[test]
    fn a_structured_line_reads_as_the_plain_one() {
        let file = r#"{"ts":"2026-11-21T14:40:00.123Z","level":"warn","node":"camera","stream":"stdout","msg":"gone","target":"node","fields":{"module":"camera"}}"#;
        assert_eq!(Line::parse(file), Some(line("camera", " WARN gone")));
        let run = r#"{"dataflow_id":"01","node_id":"camera","level":"ERROR","target":"node","message":"camera: gone"}"#;
        assert_eq!(Line::parse(run), Some(line("camera", "ERROR camera: gone")));
    }

    #[test]
    fn the_words_of_dora_itself_are_not_a_nodes() {
        assert_eq!(Line::parse(r#"{"node_id":"camera","level":"DEBUG","message":"building node"}"#), None);
        assert_eq!(Line::parse("not JSON"), None);
    }

    #[test]
    fn each_line_is_told_once_and_only_when_it_is_whole() {
        let root = tempfile::tempdir().unwrap();
        let mut journal = Journal::of(root.path(), "01a1");
        assert!(journal.news().is_empty());
        fs::create_dir_all(journal.folder()).unwrap();
        let path = journal.folder().join("log_camera.jsonl");
        let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
        write!(file, "{FILE}\n{}", &FILE[..20]).unwrap();
        assert_eq!(journal.news(), [line("camera", " INFO hello")]);
        assert!(journal.news().is_empty());
        writeln!(file, "{}", &FILE[20..]).unwrap();
        assert_eq!(journal.news().len(), 1);
    }

    #[test]
    fn a_log_that_gets_another_name_is_read_to_its_end_and_the_new_one_from_its_beginning() {
        let root = tempfile::tempdir().unwrap();
        let mut journal = Journal::of(root.path(), "01a1");
        fs::create_dir_all(journal.folder()).unwrap();
        let path = |name: &str| root.path().join("out/01a1").join(name);
        let said = |text: &str| format!("{}\n", FILE.replace("hello", text));
        fs::write(path("log_camera.jsonl"), said("one").repeat(3)).unwrap();
        assert_eq!(journal.news().len(), 3);
        let mut file = OpenOptions::new().append(true).open(path("log_camera.jsonl")).unwrap();
        file.write_all(said("the last").as_bytes()).unwrap();
        // As dora does it when the file has the size that the dataflow file allows.
        fs::rename(path("log_camera.jsonl"), path("log_camera.1.jsonl")).unwrap();
        fs::write(path("log_camera.jsonl"), said("the first")).unwrap();
        assert_eq!(journal.news(), [line("camera", " INFO the last"), line("camera", " INFO the first")]);
        assert!(journal.news().is_empty());
    }
}
