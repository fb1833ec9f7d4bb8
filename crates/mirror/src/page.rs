//! The mirror's page, asked for its figures.

use crate::house::House;
use crate::kept::Kept;
use crate::nodes::Nodes;
use crate::overrides::Overrides;
use crate::swap::running;
use crate::which::Which;
use eyre::{Result, WrapErr, bail, eyre};
use mirror_kit::figures::Spread;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// Something that a node has to say to people.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Notice {
    /// Counts the notices since the page was started.
    pub id: u64,
    /// `info`, `warning` or `error`.
    pub level: String,
    /// The node.
    pub origin: String,
    /// Its words.
    pub text: String,
}

/// The figures of the last five seconds. Those that the page does not give are zero or empty.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Figures {
    /// Pictures shown since the start.
    pub frames: u64,
    /// Pictures shown a second.
    pub fps: f64,
    /// From the camera's stamp to the picture shown.
    pub age_ms: Spread,
    /// Messages dropped because newer ones came, since the start.
    pub drops: i64,
    /// What the newest picture was painted as.
    pub prompt: String,
    /// With which pack.
    pub pack: String,
    /// On which provider.
    pub provider: String,
    /// From which source.
    pub source: String,
    /// Of which stream.
    pub stream: String,
    /// The stages that pictures went through, in order.
    pub stages: Vec<Stage>,
    /// The latest notices, oldest first.
    pub notices: Vec<Notice>,
    /// Milliseconds since the last picture; `None` before the first.
    pub silent_ms: Option<i64>,
}

/// A stage's part in the pictures of the last five seconds.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Stage {
    /// The node.
    pub stage: String,
    /// Pictures that it sent on a second.
    pub fps: f64,
    /// From the camera's stamp to sending the picture on.
    pub age_ms: Spread,
    /// From taking the picture up to sending it on.
    pub ms: Spread,
    /// From the stage before sending it to this one taking it up.
    pub hop_ms: Spread,
    /// Messages that it has dropped since it started.
    pub drops: i64,
}

impl Figures {
    /// One line for people.
    #[must_use]
    pub fn line(&self) -> String {
        if self.frames == 0 {
            return "no picture yet".to_owned();
        }
        let Self { fps, age_ms: Spread { p50, p99 }, drops, pack, provider, .. } = self;
        let prompt = if self.prompt.is_empty() { "no prompt".to_owned() } else { format!("\"{}\"", self.prompt) };
        let mut line =
            format!("{fps:.1} fps · age {p50:.0}/{p99:.0} ms · {drops} dropped · {pack} on {provider} · {prompt}");
        if !self.source.is_empty() {
            line = format!("{line} · {}", self.source);
        }
        line
    }
}

/// The notices that have come since `before`: a page tells the latest ones, again each time.
#[must_use]
pub fn new_notices<'a>(before: &[Notice], now: &'a [Notice]) -> &'a [Notice] {
    // The longest end of the old list that the new one starts with is known.
    let known = (0..=before.len().min(now.len())).rev().find(|known| before.ends_with(&now[..*known])).unwrap_or(0);
    &now[known..]
}

/// The page of a mirror that runs.
#[derive(Debug, Clone)]
pub struct Page {
    agent: ureq::Agent,
    base: String,
    /// What it asks for before it answers.
    token: Option<String>,
}

impl Page {
    /// The page that is served on that address.
    #[must_use]
    pub fn at(address: SocketAddr) -> Self {
        let config = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(2)));
        // A proxy of the environment leads elsewhere, not to this machine.
        let agent = config.proxy(None).build().new_agent();
        // One listens on "any address", but speaks to one.
        let host = if address.ip().is_unspecified() { "127.0.0.1".to_owned() } else { address.ip().to_string() };
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        Self { agent, base: format!("http://{host}:{}", address.port()), token: None }
    }

    /// The page at that address, on whatever machine: `http://tower:8080`, `tower:8080`.
    ///
    /// # Errors
    /// An address that is none.
    pub fn of(url: &str) -> Result<Self> {
        let base = url.trim();
        let base = if base.contains("://") { base.to_owned() } else { format!("http://{base}") };
        let uri: ureq::http::Uri =
            base.parse().map_err(|error| eyre!("\"{url}\" is not an address like http://tower:8080: {error}"))?;
        if uri.scheme_str() != Some("http") || uri.host().is_none_or(str::is_empty) {
            bail!("\"{url}\" is not an address like http://tower:8080");
        }
        let config = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(5)));
        Ok(Self { agent: config.build().new_agent(), base: base.trim_end_matches('/').to_owned(), token: None })
    }

    /// The same with an access token.
    #[must_use]
    pub fn with(self, token: Option<String>) -> Self {
        Self { token, ..self }
    }

    /// What it asks for before it answers.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    fn get(&self, path: &str) -> ureq::RequestBuilder<ureq::typestate::WithoutBody> {
        let request = self.agent.get(format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.header("Authorization", format!("Bearer {token}")),
            None => request,
        }
    }

    /// The page of the mirror that runs that dataflow file on this machine, with what its nodes are told over it.
    ///
    /// # Errors
    /// `WEB_ADDRESS` is not an address.
    pub fn of_house(house: &House, overrides: &Overrides) -> Result<Self> {
        let text = house.value(overrides, "WEB_ADDRESS").unwrap_or_else(|| "127.0.0.1:8080".to_owned());
        // One listens on "any address", but speaks to one.
        let page = Self::of(&text.replace("0.0.0.0:", "127.0.0.1:").replace("[::]:", "[::1]:"))?;
        Ok(page.with(crate::front::token(house, overrides)))
    }

    /// The page of the mirror of that name that runs on this machine, wherever it was told to serve it.
    ///
    /// # Errors
    /// None of that name runs, or it was not started by `mirror run`.
    pub fn of_mirror(root: &Path, which: &Which) -> Result<Self> {
        let (_, id) = running(root, which)?;
        let kept = Kept::read(root, &id)?;
        Self::of_house(&House::with(root, &kept.dataflow, &kept.graph)?, &kept.overrides)
    }

    /// What to type into a browser.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.base
    }

    /// Whether the page is there, with or without a picture.
    #[must_use]
    pub fn answers(&self) -> bool {
        self.get("/api/figures").call().is_ok()
    }

    /// The figures of now.
    ///
    /// # Errors
    /// The page does not answer, or not with figures.
    pub fn figures(&self) -> Result<Figures> {
        self.read("/api/figures")
    }

    /// The nodes, and who is connected.
    ///
    /// # Errors
    /// As [`figures`](Self::figures).
    pub fn nodes(&self) -> Result<Nodes> {
        self.read("/api/nodes")
    }

    /// What a listener beside the page says of itself to programs: `A mirror that speaks DreamStream's protocol`. Empty: it is
    /// none of ours, or does not answer.
    #[must_use]
    pub fn greeting(&self) -> String {
        let said: Value = self.read("/").unwrap_or_default();
        said["message"].as_str().unwrap_or_default().to_owned()
    }

    /// Says the number of each picture of the page's stream as it comes, until nobody wants it. `false`: the page is gone.
    pub fn pictures(&self, mut wanted: impl FnMut(i64) -> bool) -> bool {
        let request = self.get("/stream").config();
        // A stream goes on for as long as it likes; a page that is gone has closed it.
        let request = request.timeout_global(None).timeout_connect(Some(Duration::from_secs(1))).build();
        let Ok(response) = request.call() else { return false };
        let mut stream = BufReader::new(response.into_body().into_reader());
        let mut line = Vec::new();
        // Pictures are read as lines as well: what looks like a head in the middle of one is not worth its own reader.
        while stream.read_until(b'\n', &mut line).is_ok_and(|bytes| bytes > 0) {
            let number = line.strip_prefix(b"X-Frame-Id: ").and_then(|text| std::str::from_utf8(text).ok());
            if let Some(number) = number.and_then(|text| text.trim().parse().ok())
                && !wanted(number)
            {
                return true;
            }
            line.clear();
        }
        false
    }

    fn read<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let url = format!("{}{path}", self.base);
        let mut response = self.get(path).call().wrap_err_with(|| url.clone())?;
        response.body_mut().read_json().wrap_err(url)
    }

    /// Sets the prompt.
    ///
    /// # Errors
    /// The page's own words.
    pub fn set_prompt(&self, prompt: &str) -> Result<()> {
        let url = format!("{}/api/settings", self.base);
        let mut request = self.agent.post(&url).config().http_status_as_error(false).build();
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let mut response = request.send_json(json!({ "prompt": prompt })).wrap_err(url)?;
        if response.status().is_success() {
            return Ok(());
        }
        let text = response.body_mut().read_to_string().unwrap_or_default();
        let answer: Value = serde_json::from_str(&text).unwrap_or_default();
        let error = answer["errors"][0]["error"].as_str().map(str::to_owned);
        Err(eyre!(error.unwrap_or(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    /// Answers one request with that status line and body.
    fn serve(status: &'static str, body: &'static str) -> Page {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let page = Page::at(listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = BufReader::new(stream.try_clone().unwrap());
            let head = request.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty());
            let length = |line: String| line.to_lowercase().strip_prefix("content-length: ")?.trim().parse().ok();
            let length: usize = head.filter_map(length).last().unwrap_or(0);
            // All of it: what is not read when the socket closes takes the answer with it.
            request.read_exact(&mut vec![0; length]).unwrap();
            let head =
                format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n", body.len());
            write!(stream, "{head}connection: close\r\n\r\n{body}").unwrap();
        });
        page
    }

    fn notice(id: u64, text: &str) -> Notice {
        Notice { id, level: "info".to_owned(), origin: "camera".to_owned(), text: text.to_owned() }
    }

    #[test]
    fn figures_become_one_line() {
        let page = serve(
            "200 OK",
            r#"{"frames": 90, "fps": 31.25, "age_ms": {"p50": 41.6, "p99": 60.2}, "drops": 3, "stages": [], "prompt": "neon",
                "pack": "starter", "provider": "CPU", "source": "clip.mp4", "notices": []}"#,
        );
        let line = page.figures().unwrap().line();
        assert_eq!(line, "31.2 fps · age 42/60 ms · 3 dropped · starter on CPU · \"neon\" · clip.mp4");
    }

    #[test]
    fn figures_that_a_page_does_not_give_are_zero() {
        let figures = serve("200 OK", "{}").figures().unwrap();
        assert_eq!(figures, Figures::default());
        assert_eq!(figures.line(), "no picture yet");
    }

    #[test]
    fn a_prompt_that_is_refused_says_why() {
        let page = serve(
            "422 Unprocessable Entity",
            r#"{"errors": [{"setting": "prompt", "error": "prompt must be a text of at most 2000 characters"}]}"#,
        );
        let error = page.set_prompt("x").unwrap_err().to_string();
        assert_eq!(error, "prompt must be a text of at most 2000 characters");
    }

    #[test]
    fn a_page_that_is_not_there_does_not_answer() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert!(!Page::at(free).answers());
        assert!(Page::at(free).figures().is_err());
    }

    #[test]
    fn a_page_for_all_networks_is_asked_on_this_machine() {
        assert_eq!(Page::at("0.0.0.0:8080".parse().unwrap()).address(), "http://127.0.0.1:8080");
        assert_eq!(Page::at("[::1]:8080".parse().unwrap()).address(), "http://[::1]:8080");
    }

    #[test]
    fn a_page_of_another_machine_has_an_address() {
        for (url, base) in [
            ("http://tower:8080/", "http://tower:8080"),
            ("tower:8080", "http://tower:8080"),
            ("10.0.0.7:80", "http://10.0.0.7:80"),
        ] {
            assert_eq!(Page::of(url).unwrap().address(), base);
        }
        for url in ["", "https://tower", "http://", "a b"] {
            let error = Page::of(url).unwrap_err().to_string();
            assert!(error.contains("is not an address like http://tower:8080"), "{error}");
        }
    }

    #[test]
    fn a_notice_is_new_once() {
        let (a, b, c) = (notice(1, "a"), notice(2, "b"), notice(3, "b"));
        let before = [a.clone(), b.clone()];
        assert_eq!(new_notices(&[], &before), before);
        assert!(new_notices(&before, &before).is_empty());
        assert_eq!(new_notices(&before, &[a, b.clone(), c.clone()]), std::slice::from_ref(&c));
        // The page forgets the oldest.
        assert_eq!(new_notices(&before, &[b, c.clone()]), [c]);
    }
}
