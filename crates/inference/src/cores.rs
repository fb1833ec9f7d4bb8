//! Which core a thread of a model runs on.
//!
//! A stage begins at the moment in which the one before it ends, and the system sometimes wakes two threads of one model on one
//! core while the other core sees off the last stage; then they take turns, and a run takes up to twice as long. Threads that keep
//! to a core each cannot. Measured at 512 × 512 on two cores, when pictures come slowly: the encoder takes 5.9 ms instead of 6.8,
//! a picture 41.7 instead of 43.5.

use std::cell::Cell;
use std::sync::OnceLock;
use std::thread::available_parallelism;

/// On which cores the threads of a model run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Cores {
    /// A core for each thread, where the model has a thread for every core and there are few of them: among many there is always one
    /// that idles, and somebody else's work may need any of them.
    Auto,
    /// Any: the system moves them as it likes.
    #[default]
    Any,
    /// Those, one for each thread; the thread that calls the model has the first. They need not be among the cores that the process was
    /// started on (`cpu_affinity` of the dataflow file): then the rest of the node runs there, and the model where it is in nobody's way.
    These(Vec<usize>),
}

/// What `Auto` calls few.
const FEW: usize = 4;

impl std::str::FromStr for Cores {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let number = |text: &str| text.trim().parse::<usize>().ok().filter(|core| *core < MOST).ok_or(());
        match text.trim().to_ascii_lowercase().as_str() {
            "auto" => Ok(Self::Auto),
            "any" => Ok(Self::Any),
            list => {
                let ranges = list.split(',').map(|part| {
                    let (first, last) = part.split_once('-').unwrap_or((part, part));
                    Ok(number(first)?..=number(last)?)
                });
                let cores: Vec<usize> = ranges.collect::<Result<Vec<_>, ()>>()?.into_iter().flatten().collect();
                if cores.is_empty() { Err(()) } else { Ok(Self::These(cores)) }
            }
        }
    }
}

impl Cores {
    /// What [`FromStr`](std::str::FromStr) takes, for errors.
    pub const EXPECTED: &str = "auto, any, or cores like 0 or 0,2-3";

    /// The core that is named and that this process cannot use, if there is one.
    #[must_use]
    pub fn foreign(&self) -> Option<usize> {
        match self {
            Self::These(cores) => {
                let usable = usable();
                cores.iter().copied().find(|core| !usable.contains(core))
            }
            Self::Auto | Self::Any => None,
        }
    }

    /// The core of each of so many threads, the one that calls the model first; `None`: they keep to none.
    pub(crate) fn plan(&self, threads: usize, all: &[usize]) -> Option<Vec<usize>> {
        let cores = match self {
            Self::Auto if threads > 1 && threads == all.len() && all.len() <= FEW => all,
            Self::Auto | Self::Any => return None,
            Self::These(cores) => cores,
        };
        Some(cores.iter().copied().cycle().take(threads.max(1)).collect())
    }
}

/// The cores that this process may use, as it was started.
#[must_use]
pub fn all() -> &'static [usize] {
    static ALL: OnceLock<Vec<usize>> = OnceLock::new();
    ALL.get_or_init(|| allowed().unwrap_or_else(|| (0..available_parallelism().map_or(1, usize::from)).collect()))
}

/// The cores that this process could use if it wanted: those of the machine, or of its container.
#[must_use]
pub fn usable() -> Vec<usize> {
    // Trying is the only way to know. What a thread tries ends with it.
    let tried = std::thread::spawn(|| (0..MOST).filter(|core| allow(&[*core])).collect());
    tried.join().unwrap_or_else(|_| all().to_vec())
}

/// A set of cores has so many bits.
const MOST: usize = libc::CPU_SETSIZE as usize;

thread_local! {
    /// The core that this thread keeps to.
    static KEPT: Cell<Option<usize>> = const { Cell::new(None) };
}

/// This thread keeps to that core from now on. The second time it costs nothing.
pub(crate) fn keep(core: usize) {
    if KEPT.replace(Some(core)) != Some(core) && !allow(&[core]) {
        tracing::warn!("no thread can be kept to core {core}: {}", std::io::Error::last_os_error());
    }
}

/// This thread runs on any core, whichever the one that started it keeps to: for work beside the models.
pub fn release() {
    KEPT.set(None);
    if !allow(all()) {
        tracing::warn!("a thread keeps to its core: {}", std::io::Error::last_os_error());
    }
}

/// The cores that this thread may use.
fn allowed() -> Option<Vec<usize>> {
    // SAFETY: a set of cores is bits, for which all zeros are valid.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set is as large as it is said to be, and 0 is this thread.
    if unsafe { libc::sched_getaffinity(0, size_of_val(&set), &raw mut set) } != 0 {
        return None;
    }
    // SAFETY: no core is asked for that has no bit.
    Some((0..MOST).filter(|core| unsafe { libc::CPU_ISSET(*core, &set) }).collect())
}

/// Lets this thread use those cores and no others.
fn allow(cores: &[usize]) -> bool {
    // SAFETY: a set of cores is bits, for which all zeros are valid.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    for core in cores.iter().filter(|core| **core < MOST) {
        // SAFETY: the core has a bit.
        unsafe { libc::CPU_SET(*core, &mut set) };
    }
    // SAFETY: the set is as large as it is said to be, and 0 is this thread.
    unsafe { libc::sched_setaffinity(0, size_of_val(&set), &raw const set) == 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn threads_keep_to_cores_of_their_own_where_there_is_one_for_every_core_and_few_cores() {
        assert_eq!(Cores::Auto.plan(2, &[0, 1]), Some(vec![0, 1]));
        assert_eq!(Cores::Auto.plan(4, &[2, 3, 6, 7]), Some(vec![2, 3, 6, 7]));
        let many: Vec<usize> = (0..16).collect();
        for (threads, cores) in [(1, &[0, 1][..]), (1, &[0]), (3, &[0, 1]), (16, &many), (0, &[])] {
            assert_eq!(Cores::Auto.plan(threads, cores), None, "{threads} threads, {} cores", cores.len());
        }
        assert_eq!(Cores::Any.plan(2, &[0, 1]), None);
    }

    #[test]
    fn named_cores_are_taken_in_their_order_and_again_where_there_are_more_threads() {
        assert_eq!(Cores::These(vec![1]).plan(1, &[0, 1]), Some(vec![1]));
        assert_eq!(Cores::These(vec![1, 0]).plan(3, &[0, 1]), Some(vec![1, 0, 1]));
    }

    #[test]
    fn cores_are_read_as_people_write_them() {
        let read = |text: &str| text.parse::<Cores>();
        assert_eq!(read("auto"), Ok(Cores::Auto));
        assert_eq!(read(" Any "), Ok(Cores::Any));
        assert_eq!(read("1"), Ok(Cores::These(vec![1])));
        assert_eq!(read("6, 0-2"), Ok(Cores::These(vec![6, 0, 1, 2])));
        for wrong in ["", "-", "1-", "3-1", "core 1", "-1", "1.5", "0-99999999", "1,,2"] {
            assert_eq!(read(wrong), Err(()), "{wrong}");
        }
    }

    #[test]
    fn a_core_that_is_not_there_is_named() {
        // Of so many bits machines use the first.
        assert_eq!(Cores::These(vec![all()[0], MOST - 1]).foreign(), Some(MOST - 1));
        assert_eq!(Cores::These(all().to_vec()).foreign(), None);
        assert_eq!(Cores::Auto.foreign(), None);
    }

    #[test]
    fn a_process_that_was_started_on_one_core_can_still_name_another() {
        let usable = usable();
        let (first, last) = (usable[0], usable[usable.len() - 1]);
        let from_the_first = thread::spawn(move || {
            keep(first);
            Cores::These(vec![last]).foreign()
        });
        assert_eq!(from_the_first.join().expect("it ends"), None);
    }

    #[test]
    fn a_thread_keeps_to_its_core_and_one_that_it_starts_can_leave_it() {
        let core = all()[0];
        let (kept, left) = thread::spawn(move || {
            keep(core);
            let inside = thread::spawn(|| {
                release();
                allowed()
            });
            (allowed(), inside.join().expect("it ends"))
        })
        .join()
        .expect("it ends");
        assert_eq!(kept, Some(vec![core]));
        assert_eq!(left.as_deref(), Some(all()));
    }
}
