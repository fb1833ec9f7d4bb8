//! How many connections there are, and how many each address has.
//!
//! By hand: `tower`'s limits count requests and know no addresses; what is counted here are sockets and pictures without an end.

use axum::http::HeaderMap;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Where a connection comes from: an extension of every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

impl Peer {
    /// Whether a program of this machine asks with these headers, and not a proxy of this machine for somebody else (RFC 7239; the
    /// other name is older and more used).
    #[must_use]
    pub fn is_here(self, headers: &HeaderMap) -> bool {
        let is_passed_on = ["forwarded", "x-forwarded-for"].iter().any(|name| headers.contains_key(*name));
        self.0.is_loopback() && !is_passed_on
    }
}

/// Places for connections. Cheap to clone; all clones are the same places.
#[derive(Debug, Clone)]
pub struct Places {
    all: Arc<Semaphore>,
    crowd: Crowd,
}

impl Places {
    /// So many. No address may have more than half of them.
    #[must_use]
    pub fn of(connections: usize) -> Self {
        Self { all: Arc::new(Semaphore::new(connections)), crowd: Crowd::of(connections / 2) }
    }

    /// A place, when one is free. It is until this is dropped. `None`: there will be none.
    pub async fn free(&self) -> Option<OwnedSemaphorePermit> {
        self.all.clone().acquire_owned().await.ok()
    }

    /// One more connection of that address; `None`: it has too many.
    #[must_use]
    pub fn let_in(&self, peer: Peer) -> Option<Guest> {
        self.crowd.let_in(peer)
    }
}

/// All connections.
#[derive(Debug, Clone)]
struct Crowd {
    most: usize,
    here: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// A connection that counts until it is dropped.
#[derive(Debug)]
pub struct Guest {
    crowd: Crowd,
    address: IpAddr,
}

impl Crowd {
    /// Nobody yet; so many of each address may come, at least one. This machine's own addresses are not counted: who is here
    /// needs no limit, and a proxy that serves others has limits of its own.
    fn of(most: usize) -> Self {
        Self { most: most.max(1), here: Arc::default() }
    }

    /// One more; `None`: there are too many of that address.
    fn let_in(&self, Peer(address): Peer) -> Option<Guest> {
        let mut here = self.here.lock().unwrap_or_else(PoisonError::into_inner);
        let count = here.entry(address).or_default();
        if *count >= self.most && !address.is_loopback() {
            return None;
        }
        *count += 1;
        Some(Guest { crowd: self.clone(), address })
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut here = self.crowd.here.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = here.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                here.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_so_many_connections_and_no_more_until_one_is_gone() {
        let (crowd, peer) = (Crowd::of(2), |text: &str| Peer(text.parse().expect("an address")));
        let first = crowd.let_in(peer("10.0.0.1")).expect("the first");
        let _second = crowd.let_in(peer("10.0.0.1")).expect("the second");
        assert!(crowd.let_in(peer("10.0.0.1")).is_none());
        assert!(crowd.let_in(peer("10.0.0.2")).is_some());
        drop(first);
        assert!(crowd.let_in(peer("10.0.0.1")).is_some());
        let here: Vec<Option<Guest>> = (0..9).map(|_| crowd.let_in(peer("127.0.0.1"))).collect();
        assert!(here.iter().all(Option::is_some));
    }

    #[test]
    fn who_is_gone_leaves_nothing_behind() {
        let crowd = Crowd::of(8);
        for address in 0..1000u32 {
            drop(crowd.let_in(Peer(IpAddr::from(address.to_be_bytes()))));
        }
        assert_eq!(crowd.here.lock().expect("no test has panicked").len(), 0);
    }
}
