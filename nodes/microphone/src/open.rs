//! From a source to the feed that brings its sound.

use crate::config::Config;
use crate::feed::Feed;
use crate::feed::device::{Devices, Live};
use crate::feed::nothing::Nothing;
use crate::feed::wav::Wav;
use crate::source::{KINDS, Source};
use eyre::{Result, WrapErr, bail, eyre};
use mirror_contract::Level;
use std::io::ErrorKind;
use std::path::Path;

/// A source that works, and what brings its sound.
pub type Opened = mirror_kit::source::Opened<Box<dyn Feed>>;

/// Opens the source that the configuration names.
///
/// # Errors
/// A source that is not there or does not work: one that names the setting, the thing and the remedy.
pub fn open(config: &Config) -> Result<Opened> {
    let opened = match &config.source {
        Source::Auto => return Ok(auto()),
        Source::None => {
            let text = "no microphone, as MICROPHONE_SOURCE=none says".to_owned();
            return Ok(Opened { feed: Box::new(Nothing::for_ever()), text, level: Level::Info });
        }
        Source::Default => Devices::look().and_then(|devices| devices.open_default()).map(live),
        Source::Device(name) => Devices::look().and_then(|devices| devices.open(name)).map(live),
        Source::Path(path) => file(path, config),
    };
    opened.wrap_err_with(|| format!("MICROPHONE_SOURCE={}", config.source))
}

/// A microphone that runs.
fn live(live: Live) -> Opened {
    Opened { text: live.text().to_owned(), feed: Box::new(live), level: Level::Info }
}

/// The default microphone, else the first other one that works, else silence until there is one.
fn auto() -> Opened {
    first().unwrap_or_else(|error| {
        let text = format!(
            "{error:#}: prompts can be typed. Plug a microphone in, or see what \"mirror doctor\" says about it"
        );
        Opened { feed: Box::new(Nothing::until(|| first().ok())), text, level: Level::Warning }
    })
}

fn first() -> Result<Opened> {
    let devices = Devices::look().wrap_err("there is no microphone")?;
    let mut reasons = Vec::new();
    let own = devices.own();
    let names = own.iter().map(|device| device.name.as_str());
    for (name, opened) in
        std::iter::once(("default", devices.open_default())).chain(names.map(|name| (name, devices.open(name))))
    {
        match opened {
            Ok(microphone) => return Ok(live(microphone)),
            Err(error) => reasons.push(format!("{name}: {error:#}")),
        }
    }
    if own.is_empty() {
        Err(eyre!("there is no microphone"))
    } else {
        Err(eyre!("no microphone works ({})", reasons.join("; ")))
    }
}

/// A WAV file or a folder.
fn file(path: &Path, config: &Config) -> Result<Opened> {
    match path.metadata() {
        Ok(metadata) if metadata.is_dir() || metadata.is_file() => {}
        Ok(_) => bail!("it is neither a file nor a folder; it can be {KINDS}"),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            bail!("there is no such file or folder; it can be {KINDS}")
        }
        Err(error) => return Err(error).wrap_err("it cannot be read"),
    }
    let wav = Wav::new(path, config.pause, config.looping)?;
    let text = if path.is_dir() { format!("folder {}, {}", path.display(), wav.text()) } else { wav.text() };
    Ok(Opened { feed: Box::new(wav), text, level: Level::Info })
}
