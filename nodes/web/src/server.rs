//! Connections: limits, time-outs, the end.

use axum::Router;
use eyre::{Result, WrapErr, bail};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;
use tokio::time::sleep;

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
    /// Serves the router at that address; port 0 takes any that is free. At most `connections` are open at once, others
    /// wait.
    ///
    /// # Errors
    /// An address that cannot be had: taken, not this machine's, not allowed.
    pub fn start(address: SocketAddr, connections: usize, router: Router) -> Result<Self> {
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
        runtime.spawn(accept(listener, connections, router));
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

async fn accept(listener: TcpListener, connections: usize, router: Router) {
    let places = Arc::new(Semaphore::new(connections));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((socket, _)) => {
                let router = router.clone();
                tokio::spawn(async move {
                    serve(socket, router).await;
                    drop(place);
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

async fn serve(socket: TcpStream, router: Router) {
    // A picture must not wait for the next one to fill a packet.
    let _ = socket.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(WRITE_BUFFER)
        .serve_connection(TokioIo::new(socket), TowerToHyperService::new(router));
    if let Err(error) = connection.await {
        tracing::debug!("a connection has ended: {error}");
    }
}
