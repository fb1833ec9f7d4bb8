//! A microphone of this machine, through ALSA (PipeWire and PulseAudio are behind its device `default`).

use super::{Feed, Step, Stretch, to_one_channel};
use alsa::Output;
use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{
    BufferSize, Device, DeviceId, Error, ErrorKind, FromSample, Host, InputCallbackInfo, Sample, SampleFormat,
    SizedSample, Stream, StreamConfig, SupportedBufferSize,
};
use eyre::{Result, bail, eyre};
use mirror_contract::{Level, now_ns};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Length of the stretches that are asked of a device: the sound of 20 ms is there 20 ms later. PulseAudio's own choice
/// is 128 ms.
const STRETCH_MS: u32 = 20;
/// A device from which no sound has come for so long has gone, whatever its driver says.
const SILENT: Duration = Duration::from_secs(3);
/// How long a stream may take to stop.
const FAREWELL: Duration = Duration::from_millis(500);
/// Sound that waits at most, in seconds: then the oldest is lost, and said.
const LONGEST_WAIT: usize = 10;
/// Devices of ALSA that are a microphone themselves, with conversions; the others lead to one of them or to nothing.
const OWN: &str = "plughw:";

/// A device that can be named, and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name for ALSA: `plughw:CARD=1,DEV=0`.
    pub name: String,
    /// What it is: `USB Audio`.
    pub text: String,
}

/// The system's microphones.
pub struct Devices {
    host: Host,
}

impl Devices {
    /// Looks at the system's sound. What ALSA writes to standard error from this thread is kept from there.
    ///
    /// # Errors
    /// A machine without ALSA.
    pub fn look() -> Result<Self> {
        // Buffers what would be written; taking a new one drops what is in the old.
        Output::local_error_handler().map_err(|error| eyre!("ALSA: {error}"))?;
        let hosts = cpal::available_hosts();
        let host = hosts.first().ok_or_else(|| eyre!("this machine has no sound"))?;
        Ok(Self { host: cpal::host_from_id(*host).map_err(|error| eyre!("{error}"))? })
    }

    /// All microphones.
    #[must_use]
    pub fn list(&self) -> Vec<Listed> {
        let devices = self.host.devices().into_iter().flatten();
        let inputs = devices.filter(DeviceTrait::supports_input);
        inputs.filter_map(|device| listed(&device)).filter(|device| device.name != "null").collect()
    }

    /// The microphones that are devices of their own: not the ways that lead to them.
    #[must_use]
    pub fn own(&self) -> Vec<Listed> {
        self.list().into_iter().filter(|device| device.name.starts_with(OWN)).collect()
    }

    /// Opens the system's default microphone.
    ///
    /// # Errors
    /// There is none, or it does not work.
    pub fn open_default(&self) -> Result<Live> {
        let device = self.host.default_input_device().ok_or_else(|| eyre!("the system has no default microphone"))?;
        Live::open(&device)
    }

    /// Opens a microphone by its name, or by a part of its name or description, whatever the case.
    ///
    /// # Errors
    /// No such microphone: the error lists those that there are; or it does not work.
    pub fn open(&self, name: &str) -> Result<Live> {
        if let Some(device) = self.host.device_by_id(&DeviceId::new(self.host.id(), name)) {
            return Live::open(&device);
        }
        let wanted = name.to_lowercase();
        let fits = |device: &Listed| {
            device.name.to_lowercase().contains(&wanted) || device.text.to_lowercase().contains(&wanted)
        };
        let all = self.list();
        // A part of a name fits many ways to the same microphone: the one with conversions takes any rate.
        let mut fitting: Vec<&Listed> = all.iter().filter(|device| fits(device)).collect();
        fitting.sort_by_key(|device| !device.name.starts_with(OWN));
        let Some(found) = fitting.first() else {
            let list = all.iter().map(|device| format!("{} ({})", device.name, device.text)).collect::<Vec<_>>();
            let list = if list.is_empty() { "none".to_owned() } else { list.join(", ") };
            bail!("there is no such microphone; microphones here: {list}. Plug it in, or name another one");
        };
        let id = DeviceId::new(self.host.id(), &found.name);
        let device = self.host.device_by_id(&id).ok_or_else(|| eyre!("{} has just gone", found.name))?;
        Live::open(&device)
    }
}

fn listed(device: &Device) -> Option<Listed> {
    let name = device.id().ok()?.id().to_owned();
    let text = device.description().map_or_else(|_| name.clone(), |description| description.name().to_owned());
    Some(Listed { name, text })
}

/// What cpal's own thread leaves.
#[derive(Default)]
struct State {
    samples: Vec<f32>,
    /// When the first of them was recorded.
    first_ns: i64,
    lost: usize,
    error: Option<Error>,
}

/// The place where cpal's own thread leaves the sound.
#[derive(Default)]
struct Desk {
    state: Mutex<State>,
    changed: Condvar,
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is whole when the lock is let go.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A microphone that runs.
pub struct Live {
    desk: Arc<Desk>,
    rate_hz: u32,
    text: String,
    heard: Instant,
    /// Stops when it is dropped.
    stream: Option<Stream>,
}

impl Drop for Live {
    /// A driver can hang when its device or its server has gone (libpulse does): then it is left behind in a thread of its
    /// own, and the microphone can be opened again.
    fn drop(&mut self) {
        let Some(stream) = self.stream.take() else { return };
        let Ok(thread) = thread::Builder::new().name("farewell".to_owned()).spawn(move || drop(stream)) else { return };
        let until = Instant::now() + FAREWELL;
        while !thread.is_finished() && Instant::now() < until {
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Live {
    fn open(device: &Device) -> Result<Self> {
        let wrong = |error: Error| eyre!("{}", reason(&error));
        let supported = device.default_input_config().map_err(wrong)?;
        let rate_hz = supported.sample_rate();
        let wanted = rate_hz * STRETCH_MS / 1000;
        let fits = matches!(supported.buffer_size(), SupportedBufferSize::Range { min, max } if (*min..=*max).contains(&wanted));
        let config = supported.config();
        let short = StreamConfig { buffer_size: BufferSize::Fixed(wanted), ..config };
        let desk = Arc::new(Desk::default());
        let format = supported.sample_format();
        let mut stream = if fits { build(device, short, format, &desk) } else { build(device, config, format, &desk) };
        if fits && stream.is_err() {
            stream = build(device, config, format, &desk);
        }
        let stream = stream?;
        stream.play().map_err(wrong)?;
        let name = listed(device).map_or_else(|| "?".to_owned(), |device| format!("{} ({})", device.name, device.text));
        let text = format!("microphone {name}, {rate_hz} Hz, {} channels", config.channels);
        Ok(Self { desk, rate_hz, text, heard: Instant::now(), stream: Some(stream) })
    }

    /// What it is, for people.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl Feed for Live {
    fn bring(&mut self, into: &mut Stretch) -> Result<Step> {
        let idle = |state: &mut State| state.samples.is_empty() && state.error.is_none();
        let waited = self.desk.changed.wait_timeout_while(self.desk.lock(), Duration::from_millis(100), idle);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = state.error.take() {
            bail!("{}", reason(&error));
        }
        if state.lost > 0 {
            let lost = std::mem::take(&mut state.lost) as f64 / f64::from(self.rate_hz);
            return Ok(Step::Remark(Level::Warning, format!("{lost:.1} s of sound are lost: the machine is too busy")));
        }
        if state.samples.is_empty() {
            if self.heard.elapsed() > SILENT {
                bail!("no sound has come from it for {} s", SILENT.as_secs());
            }
            return Ok(Step::Nothing);
        }
        self.heard = Instant::now();
        into.rate_hz = self.rate_hz;
        into.samples.clear();
        std::mem::swap(&mut into.samples, &mut state.samples);
        Ok(Step::Live(state.first_ns))
    }
}

/// What an error of the device means.
fn reason(error: &Error) -> String {
    match error.kind() {
        ErrorKind::DeviceBusy => "it is in use by another program: close that one".to_owned(),
        ErrorKind::PermissionDenied => "it may not be opened: add this user to the group \"audio\"".to_owned(),
        ErrorKind::DeviceNotAvailable => "it is not there: plug it in".to_owned(),
        _ => error.to_string(),
    }
}

fn build(device: &Device, config: StreamConfig, format: SampleFormat, desk: &Arc<Desk>) -> Result<Stream> {
    match format {
        SampleFormat::I8 => stream::<i8>(device, config, desk),
        SampleFormat::I16 => stream::<i16>(device, config, desk),
        SampleFormat::I24 => stream::<cpal::I24>(device, config, desk),
        SampleFormat::I32 => stream::<i32>(device, config, desk),
        SampleFormat::U8 => stream::<u8>(device, config, desk),
        SampleFormat::U16 => stream::<u16>(device, config, desk),
        SampleFormat::U32 => stream::<u32>(device, config, desk),
        SampleFormat::F32 => stream::<f32>(device, config, desk),
        SampleFormat::F64 => stream::<f64>(device, config, desk),
        format => bail!("its samples are of the kind {format}, which cannot be read"),
    }
}

fn stream<T: SizedSample>(device: &Device, config: StreamConfig, desk: &Arc<Desk>) -> Result<Stream>
where
    f32: FromSample<T>,
{
    let (heard, failed) = (Arc::clone(desk), Arc::clone(desk));
    let (channels, rate) = (usize::from(config.channels), config.sample_rate as usize);
    let on_sound = move |data: &[T], info: &InputCallbackInfo| {
        let times = info.timestamp();
        let age = times.callback.duration_since(times.capture).min(Duration::from_secs(1));
        let mut state = heard.lock();
        if state.samples.is_empty() {
            state.first_ns = now_ns() - i64::try_from(age.as_nanos()).unwrap_or(0);
        } else if state.samples.len() > LONGEST_WAIT * rate {
            state.lost += state.samples.len();
            state.samples.clear();
            state.first_ns = now_ns();
        }
        to_one_channel(data.iter().map(|sample| f32::from_sample(*sample)), channels, &mut state.samples);
        heard.changed.notify_all();
    };
    let on_error = move |error: Error| match error.kind() {
        // The stream goes on.
        ErrorKind::DeviceChanged | ErrorKind::Xrun | ErrorKind::RealtimeDenied => tracing::debug!("{error}"),
        _ => {
            failed.lock().error = Some(error);
            failed.changed.notify_all();
        }
    };
    device.build_input_stream(config, on_sound, on_error, None).map_err(|error| eyre!("{}", reason(&error)))
}
