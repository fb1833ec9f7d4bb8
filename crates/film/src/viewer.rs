//! The program `film`: pictures from a mirror's page into a file, until somebody has had enough.
//!
//! It looks at the mirror as a browser does. What it cannot keep up with it does not see, and the mirror goes on.

use crate::date::utc;
use crate::video::{Film, Video};
use crate::{choose_encoder_options, stream};
use clap::Parser;
use eyre::{Result, WrapErr, bail, eyre};
use mirror_kit::disk::{self, Room};
use mirror_kit::start::one_line;
use mirror_kit::words::{BEGUN, FINISHED, RECORDED};
use std::io::{BufReader, Read, Write, stdin, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use turbojpeg::{Decompressor, Image, PixelFormat};

/// How long the page may be away, and how long the first picture may take: a node that was killed is back by then.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two tries to reach the page, and two lines on how far it is.
const PERIOD: Duration = Duration::from_secs(1);
/// How soon a wish to stop is seen.
const LOOK: Duration = Duration::from_millis(50);

/// Set by Ctrl-C and its like, or when standard input has ended.
static STOP: AtomicBool = AtomicBool::new(false);

/// Records what a running mirror shows into an MP4 file, until Ctrl-C.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The mirror's page
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
    /// What a page that is not open to everybody asks for
    #[arg(long, env = "WEB_TOKEN", hide_env_values = true, default_value = "")]
    token: String,
    /// A file that holds it
    #[arg(long, env = "WEB_TOKEN_FILE", value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The file; it must not be there yet
    #[arg(long, value_name = "FILE", conflicts_with = "folder")]
    out: Option<PathBuf>,
    /// A folder instead, where the file gets the time as its name
    #[arg(long, value_name = "FOLDER", default_value = "out/recordings")]
    folder: PathBuf,
    /// How many seconds
    #[arg(long)]
    seconds: Option<f64>,
    /// Ends when the disk has no more free than this
    #[arg(long, value_name = "MIB", default_value_t = 1024)]
    free_mib: u64,
    /// Ends when standard input does: with the program that started it
    #[arg(long)]
    piped: bool,
}

/// Runs the program. An error is one line on standard error, and a non-zero exit.
#[must_use]
pub fn main() -> ExitCode {
    choose_encoder_options();
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", one_line(&error));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    listen(arguments.piped)?;
    let out = match &arguments.out {
        Some(out) => out.clone(),
        None => arguments.folder.join(format!("mirror-{}.mp4", utc(now_ns()?).replace(':', "-"))),
    };
    if out.exists() {
        bail!("{} is there already: choose another name", out.display());
    }
    let folder = disk::folder(&out);
    std::fs::create_dir_all(folder).wrap_err_with(|| format!("{} cannot be made", folder.display()))?;
    let least = arguments.free_mib << 20;
    disk::check(folder, disk::free_bytes(folder)?, least)?;
    let pictures = watch(&arguments.url, arguments.secret()?)?;
    say(&format!("{BEGUN}{}", out.display()));
    let film = record(&pictures, &out, Room::of(least), arguments.seconds)?;
    let Film { frames, fps, dropped, note, file, .. } = film;
    if file.is_empty() {
        return Err(eyre!("{}", note.unwrap_or_default()).wrap_err("there is no film"));
    }
    let seconds = frames as f64 / f64::from(fps);
    let note = note.map_or_else(String::new, |note| format!("; {note}"));
    say(&format!("{FINISHED}{seconds:.1} s, {dropped} pictures left out{note}"));
    Ok(())
}

impl Arguments {
    /// The page's token, if it has one.
    fn secret(&self) -> Result<Option<String>> {
        let token = match &self.token_file {
            Some(path) if self.token.is_empty() && !path.as_os_str().is_empty() => {
                std::fs::read_to_string(path).wrap_err_with(|| format!("WEB_TOKEN_FILE={}", path.display()))?
            }
            _ => self.token.clone(),
        };
        Ok(Some(token.trim().to_owned()).filter(|token| !token.is_empty()))
    }
}

/// Waits for a wish to stop in threads of their own.
fn listen(piped: bool) -> Result<()> {
    ctrlc::set_handler(|| STOP.store(true, Ordering::SeqCst)).wrap_err("Ctrl-C cannot be watched")?;
    if piped {
        thread::spawn(|| {
            // Whatever comes is no matter: the end is. One that cannot be read has ended, too.
            let _ = stdin().lock().read_to_end(&mut Vec::new());
            STOP.store(true, Ordering::SeqCst);
        });
    }
    Ok(())
}

fn stopped() -> bool {
    STOP.load(Ordering::SeqCst)
}

/// A line for whoever has started the program; it may have gone.
fn say(line: &str) {
    let mut out = stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

fn now_ns() -> Result<i64> {
    Ok(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos())?)
}

/// A picture as it came, and when.
type Seen = (Vec<u8>, i64);

/// The page's pictures, read in a thread of its own: a stream cannot be waited for and stopped at once.
///
/// # Errors
/// The page does not answer, or has no such stream.
fn watch(url: &str, token: Option<String>) -> Result<Receiver<Result<Seen>>> {
    // A proxy of the environment leads elsewhere; a stream goes on for as long as it likes.
    let config = ureq::Agent::config_builder().proxy(None).timeout_connect(Some(PERIOD));
    let agent = config.build().new_agent();
    let url = format!("{}/stream", url.trim_end_matches('/'));
    let request = move || match &token {
        Some(token) => agent.get(&url).header("Authorization", format!("Bearer {token}")).call(),
        None => agent.get(&url).call(),
    };
    let open = move || match request() {
        Ok(answer) => Ok(BufReader::new(answer.into_body().into_reader())),
        Err(ureq::Error::StatusCode(503)) => bail!("the page has as many viewers as it takes (WEB_CLIENTS_MAX)"),
        Err(ureq::Error::StatusCode(401 | 403)) => bail!("the page wants another token than WEB_TOKEN has"),
        Err(error) => Err(eyre!(error).wrap_err("the page shows no pictures")),
    };
    let mut reader = Some(open()?);
    // One waits while one is encoded: a viewer that is slow is sent fewer.
    let (sender, pictures) = sync_channel(1);
    let read = move || {
        let mut last = Instant::now();
        loop {
            let fault = match reader.take().map_or_else(&open, Ok) {
                Ok(mut reader) => pass_on(&mut reader, &sender, &mut last),
                Err(error) => Some(error),
            };
            let Some(fault) = fault else { return };
            if last.elapsed() > PATIENCE {
                let _ = sender.send(Err(fault.wrap_err("the page is gone")));
                return;
            }
            thread::sleep(PERIOD);
        }
    };
    thread::Builder::new().name("viewer".to_owned()).spawn(read).wrap_err("no thread for the pictures")?;
    Ok(pictures)
}

/// Passes pictures on as long as they come. What ended it; `None`: nobody wants them any more.
fn pass_on(
    reader: &mut impl std::io::BufRead,
    sender: &SyncSender<Result<Seen>>,
    last: &mut Instant,
) -> Option<eyre::Report> {
    loop {
        let mut jpeg = Vec::new();
        let now = match stream::next(reader, &mut jpeg).and_then(|more| Ok((more, now_ns()?))) {
            Ok((true, now)) => now,
            Ok((false, _)) => return Some(eyre!("it has ended the stream")),
            Err(error) => return Some(error),
        };
        *last = Instant::now();
        sender.send(Ok((jpeg, now))).ok()?;
    }
}

/// Makes the film. A page that goes away ends it, well.
fn record(pictures: &Receiver<Result<Seen>>, out: &Path, room: Room, seconds: Option<f64>) -> Result<Film> {
    let mut decoder = Decompressor::new()?;
    let mut video = Video::start(out, room)?;
    let (mut pixels, mut count, mut gone) = (Vec::new(), 0, None);
    let (start, mut begin, mut said) = (Instant::now(), None, Instant::now());
    while !stopped() && !video.is_over() {
        match pictures.recv_timeout(LOOK) {
            Ok(Ok((jpeg, seen_ns))) => {
                // One that is broken is left out, as one that never came.
                let Ok(shape) = decode(&mut decoder, &jpeg, &mut pixels) else { continue };
                video.push(&pixels, shape, seen_ns);
                count += 1;
                begin.get_or_insert_with(Instant::now);
            }
            Ok(Err(fault)) => {
                gone = Some(fault);
                break;
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        let elapsed = begin.map_or(0.0, |begin: Instant| begin.elapsed().as_secs_f64());
        if said.elapsed() >= PERIOD {
            said = Instant::now();
            say(&format!("{RECORDED}{elapsed:.0} s, {count} pictures"));
        }
        let in_vain = begin.is_none() && start.elapsed() > PATIENCE;
        if in_vain || seconds.is_some_and(|seconds| elapsed >= seconds) {
            break;
        }
    }
    let film = video.finish();
    let note = film.note.clone().or_else(|| gone.as_ref().map(one_line));
    Ok(Film { note, ..film })
}

/// Decodes a picture into `pixels` (`[height, width, 3]` u8, RGB): its height and width.
fn decode(decoder: &mut Decompressor, jpeg: &[u8], pixels: &mut Vec<u8>) -> Result<[usize; 2]> {
    let header = decoder.read_header(jpeg)?;
    let (width, height) = (header.width, header.height);
    pixels.resize(width * height * 3, 0);
    let pitch = width * 3;
    decoder.decompress(jpeg, Image { pixels: &mut pixels[..], width, pitch, height, format: PixelFormat::RGB })?;
    Ok([height, width])
}
