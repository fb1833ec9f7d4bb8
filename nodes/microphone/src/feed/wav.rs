//! WAV files, one after another, in real time; then silence.

use super::{Feed, Step, Stretch, to_one_channel};
use crate::chunks::RATE_HZ;
use eyre::{Result, WrapErr, bail, eyre};
use hound::{SampleFormat, WavReader, WavSpec};
use mirror_contract::Level;
use std::fs::File;
use std::io::{BufReader, Seek};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Stretches a second.
const STRETCHES: u32 = 50;
/// Rates that sound is recorded at, in samples a second.
const RATES: std::ops::RangeInclusive<u32> = 1_000..=768_000;
/// Channels of the largest recordings.
const MOST_CHANNELS: u16 = 64;

type Samples = Box<dyn Iterator<Item = hound::Result<f32>> + Send>;

/// A file that is being played.
struct Playing {
    name: String,
    samples: Samples,
    rate_hz: u32,
    channels: usize,
}

/// Brings the sound of WAV files.
pub struct Wav {
    files: Vec<PathBuf>,
    at: usize,
    current: Option<Playing>,
    pause: Duration,
    /// Silence that is still due before the next file.
    quiet: Duration,
    looping: bool,
    /// Files of this round that could be played.
    played: usize,
    ended: bool,
    /// How much has been brought.
    time: Duration,
    frames: Vec<f32>,
}

impl Wav {
    /// Plays the file, or the WAV files of the folder in the order of their names, with that pause before each.
    ///
    /// # Errors
    /// A file that is not a whole WAV file; a folder without one that is.
    pub fn new(path: &Path, pause: Duration, looping: bool) -> Result<Self> {
        let files = list(path)?;
        // A file that was named must be right; in a folder, one that is right is enough.
        let mut first = Err(eyre!("it holds no WAV files"));
        for file in &files {
            first = open(file).map(drop);
            if first.is_ok() {
                break;
            }
        }
        if path.is_dir() && !files.is_empty() {
            let count = files.len();
            first = first.wrap_err_with(|| format!("none of its {count} WAV files can be played"));
        }
        first?;
        let (current, time, frames) = (None, Duration::ZERO, Vec::new());
        Ok(Self { files, at: 0, current, pause, quiet: pause, looping, played: 0, ended: false, time, frames })
    }

    /// What it is, for people.
    #[must_use]
    pub fn text(&self) -> String {
        match self.files.as_slice() {
            [file] => match open(file) {
                Ok((playing, seconds)) => {
                    format!(
                        "file {}, {} Hz, {} channels, {seconds:.1} s",
                        file.display(),
                        playing.rate_hz,
                        playing.channels
                    )
                }
                Err(_) => format!("file {}", file.display()),
            },
            files => format!("{} files", files.len()),
        }
    }

    /// Goes on to the next file, if it is time for it.
    fn turn(&mut self) -> Option<Step> {
        if self.at == self.files.len() {
            if self.looping && self.played > 0 {
                (self.at, self.played) = (0, 0);
            } else {
                self.ended = true;
                return Some(Step::Remark(Level::Info, "the sound has ended: silence from now on".to_owned()));
            }
        }
        let file = &self.files[self.at];
        self.at += 1;
        match open(file) {
            Ok((playing, _)) => {
                (self.current, self.played) = (Some(playing), self.played + 1);
                None
            }
            Err(error) => Some(Step::Remark(Level::Warning, format!("{error:#}; it is passed over"))),
        }
    }

    fn silence(&mut self, into: &mut Stretch) -> Step {
        into.rate_hz = RATE_HZ;
        into.samples.resize((RATE_HZ / STRETCHES) as usize, 0.0);
        self.due(into)
    }

    fn due(&mut self, stretch: &Stretch) -> Step {
        self.time += Duration::from_secs_f64(stretch.samples.len() as f64 / f64::from(stretch.rate_hz));
        Step::Due(self.time)
    }
}

impl Feed for Wav {
    fn bring(&mut self, into: &mut Stretch) -> Result<Step> {
        into.samples.clear();
        if self.ended {
            return Ok(self.silence(into));
        }
        if self.current.is_none() {
            let part = Duration::from_secs(1) / STRETCHES;
            if self.quiet >= part {
                self.quiet -= part;
                return Ok(self.silence(into));
            }
            if let Some(step) = self.turn() {
                return Ok(step);
            }
        }
        let Some(playing) = &mut self.current else { return Ok(self.silence(into)) };
        let wanted = (playing.rate_hz / STRETCHES).max(1) as usize;
        self.frames.clear();
        let mut broken = None;
        while self.frames.len() < wanted * playing.channels {
            match playing.samples.next() {
                Some(Ok(sample)) => self.frames.push(sample),
                Some(Err(error)) => {
                    broken = Some(format!("{} breaks off: {error}", playing.name));
                    break;
                }
                None => break,
            }
        }
        let over = self.frames.len() < wanted * playing.channels;
        into.rate_hz = playing.rate_hz;
        to_one_channel(self.frames.iter().copied(), playing.channels, &mut into.samples);
        into.samples.resize(wanted, 0.0);
        if over {
            (self.current, self.quiet) = (None, self.pause);
        }
        Ok(broken.map_or_else(|| self.due(into), |text| Step::Remark(Level::Warning, text)))
    }
}

/// The WAV files of a folder in the order of their names; of a file, itself.
fn list(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in path.read_dir().wrap_err("it cannot be listed")? {
        let file = entry.wrap_err("it cannot be listed")?.path();
        let hidden = file.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or("").to_ascii_lowercase();
        if !hidden && ["wav", "wave"].contains(&extension.as_str()) {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

/// Opens a file and checks that it is whole: it, and how many seconds it lasts.
fn open(file: &Path) -> Result<(Playing, f64)> {
    let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
    let handle = File::open(file).wrap_err_with(|| format!("{name} cannot be read"))?;
    let bytes = handle.metadata().wrap_err_with(|| format!("{name} cannot be read"))?.len();
    if bytes == 0 {
        bail!("{name} is empty (0 bytes): copy it again");
    }
    let convert = "convert it: ffmpeg -i FILE -ar 16000 -ac 1 -c:a pcm_s16le speech.wav";
    let mut reader = WavReader::new(BufReader::new(handle)).map_err(|error| match error {
        hound::Error::IoError(_) => eyre!("{name} is cut short within its head: copy it again"),
        hound::Error::Unsupported => eyre!("{name} is a WAV file of a kind that cannot be read; {convert}"),
        error => eyre!("{name} is not a WAV file ({error}); {convert}"),
    })?;
    let WavSpec { channels, sample_rate, bits_per_sample, sample_format } = reader.spec();
    if channels == 0 || channels > MOST_CHANNELS || !RATES.contains(&sample_rate) {
        bail!("{name} says that it has {channels} channels at {sample_rate} Hz; {convert}");
    }
    let count = u64::from(reader.len());
    if count == 0 {
        bail!("{name} holds no sound: record it again");
    }
    reader.seek(0).wrap_err_with(|| format!("{name} cannot be read"))?;
    let mut inner = reader.into_inner();
    let start = inner.stream_position().wrap_err_with(|| format!("{name} cannot be read"))?;
    let needed = start + count * u64::from(bits_per_sample.div_ceil(8));
    if bytes < needed {
        bail!("{name} is cut short: it has {bytes} bytes, its head says {needed}: copy it again");
    }
    inner.rewind().wrap_err_with(|| format!("{name} cannot be read"))?;
    let reader = WavReader::new(inner).map_err(|error| eyre!("{name}: {error}"))?;
    let samples: Samples = match sample_format {
        SampleFormat::Float => Box::new(reader.into_samples::<f32>()),
        SampleFormat::Int => {
            let full = (1_u64 << (bits_per_sample.clamp(1, 32) - 1)) as f32;
            Box::new(reader.into_samples::<i32>().map(move |sample| sample.map(|sample| sample as f32 / full)))
        }
    };
    let seconds = count as f64 / f64::from(channels) / f64::from(sample_rate);
    Ok((Playing { name, samples, rate_hz: sample_rate, channels: usize::from(channels) }, seconds))
}
