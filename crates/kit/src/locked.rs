//! Memory that a process may lock. dora's transport locks all that it shares (zenoh, `mlock`): a sender's whole room when the
//! sender starts, and again in each process that reads there. A process that may not lock it reads nothing, and dora does not say so.

use crate::members::Member;
use dora_node_api::DoraNode;
use std::collections::BTreeSet;
use std::fs;

/// What dora gives a node that asks for no `shared_memory_pool_size`.
const USUAL: u64 = 8 << 20;
/// What the transport's own books about a sender's room take: as its file in `/dev/shm` is long.
const BOOKS: u64 = 1_310_720;
/// The right to lock as much as one likes: capabilities(7), `CAP_IPC_LOCK`.
const IPC_LOCK: u32 = 14;

/// Takes all that this process may have: the soft limit becomes the hard one. Before dora is joined.
pub(crate) fn raise() {
    if let Some(mut limit) = limits().filter(|limit| limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        // One that is not raised is said by `check`.
        // SAFETY: the limit is only read.
        unsafe { libc::setrlimit(libc::RLIMIT_MEMLOCK, &raw const limit) };
    }
}

/// Whether this node's process may lock what it shares with others; if not, it is said in the log.
pub(crate) fn check(dora: &DoraNode, members: &[Member]) -> bool {
    let nodes = dora.dataflow_descriptor().map(|file| file.nodes.as_slice()).unwrap_or_default();
    let room = |name: &str| {
        let node = nodes.iter().find(|node| node.id.to_string() == name);
        node.and_then(|node| node.shared_memory_pool_size.as_ref()).map_or(USUAL, |size| size.as_bytes() as u64)
    };
    let own = dora.id().to_string();
    let needed = members.iter().find(|member| member.id == own).map_or(0, |member| needed(member, room));
    let lacking = limit().filter(|limit| *limit < needed);
    if let Some(limit) = lacking {
        tracing::warn!(
            "this node shares {} MB with others, and may lock {} MB: pictures take a slower way or are lost; raise the limit \
             (ulimit -l, LimitMEMLOCK= of a service, --ulimit memlock=-1 of a container)",
            needed >> 20,
            limit >> 20
        );
    }
    lacking.is_none()
}

/// What a node locks: its own room, and that of each node that it hears.
fn needed(member: &Member, room: impl Fn(&str) -> u64) -> u64 {
    let sources = member.inputs.iter().filter_map(|(_, source)| Some(source.split_once('/')?.0));
    // Timers are the daemon's.
    let senders: BTreeSet<&str> = sources.filter(|name| *name != "dora").chain([member.id.as_str()]).collect();
    senders.into_iter().map(|name| room(name) + BOOKS).sum()
}

/// How many bytes this process may lock; `None`: as many as it likes.
fn limit() -> Option<u64> {
    let may_lock_all = may_lock_all(&fs::read_to_string("/proc/self/status").unwrap_or_default());
    limits().map(|limit| limit.rlim_cur).filter(|limit| *limit != libc::RLIM_INFINITY && !may_lock_all)
}

/// The soft and the hard limit, in bytes.
fn limits() -> Option<libc::rlimit> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the limit is ours, and is filled before it is read.
    let is_known = unsafe { libc::getrlimit(libc::RLIMIT_MEMLOCK, &raw mut limit) } == 0;
    is_known.then_some(limit)
}

fn may_lock_all(status: &str) -> bool {
    let rights = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("CapEff:")?.trim(), 16).ok());
    rights.is_some_and(|rights| rights >> IPC_LOCK & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_locks_its_own_room_and_that_of_each_node_that_it_hears_once() {
        let inputs = [("frame", "camera/frame"), ("notice", "camera/notice"), ("tick", "dora/timer/millis/100")];
        let inputs = inputs.map(|(port, source)| (port.to_owned(), source.to_owned())).to_vec();
        let member = Member { id: "encoder".to_owned(), inputs, ..Member::default() };
        let room = |name: &str| if name == "camera" { 100 } else { 10 };
        assert_eq!(needed(&member, room), 110 + 2 * BOOKS);
    }

    #[test]
    fn who_has_the_right_may_lock_all() {
        assert!(may_lock_all("Name:\tcamera\nCapEff:\t0000000000004000\n"));
        assert!(!may_lock_all("Name:\tcamera\nCapEff:\t0000000000000000\n"));
    }
}
