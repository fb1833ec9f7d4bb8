//! A site whose pictures come from the test, and a client that speaks plain HTTP over a socket.
#![allow(dead_code, reason = "each test file uses its own part")]

use mirror_contract::{Frame, Header, Painting, Settings, StageTime, Stamp, Trace, now_ns};
use mirror_kit::Member;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;
use web::census::Census;
use web::config::{Config, KEYS};
use web::press::Press;
use web::routes::routes;
use web::server::{Places, Server};
use web::site::Site;
use web::streams::{Limits, Orders, Streams};

pub struct Fake {
    pub server: Option<Server>,
    pub press: Arc<Press>,
    pub streams: Streams,
    pub orders: Orders,
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.streams.close();
    }
}

pub fn config(pairs: &[(&str, &str)]) -> eyre::Result<Config> {
    Config::of(&mirror_kit::Environment::given(KEYS, pairs.iter().copied())?)
}

impl Fake {
    pub fn start(pairs: &[(&str, &str)]) -> Self {
        let mut config = config(pairs).expect("a good configuration");
        config.address = "127.0.0.1:0".parse().expect("an address");
        let press = Press::start(&config).expect("a press");
        let (streams, orders) =
            Streams::start(&config, Limits::of(&config, [true; 2]), press.clone()).expect("streams");
        let member = |id: &str| Member { id: id.to_owned(), is_dynamic: id == "chat", ..Member::default() };
        let census = Census::new("5a-fake".to_owned(), "web", vec![member("camera"), member("chat")]);
        let site = Site::new(config.clone(), press.clone(), streams.clone(), census);
        let places = Places::of(config.connections());
        let server = Server::start(config.address, places, routes(Arc::new(site))).expect("a free port");
        Self { server: Some(server), press, streams, orders }
    }

    pub fn address(&self) -> SocketAddr {
        self.server.as_ref().expect("a server").address()
    }

    /// What the node does at every tick.
    pub fn tick(&self) {
        self.streams.tick(now_ns());
    }

    pub fn settings(&self, settings: Settings) {
        self.streams.take(settings);
    }

    pub fn offer(&self, frame_id: i64, side: usize) {
        self.show(frame(frame_id, side));
    }

    /// The graph has painted a picture.
    pub fn show(&self, frame: Frame) {
        self.streams.picture(frame, now_ns(), 0);
    }

    pub fn get(&self, path: &str) -> Answer {
        let mut client = Client::ask(
            self.address(),
            &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
        );
        client.whole()
    }

    pub fn post(&self, path: &str, kind: &str, body: &[u8]) -> Answer {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let mut client = Client::ask(self.address(), &head);
        // The server may refuse before it has read everything.
        let _ = client.0.get_mut().write_all(body);
        client.whole()
    }

    pub fn watch(&self) -> Client {
        let mut client = Client::ask(self.address(), "GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let head = client.head();
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert!(head.contains("multipart/x-mixed-replace; boundary=mirror"), "{head}");
        client
    }
}

/// What the camera says that its pictures come from.
pub const SOURCE: &str = "film clip.mp4, 30.000 fps";

/// A picture with something in it that JPEG cannot make small.
pub fn frame(frame_id: i64, side: usize) -> Frame {
    let seed = frame_id.unsigned_abs() as usize;
    let pixels: Vec<u8> =
        (0..side * side * 3).map(|at| (at.wrapping_mul(2_654_435_761).wrapping_add(seed) >> 7) as u8).collect();
    let stamp = Stamp { stream: "house".to_owned(), frame_id, captured_ns: now_ns() - 20_000_000 };
    let stage =
        StageTime { stage: "decoder".to_owned(), received_ns: now_ns() - 9_000_000, sent_ns: now_ns(), drops: 0 };
    let painting = Painting {
        prompt: "a pencil drawing".to_owned(),
        pack: "starter".to_owned(),
        provider: "CPU".to_owned(),
        passthrough: false,
    };
    let header =
        Header { source: SOURCE.to_owned(), trace: Trace(vec![stage]), painting: Some(painting), ..Header::of(stamp) };
    Frame { header, height: side, width: side, pixels: pixels.into() }
}

pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("not JSON: {}", String::from_utf8_lossy(&self.body)))
    }
}

pub struct Client(pub BufReader<TcpStream>);

impl Client {
    pub fn ask(address: SocketAddr, request: &str) -> Self {
        let mut socket = TcpStream::connect(address).expect("a connection");
        socket.set_read_timeout(Some(Duration::from_secs(5))).expect("a time-out");
        socket.write_all(request.as_bytes()).expect("a request");
        Self(BufReader::new(socket))
    }

    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("a line");
        line
    }

    pub fn head(&mut self) -> String {
        let mut head = String::new();
        loop {
            let line = self.line();
            if line.trim().is_empty() {
                return head;
            }
            head += &line;
        }
    }

    pub fn whole(&mut self) -> Answer {
        let head = self.head();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let mut body = Vec::new();
        let _ = self.0.read_to_end(&mut body);
        Answer { status, head, body }
    }

    /// The bytes of a chunked stream, until there are that many.
    fn fill(&mut self, stream: &mut Vec<u8>) -> Option<()> {
        let size = self.line();
        let size = usize::from_str_radix(size.trim(), 16).ok().filter(|size| *size > 0)?;
        let start = stream.len();
        stream.resize(start + size + 2, 0);
        self.0.read_exact(&mut stream[start..]).ok()?;
        stream.truncate(start + size);
        Some(())
    }

    /// The next picture of a stream: its number and its JPEG. `rest` is what has been read beyond it.
    pub fn picture(&mut self, rest: &mut Vec<u8>) -> Option<(i64, Vec<u8>)> {
        loop {
            let text = String::from_utf8_lossy(rest).into_owned();
            if let Some(head) =
                text.strip_prefix("--mirror\r\n").and_then(|text| text.split_once("\r\n\r\n")).map(|(head, _)| head)
            {
                let value = |name: &str| -> i64 {
                    let line = head.lines().find_map(|line| line.strip_prefix(name)).expect("a header");
                    line.trim().parse().expect("a number")
                };
                assert!(head.contains("Content-Type: image/jpeg"), "{head}");
                let start = "--mirror\r\n".len() + head.len() + 4;
                let end = start + usize::try_from(value("Content-Length:")).expect("a length");
                // The boundary of the next part follows at once: browsers wait for it.
                if rest.len() >= end + 2 + "--mirror\r\n".len() {
                    let jpeg = rest[start..end].to_vec();
                    assert_eq!(&rest[end..end + 12], b"\r\n--mirror\r\n");
                    rest.drain(..end + 2);
                    return Some((value("X-Frame-Id:"), jpeg));
                }
            }
            self.fill(rest)?;
        }
    }
}
