//! From a source to the feed that brings its pictures.

use crate::auto::{Cameras, auto, here};
use crate::config::Config;
use crate::feed::Feed;
use crate::feed::film::Film;
use crate::feed::live::Live;
use crate::feed::stills::Stills;
use crate::feed::test_card::TestCard;
use crate::source::{KINDS, Source};
use eyre::{Result, WrapErr, bail, eyre};
use mirror_contract::Level;
use opencv::core::Vector;
use opencv::imgcodecs;
use opencv::videoio::{self, VideoCapture, VideoCaptureTrait, VideoCaptureTraitConst};
use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::Path;

/// FFmpeg's demuxer for text art takes any `.txt` for a film; this is the codec that it names.
const TEXT_ART: &[&[u8; 4]] = &[b"ANSI", b"ansi"];

/// A source that works, and what brings its pictures.
pub type Opened = mirror_kit::source::Opened<Box<dyn Feed>>;

/// Opens the source that the configuration names, and sees its first picture.
///
/// # Errors
/// A source that is not there or does not work: one that names the setting, the thing and the remedy.
pub fn open(config: &Config) -> Result<Opened> {
    let named = |error| Err::<Opened, _>(error).wrap_err_with(|| format!("CAMERA_SOURCE={}", config.source));
    match &config.source {
        Source::Auto => auto(config, Cameras::here(config)),
        Source::Pattern => {
            let feed = Box::new(TestCard::new([config.height, config.width], config.fps));
            Ok(Opened { feed, text: "the test pattern".to_owned(), level: Level::Info })
        }
        Source::Device(path) => device(path, config).or_else(named),
        Source::Address(address) => stream(address, config).or_else(named),
        Source::Path(path) => file(path, config).or_else(named),
    }
}

/// A camera of this machine.
pub(crate) fn device(path: &Path, config: &Config) -> Result<Opened> {
    if let Err(error) = OpenOptions::new().read(true).write(true).open(path) {
        match error.kind() {
            ErrorKind::NotFound => {
                let others: Vec<_> = here().iter().map(|path| path.display().to_string()).collect();
                let others = if others.is_empty() { "none".to_owned() } else { others.join(", ") };
                bail!(
                    "there is no such camera; cameras here: {others}. Plug it in, or set CAMERA_SOURCE to something else"
                );
            }
            ErrorKind::PermissionDenied => bail!("it may not be opened: add this user to the group \"video\""),
            _ => return Err(error).wrap_err("it cannot be opened"),
        }
    }
    // A camera can have many names (/dev/v4l/by-id/…); OpenCV knows /dev/video alone.
    let path = path.canonicalize().wrap_err("it cannot be opened")?;
    let mut capture =
        capture(path.as_os_str(), videoio::CAP_V4L2, &[]).wrap_err("it is in use by another program, or no camera")?;
    let set = [
        // Uncompressed, most cameras manage only a few large pictures a second.
        (videoio::CAP_PROP_FOURCC, f64::from(videoio::VideoWriter::fourcc('M', 'J', 'P', 'G')?)),
        (videoio::CAP_PROP_FRAME_WIDTH, config.width as f64),
        (videoio::CAP_PROP_FRAME_HEIGHT, config.height as f64),
        (videoio::CAP_PROP_FPS, config.fps),
        // One is filled while the other is read: with a single one, every second picture of many cameras is lost.
        (videoio::CAP_PROP_BUFFERSIZE, 2.0),
    ];
    for (property, value) in set {
        // A camera that cannot do it keeps its own; what it has settled on is said.
        capture.set(property, value)?;
    }
    if !capture.grab()? {
        bail!("it opens, but no picture comes: unplug it and plug it in again, or close the program that uses it");
    }
    let text = format!("camera {}, {}", path.display(), properties(&capture));
    Ok(Opened { feed: Box::new(live(capture, config)), text, level: Level::Info })
}

/// A stream of the network; a film behind an address is played as a film.
fn stream(address: &str, config: &Config) -> Result<Opened> {
    let text = config.source.to_string();
    let patience = i32::try_from(config.timeout.as_millis()).unwrap_or(i32::MAX);
    let (opened, seconds) = (address.to_owned(), config.timeout.as_secs_f32());
    let open = move || {
        let params = [videoio::CAP_PROP_OPEN_TIMEOUT_MSEC, patience, videoio::CAP_PROP_READ_TIMEOUT_MSEC, patience];
        capture(OsStr::new(&opened), videoio::CAP_FFMPEG, &params).wrap_err_with(|| {
            format!(
                "no stream comes from there within {seconds} s: check the address, that the camera is on, and its user \
                 and password (rtsp://user:password@host/…)"
            )
        })
    };
    let film = Film::new(open, [config.height, config.width], config.fps, config.looping)?;
    if film.is_finite() {
        return Ok(Opened {
            text: format!("film {text}, {:.3} fps", film.fps()),
            feed: Box::new(film),
            level: Level::Info,
        });
    }
    let capture = film.into_capture();
    let text = format!("stream {text}, {}", properties(&capture));
    Ok(Opened { feed: Box::new(live(capture, config)), text, level: Level::Info })
}

/// A film, a picture or a folder.
pub(crate) fn file(path: &Path, config: &Config) -> Result<Opened> {
    let shape = [config.height, config.width];
    let stills = || Stills::new(path, shape, config.fps, config.image_time, config.looping);
    let metadata = match path.metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            bail!("there is no such file or folder; it can be {KINDS}")
        }
        Err(error) => return Err(error).wrap_err("it cannot be read"),
    };
    let name = path.display();
    if metadata.is_dir() {
        let stills = stills().wrap_err("the folder cannot be shown")?;
        let text = format!("folder {name}, {} pictures", stills.count());
        return Ok(Opened { feed: Box::new(stills), text, level: Level::Info });
    }
    if !metadata.is_file() {
        bail!("it is neither a file nor a folder; it can be {KINDS}");
    }
    if metadata.len() == 0 {
        bail!("the file is empty (0 bytes): copy it again");
    }
    std::fs::File::open(path).wrap_err("it cannot be read")?;
    // From here on by its whole path: what a relative one may mean to FFmpeg is not ours to know.
    let whole = path.canonicalize().wrap_err("it cannot be read")?;
    if imgcodecs::have_image_reader(whole.as_os_str()).unwrap_or(false) {
        let text = format!("picture {name}");
        return Ok(Opened { feed: Box::new(stills()?), text, level: Level::Info });
    }
    let api = film_api()?;
    let open = move || capture(whole.as_os_str(), api, &[]);
    let film = Film::new(open, shape, config.fps, config.looping).map_err(|_| {
        eyre!("the file is neither a film nor a picture that can be read: it is damaged, cut short or of another kind")
    })?;
    let text = format!("film {name}, {:.3} fps", film.fps());
    Ok(Opened { feed: Box::new(film), text, level: Level::Info })
}

/// Which part of OpenCV plays films: FFmpeg where it was built with it, else what it has.
fn film_api() -> Result<i32> {
    let ffmpeg = videoio::VideoCaptureAPIs::CAP_FFMPEG;
    let with_ffmpeg = videoio::get_stream_backends()?.iter().any(|api| api == ffmpeg);
    Ok(if with_ffmpeg { videoio::CAP_FFMPEG } else { videoio::CAP_ANY })
}

fn capture(name: &OsStr, api: i32, params: &[i32]) -> Result<VideoCapture> {
    let capture = VideoCapture::from_file_with_params(name, api, &Vector::from_slice(params))
        .map_err(|_| eyre!("it cannot be opened"))?;
    if !capture.is_opened()? {
        bail!("it cannot be opened");
    }
    let codec = (capture.get(videoio::CAP_PROP_FOURCC)? as u32).to_le_bytes();
    if TEXT_ART.contains(&&codec) {
        bail!("it is text");
    }
    Ok(capture)
}

fn live(capture: VideoCapture, config: &Config) -> Live {
    Live::new(capture, [config.height, config.width], config.fps)
}

/// Size and rate, for people.
fn properties(capture: &VideoCapture) -> String {
    let get = |property| capture.get(property).unwrap_or(0.0);
    let (width, height) = (get(videoio::CAP_PROP_FRAME_WIDTH), get(videoio::CAP_PROP_FRAME_HEIGHT));
    match get(videoio::CAP_PROP_FPS) {
        fps if fps > 0.0 && fps <= 1000.0 => format!("{width}×{height} at {fps:.3} fps"),
        _ => format!("{width}×{height}"),
    }
}
