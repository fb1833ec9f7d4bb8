//! Sixty-four visitors in one mirror: the whole graph, real sockets, pictures that can be told apart.

use eyre::{Result, WrapErr, ensure, eyre};
use futures::future::try_join_all;
use futures::{SinkExt, StreamExt};
use mirror_tests::alone;
use mirror_tests::running::{PATIENCE, Running, signal, wait_for};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use turbojpeg::{Image, PixelFormat, Subsamp, compress, decompress};

/// Visitors.
const VISITORS: usize = 64;
/// Pictures that everybody must get.
const PICTURES: usize = 8;
/// How long all of them together may take: on two idle cores it is ten seconds. What takes longer has failed, and says how far
/// everybody was.
const LIMIT: Duration = Duration::from_secs(240);
/// How long a message may take to leave, and a socket to open.
const MESSAGE: Duration = Duration::from_secs(30);
/// Side of the pictures: the smallest that the parameter table allows.
const SIDE: usize = 128;
/// Fields of a picture in a row, each dark or light: enough for as many pictures as there are visitors.
const COLUMNS: usize = 3;
/// Rows of fields.
const ROWS: usize = 2;

/// The fields of a visitor's picture: the bits of its number.
fn is_light(visitor: usize, column: usize, row: usize) -> bool {
    visitor >> (row * COLUMNS + column) & 1 == 1
}

fn field(x: usize, y: usize, side: usize) -> [usize; 2] {
    [x * COLUMNS / side, y * ROWS / side]
}

fn photo(visitor: usize) -> Vec<u8> {
    let mut pixels = Vec::with_capacity(SIDE * SIDE * 3);
    for y in 0..SIDE {
        for x in 0..SIDE {
            let [column, row] = field(x, y, SIDE);
            pixels.extend([if is_light(visitor, column, row) { 225 } else { 30 }; 3]);
        }
    }
    let image = Image { pixels: &pixels[..], width: SIDE, pitch: SIDE * 3, height: SIDE, format: PixelFormat::RGB };
    compress(image, 90, Subsamp::None).expect("a JPEG").to_vec()
}

/// Whose picture that is: from the brightness of its fields.
fn whose(jpeg: &[u8]) -> Result<usize> {
    let image = decompress(jpeg, PixelFormat::RGB)?;
    let (mut sums, mut counts) = ([0usize; COLUMNS * ROWS], [0usize; COLUMNS * ROWS]);
    for y in 0..image.height {
        for x in 0..image.width {
            let [column, row] = field(x, y, image.width);
            let at = (y * image.width + x) * 3;
            sums[row * COLUMNS + column] +=
                image.pixels[at..at + 3].iter().map(|value| usize::from(*value)).sum::<usize>();
            counts[row * COLUMNS + column] += 3;
        }
    }
    let bits = sums.iter().zip(counts).enumerate().map(|(bit, (sum, count))| usize::from(sum / count > 128) << bit);
    Ok(bits.sum())
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn send(socket: &mut Socket, message: Message) -> Result<()> {
    timeout(MESSAGE, socket.send(message)).await.map_err(|_| eyre!("the page takes no message"))?.map_err(Into::into)
}

async fn say(socket: &mut Socket, value: Value) -> Result<()> {
    send(socket, Message::Text(value.to_string().into())).await
}

/// How far all visitors are.
#[derive(Debug)]
struct Progress {
    /// What each of them has seen, from the first picture on: shares count from when all have begun.
    seen: Vec<AtomicUsize>,
    /// Visitors who have seen a picture.
    begun: AtomicUsize,
    /// What is enough: as many pictures since all have begun.
    enough: usize,
    /// Visitors who have seen enough.
    done: AtomicUsize,
    /// All may go.
    over: AtomicBool,
}

impl Progress {
    fn of(visitors: usize, enough: usize) -> Arc<Self> {
        let (seen, over) = ((0..visitors).map(|_| AtomicUsize::new(0)).collect(), AtomicBool::new(false));
        Arc::new(Self { seen, begun: AtomicUsize::new(0), enough, done: AtomicUsize::new(0), over })
    }

    fn pictures(&self) -> usize {
        self.counts().iter().sum()
    }

    fn counts(&self) -> Vec<usize> {
        self.seen.iter().map(|seen| seen.load(Ordering::Relaxed)).collect()
    }
}

/// What a visitor has seen since all have begun, and what the page says became of the pictures that it sent.
#[derive(Debug, Default, Clone)]
struct Seen {
    pictures: usize,
    ages_ms: Vec<f64>,
    painted: u64,
    lost: u64,
}

/// Waits for all visitors. The first one that fails ends the wait, and so does [`LIMIT`].
async fn all(visitors: Vec<JoinHandle<Result<Seen>>>, progress: &Progress) -> Result<Vec<Seen>> {
    let visits = try_join_all(visitors.into_iter().map(async |visit| visit.await?));
    let seen = timeout(LIMIT, visits).await;
    let counts = || format!("{:?} pictures seen so far", progress.counts());
    seen.map_err(|_| eyre!("not over after {} s", LIMIT.as_secs())).flatten().wrap_err_with(counts)
}

/// One visitor: sends its picture whenever it may, and looks at what comes back, until it is over.
async fn visit(address: String, visitor: usize, progress: Arc<Progress>) -> Result<Seen> {
    let socket = timeout(MESSAGE, connect_async(format!("ws://{address}/visit"))).await;
    let (mut socket, _) = socket.map_err(|_| eyre!("visitor {visitor}: the page does not answer"))??;
    let name = format!("guest-{visitor}");
    say(&mut socket, json!({"type": "open", "stream": name, "key": name})).await?;
    // Every other one is painted; of the others the source is shown, which takes another way. Turned round nobody's picture
    // would be another's.
    let prompt = format!("visitor {visitor}");
    let values = json!({
        "size": SIDE, "mirror": false, "strength": 0.0, "passthrough": visitor % 2 == 1, "prompt": prompt,
    });
    say(&mut socket, json!({"type": "settings", "values": values})).await?;
    let (photo, mut seen, mut last) = (photo(visitor), Seen::default(), -1);
    let mut until = Instant::now() + PATIENCE;
    while !progress.over.load(Ordering::Relaxed) {
        let silent = PATIENCE.as_secs();
        ensure!(Instant::now() < until, "visitor {visitor} has seen no picture for {silent} s: {seen:?}");
        let Ok(message) = timeout(Duration::from_millis(200), socket.next()).await else { continue };
        match message.ok_or_else(|| eyre!("visitor {visitor}: the socket has closed"))?? {
            Message::Text(text) => {
                let said: Value = serde_json::from_str(&text)?;
                ensure!(said["type"] != "trouble" && said["type"] != "ended", "visitor {visitor}: {said}");
                if said["type"] == "status" {
                    [seen.painted, seen.lost] = ["painted", "lost"].map(|of| said["tally"][of].as_u64().unwrap_or(0));
                }
                if said["type"] == "credit" {
                    let head = [&[1, 0, 0, 0][..], &7u32.to_le_bytes(), &0f32.to_le_bytes()].concat();
                    send(&mut socket, Message::Binary([head, photo.clone()].concat().into())).await?;
                }
            }
            Message::Binary(bytes) => {
                let (length, rest) = bytes.split_first_chunk::<4>().ok_or_else(|| eyre!("no head"))?;
                let (head, jpeg) = rest.split_at(u32::from_le_bytes(*length) as usize);
                let head: Value = serde_json::from_slice(head)?;
                let number = head["frame"].as_i64().ok_or_else(|| eyre!("no number"))?;
                ensure!(number > last, "visitor {visitor}: picture {number} came after {last}");
                last = number;
                until = Instant::now() + PATIENCE;
                // Until its settings are in force everywhere, a picture may be as the house's.
                if head["prompt"] == prompt.as_str() && head["width"] == SIDE {
                    let whose = whose(jpeg)?;
                    ensure!(whose == visitor, "visitor {visitor} has seen the picture of {whose}: {head}");
                    let everybody = progress.seen.len();
                    if progress.seen[visitor].fetch_add(1, Ordering::Relaxed) == 0 {
                        progress.begun.fetch_add(1, Ordering::Relaxed);
                    }
                    if progress.begun.load(Ordering::Relaxed) < everybody {
                        continue;
                    }
                    seen.pictures += 1;
                    seen.ages_ms.push(head["age_ms"].as_f64().unwrap_or_default());
                    if seen.pictures == progress.enough
                        && progress.done.fetch_add(1, Ordering::Relaxed) + 1 == everybody
                    {
                        progress.over.store(true, Ordering::Relaxed);
                    }
                }
            }
            _ => {}
        }
    }
    say(&mut socket, json!({"type": "end"})).await?;
    Ok(seen)
}

/// So many visitors, until everybody has seen [`PICTURES`] since all have begun.
fn visits(mirror: &Running, count: usize) -> Result<Vec<Seen>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let (progress, mut visitors) = (Progress::of(count, PICTURES), Vec::new());
        for visitor in 0..count {
            let address = mirror.page().trim_start_matches("http://").to_owned();
            visitors.push(tokio::spawn(visit(address, visitor, progress.clone())));
            // A few at a time: settings come in a queue of 64.
            sleep(Duration::from_millis(20)).await;
        }
        all(visitors, &progress).await
    })
}

#[test]
fn pictures_of_sixty_four_visitors_never_mix_and_everybody_has_the_same_share() -> Result<()> {
    let _alone = alone();
    let arguments = ["--source", "pattern", "--size", "128", "--env", "WEB_STREAMS_MAX=64"];
    let mirror = Running::start(&arguments)?;
    let figures = || mirror.get("/api/figures").ok();
    wait_for("a picture of the mirror's own", || figures().is_some_and(|it| it["frames"].as_u64() > Some(5)))?;
    let frames = |figures: Option<Value>| figures.and_then(|it| it["frames"].as_u64()).unwrap_or_default();
    let before = frames(figures());
    let begin = Instant::now();
    let seen = visits(&mirror, VISITORS)?;
    let house = frames(figures()) - before;
    let counts: Vec<usize> = seen.iter().map(|seen| seen.pictures).collect();
    let mut ages: Vec<f64> = seen.iter().flat_map(|seen| seen.ages_ms.clone()).collect();
    ages.sort_by(f64::total_cmp);
    let (least, most, sum) = (counts.iter().min(), counts.iter().max(), counts.iter().sum::<usize>());
    let [p50, p99] = [50, 99].map(|percent| ages[(ages.len() * percent).div_ceil(100) - 1]);
    println!(
        "{sum} pictures in {:.1} s, {least:?} to {most:?} each, age {p50:.0} / {p99:.0} ms; the house {house}",
        begin.elapsed().as_secs_f64()
    );
    let lost: Vec<u64> = seen.iter().map(|seen| seen.lost).collect();
    ensure!(least >= Some(&PICTURES) && most <= Some(&(2 * PICTURES)), "{counts:?}, lost {lost:?}");
    // What is painted twice between two looks of a socket is seen once: on a machine that does something else as well, that may
    // cost a few of sixty-four a picture of eight.
    let mut shares = counts.clone();
    shares.sort_unstable();
    ensure!(2 * shares[VISITORS - 1] <= 3 * shares[VISITORS / 16], "{counts:?}, lost {lost:?}");
    ensure!(house >= 2, "the mirror's own camera has had no turn");
    // All are gone, and their places free.
    wait_for("the end of all streams", || mirror.get("/api/streams").is_ok_and(|it| it["visitors"] == 0))?;
    Ok(())
}

#[test]
fn a_stage_that_is_killed_costs_visitors_a_moment_and_not_their_stream() -> Result<()> {
    let _alone = alone();
    let mirror = Running::start(&["--source", "pattern", "--size", "128"])?;
    wait_for("the page", || mirror.get("/api/streams").is_ok_and(|streams| streams["sees"] == true))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    // They stay until they are told to go.
    let progress = Progress::of(3, usize::MAX);
    let address = || mirror.page().trim_start_matches("http://").to_owned();
    let visitors: Vec<_> = (0..3).map(|visitor| runtime.spawn(visit(address(), visitor, progress.clone()))).collect();
    let more = |count: usize| {
        let before = progress.pictures();
        wait_for("more pictures", || progress.pictures() >= before + count)
    };
    more(10)?;
    for stage in ["encoder", "diffusion", "decoder", "operator"] {
        let process = mirror.node(stage).ok_or_else(|| eyre!("no node {stage}"))?;
        signal("KILL", process)?;
        wait_for("another one", || mirror.node(stage).is_some_and(|now| now != process))?;
        more(10)?;
    }
    progress.over.store(true, Ordering::Relaxed);
    // Each of them has gone on with the same socket, and has seen its own pictures alone.
    runtime.block_on(all(visitors, &progress))?;
    Ok(())
}

#[test]
fn an_operator_that_is_slow_is_the_pace_of_all_and_loses_nobodys_pictures() -> Result<()> {
    let _alone = alone();
    let arguments =
        ["--source", "pattern", "--size", "128", "--env", "OPERATOR_LIBRARY=target/release/liboperator_slow.so"];
    let mirror = Running::start(&arguments)?;
    let is_live = |it: Value| it["notices"].to_string().contains("operator operator-slow is live");
    wait_for("the operator", || mirror.get("/api/figures").is_ok_and(is_live))?;
    let seen = visits(&mirror, 5)?;
    let [painted, lost] = [seen.iter().map(|it| it.painted).sum::<u64>(), seen.iter().map(|it| it.lost).sum()];
    // How slow it is, the stages before it know after a picture or two.
    ensure!(5 * lost <= painted, "{lost} pictures were lost, {painted} painted: {seen:?}");
    Ok(())
}
