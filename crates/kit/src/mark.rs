//! What a node leaves for the process that dora starts in its place: that its source has worked.

use crate::node::Node;
use crate::source::Start;
use std::path::PathBuf;
use std::{env, fs};

/// An empty file of this run of the dataflow, from the first picture or sound on. dora starts a node again whether it was
/// killed or could not open what was asked for, and tells it nothing of that: only the first is to wait for its source.
#[derive(Debug)]
pub struct Mark {
    path: PathBuf,
    is_set: bool,
}

impl Mark {
    /// That of this node.
    #[must_use]
    pub fn of(node: &Node) -> Self {
        // The number of the run is in the name: what another mirror, or a power failure, has left there is nobody's.
        let name = format!("mirror-{}-{}", node.dataflow(), node.name());
        Self::at(env::temp_dir().join(name), node.restarts())
    }

    fn at(path: PathBuf, restarts: u32) -> Self {
        let mut mark = Self { is_set: restarts > 0 && path.exists(), path };
        // A node that people have put in the place of another may have been given another source.
        if !mark.is_set {
            mark.clear();
        }
        mark
    }

    /// What it means if the source cannot be opened now.
    #[must_use]
    pub fn start(&self) -> Start {
        if self.is_set { Start::Again } else { Start::First }
    }

    /// The source works.
    pub fn set(&mut self) {
        if self.is_set {
            return;
        }
        self.is_set = true;
        if let Err(error) = fs::write(&self.path, "") {
            let path = self.path.display();
            tracing::warn!("{path} cannot be written ({error}): killed while its source is away, this node would end");
        }
    }

    /// The node ends as it should: nobody follows.
    pub fn clear(&mut self) {
        self.is_set = false;
        // Mostly it was not there.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file in a folder that goes with the test.
    fn file() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mirror-5a-camera");
        (folder, path)
    }

    #[test]
    fn a_source_that_has_worked_is_waited_for_by_the_process_that_comes_next() {
        let (_folder, path) = file();
        let mut first = Mark::at(path.clone(), 0);
        assert_eq!(first.start(), Start::First);
        first.set();
        // Killed, twice.
        drop(first);
        assert_eq!(Mark::at(path.clone(), 1).start(), Start::Again);
        assert_eq!(Mark::at(path, 2).start(), Start::Again);
    }

    #[test]
    fn a_source_that_has_never_worked_is_an_error_however_often_the_node_is_started() {
        let (_folder, path) = file();
        for restarts in 0..3 {
            assert_eq!(Mark::at(path.clone(), restarts).start(), Start::First);
        }
    }

    #[test]
    fn a_node_that_is_put_in_the_place_of_another_starts_anew() {
        let (_folder, path) = file();
        Mark::at(path.clone(), 0).set();
        assert_eq!(Mark::at(path.clone(), 0).start(), Start::First);
        assert_eq!(Mark::at(path, 1).start(), Start::First, "its source has never worked");
    }

    #[test]
    fn a_node_that_ends_as_it_should_leaves_nothing() {
        let (_folder, path) = file();
        let mut mark = Mark::at(path.clone(), 0);
        mark.set();
        assert!(path.exists());
        mark.clear();
        assert!(!path.exists());
    }
}
