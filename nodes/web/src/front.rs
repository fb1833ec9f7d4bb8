//! What the environment says of the doors: who may come in, where, how often, and with which clients.

pub mod keys;

use crate::socket::Limits;
use crate::tls::Choice;
use eyre::{Result, WrapErr, bail, eyre};
use keys::{
    DREAM, IDLE_MAX, LIVE, MESSAGE_MAX, MESSAGES_MAX, OPEN, ORIGINS, QUEUE_MAX, REALTIME, REALTIME_MODE, REQUESTS_MAX,
    SESSION_MAX, TLS, TLS_CERTIFICATE, TLS_KEY, TOKEN, TOKEN_FILE,
};
use mirror_kit::config::Unit;
use mirror_kit::{Environment, Key};
use mirror_protocols::realtime::Mode;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Shortest token. Shorter ones are guessed.
const TOKEN_MIN: usize = 8;

/// All of it.
#[derive(Debug, Clone)]
pub struct Front {
    /// Real-Time LCM's listener.
    pub realtime: Option<SocketAddr>,
    /// Live Diffusion's listener.
    pub live: Option<SocketAddr>,
    /// DreamStream's listener.
    pub dream: Option<SocketAddr>,
    /// The access token; `None`: nobody is asked.
    pub token: Option<String>,
    /// Other sites that may talk to the mirror.
    pub origins: Vec<String>,
    /// The certificate.
    pub tls: Choice,
    /// Visitors of Real-Time LCM at once; 0: any number.
    pub queue_max: usize,
    /// How long they may stay.
    pub session_max: Option<Duration>,
    /// What they send.
    pub mode: Mode,
    /// Largest message on a socket, in bytes.
    pub message_max: usize,
    /// Messages a second of one socket.
    pub messages_max: f64,
    /// Requests a second of one address.
    pub requests_max: f64,
    /// How long a socket may be silent.
    pub idle_max: Duration,
}

impl Front {
    /// Reads that environment; the page is served at `page`.
    ///
    /// # Errors
    /// A value that cannot be used: named. An address that is open to the network without a token.
    pub fn of(environment: &Environment, page: SocketAddr) -> Result<Self> {
        let listener = |key: Key| listener(environment.text(key.name), &key, page);
        let count = |key: Key, range| count(environment, key.name, range);
        let seconds =
            |key: Key, range| environment.quantity(key.name, Unit::SECONDS, range).map(Duration::from_secs_f64);
        let token = token(environment)?;
        let session_max = seconds(SESSION_MAX, [0.0, 86_400.0])?;
        let front = Self {
            realtime: listener(REALTIME)?,
            live: listener(LIVE)?,
            dream: listener(DREAM)?,
            token: (!token.is_empty()).then_some(token),
            origins: origins(environment.text(ORIGINS.name))?,
            tls: tls(environment)?,
            queue_max: count(QUEUE_MAX, [0, 1000])? as usize,
            session_max: (!session_max.is_zero()).then_some(session_max),
            mode: match environment.text(REALTIME_MODE.name).trim() {
                "image" => Mode::Image,
                "text" => Mode::Text,
                other => bail!("{}=\"{other}\" is neither image nor text", REALTIME_MODE.name),
            },
            message_max: (environment.quantity(MESSAGE_MAX.name, Unit::MIB, [1.0, 64.0])? * 1_048_576.0) as usize,
            messages_max: count(MESSAGES_MAX, [10, 10_000])?.into(),
            requests_max: count(REQUESTS_MAX, [1, 10_000])?.into(),
            idle_max: seconds(IDLE_MAX, [1.0, 3600.0])?,
        };
        front.check(environment.switch(OPEN.name)?, page)?;
        Ok(front)
    }

    /// The limits of a socket.
    #[must_use]
    pub fn socket(&self) -> Limits {
        Limits { message_max: self.message_max, messages_max: self.messages_max, idle_max: self.idle_max }
    }

    /// All addresses that others reach.
    fn beyond(&self, page: SocketAddr) -> Option<SocketAddr> {
        let all = [Some(page), self.realtime, self.live, self.dream];
        all.into_iter().flatten().find(|address| !address.ip().is_loopback())
    }

    fn check(&self, is_open: bool, page: SocketAddr) -> Result<()> {
        if let Some(token) = &self.token {
            // It travels in addresses and cookies.
            if token.len() < TOKEN_MIN
                || !token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
            {
                bail!("WEB_TOKEN must be {TOKEN_MIN} characters or more, of letters, digits and - . _ ~");
            }
            if is_open {
                bail!("WEB_TOKEN and WEB_OPEN=on contradict each other: keep one");
            }
        } else if let (Some(address), false) = (self.beyond(page), is_open) {
            bail!(
                "{address} is open to the network: give WEB_TOKEN a secret that visitors have to know, or say WEB_OPEN=on to let everybody look through the camera and change the settings"
            );
        }
        Ok(())
    }
}

fn token(environment: &Environment) -> Result<String> {
    let (token, path) = (environment.text(TOKEN.name).trim(), environment.text(TOKEN_FILE.name).trim());
    if !token.is_empty() || path.is_empty() {
        return Ok(token.to_owned());
    }
    let text = std::fs::read_to_string(path).wrap_err_with(|| format!("{}={path}", TOKEN_FILE.name))?;
    let token = text.trim();
    if token.is_empty() { bail!("{}={path} is empty", TOKEN_FILE.name) } else { Ok(token.to_owned()) }
}

/// Where a listener is that was told so; `None`: off. A port is beside the page.
///
/// # Errors
/// It is no port, no address and no word for on or off.
pub fn listener(text: &str, key: &Key, page: SocketAddr) -> Result<Option<SocketAddr>> {
    let text = match text.trim() {
        text if ["off", "no", "false"].iter().any(|off| text.eq_ignore_ascii_case(off)) => return Ok(None),
        text if ["on", "yes", "true"].iter().any(|on| text.eq_ignore_ascii_case(on)) => key.default,
        text => text,
    };
    // dora takes no value that looks like a number: `:7861` is one that does not.
    if let Ok(port) = text.trim_start_matches(':').parse() {
        return Ok(Some(SocketAddr::new(page.ip(), port)));
    }
    let Key { name, default, .. } = key;
    let wrong = || eyre!("{name}=\"{text}\" is neither a port like {default}, nor an address like {page}, nor off");
    text.parse().map(Some).map_err(|_| wrong())
}

/// `8`, or `8 visitors`: dora takes no value that looks like a number.
pub(crate) fn count(environment: &Environment, name: &str, [min, max]: [u32; 2]) -> Result<u32> {
    let text = environment.text(name);
    let number = text.trim().split(' ').next().and_then(|number| number.parse().ok());
    let number = number.filter(|number| (min..=max).contains(number));
    number.ok_or_else(|| eyre!("{name}=\"{text}\" is not a whole number from {min} to {max}"))
}

fn origins(text: &str) -> Result<Vec<String>> {
    let all = text.split(',').map(str::trim).filter(|origin| !origin.is_empty());
    all.map(|origin| {
        let is_site = |rest: &str| !rest.is_empty() && !rest.contains(['/', '?', '#', ' ']);
        let is_good = origin == "*"
            || origin == "null"
            || origin.split_once("://").is_some_and(|(scheme, rest)| !scheme.is_empty() && is_site(rest));
        if is_good {
            Ok(origin.to_ascii_lowercase())
        } else {
            Err(eyre!("WEB_ORIGINS: \"{origin}\" is no site like https://art.example or http://10.0.0.5:3000"))
        }
    })
    .collect()
}

fn tls(environment: &Environment) -> Result<Choice> {
    let file = |key: Key| Some(environment.text(key.name).trim()).filter(|path| !path.is_empty()).map(PathBuf::from);
    let files = (file(TLS_CERTIFICATE), file(TLS_KEY));
    match (environment.text(TLS.name).trim().to_ascii_lowercase().as_str(), files) {
        ("off", (None, None)) => Ok(Choice::Off),
        ("self-signed", (None, None)) => Ok(Choice::SelfSigned),
        // Files that are given are meant.
        ("on" | "off" | "self-signed", (Some(certificate), Some(key))) => Ok(Choice::Given { certificate, key }),
        ("on" | "off" | "self-signed", _) => {
            bail!("TLS needs both WEB_TLS_CERTIFICATE and WEB_TLS_KEY, or WEB_TLS=self-signed and neither of them")
        }
        (other, _) => bail!("WEB_TLS=\"{other}\" is neither on nor off nor self-signed"),
    }
}

/// The folder of our own certificate.
#[must_use]
pub fn own_certificate() -> &'static Path {
    Path::new(crate::tls::OWN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::KEYS;

    fn front(pairs: &[(&str, &str)]) -> Result<Front> {
        let page = pairs.iter().find(|(name, _)| *name == "WEB_ADDRESS").map_or("127.0.0.1:8080", |(_, value)| value);
        Front::of(&Environment::given(KEYS, pairs.iter().copied())?, page.parse()?)
    }

    fn error(pairs: &[(&str, &str)]) -> String {
        front(pairs).expect_err("bad").to_string()
    }

    #[test]
    fn each_protocol_is_beside_the_page_at_its_own_port() {
        let front = front(&[]).expect("the defaults");
        let ports = [front.realtime, front.live, front.dream].map(|address| address.expect("on").to_string());
        assert_eq!(ports, ["127.0.0.1:7860", "127.0.0.1:8000", "127.0.0.1:8001"]);
    }

    #[test]
    fn a_listener_moves_and_is_switched_off() {
        for (said, port) in [("on", Some(8000)), (" Yes ", Some(8000)), ("9000", Some(9000)), ("No", None)] {
            assert_eq!(front(&[("WEB_LIVE", said)]).expect("fine").live.map(|at| at.port()), port, "{said}");
        }
        let front =
            front(&[("WEB_REALTIME", "127.0.0.2:7000"), ("WEB_LIVE", "off"), ("WEB_DREAM", ":9001")]).expect("fine");
        assert_eq!(front.realtime, Some("127.0.0.2:7000".parse().expect("an address")));
        assert_eq!(front.live, None);
        assert_eq!(front.dream, Some("127.0.0.1:9001".parse().expect("an address")));
        assert!(error(&[("WEB_LIVE", "nowhere")]).contains("WEB_LIVE=\"nowhere\" is neither a port like 8000"));
    }

    #[test]
    fn what_is_open_to_the_network_needs_a_token_or_a_word() {
        assert!(error(&[("WEB_ADDRESS", "0.0.0.0:8080")]).contains("WEB_TOKEN"));
        assert!(error(&[("WEB_LIVE", "10.0.0.1:8000")]).contains("10.0.0.1:8000 is open to the network"));
        assert!(front(&[("WEB_ADDRESS", "0.0.0.0:8080"), ("WEB_OPEN", "on")]).is_ok());
        assert!(front(&[("WEB_ADDRESS", "0.0.0.0:8080"), ("WEB_TOKEN", "correct-horse")]).is_ok());
        assert!(error(&[("WEB_TOKEN", "short")]).contains("8 characters"));
        assert!(error(&[("WEB_TOKEN", "with spaces in it")]).contains("letters"));
        assert!(error(&[("WEB_TOKEN", "correct-horse"), ("WEB_OPEN", "on")]).contains("contradict"));
    }

    #[test]
    fn a_token_may_lie_in_a_file() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let path = file.path().to_str().expect("a path").to_owned();
        assert!(error(&[("WEB_TOKEN_FILE", &path)]).contains("is empty"));
        std::fs::write(&path, "correct-horse\n").expect("written");
        assert_eq!(front(&[("WEB_TOKEN_FILE", &path)]).expect("fine").token.as_deref(), Some("correct-horse"));
        assert!(error(&[("WEB_TOKEN_FILE", "/nowhere")]).contains("WEB_TOKEN_FILE=/nowhere"));
    }

    #[test]
    fn a_certificate_is_given_made_or_not_there() {
        assert_eq!(front(&[]).expect("fine").tls, Choice::Off);
        assert_eq!(front(&[("WEB_TLS", "self-signed")]).expect("fine").tls, Choice::SelfSigned);
        let files = [("WEB_TLS_CERTIFICATE", "a.pem"), ("WEB_TLS_KEY", "b.pem")];
        assert!(matches!(front(&files).expect("fine").tls, Choice::Given { .. }));
        for how in ["on", "off", "self-signed"] {
            let both = front(&[("WEB_TLS", how), files[0], files[1]]).expect("fine").tls;
            assert!(matches!(both, Choice::Given { .. }), "{how}");
            assert!(error(&[("WEB_TLS", how), files[1]]).contains("both"), "{how}");
        }
        assert!(error(&files[..1]).contains("both"));
        assert!(error(&[("WEB_TLS", "on")]).contains("both"));
        assert!(error(&[("WEB_TLS", "perhaps")]).contains("perhaps"));
    }

    #[test]
    fn values_that_cannot_be_used_are_named() {
        for (name, value) in [
            ("WEB_QUEUE_MAX", "many"),
            ("WEB_SESSION_MAX", "-1"),
            ("WEB_REALTIME_MODE", "sound"),
            ("WEB_MESSAGE_MAX", "0"),
            ("WEB_MESSAGES_MAX", "1"),
            ("WEB_REQUESTS_MAX", "0"),
            ("WEB_IDLE_MAX", "0"),
            ("WEB_ORIGINS", "art.example"),
            ("WEB_OPEN", "perhaps"),
        ] {
            assert!(error(&[(name, value)]).contains(name), "{name}");
        }
        assert_eq!(front(&[("WEB_QUEUE_MAX", "8 visitors")]).expect("fine").queue_max, 8);
    }
}
