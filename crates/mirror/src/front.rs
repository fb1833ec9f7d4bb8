//! Who may come in, where, and with which clients: ONE table of options, read from the command line, the environment and the
//! file `.env`, in this order.

use crate::house::House;
use crate::overrides::{self, Overrides};
use clap::Args;
use eyre::{Result, WrapErr, bail, eyre};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use uuid::Uuid;

/// The file beside the dataflow file.
const FILE: &str = ".env";
/// Where the token lies, so that it is in no list of processes.
const TOKEN: &str = ".mirror/token";
/// The key that says where the token lies.
const TOKEN_FILE: &str = "WEB_TOKEN_FILE";
/// What all keys of the page's node begin with: an unknown one is misspelt.
const PREFIX: &str = "WEB_";

/// The page, and the clients of other systems.
///
/// Each can also be said in the environment, or in the file .env beside the dataflow file: `WEB_TOKEN=…`.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "The page and other systems' clients (also in the environment and in .env)")]
pub struct Front {
    /// Where all listeners are: 127.0.0.1 for this machine only, 0.0.0.0 for the network [with --port: WEB_ADDRESS]
    #[arg(long, value_name = "ADDRESS")]
    host: Option<IpAddr>,
    /// The page's port
    #[arg(long)]
    port: Option<u16>,
    /// Visitors from the network need this token; without a value one is made up and shown [WEB_TOKEN]
    #[arg(long, value_name = "TOKEN", num_args = 0..=1, default_missing_value = "")]
    token: Option<String>,
    /// Everybody in the network may come in, without a token [WEB_OPEN]
    #[arg(long, conflicts_with = "token")]
    open: bool,
    /// HTTPS, which phones need for their camera: self-signed, on (with the two files), off [WEB_TLS]
    #[arg(long, value_name = "HOW", num_args = 0..=1, default_missing_value = "self-signed")]
    tls: Option<String>,
    /// The certificate, PEM [WEB_TLS_CERTIFICATE]
    #[arg(long, value_name = "FILE", alias = "tls-certificate")]
    ssl_certfile: Option<String>,
    /// Its private key, PEM [WEB_TLS_KEY]
    #[arg(long, value_name = "FILE", alias = "tls-key")]
    ssl_keyfile: Option<String>,
    /// Other sites whose pages may talk to the mirror, with commas between; * for all [WEB_ORIGINS]
    #[arg(long, value_name = "SITES")]
    origins: Option<String>,
    /// Where Real-Time LCM's clients are served: a port, an address, off [WEB_REALTIME; 7860]
    #[arg(long, value_name = "PORT")]
    realtime: Option<String>,
    /// Where Live Diffusion's clients are served [WEB_LIVE; 8000]
    #[arg(long, value_name = "PORT")]
    live: Option<String>,
    /// Where DreamStream's clients are served [WEB_DREAM; 8001]
    #[arg(long, value_name = "PORT")]
    dream: Option<String>,
    /// Real-Time LCM: visitors at once; 0: as many as there are streams [WEB_QUEUE_MAX]
    #[arg(long, value_name = "VISITORS")]
    max_queue_size: Option<u32>,
    /// Real-Time LCM: how long a session may last; 0: as long as it likes [WEB_SESSION_MAX]
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<f64>,
    /// Real-Time LCM: what clients send, image (img2img, controlnet …) or text (txt2img …) [WEB_REALTIME_MODE]
    #[arg(long, value_name = "NAME")]
    pipeline: Option<String>,
    /// Visitors' cameras at once [WEB_STREAMS_MAX]
    #[arg(long, value_name = "STREAMS")]
    streams_max: Option<u32>,
    /// Visitors' cameras from one address [WEB_STREAMS_PER_ADDRESS]
    #[arg(long, value_name = "STREAMS")]
    streams_per_address: Option<u32>,
    /// Those who may watch at once [WEB_CLIENTS_MAX]
    #[arg(long, value_name = "WATCHERS")]
    clients_max: Option<u32>,
    /// The largest message on a socket [WEB_MESSAGE_MAX]
    #[arg(long, value_name = "MIB")]
    message_max: Option<f64>,
    /// Messages a second of one socket [WEB_MESSAGES_MAX]
    #[arg(long, value_name = "MESSAGES")]
    messages_max: Option<u32>,
    /// Requests a second of one address [WEB_REQUESTS_MAX]
    #[arg(long, value_name = "REQUESTS")]
    requests_max: Option<u32>,
    /// How long a socket may be silent [WEB_IDLE_MAX]
    #[arg(long, value_name = "SECONDS")]
    idle_max: Option<f64>,
}

/// Keys that the page's node knows beside those with an option.
const OTHERS: [&str; 5] = ["WEB_ADDRESS", "WEB_STREAM", "WEB_JPEG_QUALITY", "WEB_SILENCE_MAX", TOKEN_FILE];

/// Names of Real-Time LCM's own `.env`. In a shell's environment they are somebody else's: many shells have a `HOST`.
const REALTIME: [(&str, &str); 5] = [
    ("HOST", HOST),
    ("PORT", "WEB_REALTIME"),
    ("MAX_QUEUE_SIZE", "WEB_QUEUE_MAX"),
    ("TIMEOUT", "WEB_SESSION_MAX"),
    ("PIPELINE", "WEB_REALTIME_MODE"),
];
/// Where all listeners are: a part of `WEB_ADDRESS`, and no key of a node.
const HOST: &str = "--host";

/// What people are to be told of who may come in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entrance {
    /// The access token, if one is needed.
    pub token: Option<String>,
    /// HTTPS.
    pub is_safe: bool,
    /// Addresses that lead here from the network, without the token.
    pub links: Vec<String>,
}

impl Front {
    /// Each option by its key; `None` where it was not given.
    fn table(&self) -> [(&'static str, Option<String>); 19] {
        let whole = |number: Option<u32>, unit: &str| number.map(|number| format!("{number} {unit}"));
        let seconds = |number: Option<f64>| number.map(|number| format!("{number}s"));
        [
            ("WEB_TOKEN", self.token.clone()),
            ("WEB_OPEN", self.open.then(|| "on".to_owned())),
            ("WEB_TLS", self.tls.clone()),
            ("WEB_TLS_CERTIFICATE", self.ssl_certfile.clone()),
            ("WEB_TLS_KEY", self.ssl_keyfile.clone()),
            ("WEB_ORIGINS", self.origins.clone()),
            ("WEB_REALTIME", self.realtime.clone()),
            ("WEB_LIVE", self.live.clone()),
            ("WEB_DREAM", self.dream.clone()),
            ("WEB_QUEUE_MAX", whole(self.max_queue_size, "visitors")),
            ("WEB_SESSION_MAX", seconds(self.timeout)),
            ("WEB_REALTIME_MODE", self.pipeline.clone()),
            ("WEB_STREAMS_MAX", whole(self.streams_max, "streams")),
            ("WEB_STREAMS_PER_ADDRESS", whole(self.streams_per_address, "streams")),
            ("WEB_CLIENTS_MAX", whole(self.clients_max, "watchers")),
            ("WEB_MESSAGE_MAX", self.message_max.map(|number| format!("{number}MiB"))),
            ("WEB_MESSAGES_MAX", whole(self.messages_max, "messages")),
            ("WEB_REQUESTS_MAX", whole(self.requests_max, "requests")),
            ("WEB_IDLE_MAX", seconds(self.idle_max)),
        ]
    }

    /// Adds what was said to what the nodes are told. Files of the command line are seen from `here`. A token goes into a file
    /// of its own.
    ///
    /// # Errors
    /// A file `.env` that cannot be read or has a key that is none; an address that is none; the token cannot be kept.
    pub fn add(&self, overrides: &mut Overrides, house: &House, here: &Path) -> Result<Entrance> {
        let file = read(&house.root.join(FILE))?;
        // What the dataflow file has a place for can be said in .env as well.
        for (key, value) in &file {
            if house.value(&Overrides::new(), key).is_some() {
                overrides.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
        for (key, option) in self.table() {
            let is_file = matches!(key, "WEB_TLS_CERTIFICATE" | "WEB_TLS_KEY");
            let option = match option {
                Some(path) if is_file => Some(overrides::absolute(&path, here)?),
                option => option,
            };
            let said = option.or_else(|| overrides.get(key).cloned());
            let said = said.or_else(|| std::env::var(key).ok()).or_else(|| file.get(key).cloned());
            if let Some(value) = said {
                overrides.insert(key.to_owned(), as_dora_takes_it(key, &value));
            }
        }
        self.place(overrides, house, file.get(HOST))?;
        self.admit(overrides, house)
    }

    /// Puts `--host` and `--port` into the page's address.
    fn place(&self, overrides: &mut Overrides, house: &House, host: Option<&String>) -> Result<()> {
        let host = match (self.host, host) {
            (Some(host), _) => Some(host),
            (None, Some(text)) => {
                Some(text.trim().parse().map_err(|_| eyre!("{FILE}: HOST={text} is no address like 127.0.0.1"))?)
            }
            (None, None) => None,
        };
        if host.is_none() && self.port.is_none() {
            return Ok(());
        }
        let mut address = address(overrides, house)?;
        address.set_ip(host.unwrap_or(address.ip()));
        address.set_port(self.port.unwrap_or(address.port()));
        overrides.insert("WEB_ADDRESS".to_owned(), address.to_string());
        Ok(())
    }

    /// Sees to the token: what is open to the network has one, unless somebody says that it is to have none.
    fn admit(&self, overrides: &mut Overrides, house: &House) -> Result<Entrance> {
        // Tests and other programs may leave the address out or give it by name: then the node has the last word.
        let Ok(page) = address(overrides, house) else { return Ok(Entrance::default()) };
        let listener = |key: &&str| overrides.get(*key).and_then(|text| text.parse::<SocketAddr>().ok());
        let all = ["WEB_REALTIME", "WEB_LIVE", "WEB_DREAM"].iter().filter_map(listener).chain([page]);
        let is_beyond = all.into_iter().any(|address| !address.ip().is_loopback());
        let is_open = house.value(overrides, "WEB_OPEN").is_some_and(|open| is_on(&open));
        let given = overrides.remove("WEB_TOKEN");
        let token = match given.filter(|token| !token.is_empty()) {
            Some(token) => Some(token),
            None if self.token.is_some() || (is_beyond && !is_open && !overrides.contains_key(TOKEN_FILE)) => {
                Some(kept(house)?)
            }
            None => None,
        };
        if let Some(token) = &token {
            keep(house, token)?;
            overrides.insert(TOKEN_FILE.to_owned(), TOKEN.to_owned());
        }
        let tls = house.value(overrides, "WEB_TLS").unwrap_or_default();
        let is_safe = tls == "self-signed" || overrides.contains_key("WEB_TLS_CERTIFICATE");
        let scheme = if is_safe { "https" } else { "http" };
        let ips = if page.ip().is_unspecified() { mirror_kit::addresses::here() } else { vec![page.ip()] };
        let links = ips.into_iter().filter(|ip| !ip.is_loopback());
        let links = links.map(|ip| format!("{scheme}://{}/", SocketAddr::new(ip, page.port()))).collect();
        Ok(Entrance { token, is_safe, links })
    }
}

impl Entrance {
    /// What to type into a browser of another machine, with the token.
    pub fn invitations(&self) -> impl Iterator<Item = String> {
        let token = self.token.as_ref().map_or_else(String::new, |token| format!("?token={token}"));
        self.links.iter().map(move |link| format!("{link}{token}"))
    }
}

/// The token of the mirror that runs in that house: for programs of this machine that ask its page.
#[must_use]
pub fn token(house: &House, overrides: &Overrides) -> Option<String> {
    let said = overrides.get("WEB_TOKEN").cloned().or_else(|| std::env::var("WEB_TOKEN").ok());
    // A mirror that was not told of it does not ask for it either.
    let path = || house.value(overrides, TOKEN_FILE).unwrap_or_else(|| TOKEN.to_owned());
    let said = said.or_else(|| fs::read_to_string(house.root.join(path())).ok());
    said.map(|token| token.trim().to_owned()).filter(|token| !token.is_empty())
}

fn address(overrides: &Overrides, house: &House) -> Result<SocketAddr> {
    let text = house.value(overrides, "WEB_ADDRESS");
    let text = text.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)).to_string());
    text.parse().map_err(|_| eyre!("WEB_ADDRESS=\"{text}\" is not an address like 127.0.0.1:8080"))
}

fn is_on(text: &str) -> bool {
    matches!(text.trim().to_ascii_lowercase().as_str(), "on" | "true" | "yes" | "1")
}

/// dora takes no value that looks like a number: a port gets a colon before it, a count a word behind it, a time its unit.
fn as_dora_takes_it(key: &str, value: &str) -> String {
    let value = value.trim();
    match key {
        "WEB_REALTIME_MODE" => mode(value),
        _ if value.parse::<f64>().is_err() => value.to_owned(),
        "WEB_REALTIME" | "WEB_LIVE" | "WEB_DREAM" => format!(":{value}"),
        "WEB_SESSION_MAX" | "WEB_IDLE_MAX" => format!("{value}s"),
        "WEB_MESSAGE_MAX" => format!("{value}MiB"),
        // A token of digits goes into a file.
        "WEB_TOKEN" => value.to_owned(),
        "WEB_OPEN" => if value == "0" { "off" } else { "on" }.to_owned(),
        _ => format!("{value} in all"),
    }
}

/// Real-Time LCM's pipelines have names of their own: those of text begin alike.
fn mode(pipeline: &str) -> String {
    let is_text = pipeline == "text" || pipeline.starts_with("txt2img");
    if is_text { "text" } else { "image" }.to_owned()
}

/// The pairs of a file `.env`, Real-Time LCM's names as ours; none where there is no file.
fn read(path: &Path) -> Result<BTreeMap<String, String>> {
    if !path.is_file() {
        return Ok(BTreeMap::new());
    }
    let name = path.display();
    let mut pairs = BTreeMap::new();
    for pair in dotenvy::from_path_iter(path).wrap_err_with(|| name.to_string())? {
        let (key, value) = pair.map_err(|error| eyre!("{name}: {error}"))?;
        let theirs = REALTIME.iter().find(|(theirs, _)| *theirs == key);
        let key = theirs.map_or(key, |(_, own)| (*own).to_owned());
        let is_known =
            || Front::default().table().iter().any(|(known, _)| *known == key) || OTHERS.contains(&key.as_str());
        if key.starts_with(PREFIX) && !is_known() {
            let table = Front::default().table();
            let known: Vec<&str> = table.iter().map(|(key, _)| *key).chain(OTHERS).collect();
            bail!("{name}: {key} is not a setting; there are {}", known.join(", "));
        }
        pairs.insert(key, value);
    }
    Ok(pairs)
}

/// The token of the last time, or a new one.
fn kept(house: &House) -> Result<String> {
    let path = house.root.join(TOKEN);
    if !path.is_file() {
        return Ok(Uuid::new_v4().simple().to_string());
    }
    let text = fs::read_to_string(&path).wrap_err_with(|| path.display().to_string())?;
    Ok(text.trim().to_owned())
}

/// Keeps the token where only this user reads it.
fn keep(house: &House, token: &str) -> Result<()> {
    let path = house.root.join(TOKEN);
    let write = || {
        fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        let _ = fs::remove_file(&path);
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        writeln!(file, "{token}")
    };
    write().wrap_err_with(|| format!("the access token cannot be kept in {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use std::os::unix::fs::PermissionsExt;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        front: Front,
    }

    struct Project(tempfile::TempDir);

    impl Project {
        fn new(env: &str) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let graph = "{ env: { WEB_ADDRESS: '127.0.0.1:8080', CAMERA_SOURCE: auto }, nodes: [] }";
            fs::write(folder.path().join("dataflow.yml"), graph).unwrap();
            if !env.is_empty() {
                fs::write(folder.path().join(".env"), env).unwrap();
            }
            Self(folder)
        }

        fn house(&self) -> House {
            House::find(self.0.path(), Path::new("dataflow.yml")).unwrap()
        }

        fn add(&self, line: &str) -> Result<(Overrides, Entrance)> {
            let words = line.split(' ').filter(|word| !word.is_empty());
            let front = Line::parse_from(std::iter::once("run").chain(words)).front;
            let mut overrides = Overrides::new();
            let entrance = front.add(&mut overrides, &self.house(), Path::new("/home/me"))?;
            Ok((overrides, entrance))
        }
    }

    #[test]
    fn without_options_the_mirror_is_for_this_machine() {
        let (overrides, entrance) = Project::new("").add("").unwrap();
        assert_eq!((overrides, entrance), (Overrides::new(), Entrance::default()));
    }

    #[test]
    fn options_become_keys_that_dora_takes() {
        let line = "--port 9000 --realtime 7000 --live off --max-queue-size 8 --timeout 30 --pipeline txt2imgLora --tls --ssl-certfile a.pem --ssl-keyfile /b.pem";
        let (overrides, entrance) = Project::new("").add(line).unwrap();
        for (key, value) in [
            ("WEB_ADDRESS", "127.0.0.1:9000"),
            ("WEB_REALTIME", ":7000"),
            ("WEB_LIVE", "off"),
            ("WEB_QUEUE_MAX", "8 visitors"),
            ("WEB_SESSION_MAX", "30s"),
            ("WEB_REALTIME_MODE", "text"),
            ("WEB_TLS", "self-signed"),
            ("WEB_TLS_CERTIFICATE", "/home/me/a.pem"),
            ("WEB_TLS_KEY", "/b.pem"),
        ] {
            assert_eq!(overrides[key], value, "{key}");
        }
        assert!(entrance.is_safe);
        assert!(overrides.values().all(|value| value.parse::<f64>().is_err()), "{overrides:?}");
    }

    #[test]
    fn what_is_open_to_the_network_has_a_token_that_stays_and_is_in_no_list_of_processes() {
        let project = Project::new("");
        let (overrides, entrance) = project.add("--host 10.1.2.3").unwrap();
        let token = entrance.token.clone().expect("a token");
        assert_eq!(token.len(), 32);
        assert_eq!(overrides["WEB_ADDRESS"], "10.1.2.3:8080");
        assert!(!overrides.values().any(|value| value.contains(&token)), "{overrides:?}");
        assert_eq!(entrance.invitations().collect::<Vec<_>>(), [format!("http://10.1.2.3:8080/?token={token}")]);
        let file = project.0.path().join(&overrides[TOKEN_FILE]);
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(project.add("--host 10.1.2.3").unwrap().1.token, Some(token.clone()));
        assert_eq!(super::token(&project.house(), &overrides), Some(token));
        let (overrides, entrance) = project.add("--host 10.1.2.3 --token correct-horse").unwrap();
        assert_eq!((entrance.token.as_deref(), overrides.get("WEB_TOKEN")), (Some("correct-horse"), None));
        assert_eq!(project.add("--host 10.1.2.3 --open").unwrap().1.token, None);
        assert_eq!(project.add("--realtime 10.1.2.3:7860").unwrap().1.token.as_deref(), Some("correct-horse"));
    }

    #[test]
    fn the_file_is_read_and_the_command_line_comes_over_it() {
        let project = Project::new(
            "WEB_LIVE=off\nMAX_QUEUE_SIZE=4\nPORT=7861\nTIMEOUT=60\nCAMERA_SOURCE=pattern\nSAFETY_CHECKER=True\n# a word\n",
        );
        let (overrides, _) = project.add("--live 8100").unwrap();
        for (key, value) in [
            ("WEB_LIVE", ":8100"),
            ("WEB_QUEUE_MAX", "4 in all"),
            ("WEB_REALTIME", ":7861"),
            ("WEB_SESSION_MAX", "60s"),
            ("CAMERA_SOURCE", "pattern"),
        ] {
            assert_eq!(overrides[key], value, "{key}");
        }
        assert!(!overrides.contains_key("SAFETY_CHECKER"));
        let (overrides, entrance) = Project::new("HOST=0.0.0.0").add("").unwrap();
        assert_eq!(overrides["WEB_ADDRESS"], "0.0.0.0:8080");
        assert!(entrance.token.is_some());
    }

    #[test]
    fn a_misspelt_key_and_a_broken_file_are_named() {
        let error = Project::new("WEB_TOKENS=x").add("").unwrap_err().to_string();
        assert!(error.contains("WEB_TOKENS is not a setting") && error.contains("there are WEB_TOKEN, "), "{error}");
        let error = Project::new("HOST=everywhere").add("").unwrap_err().to_string();
        assert!(error.contains("HOST=everywhere"), "{error}");
        assert!(Project::new("WEB LIVE").add("").is_err());
    }
}
