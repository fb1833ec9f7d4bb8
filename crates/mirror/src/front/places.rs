//! Where the page and the listeners of other systems' clients are.

use super::table::{self, ADDRESS};
use crate::house::House;
use crate::overrides::Overrides;
use eyre::{Result, bail, eyre};
use mirror_kit::Key;
use std::net::SocketAddr;
use web::front::keys::{DREAM, LIVE, REALTIME};
use web::front::listener as listener_at;

/// A listener of other systems' clients.
pub struct Listener {
    /// Whose clients they are.
    clients: &'static str,
    /// The option that moves it.
    flag: &'static str,
    key: Key,
}

const LISTENERS: &[Listener] = &[
    Listener { clients: "Real-Time LCM", flag: "--realtime", key: REALTIME },
    Listener { clients: "Live Diffusion", flag: "--live", key: LIVE },
    Listener { clients: "DreamStream", flag: "--dream", key: DREAM },
];

/// The page's address.
///
/// # Errors
/// It is none, or is given by a name.
pub fn page(overrides: &Overrides, house: &House) -> Result<SocketAddr> {
    let usual = || table::key(ADDRESS).map(|key| key.default.to_owned()).unwrap_or_default();
    let text = house.value(overrides, ADDRESS).unwrap_or_else(usual);
    text.parse().map_err(|_| eyre!("{ADDRESS}=\"{text}\" is not an address like 127.0.0.1:8080"))
}

/// The listeners that are on, and where.
#[must_use]
pub fn listeners(overrides: &Overrides, house: &House, page: SocketAddr) -> Vec<(&'static Listener, SocketAddr)> {
    let place = |listener: &Listener| {
        let said = house.value(overrides, listener.key.name);
        // Of what is no place the node has the better words.
        listener_at(said.as_deref().unwrap_or(listener.key.default), &listener.key, page).ok().flatten()
    };
    LISTENERS.iter().filter_map(|listener| Some((listener, place(listener)?))).collect()
}

/// Makes sure that no listener has the page's port: the page would take it, and those clients would find a page.
///
/// # Errors
/// One has: both are named, and the remedy.
pub fn keep_apart(overrides: &Overrides, house: &House) -> Result<()> {
    // Tests and other programs may give the page's address by name: then the node has the last word.
    let Ok(page) = page(overrides, house) else { return Ok(()) };
    let listeners = listeners(overrides, house, page);
    let Some((listener, _)) = listeners.iter().find(|(_, place)| meet(page, *place)) else { return Ok(()) };
    let is_free = |port: &u16| listeners.iter().all(|(_, place)| place.port() != *port);
    let free = (page.port()..=u16::MAX).chain(1024..page.port()).find(is_free).unwrap_or_default();
    let (Listener { clients, flag, .. }, port) = (listener, page.port());
    bail!(
        "the page and {clients}'s clients cannot both be at port {port}: say {flag} {free} or {flag} off, or give the page another --port"
    )
}

/// Whether only one of two can be had. Port 0 is any that is free.
fn meet(one: SocketAddr, other: SocketAddr) -> bool {
    let (here, there) = (one.ip(), other.ip());
    one.port() != 0 && one.port() == other.port() && (here == there || here.is_unspecified() || there.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_meet_at_the_same_port_of_the_same_machine() {
        let meet = |one: &str, other: &str| meet(one.parse().unwrap(), other.parse().unwrap());
        assert!(meet("127.0.0.1:7860", "127.0.0.1:7860") && meet("0.0.0.0:7860", "127.0.0.1:7860"));
        assert!(!meet("127.0.0.1:7860", "127.0.0.2:7860") && !meet("127.0.0.1:7860", "127.0.0.1:7861"));
        assert!(!meet("127.0.0.1:0", "127.0.0.1:0"));
    }
}
