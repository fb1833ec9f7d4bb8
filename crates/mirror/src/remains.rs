//! What a mirror that was killed leaves behind: processes, and files in `/dev/shm`.

use mirror_kit::processes::{Process, all, config, nodes};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// Where shared memory lives.
const SHARED_MEMORY: &str = "/dev/shm";

/// What was there before the mirror started.
#[derive(Debug)]
pub struct Remains {
    files: BTreeSet<PathBuf>,
}

impl Remains {
    /// Looks at what is there now.
    #[must_use]
    pub fn before() -> Self {
        Self { files: shared_memory() }
    }

    /// Removes what that dataflow has left: nodes that still run (after giving them a moment), and shared memory that
    /// came since and that no process uses. Says what it did, a line each.
    #[must_use]
    pub fn clear(&self, dataflow: &str, patience: Duration) -> Vec<String> {
        let mut done = Vec::new();
        let start = Instant::now();
        while !nodes(dataflow).is_empty() && start.elapsed() < patience {
            thread::sleep(Duration::from_millis(50));
        }
        for Process { pid, node, .. } in nodes(dataflow) {
            kill(pid);
            done.push(format!("{node} still ran (process {pid}); it was killed"));
        }
        while !nodes(dataflow).is_empty() && start.elapsed() < 2 * patience {
            thread::sleep(Duration::from_millis(50));
        }
        // In this order: a file that another mirror makes in between is then in neither list.
        let files = shared_memory();
        let used = used_memory();
        // One that has gone in the meantime needs no removing. dora itself sometimes leaves one behind when it ends well.
        let left = files.difference(&self.files).filter(|file| !used.contains(*file));
        match left.filter(|file| fs::remove_file(file).is_ok()).count() {
            0 => {}
            count => done.push(format!(
                "removed what was left in {SHARED_MEMORY}: {count} file{}",
                if count == 1 { "" } else { "s" }
            )),
        }
        done
    }
}

/// Ends the nodes of this project that have lost their dora, because it was killed: they would wait for ever, and keep
/// the page's port. Says so, in a line, if there were any.
#[must_use]
pub fn end_orphans(programs: &Path) -> Option<String> {
    let orphans: Vec<i32> = all().filter(|process| is_orphan(*process, programs)).collect();
    for process in &orphans {
        kill(*process);
    }
    let begin = Instant::now();
    while orphans.iter().any(|process| is_orphan(*process, programs)) && begin.elapsed() < Duration::from_secs(2) {
        thread::sleep(Duration::from_millis(20));
    }
    let count = orphans.len();
    (count > 0).then(|| {
        format!("ended what was left of a mirror that was killed: {count} node{}", if count == 1 { "" } else { "s" })
    })
}

/// A node out of that folder whose parent is not dora any more.
fn is_orphan(process: i32, programs: &Path) -> bool {
    let Ok(program) = fs::read_link(format!("/proc/{process}/exe")) else { return false };
    program.starts_with(programs) && config(process).is_some() && parent(process).is_some_and(|parent| !is_dora(parent))
}

/// dora's command line is a Python program.
fn is_dora(process: i32) -> bool {
    let line = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    line.split(|byte| *byte == 0).any(|word| word == b"dora" || word.ends_with(b"/dora"))
}

fn parent(process: i32) -> Option<i32> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()
}

/// Ends a process without asking it.
fn kill(process: i32) {
    // SAFETY: kill(2) takes two integers and touches no memory of this process.
    unsafe { libc::kill(process, libc::SIGKILL) };
}

fn shared_memory() -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(SHARED_MEMORY).into_iter().flatten().flatten();
    // dora's data goes through zenoh; files of other programs are not looked at.
    entries.map(|entry| entry.path()).filter(|path| path.to_string_lossy().contains("zenoh")).collect()
}

/// The files of shared memory that some process has mapped or open.
fn used_memory() -> BTreeSet<PathBuf> {
    let mut used = BTreeSet::new();
    for process in all() {
        let maps = fs::read_to_string(format!("/proc/{process}/maps")).unwrap_or_default();
        used.extend(maps.lines().filter_map(|line| Some(PathBuf::from(&line[line.find(SHARED_MEMORY)?..]))));
        let open = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
        used.extend(
            open.filter_map(|entry| fs::read_link(entry.path()).ok())
                .filter(|path| path.starts_with(Path::new(SHARED_MEMORY))),
        );
    }
    used
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn a_node_that_still_runs_is_killed_and_named() {
        let mut child = Command::new("sleep")
            .arg("60")
            .env("DORA_NODE_CONFIG", "dataflow_id: 5a-remains-test\nnode_id: camera\n")
            .spawn()
            .unwrap();
        // The environment is there once the program has taken over.
        while nodes("5a-remains-test").is_empty() {
            thread::sleep(Duration::from_millis(5));
        }
        // Reaped as the daemon would: a dead child of this process stays in the list until then.
        let waiter = thread::spawn(move || child.wait().unwrap());
        let done = Remains::before().clear("5a-remains-test", Duration::from_millis(100));
        assert!(done[0].starts_with("camera still ran"), "{done:?}");
        assert!(!waiter.join().unwrap().success());
        assert!(nodes("5a-remains-test").is_empty());
    }

    #[test]
    fn a_node_that_has_lost_its_dora_is_ended_and_one_of_another_project_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (ours, theirs) = (folder.path().join("ours"), folder.path().join("theirs"));
        let start = |folder: &Path| {
            fs::create_dir_all(folder).unwrap();
            fs::copy("/bin/sleep", folder.join("camera")).unwrap();
            let mut command = Command::new(folder.join("camera"));
            command.arg("60").env("DORA_NODE_CONFIG", "dataflow_id: 5a-orphan-test\nnode_id: camera\n");
            let mut child = loop {
                match command.spawn() {
                    Ok(child) => break child,
                    // What another test starts at this moment has the copy still open for writing.
                    Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => {
                        thread::sleep(Duration::from_millis(5));
                    }
                    Err(error) => panic!("{error}"),
                }
            };
            while config(child.id() as i32).is_none() {
                thread::sleep(Duration::from_millis(5));
            }
            (child.id() as i32, thread::spawn(move || child.wait().unwrap()))
        };
        let (_, lost) = start(&ours);
        let (kept, other) = start(&theirs);
        let said = end_orphans(&ours).unwrap();
        assert_eq!(said, "ended what was left of a mirror that was killed: 1 node");
        assert!(!lost.join().unwrap().success());
        assert_eq!(end_orphans(&ours), None);
        assert!(is_orphan(kept, &theirs));
        kill(kept);
        other.join().unwrap();
    }

    #[test]
    fn shared_memory_that_nobody_uses_is_removed_and_what_was_there_before_is_not() {
        let file =
            |name: &str| PathBuf::from(format!("{SHARED_MEMORY}/mirror-test-{}-{name}.zenoh", std::process::id()));
        let (old, left, held) = (file("old"), file("left"), file("held"));
        fs::write(&old, "x").unwrap();
        let remains = Remains::before();
        fs::write(&left, "x").unwrap();
        fs::write(&held, "x").unwrap();
        let holder = Command::new("sleep").arg("60").stdin(Stdio::from(fs::File::open(&held).unwrap())).spawn();
        let done = remains.clear("5a-no-such-dataflow", Duration::from_millis(10));
        assert!(done.iter().any(|line| line.starts_with("removed what was left in /dev/shm: ")), "{done:?}");
        assert!(old.exists() && held.exists() && !left.exists());
        let mut holder = holder.unwrap();
        holder.kill().unwrap();
        holder.wait().unwrap();
        fs::remove_file(old).unwrap();
        fs::remove_file(held).unwrap();
    }
}
