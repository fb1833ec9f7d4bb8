//! `make bench-web`: what the page costs. Real sockets against a real mirror, all on one machine, over loopback.
//!
//! | part | measured | goal |
//! |---|---|---|
//! | the way in and out | a visitor's age, from its socket and back, against the house's from camera to the end of the graph | 15 ms more at most, p50 |
//! | shares | so many visitors at once, each sending whenever it may: most pictures by least, and the age | 1.5; p99 of 2 × streams / fps |
//! | deaf ones | a visitor's pictures while others watch it and read nothing, by those without; they take turns | near 1 |
//! | idle ones | memory of the node `web` for each visitor who is connected and sends nothing | 1 MiB |

use clap::Parser;
use eyre::{Result, WrapErr, bail, eyre};
use futures::future::try_join_all;
use futures::{SinkExt, StreamExt};
use mirror_benches::live::{Live, own_memory_mib, root};
use mirror_benches::machine;
use mirror_kit::figures::Spread;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::time::{interval, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use turbojpeg::{Image, PixelFormat, Subsamp, compress, decompress};

/// Measures the page: ages, shares, and what visitors cost who do nothing.
#[derive(Parser)]
struct Arguments {
    /// Seconds of each measurement
    #[arg(long, default_value_t = 20.0)]
    seconds: f64,
    /// Visitors at once
    #[arg(long, default_value_t = 64)]
    visitors: usize,
    /// Sides of their pictures, with commas between
    #[arg(long, value_delimiter = ',', default_value = "256,512")]
    sizes: Vec<usize>,
    /// Where the figures go, as Markdown
    #[arg(long, default_value = "benches/WEB.md")]
    out: PathBuf,
}

/// Side of the picture whose way in and out is measured.
const SIDE: usize = 512;
/// Between two pictures of the house whose age is measured, and of the visitor whose way is: the same calm. They have a mirror
/// each, so that neither waits for the other.
const HOUSE_FPS: &str = "2";
const PERIOD: Duration = Duration::from_millis(500);
/// Of a house that is hardly there while visitors are measured.
const NO_HOUSE_FPS: &str = "0.1";
/// Until settings are in force everywhere, and everybody has had a turn.
const WARM_UP: Duration = Duration::from_secs(4);
/// How often the house and the visitor take turns.
const TURNS: usize = 2;
/// Those who watch a visitor and read nothing.
const DEAF: usize = 8;
/// How often a visitor who is watched by them and one who is not take turns.
const ROUNDS: usize = 4;
/// A message that takes longer will not come.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a mirror may take to paint its first pictures.
const START: Duration = Duration::from_secs(120);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A photograph as a camera's: the cat, with a sensor's noise over it, as a JPEG file of quality 85.
fn photo(side: usize) -> Result<Vec<u8>> {
    let file = fs::read("assets/cat.jpg").wrap_err("assets/cat.jpg")?;
    let cat = decompress(&file, PixelFormat::RGB)?;
    let square = cat.width.min(cat.height);
    let value = |at: usize| {
        let (row, column, channel) = (at / 3 / side * square / side, at / 3 % side * square / side, at % 3);
        let noise = (at.wrapping_mul(2_654_435_761) >> 9) % 9;
        cat.pixels[row * cat.pitch + column * 3 + channel].saturating_add(noise as u8).saturating_sub(4)
    };
    let pixels: Vec<u8> = (0..side * side * 3).map(value).collect();
    let image = Image { pixels: &pixels[..], width: side, pitch: side * 3, height: side, format: PixelFormat::RGB };
    Ok(compress(image, 85, Subsamp::Sub2x2)?.to_vec())
}

/// What came.
enum Said {
    Credit,
    /// A painted picture: the tag of the one that was sent, and its age when it left the mirror, in milliseconds.
    Picture(Option<u32>, f64),
    Else,
}

struct Visitor(Socket);

impl Visitor {
    async fn connect(page: &str, first: Value) -> Result<Self> {
        let socket = timeout(PATIENCE, connect_async(format!("{}/visit", page.replacen("http", "ws", 1)))).await;
        let (socket, _) = socket.wrap_err("the page does not answer")??;
        let mut visitor = Self(socket);
        visitor.say(first).await?;
        Ok(visitor)
    }

    async fn open(page: &str, name: &str) -> Result<Self> {
        Self::connect(page, json!({"type": "open", "stream": name, "key": name})).await
    }

    async fn say(&mut self, value: Value) -> Result<()> {
        Ok(self.0.send(Message::Text(value.to_string().into())).await?)
    }

    async fn send(&mut self, tag: u32, photo: &[u8]) -> Result<()> {
        let head = [&[1, 0, 0, 0][..], &tag.to_le_bytes(), &0f32.to_le_bytes()].concat();
        Ok(self.0.send(Message::Binary([&head, photo].concat().into())).await?)
    }

    async fn next(&mut self) -> Result<Said> {
        let message = timeout(PATIENCE, self.0.next()).await.wrap_err("nothing comes")?;
        match message.ok_or_else(|| eyre!("the socket has closed"))?? {
            Message::Text(text) => {
                let said: Value = serde_json::from_str(&text)?;
                match said["type"].as_str() {
                    Some("credit") => Ok(Said::Credit),
                    Some("ended") => bail!("{}", said["error"]),
                    _ => Ok(Said::Else),
                }
            }
            Message::Binary(bytes) => {
                let (length, rest) = bytes.split_first_chunk::<4>().ok_or_else(|| eyre!("no head"))?;
                let head: Value = serde_json::from_slice(&rest[..u32::from_le_bytes(*length) as usize])?;
                let tag = head["tag"].as_u64().and_then(|tag| u32::try_from(tag).ok());
                Ok(Said::Picture(tag, head["age_ms"].as_f64().unwrap_or(f64::NAN)))
            }
            _ => Ok(Said::Else),
        }
    }
}

/// What a visitor has seen, in nanoseconds.
#[derive(Default)]
struct Seen {
    /// Ages from its socket and back.
    ages: Vec<i64>,
    /// Of them inside the mirror: from the message that has come to the message that is sent.
    inside: Vec<i64>,
}

/// Sends pictures whenever it may, and not more often than every `period`; ages of those that come back between `from` and `to`.
async fn visit(page: String, name: String, side: usize, period: Duration, [from, to]: [Instant; 2]) -> Result<Seen> {
    let (photo, mut visitor, mut seen) = (photo(side)?, Visitor::open(&page, &name).await?, Seen::default());
    visitor.say(json!({"type": "settings", "values": {"size": side}})).await?;
    let (mut sent, mut credits, mut due) =
        (Vec::<Instant>::new(), 0usize, interval(period.max(Duration::from_nanos(1))));
    let mut is_due = period.is_zero();
    while Instant::now() < to {
        if credits > 0 && is_due {
            credits -= 1;
            is_due = period.is_zero();
            sent.push(Instant::now());
            visitor.send(u32::try_from(sent.len() - 1)?, &photo).await?;
        }
        let said = tokio::select! {
            _ = due.tick(), if !period.is_zero() => { is_due = true; continue }
            () = tokio::time::sleep_until(to.into()) => break,
            said = visitor.next() => said?,
        };
        match said {
            Said::Credit => credits += 1,
            Said::Picture(Some(tag), age_ms) => {
                let now = Instant::now();
                if let Some(at) = sent.get(tag as usize).filter(|_| now >= from) {
                    seen.ages.push(i64::try_from((now - *at).as_nanos())?);
                    seen.inside.push((age_ms * 1e6) as i64);
                }
            }
            Said::Picture(None, _) | Said::Else => {}
        }
    }
    visitor.say(json!({"type": "end"})).await?;
    Ok(seen)
}

fn span(seconds: f64) -> [Instant; 2] {
    let from = Instant::now() + WARM_UP;
    [from, from + Duration::from_secs_f64(seconds)]
}

/// Pixels go in and out as they are wanted here: what is painted takes what it takes.
fn mirror(root: &Path, size: usize, fps: &str, visitors: usize, pictures: u64) -> Result<Live> {
    let (size, fps) = (size.to_string(), format!("CAMERA_FPS={fps}"));
    // One more than there are, who only looks.
    let places = format!("WEB_STREAMS_MAX={}", visitors.clamp(4, 99) + 1);
    let arguments = ["--source", "pattern", "--size", &size, "--env", &fps, "--env", &places];
    Live::start_after(root, &arguments, START, pictures)
}

/// The way in and out: the house's age, the visitor's, and the difference of their medians, in milliseconds.
async fn added(root: &Path, seconds: f64, text: &mut String) -> Result<()> {
    let (mut house, mut seen) = (Vec::new(), Seen::default());
    for _ in 0..TURNS {
        let live = mirror(root, SIDE, HOUSE_FPS, 1, 8)?;
        let until = Instant::now() + Duration::from_secs_f64(seconds);
        // Nobody watches the house: its age ends where its pictures leave the graph. The page tells of its last five seconds.
        while Instant::now() < until {
            sleep(Duration::from_secs(5)).await;
            house.push(live.now().ok_or_else(|| eyre!("the page does not answer"))?.age_ms);
        }
        drop(live);
        let live = mirror(root, SIDE, NO_HOUSE_FPS, 1, 1)?;
        let turn = visit(live.page().to_owned(), "alone".to_owned(), SIDE, PERIOD, span(seconds)).await?;
        seen.ages.extend(turn.ages);
        seen.inside.extend(turn.inside);
    }
    house.sort_by(|one, other| one[0].total_cmp(&other[0]));
    let (p50, p99) = (house[house.len() / 2][0], house.iter().map(|age| age[1]).fold(0.0, f64::max));
    let pictures = seen.ages.len();
    let (visitor, inside) = (Spread::of(&mut seen.ages), Spread::of(&mut seen.inside));
    let kib = photo(SIDE)?.len() / 1024;
    writeln!(
        text,
        "## The way in and out, {SIDE} × {SIDE}, a photograph of {kib} KiB\n\n| | p50 ms | p99 ms | pictures |\n|---|---|---|---|"
    )?;
    writeln!(text, "| camera → the end of the graph | {p50:.1} | {p99:.1} | |")?;
    writeln!(text, "| socket → graph → socket | {:.1} | {:.1} | {pictures} |", visitor.p50, visitor.p99)?;
    writeln!(
        text,
        "| of that from its message in the node `web` to the answer there | {:.1} | {:.1} | |",
        inside.p50, inside.p99
    )?;
    writeln!(text, "| **added** (goal: 15) | **{:.1}** | | |\n", visitor.p50 - p50)?;
    Ok(())
}

/// So many visitors at once.
async fn shares(root: &Path, side: usize, arguments: &Arguments, text: &mut String) -> Result<()> {
    let count = arguments.visitors;
    let live = mirror(root, side, "30", count, 30)?;
    let span = span(arguments.seconds);
    let visits =
        (0..count).map(|at| tokio::spawn(visit(live.page().to_owned(), format!("v{at}"), side, Duration::ZERO, span)));
    let seen = try_join_all(visits.map(async |visit| visit.await?)).await?;
    let counts: Vec<usize> = seen.iter().map(|seen| seen.ages.len()).collect();
    let mut ages: Vec<i64> = seen.into_iter().flat_map(|seen| seen.ages).collect();
    let (pictures, age) = (ages.len(), Spread::of(&mut ages));
    let (least, most) = (counts.iter().min().copied().unwrap_or(0), counts.iter().max().copied().unwrap_or(0));
    let fps = pictures as f64 / arguments.seconds;
    let limit_ms = 2000.0 * count as f64 / fps;
    writeln!(
        text,
        "| {side} | {fps:.1} | {least} to {most} | {:.2} | {:.0} / {:.0} | {limit_ms:.0} |",
        most as f64 / least.max(1) as f64,
        age.p50,
        age.p99,
    )?;
    Ok(())
}

/// Those who watch and read nothing, and those who are there and send nothing.
async fn silent(root: &Path, arguments: &Arguments, text: &mut String) -> Result<()> {
    let (seconds, count) = (arguments.seconds / 4.0, arguments.visitors);
    let live = mirror(root, 256, NO_HOUSE_FPS, count, 1)?;
    let page = live.page().to_owned();
    let run = |name: String| visit(page.clone(), name, 256, Duration::ZERO, span(seconds));
    let (mut alone, mut watched) = (0, 0);
    for round in 0..ROUNDS {
        alone += run(format!("alone-{round}")).await?.ages.len();
        let name = format!("watched-{round}");
        let first = json!({"type": "watch", "stream": name});
        let runs = tokio::spawn(run(name));
        sleep(WARM_UP / 4).await;
        // Held, and never read: what is sent to them fills their sockets.
        let _deaf = try_join_all((0..DEAF).map(|_| Visitor::connect(&page, first.clone()))).await?;
        watched += runs.await??.ages.len();
    }
    let seconds = seconds * ROUNDS as f64;
    writeln!(text, "## Visitors who do nothing\n")?;
    let share = watched as f64 / alone.max(1) as f64;
    writeln!(
        text,
        "- One visitor, {seconds:.0} s at 256 × 256: {alone} pictures; with {DEAF} who watch it and read nothing: {watched} ({share:.2} of it)."
    )?;
    let web = live.nodes().into_iter().find(|process| process.node == "web").ok_or_else(|| eyre!("no node web"))?;
    let memory = || own_memory_mib(web.pid).ok_or_else(|| eyre!("the node web has ended"));
    let before = memory()?;
    let idle = try_join_all((0..count).map(async |at| Visitor::open(&page, &format!("idle-{at}")).await)).await?;
    sleep(WARM_UP).await;
    let grown = memory()? - before;
    drop(idle);
    writeln!(
        text,
        "- {count} visitors who are connected and send nothing: {grown:.1} MiB of the node `web` together, {:.2} MiB each (goal: 1).",
        grown / count as f64
    )?;
    Ok(())
}

fn main() -> Result<()> {
    let (arguments, root, load) = (Arguments::parse(), root()?, machine::load());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut text = format!(
        "# The page\n\n`make bench-web` on {}, {}; {:.0} s each, clients on the same machine over loopback, load {load:.1} before.\n\n",
        machine::date(),
        machine::name(),
        arguments.seconds,
    );
    runtime.block_on(async {
        added(&root, arguments.seconds, &mut text).await?;
        writeln!(text, "## {} visitors at once\n\n| side | pictures a second | each | most by least (goal: 1.5) | age p50 / p99 ms | p99's goal ms |\n|---|---|---|---|---|---|", arguments.visitors)?;
        for side in &arguments.sizes {
            shares(&root, *side, &arguments, &mut text).await?;
        }
        text.push('\n');
        silent(&root, &arguments, &mut text).await
    })?;
    fs::write(&arguments.out, &text).wrap_err_with(|| arguments.out.display().to_string())?;
    println!("{text}");
    Ok(())
}
