//! What a node tells of itself while it works: whether it is back from what it took up, and how much came and went.
//!
//! It stands in memory that belongs to the node's process (`memfd_create(2)`) and is gone with it. Whoever may look at the
//! process reads it there: no message, no file that is left behind, and a node that hangs can be looked at too.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File};
use std::os::fd::FromRawFd;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// What proc(5) says that such memory is.
const LINK: &str = "/memfd:mirror-pulse (deleted)";
/// Numbers in it.
const COUNT: usize = 6;
/// Bytes of it.
const SIZE: usize = COUNT * size_of::<u64>();

/// What a node tells. Everything is counted since its process began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pulse {
    /// How often it has taken something up, a tick too.
    pub taken_up: u64,
    /// How often it was back from that: it is at work while this is less.
    pub done: u64,
    /// Messages that have come: pictures alone where the node works on pictures, and no ticks.
    pub came: u64,
    /// Messages that it has sent, but for notices.
    pub went: u64,
    /// How old what it shows is, in microseconds: p50 and p99; 0 where it shows nothing.
    pub age_us: [u64; 2],
}

impl Pulse {
    fn bytes(&self) -> [u8; SIZE] {
        let numbers = [self.taken_up, self.done, self.came, self.went, self.age_us[0], self.age_us[1]];
        let mut bytes = [0; SIZE];
        for (into, number) in bytes.chunks_exact_mut(size_of::<u64>()).zip(numbers) {
            into.copy_from_slice(&number.to_ne_bytes());
        }
        bytes
    }

    fn of(bytes: &[u8; SIZE]) -> Self {
        let mut numbers = [0; COUNT];
        for (number, from) in numbers.iter_mut().zip(bytes.as_chunks().0) {
            *number = u64::from_ne_bytes(*from);
        }
        let [taken_up, done, came, went, p50, p99] = numbers;
        Self { taken_up, done, came, went, age_us: [p50, p99] }
    }
}

/// The node's own end. Where the system gives no such memory nobody reads it, and the node works on.
#[derive(Debug, Default)]
pub(crate) struct Teller {
    memory: Option<File>,
    pulse: Pulse,
    /// The inputs that count; `None`: all.
    counted: Option<BTreeSet<String>>,
}

impl Teller {
    /// Of a node whose work these inputs are; all are where there is none of them.
    pub fn of(work: BTreeSet<String>) -> Self {
        // SAFETY: memfd_create(2) reads a name that ends with 0, and touches no other memory of this process.
        let number = unsafe { libc::memfd_create(c"mirror-pulse".as_ptr(), libc::MFD_CLOEXEC) };
        // SAFETY: the number is new and belongs to nobody else.
        let memory = (number >= 0).then(|| unsafe { File::from_raw_fd(number) });
        let teller = Self { memory, pulse: Pulse::default(), counted: (!work.is_empty()).then_some(work) };
        teller.write();
        teller
    }

    fn write(&self) {
        if let Some(memory) = &self.memory
            && let Err(error) = memory.write_all_at(&self.pulse.bytes(), 0)
        {
            tracing::debug!("the pulse cannot be written: {error}");
        }
    }

    /// A message has come to that input.
    pub fn came(&mut self, port: &str) {
        self.pulse.came += u64::from(self.counted.as_ref().is_none_or(|counted| counted.contains(port)));
    }

    /// A message was sent.
    pub fn went(&mut self) {
        self.pulse.went += 1;
    }

    /// The node is given something to do.
    pub fn begin(&mut self) {
        self.pulse.done = self.pulse.taken_up;
        self.pulse.taken_up += 1;
        self.write();
    }

    /// The node is back, and waits.
    pub fn rest(&mut self) {
        if self.pulse.done != self.pulse.taken_up {
            self.pulse.done = self.pulse.taken_up;
            self.write();
        }
    }

    /// What the node shows is so old, in milliseconds.
    pub fn shows(&mut self, [p50, p99]: [f64; 2]) {
        // Negative where two machines' clocks do not agree: as little as can be told.
        self.pulse.age_us = [p50, p99].map(|ms| (ms * 1e3).max(0.0) as u64);
    }
}

/// Reads what the processes of this machine tell. Keeps what it has found open, for finding it means a look at all that a process
/// has open.
#[derive(Debug, Default)]
pub struct Pulses {
    open: HashMap<i32, File>,
}

impl Pulses {
    /// What that process tells. `None`: it has ended, is somebody else's, or no node of this kind.
    pub fn read(&mut self, pid: i32) -> Option<Pulse> {
        let memory = match self.open.entry(pid) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(place) => place.insert(find(pid)?),
        };
        let mut bytes = [0; SIZE];
        memory.read_exact_at(&mut bytes, 0).ok()?;
        Some(Pulse::of(&bytes))
    }

    /// Lets go of all other processes: those have ended.
    pub fn keep(&mut self, pids: &BTreeSet<i32>) {
        self.open.retain(|pid, _| pids.contains(pid));
    }
}

fn find(pid: i32) -> Option<File> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).ok()?;
    let mut paths = entries.flatten().map(|entry| entry.path());
    File::open(paths.find(|path| fs::read_link(path).is_ok_and(|link| link == Path::new(LINK)))?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_looks_at_a_process_reads_what_its_node_tells() {
        let mut teller = Teller::of(BTreeSet::from(["picture".to_owned()]));
        let pid = i32::try_from(std::process::id()).unwrap();
        let mut pulses = Pulses::default();
        assert_eq!(pulses.read(pid), Some(Pulse::default()));
        for port in ["picture", "notice", "picture"] {
            teller.came(port);
            teller.begin();
            teller.went();
        }
        teller.shows([41.5, -1.0]);
        let at_work = pulses.read(pid).unwrap();
        assert_eq!((at_work.taken_up, at_work.done, at_work.came), (3, 2, 2));
        teller.rest();
        let pulse = Pulse { taken_up: 3, done: 3, came: 2, went: 3, age_us: [41_500, 0] };
        assert_eq!(pulses.read(pid), Some(pulse));
        pulses.keep(&BTreeSet::new());
        drop(teller);
        assert_eq!(pulses.read(pid), None);
    }

    #[test]
    fn where_no_picture_is_worked_on_everything_counts() {
        let mut teller = Teller::of(BTreeSet::new());
        ["settings", "notice"].iter().for_each(|port| teller.came(port));
        assert_eq!(teller.pulse.came, 2);
    }
}
