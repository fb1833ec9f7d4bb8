//! Connections: limits, time-outs, the end.

pub use crate::crowd::{Peer, Places};
use crate::tls::{Secured, Tls};
use axum::http::header::{HOST, LOCATION};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use eyre::{Result, WrapErr, bail};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{sleep, timeout};

/// How long a client may take to send the head of a request.
const HEAD: Duration = Duration::from_secs(10);
/// What may wait in the kernel for a slow client, in bytes: a few pictures. More would be old when it arrives.
const SEND_BUFFER: u32 = 128 * 1024;
/// What may wait in this process for a slow client, in bytes: less than a picture, so that the next one is fetched only
/// when the last one has left. Heads of requests must fit in as well.
const WRITE_BUFFER: usize = 16 * 1024;
/// How long the end waits for what is being answered.
const GRACE: Duration = Duration::from_millis(200);

/// A running server. Dropping it ends it.
pub struct Server {
    runtime: Option<Runtime>,
    address: SocketAddr,
}

impl Server {
    /// Serves the router at that address; port 0 takes any that is free. Servers that are given the same places share them:
    /// who finds none waits.
    ///
    /// # Errors
    /// An address that cannot be had: taken, not this machine's, not allowed.
    pub fn start(address: SocketAddr, places: Places, router: Router) -> Result<Self> {
        Self::secured(address, places, router, None)
    }

    /// As [`start`](Self::start), with TLS. Who speaks plain HTTP all the same is sent to `https://`, but for programs of this
    /// machine, which are answered.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn secured(address: SocketAddr, places: Places, router: Router, tls: Option<Tls>) -> Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(2).thread_name("web").enable_all().build()?;
        let listener = runtime.block_on(async { listen(address) });
        let listener = match listener {
            Ok(listener) => listener,
            Err(error) if error.kind() == ErrorKind::AddrInUse => {
                let other = SocketAddr::new(address.ip(), address.port().wrapping_add(1).max(1024));
                bail!(
                    "the address {address} is taken by another program: end it, or choose another one with WEB_ADDRESS={other}"
                )
            }
            Err(error) => {
                return Err(error).wrap_err_with(|| {
                    format!("the page cannot be served at {address}: set WEB_ADDRESS, like WEB_ADDRESS=127.0.0.1:8080")
                });
            }
        };
        let address = listener.local_addr()?;
        runtime.spawn(accept(listener, places, router, tls));
        Ok(Self { runtime: Some(runtime), address })
    }

    /// Where it serves.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Streams never end of themselves: their connections are closed.
            runtime.shutdown_timeout(GRACE);
        }
    }
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A restart must not wait for the last connections of the life before.
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(address)?;
    socket.listen(128)
}

async fn accept(listener: TcpListener, places: Places, router: Router, tls: Option<Tls>) {
    loop {
        let Some(place) = places.free().await else { return };
        match listener.accept().await {
            Ok((socket, address)) => {
                let peer = Peer(address.ip().to_canonical());
                // One address may not take the places of all others.
                let Some(guest) = places.let_in(peer) else { continue };
                let (router, tls) = (router.clone(), tls.clone());
                tokio::spawn(async move {
                    admit(socket, peer, router, tls).await;
                    drop((place, guest));
                });
            }
            Err(error) => {
                // Out of file handles, most likely: they come back when somebody leaves.
                tracing::warn!("a connection could not be taken: {error}");
                sleep(Duration::from_millis(500)).await;
            }
        }
    }
}

async fn admit(socket: TcpStream, peer: Peer, router: Router, tls: Option<Tls>) {
    // A picture must not wait for the next one to fill a packet.
    let _ = socket.set_nodelay(true);
    let Some(tls) = tls else { return serve(socket, peer, router).await };
    // One that listens on an address of the network is asked there by this machine's own programs too.
    let is_here = peer.0.is_loopback() || socket.local_addr().is_ok_and(|own| own.ip().to_canonical() == peer.0);
    match timeout(HEAD, tls.accept(socket)).await {
        Ok(Ok(Secured::Safe(socket))) => serve(*socket, peer, router).await,
        Ok(Ok(Secured::Plain(socket))) if is_here => serve(socket, peer, router).await,
        Ok(Ok(Secured::Plain(socket))) => serve(socket, peer, Router::new().fallback(to_https)).await,
        Ok(Err(error)) => tracing::debug!("a TLS connection has failed: {error}"),
        Err(_) => tracing::debug!("a TLS connection was too slow"),
    }
}

/// The same address, with TLS.
async fn to_https(headers: HeaderMap, uri: Uri) -> Response {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    if host.is_empty() || !path.starts_with('/') {
        return StatusCode::BAD_REQUEST.into_response();
    }
    (StatusCode::PERMANENT_REDIRECT, [(LOCATION, format!("https://{host}{path}"))]).into_response()
}

async fn serve(socket: impl AsyncRead + AsyncWrite + Send + Unpin + 'static, peer: Peer, router: Router) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(WRITE_BUFFER)
        .serve_connection(TokioIo::new(socket), TowerToHyperService::new(router.layer(Extension(peer))))
        .with_upgrades();
    if let Err(error) = connection.await {
        tracing::debug!("a connection has ended: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    /// What somebody is told who asks for an address without TLS, and where he is sent.
    async fn told(host: Option<&'static str>, address: &'static str) -> (u16, Option<String>) {
        let headers: HeaderMap = host.map(|host| (HOST, HeaderValue::from_static(host))).into_iter().collect();
        let answer = to_https(headers, Uri::from_static(address)).await;
        let place = answer.headers().get(LOCATION).map(|place| place.to_str().expect("a text").to_owned());
        (answer.status().as_u16(), place)
    }

    #[tokio::test]
    async fn who_speaks_plain_http_is_sent_to_the_same_address_with_tls() {
        for (host, address, place) in [
            ("tower:8080", "/", "https://tower:8080/"),
            ("tower:8080", "/?token=correct-horse", "https://tower:8080/?token=correct-horse"),
            ("[::1]:8080", "/api/settings", "https://[::1]:8080/api/settings"),
            // Only the host that was asked is named, whatever else is in the address.
            ("tower", "//evil.example/a", "https://tower//evil.example/a"),
            ("tower", "http://evil.example/a?b", "https://tower/a?b"),
        ] {
            assert_eq!(told(Some(host), address).await, (308, Some(place.to_owned())), "{host} {address}");
        }
    }

    #[tokio::test]
    async fn a_request_that_names_no_place_is_sent_nowhere() {
        for (host, address) in [(None, "/"), (Some(""), "/"), (Some("tower"), "*")] {
            assert_eq!(told(host, address).await, (400, None), "{address}");
        }
    }
}
