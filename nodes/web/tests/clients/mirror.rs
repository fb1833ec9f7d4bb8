//! A mirror whose graph is the test's own, and clients of its listeners.

use futures::{SinkExt, StreamExt};
use mirror_contract::{Frame, HOUSE, Header, Painting, Settings, Stamp, now_ns};
use serde_json::Value;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use web::census::Census;
use web::config::{Config, KEYS};
use web::listeners::{listeners, open};
use web::press::Press;
use web::routes::routes;
use web::server::{Places, Server};
use web::site::Site;
use web::streams::{Limits, Order, Orders, Streams};

pub const PATIENCE: Duration = Duration::from_secs(10);
/// All doors, in the order in which the node opens them.
pub const LISTENERS: [&str; 4] = ["page", "Real-Time LCM", "Live Diffusion", "DreamStream"];

pub struct Mirror {
    pub streams: Streams,
    /// What the node would say to people of its doors.
    pub told: Vec<String>,
    servers: Servers,
    graph: Option<thread::JoinHandle<()>>,
    pace: Arc<Pace>,
}

type Servers = HashMap<&'static str, Server>;

/// What the graph does now.
#[derive(Default)]
struct Pace {
    is_held: AtomicBool,
    is_over: AtomicBool,
}

impl Drop for Mirror {
    fn drop(&mut self) {
        let (servers, graph) = (std::mem::take(&mut self.servers), self.graph.take());
        self.streams.close();
        self.pace.is_over.store(true, Ordering::Relaxed);
        // Servers have runtimes of their own, which must not end on the test's.
        let end = thread::spawn(move || {
            drop(servers);
            graph.map(thread::JoinHandle::join)
        });
        let _ = end.join();
    }
}

impl Mirror {
    pub fn start(pairs: &[(&str, &str)]) -> Self {
        Self::with(pairs, |site| {
            let places = Places::of(site.config.connections());
            let here = "127.0.0.1:0".parse().expect("an address");
            let mut servers: Servers = listeners(site, &site.door)
                .into_iter()
                .map(|it| (it.name, Server::start(here, places.clone(), it.router).expect("a free port")))
                .collect();
            servers.insert("page", Server::start(here, places, routes(site.clone())).expect("a free port"));
            (servers, Vec::new())
        })
    }

    /// With its doors as the node itself opens them, each at a port that is free. A certificate of its own lies in that folder.
    pub fn as_the_node(pairs: &[(&str, &str)], own: &Path) -> Self {
        let free = ["WEB_ADDRESS", "WEB_REALTIME", "WEB_LIVE", "WEB_DREAM"].map(|key| (key, "127.0.0.1:0"));
        let pairs: Vec<_> = pairs.iter().copied().chain(free).collect();
        Self::with(&pairs, |site| {
            let (servers, said) = open(site, own).expect("all doors");
            assert_eq!(servers.len(), LISTENERS.len(), "{said:?}");
            (LISTENERS.into_iter().zip(servers).collect(), said.into_iter().map(|(_, text)| text).collect())
        })
    }

    fn with(pairs: &[(&str, &str)], doors: impl FnOnce(&Arc<Site>) -> (Servers, Vec<String>) + Send) -> Self {
        let make = move || Self::on_this_thread(pairs, doors);
        thread::scope(|scope| scope.spawn(make).join()).expect("a mirror")
    }

    fn on_this_thread(pairs: &[(&str, &str)], doors: impl FnOnce(&Arc<Site>) -> (Servers, Vec<String>)) -> Self {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/starter");
        let pairs = pairs.iter().copied().chain([("MIRROR_PACK", root), ("MIRROR_PACKS", root)]);
        let environment = mirror_kit::Environment::given(KEYS, pairs).expect("known keys");
        let config = Config::of(&environment).expect("a good configuration");
        let press = Press::start(&config).expect("a press");
        let (streams, orders) =
            Streams::start(&config, Limits::of(&config, [true; 2]), press.clone()).expect("streams");
        let census = Census::new("5a-clients".to_owned(), "web", Vec::new());
        let (servers, told) = doors(&Arc::new(Site::new(config, press, streams.clone(), census)));
        let (painter, pace) = (streams.clone(), Arc::new(Pace::default()));
        let own = pace.clone();
        let graph = thread::spawn(move || paint(&painter, orders, &own));
        Self { streams, told, servers, graph: Some(graph), pace }
    }

    /// The graph takes nothing up, as long as that is so.
    pub fn hold(&self, is_held: bool) {
        self.pace.is_held.store(is_held, Ordering::Relaxed);
    }

    pub fn at(&self, name: &str) -> SocketAddr {
        self.servers[name].address()
    }

    /// A request without a body, and with those headers besides.
    pub fn get(&self, name: &str, path: &str, headers: &str) -> Answer {
        self.ask(name, &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}Connection: close\r\n\r\n"))
    }

    /// A request with a JSON body.
    pub fn send(&self, name: &str, method: &str, path: &str, body: &str) -> Answer {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        self.ask(name, &(head + body))
    }

    pub fn ask(&self, name: &str, request: &str) -> Answer {
        let mut socket = TcpStream::connect(self.at(name)).expect("a connection");
        socket.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        socket.write_all(request.as_bytes()).expect("a request");
        Answer::read(&mut BufReader::new(socket))
    }

    pub async fn socket(&self, name: &str, path: &str) -> Socket {
        self.socket_with(name, path, &[]).await.expect("a socket")
    }

    pub async fn socket_with(&self, name: &str, path: &str, headers: &[(&'static str, &str)]) -> Result<Socket, Error> {
        let mut request = format!("ws://{}{path}", self.at(name)).into_client_request().expect("an address");
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().expect("a value"));
        }
        connect_async(request).await.map(|(socket, _)| Socket(socket))
    }
}

/// What a graph does: takes pictures up and paints them, puts settings in force.
fn paint(streams: &Streams, mut orders: Orders, pace: &Pace) {
    let mut settings: HashMap<String, Settings> = HashMap::new();
    while !pace.is_over.load(Ordering::Relaxed) {
        if pace.is_held.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(1));
            continue;
        }
        let Ok(order) = orders.try_recv() else {
            let stamp = Stamp { stream: HOUSE.to_owned(), frame_id: now_ns() / 1_000_000, captured_ns: now_ns() };
            if stamp.frame_id % 50 == 0 {
                // The mirror's own camera.
                let frame =
                    Frame { header: Header::of(stamp), height: 16, width: 16, pixels: vec![9; 16 * 16 * 3].into() };
                streams.picture(frame, now_ns(), 0);
            }
            streams.tick(now_ns());
            thread::sleep(Duration::from_millis(1));
            continue;
        };
        match order {
            Order::Change { stream, values, .. } => {
                let now = settings.entry(stream.clone()).or_insert_with(|| Settings::of(&stream));
                for (name, value) in &values {
                    now.set(name, value).expect("the node checks what it sends");
                }
                now.version += 1;
                streams.take(now.clone());
            }
            Order::Frame(ready) => {
                let stamp = ready.header.stamp;
                streams.taken(&stamp);
                let prompt = settings.get(&stamp.stream).map(|now| now.prompt.clone()).unwrap_or_default();
                let painting =
                    Painting { prompt, pack: "starter".to_owned(), provider: "CPU".to_owned(), passthrough: false };
                let pixels = ready.pixels;
                let negative: Vec<u8> = pixels.rgb.iter().map(|value| 255 - value).collect();
                let header = Header { painting: Some(painting), ..Header::of(stamp) };
                let frame = Frame { header, height: pixels.height, width: pixels.width, pixels: negative.into() };
                streams.picture(frame, now_ns(), 0);
            }
            Order::Sound(_) | Order::Wanted(_) => {}
        }
    }
}

pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    fn read(socket: &mut BufReader<TcpStream>) -> Self {
        let head = head(socket);
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let mut body = Vec::new();
        let _ = socket.read_to_end(&mut body);
        Self { status: status.unwrap_or_else(|| panic!("no status: {head}")), head, body }
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("not JSON: {}", String::from_utf8_lossy(&self.body)))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (own, value) = line.split_once(':')?;
            own.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

pub fn head(socket: &mut BufReader<TcpStream>) -> String {
    let mut head = String::new();
    loop {
        let mut line = String::new();
        let read = socket.read_line(&mut line).expect("a line");
        if read == 0 || line.trim().is_empty() {
            return head;
        }
        head += &line;
    }
}

/// What comes out of a socket.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    Text(Value),
    Binary(Vec<u8>),
    Closed(Option<u16>),
}

/// A socket, which speaks TLS or does not.
pub struct Socket<S = MaybeTlsStream<tokio::net::TcpStream>>(pub WebSocketStream<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    pub async fn say(&mut self, value: Value) {
        self.text(&value.to_string()).await;
    }

    pub async fn text(&mut self, text: &str) {
        self.0.send(Message::Text(text.into())).await.expect("it is open");
    }

    pub async fn binary(&mut self, bytes: &[u8]) {
        self.0.send(Message::Binary(bytes.to_vec().into())).await.expect("it is open");
    }

    pub async fn next(&mut self) -> Said {
        loop {
            match timeout(PATIENCE, self.0.next()).await.expect("something comes") {
                Some(Ok(Message::Text(text))) => return Said::Text(serde_json::from_str(&text).expect("JSON")),
                Some(Ok(Message::Binary(bytes))) => return Said::Binary(bytes.to_vec()),
                Some(Ok(Message::Close(frame))) => {
                    return Said::Closed(frame.map(|frame| match frame.code {
                        CloseCode::Normal => 1000,
                        code => code.into(),
                    }));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Said::Closed(None),
            }
        }
    }

    /// The next message, which is JSON.
    pub async fn json(&mut self) -> Value {
        match self.next().await {
            Said::Text(value) => value,
            said => panic!("{said:?}"),
        }
    }

    /// The next message of that `type`; others are passed over.
    pub async fn of_type(&mut self, kind: &str) -> Value {
        loop {
            let value = self.json().await;
            if value["type"] == kind {
                return value;
            }
        }
    }

    /// Whether nothing comes for a while.
    pub async fn is_silent(&mut self) -> bool {
        timeout(Duration::from_millis(300), self.0.next()).await.is_err()
    }
}

/// A picture of one colour.
pub fn jpeg(colour: [u8; 3]) -> Vec<u8> {
    compress(&colour.repeat(64 * 64), 64)
}

/// A picture that JPEG cannot make small, 256 × 256, of a shade of grey in its middle.
pub fn noise(shade: u8) -> Vec<u8> {
    let (side, middle) = (256, 112..144);
    let mut state = 0x2545_f491_u32;
    let value = |at: usize| {
        // Marsaglia's xorshift, 32 bits, shifts 13, 17, 5.
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        let (row, column) = (at / 3 / side, at / 3 % side);
        if middle.contains(&row) && middle.contains(&column) { shade } else { state.to_be_bytes()[0] }
    };
    compress(&(0..side * side * 3).map(value).collect::<Vec<u8>>(), side)
}

fn compress(pixels: &[u8], side: usize) -> Vec<u8> {
    let (pitch, format) = (side * 3, turbojpeg::PixelFormat::RGB);
    let image = turbojpeg::Image { pixels, width: side, pitch, height: side, format };
    turbojpeg::compress(image, 90, turbojpeg::Subsamp::None).expect("a JPEG").to_vec()
}

/// The colour of a picture, before it was painted.
pub fn colour(jpeg: &[u8]) -> [u8; 3] {
    let image = turbojpeg::decompress(jpeg, turbojpeg::PixelFormat::RGB).expect("a JPEG");
    let middle = (image.height / 2 * image.width + image.width / 2) * 3;
    [0, 1, 2].map(|channel| 255 - image.pixels[middle + channel])
}

pub fn is_near(one: [u8; 3], other: [u8; 3]) -> bool {
    one.iter().zip(other).all(|(one, other)| one.abs_diff(other) < 10)
}

/// Asks until it is so.
pub async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..500 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what}");
}
