//! What is said comes to whom it is for: the whole graph, more words at once than the way between two nodes has room for.

use eyre::{Result, ensure, eyre};
use futures::SinkExt;
use mirror_tests::alone;
use mirror_tests::running::{Running, wait_for};
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Settings that come at once: a slider that is drawn, or as many visitors. Fewer than the page lets wait.
const AT_ONCE: i64 = 50;
/// How often.
const TIMES: i64 = 6;
/// Threads that do nothing but keep the processor from the mirror.
const BUSY: usize = 6;
/// How long settings may take to be in force on a machine that is busy. What has not come by then is lost.
const ARRIVAL: Duration = Duration::from_secs(20);

/// Wants that many seeds one after another, from `first` on, and waits for nothing between them. The socket, and what moves it, to
/// be kept until they are in force: what the page has not read when it closes is gone.
fn want_seeds(address: &str, first: i64) -> Result<(Socket, Runtime)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let socket = runtime.block_on(async {
        let connection = timeout(ARRIVAL, connect_async(format!("ws://{address}/visit"))).await;
        let (mut socket, _) = connection.map_err(|_| eyre!("the page does not answer"))??;
        let seeds = (first..first + AT_ONCE).map(|seed| json!({"type": "settings", "values": {"seed": seed}}));
        for said in [json!({"type": "watch"})].into_iter().chain(seeds) {
            socket.feed(Message::Text(said.to_string().into())).await?;
        }
        socket.flush().await?;
        eyre::Ok(socket)
    })?;
    Ok((socket, runtime))
}

#[test]
fn of_settings_that_come_at_once_none_is_lost_however_busy_the_machine_is() -> Result<()> {
    let _alone = alone();
    let mirror = Running::start(&["--source", "pattern", "--size", "128"])?;
    let settings = || mirror.get("/api/settings");
    let pictures = || mirror.get("/api/figures").is_ok_and(|it| it["frames"].as_u64() > Some(5));
    wait_for("a picture", pictures)?;
    let address = mirror.page().trim_start_matches("http://").to_owned();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let busy = || {
            while !over.load(Ordering::Relaxed) {
                std::hint::spin_loop();
            }
        };
        (0..BUSY).for_each(|_| drop(scope.spawn(busy)));
        let outcome = (0..TIMES).try_for_each(|time| {
            let version = || settings().map(|it| it["version"].as_i64().unwrap_or_default());
            let (before, first, begin) = (version()?, 1000 * (time + 1), Instant::now());
            let _socket = want_seeds(&address, first)?;
            // Each one that came to `control` is a version.
            while version()? < before + AT_ONCE && begin.elapsed() < ARRIVAL {
                thread::sleep(Duration::from_millis(50));
            }
            let (came, seed) = (version()? - before, settings()?["settings"]["seed"].as_i64());
            ensure!(came == AT_ONCE, "{came} of {AT_ONCE} settings came, the last was seed {seed:?}");
            ensure!(seed == Some(first + AT_ONCE - 1), "seed {seed:?} is in force, not the last that was wanted");
            Ok(())
        });
        over.store(true, Ordering::Relaxed);
        outcome
    })
}
