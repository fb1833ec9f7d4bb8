//! Configuration.

use crate::front::{self, Front, keys};
use eyre::{Result, WrapErr, eyre};
use mirror_kit::config::PACKS;
use mirror_kit::{Environment, Key};
use mirror_models::{Installed, Processor};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// The keys that this node reads.
pub const KEYS: &[Key] = &[
    Key {
        name: "WEB_ADDRESS",
        default: "127.0.0.1:8080",
        text: "Where the page is served. Any other than a loopback address opens it to the network, which needs `WEB_TOKEN` or `WEB_OPEN`.",
    },
    Key { name: "WEB_STREAM", default: "house", text: "The stream that the page shows and sets." },
    Key { name: "WEB_JPEG_QUALITY", default: "85", text: "Quality of the pictures on the page, from 1 to 100." },
    Key { name: "WEB_CLIENTS_MAX", default: "32", text: "How many may watch at once, from 1 to 1000." },
    Key {
        name: "WEB_STREAMS_MAX",
        default: "64",
        text: "How many visitors may bring a camera of their own at once, from 0 to 100.",
    },
    Key {
        name: "WEB_STREAMS_PER_ADDRESS",
        default: "8",
        text: "How many of them from one address, from 1 to 100; this machine's own addresses are not counted.",
    },
    Key {
        name: "WEB_SILENCE_MAX",
        default: "5s",
        text: "How long no picture may come before `/health` answers 503, from 1 to 3600 seconds.",
    },
    keys::REALTIME,
    keys::LIVE,
    keys::DREAM,
    keys::TOKEN,
    keys::TOKEN_FILE,
    keys::OPEN,
    keys::ORIGINS,
    keys::TLS,
    keys::TLS_CERTIFICATE,
    keys::TLS_KEY,
    keys::QUEUE_MAX,
    keys::SESSION_MAX,
    keys::REALTIME_MODE,
    keys::MESSAGE_MAX,
    keys::MESSAGES_MAX,
    keys::REQUESTS_MAX,
    keys::IDLE_MAX,
    Key {
        name: "DORA_OTLP_ENDPOINT",
        default: "",
        text: "A collector of OpenTelemetry traces (OTLP over gRPC, `http://127.0.0.1:4317`): each picture's way goes there. Empty: nowhere.",
    },
    Key {
        name: "MIRROR_PACK",
        default: "models/starter",
        text: "The model pack: a directory. Its `looks.json`, where it has one, gives the suggestions under the prompt.",
    },
    PACKS,
];

/// Most visitors at once: `control` keeps settings of so many, and of the mirror's cameras besides.
const STREAMS_MOST: u32 = 100;

/// What the environment says.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the page is served.
    pub address: SocketAddr,
    /// The stream that the page shows and sets.
    pub stream: String,
    /// JPEG quality, from 1 to 100.
    pub quality: i32,
    /// How many may watch at once.
    pub clients_max: usize,
    /// How many visitors may bring a camera of their own at once.
    pub streams_max: usize,
    /// How many of them from one address.
    pub streams_per_address: usize,
    /// How long no picture may come before the mirror counts as ill.
    pub silence_max: Duration,
    /// Where traces go; empty: nowhere.
    pub traces: String,
    /// Suggestions: texts that the pack understands. Never fails: a page without suggestions is a page.
    pub looks: Vec<String>,
    /// The names that the setting `processor` may have; empty if the packs cannot be read.
    pub processors: Vec<String>,
    /// The same with what they are good for.
    pub installed: Vec<Processor>,
    /// Who may come in, where, how often, and with which clients.
    pub front: Front,
}

impl Config {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// A value that cannot be used: named.
    pub fn from_env() -> Result<Self> {
        Self::of(&Environment::read(KEYS)?)
    }

    /// Reads that environment.
    ///
    /// # Errors
    /// As [`from_env`](Self::from_env).
    pub fn of(environment: &Environment) -> Result<Self> {
        let pack = Path::new(environment.text("MIRROR_PACK"));
        // The nodes that cannot do without the pack say what is wrong with it.
        let installed = Installed::find(pack, environment.text(PACKS.name));
        let processors = installed.map(|installed| installed.processors().to_vec()).unwrap_or_default();
        let address = environment.parse("WEB_ADDRESS", "an address and a port like 127.0.0.1:8080")?;
        Ok(Self {
            address,
            front: Front::of(environment, address)?,
            stream: environment.text("WEB_STREAM").to_owned(),
            quality: front::count(environment, "WEB_JPEG_QUALITY", [1, 100])? as i32,
            clients_max: front::count(environment, "WEB_CLIENTS_MAX", [1, 1000])? as usize,
            streams_max: front::count(environment, "WEB_STREAMS_MAX", [0, STREAMS_MOST])? as usize,
            streams_per_address: front::count(environment, "WEB_STREAMS_PER_ADDRESS", [1, STREAMS_MOST])? as usize,
            silence_max: silence(environment.text("WEB_SILENCE_MAX"))?,
            traces: environment.text("DORA_OTLP_ENDPOINT").trim().to_owned(),
            looks: looks(&pack.join("looks.json")).unwrap_or_else(|error| {
                tracing::warn!("no suggestions under the prompt: {error:#}");
                Vec::new()
            }),
            processors: processors.iter().map(|processor| processor.name.clone()).collect(),
            installed: processors,
        })
    }
}

impl Config {
    /// How many connections may be open at once. A watcher has a stream, an event stream and now and then a request, a visitor
    /// a socket and requests; what is left serves those who are turned away.
    #[must_use]
    pub fn connections(&self) -> usize {
        4 * (self.clients_max + self.streams_max) + 16
    }
}

/// `5s`, `2.5 s`, `5`: from 1 to 3600 seconds.
fn silence(text: &str) -> Result<Duration> {
    let seconds = text.trim().trim_end_matches('s').trim_end().parse().ok();
    let seconds = seconds.filter(|seconds: &f64| (1.0..=3600.0).contains(seconds));
    let seconds = seconds.ok_or_else(|| eyre!("WEB_SILENCE_MAX=\"{text}\" is not a time from 1s to 3600s"))?;
    Ok(Duration::from_secs_f64(seconds))
}

/// The example of each look in the file; none without the file.
///
/// # Errors
/// A file that is not `{"looks": [{"example": "a pencil drawing"}, …]}`.
pub fn looks(path: &Path) -> Result<Vec<String>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = std::fs::read_to_string(path).wrap_err_with(|| path.display().to_string())?;
    let file: Value = serde_json::from_str(&text).wrap_err_with(|| path.display().to_string())?;
    let looks = file["looks"].as_array().ok_or_else(|| eyre!("{}: there is no list \"looks\"", path.display()))?;
    // What merely changes a look (`colour: warm`) is no suggestion of its own.
    let looks = looks.iter().filter(|look| look.get("kind").is_none_or(|kind| *kind == json!("look")));
    Ok(looks.filter_map(|look| Some(look.get("example")?.as_str()?.to_owned())).collect())
}
