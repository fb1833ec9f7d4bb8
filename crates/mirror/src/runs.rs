//! The folders that runs of a graph leave in `out/`: what their nodes said, and what `mirror rewire` had to know.

use mirror_kit::processes;
use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use uuid::Uuid;

/// Runs whose folders stay: enough to look back on, and with their logs at their largest (16 MB a node) no full disk.
const KEPT: usize = 20;
/// What `mirror` itself writes into such a folder.
const OWN: [&str; 4] = ["mirror.yml", "mirror.yml.new", "next", "next.new"];

/// Removes the folders of all but the newest runs, none of a graph that runs. Says so, in a line, if there were any.
#[must_use]
pub fn tidy(root: &Path) -> Option<String> {
    let running = processes::dataflows();
    let entries = fs::read_dir(root.join("out")).into_iter().flatten().flatten();
    let mut runs: Vec<(SystemTime, PathBuf)> = entries.filter_map(|entry| run(&entry)).collect();
    runs.sort_by(|(one, _), (other, _)| other.cmp(one));
    let old = runs.iter().skip(KEPT).map(|(_, folder)| folder);
    let old = old.filter(|folder| folder.file_name().is_none_or(|id| !running.contains(&*id.to_string_lossy())));
    // One that cannot be removed is in nobody's way.
    let count = old.filter(|folder| fs::remove_dir_all(folder).is_ok()).count();
    (count > 0).then(|| format!("removed the logs of {count} former run{}", if count == 1 { "" } else { "s" }))
}

/// When a run last wrote into its folder, and the folder. `None`: it is none, or somebody keeps something else in it.
fn run(entry: &DirEntry) -> Option<(SystemTime, PathBuf)> {
    let name = entry.file_name().into_string().ok()?;
    // dora's numbers have hyphens; other ways to write such a number are somebody else's.
    if name.len() != 36 || Uuid::try_parse(&name).is_err() || !entry.file_type().ok()?.is_dir() {
        return None;
    }
    let (mut newest, mut has_log) = (SystemTime::UNIX_EPOCH, false);
    for file in fs::read_dir(entry.path()).ok()? {
        let file = file.ok()?;
        let name = file.file_name().into_string().ok()?;
        let is_log = is_log(&name);
        if !(is_log || OWN.contains(&name.as_str())) {
            return None;
        }
        let metadata = file.metadata().ok().filter(fs::Metadata::is_file)?;
        newest = newest.max(metadata.modified().ok()?);
        has_log |= is_log;
    }
    has_log.then(|| (newest, entry.path()))
}

/// A log of dora's: `log_camera.jsonl`, `log_camera.1.jsonl`; `log_camera.txt` of older releases.
fn is_log(name: &str) -> bool {
    name.starts_with("log_") && (name.ends_with(".jsonl") || name.ends_with(".txt"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;
    use std::thread::sleep;
    use std::time::Duration;

    /// The name of a run's folder, as dora gives it.
    fn id(number: usize) -> String {
        format!("01a1fd54-675c-77b4-b6e7-{number:012}")
    }

    /// A run that wrote last so many hours ago.
    fn left(root: &Path, name: &str, file: &str, hours: u64) -> PathBuf {
        let folder = root.join("out").join(name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(file), "{}\n").unwrap();
        let when = SystemTime::now() - Duration::from_secs(3600 * hours);
        fs::File::options().write(true).open(folder.join(file)).unwrap().set_modified(when).unwrap();
        folder
    }

    #[test]
    fn the_newest_runs_stay_and_so_does_what_is_no_runs() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(tidy(root.path()), None);
        let left = |name: &str, file: &str, hours| left(root.path(), name, file, hours);
        let runs: Vec<PathBuf> =
            (0..KEPT + 3).map(|at| left(&id(at), "log_web.jsonl", u64::try_from(at).unwrap())).collect();
        let others = [
            left("demo", "log_web.jsonl", 900),
            left(&id(900), "report.json", 900),
            left(&id(901), "mirror.yml", 900),
            left("01a1fd54675c77b4b6e7000000000902", "log_web.jsonl", 900),
        ];
        // What somebody has put beside the logs is not ours to remove.
        let mixed = left(&id(903), "log_web.jsonl", 900);
        fs::write(mixed.join("notes.txt"), "mine").unwrap();
        fs::write(runs[KEPT].join("mirror.yml"), "").unwrap();
        fs::write(runs[KEPT].join("log_web.1.jsonl"), "").unwrap();
        // It has just been written: that run is the newest now, and the last of the others goes in its place.
        assert_eq!(tidy(root.path()).as_deref(), Some("removed the logs of 3 former runs"));
        let stay: Vec<bool> = runs.iter().map(|folder| folder.exists()).collect();
        let expected: Vec<bool> = (0..KEPT + 3).map(|at| at < KEPT - 1 || at == KEPT).collect();
        assert_eq!(stay, expected);
        assert!(others.iter().chain([&mixed]).all(|folder| folder.exists()));
        assert_eq!(tidy(root.path()), None);
    }

    #[test]
    fn the_folder_of_a_graph_that_runs_stays_however_old_it_is() {
        let root = tempfile::tempdir().unwrap();
        let name = "01a1fd54-675c-77b4-b6e7-5a5a5a5a5a5a";
        let config = format!("dataflow_id: {name}\nnode_id: camera\n");
        let mut child = Command::new("sleep").arg("60").env("DORA_NODE_CONFIG", config).spawn().unwrap();
        while !processes::dataflows().contains(name) {
            sleep(Duration::from_millis(5));
        }
        for at in 0..KEPT {
            left(root.path(), &id(at), "log_web.jsonl", 1);
        }
        let folder = left(root.path(), name, "log_web.jsonl", 900);
        assert_eq!(tidy(root.path()), None);
        assert!(folder.exists());
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(tidy(root.path()).as_deref(), Some("removed the logs of 1 former run"));
        assert!(!folder.exists());
    }
}
