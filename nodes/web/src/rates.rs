//! How often somebody may come: buckets that fill with time.
//!
//! By hand: `tower`'s `RateLimit` is one rate for all who come, lets them wait where these are refused, and knows no messages.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Addresses that are remembered. More than come to one mirror; a flood of made-up ones must not fill the memory.
const REMEMBERED: usize = 4096;
/// How many seconds' worth may come at once.
const BURST: f64 = 4.0;

/// A bucket: each event takes one drop out, and so many flow in each second.
#[derive(Debug, Clone, Copy)]
pub struct Bucket {
    a_second: f64,
    drops: f64,
    at: Instant,
}

impl Bucket {
    /// A full one.
    #[must_use]
    pub fn new(a_second: f64, now: Instant) -> Self {
        Self { a_second, drops: a_second * BURST, at: now }
    }

    /// Takes one out; `false`: it is empty.
    pub fn take(&mut self, now: Instant) -> bool {
        self.fill(now);
        let is_there = self.drops >= 1.0;
        if is_there {
            self.drops -= 1.0;
        }
        is_there
    }

    fn fill(&mut self, now: Instant) {
        let seconds = now.saturating_duration_since(self.at).as_secs_f64();
        self.drops = (self.drops + seconds * self.a_second).min(self.a_second * BURST);
        self.at = now;
    }

    fn is_full(&mut self, now: Instant) -> bool {
        self.fill(now);
        self.drops >= self.a_second * BURST
    }
}

/// A bucket for each address.
#[derive(Debug)]
pub struct Rates {
    a_second: f64,
    buckets: Mutex<HashMap<IpAddr, Bucket>>,
}

impl Rates {
    /// So many requests a second of one address, and four times as many at once.
    #[must_use]
    pub fn new(a_second: f64) -> Self {
        Self { a_second, buckets: Mutex::default() }
    }

    /// Whether that address may ask now. This machine itself always may.
    pub fn admits(&self, address: IpAddr, now: Instant) -> bool {
        if address.is_loopback() {
            return true;
        }
        // A thread that panicked has left nothing half done here.
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= REMEMBERED && !buckets.contains_key(&address) {
            // A full bucket is as good as none.
            buckets.retain(|_, bucket| !bucket.is_full(now));
            if buckets.len() >= REMEMBERED {
                return false;
            }
        }
        buckets.entry(address).or_insert_with(|| Bucket::new(self.a_second, now)).take(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use std::time::Duration;

    #[test]
    fn an_address_that_asks_too_often_waits_and_others_do_not() {
        let (rates, now) = (Rates::new(10.0), Instant::now());
        let (one, other): (IpAddr, IpAddr) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        assert_eq!((0..100).filter(|_| rates.admits(one, now)).count(), 40);
        assert!(rates.admits(other, now));
        let later = now + Duration::from_secs(1);
        assert_eq!((0..100).filter(|_| rates.admits(one, later)).count(), 10);
        assert!((0..1000).all(|_| rates.admits(Ipv4Addr::LOCALHOST.into(), now)));
    }

    #[test]
    fn a_flood_of_addresses_fills_no_memory_and_is_forgotten() {
        let (rates, now) = (Rates::new(10.0), Instant::now());
        let address = |index: u32| IpAddr::from(Ipv4Addr::from(0x0a00_0000 + index));
        for index in 0..10_000 {
            rates.admits(address(index), now);
        }
        assert_eq!(rates.buckets.lock().expect("no panic").len(), REMEMBERED);
        assert!(!rates.admits(address(9_999), now));
        assert!(rates.admits(address(9_999), now + Duration::from_secs(10)));
    }
}
