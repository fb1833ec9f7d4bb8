//! Visitors over real sockets, and what the test's own graph does with their pictures.

use crate::fake::Fake;
use futures::{SinkExt, StreamExt};
use mirror_contract::{Frame, Header, Painting, Stamp};
use serde_json::{Value, json};
use std::ops::{Deref, DerefMut};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::block_in_place;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use web::streams::{Order, Orders, Streams};

pub const PATIENCE: Duration = Duration::from_secs(10);

/// A site in a test that is asynchronous itself: its server has a runtime of its own, which begins and ends outside of it.
pub struct Live(Option<Fake>);

impl Live {
    pub fn start(pairs: &[(&str, &str)]) -> Self {
        Self(Some(block_in_place(|| Fake::start(pairs))))
    }
}

impl Deref for Live {
    type Target = Fake;
    fn deref(&self) -> &Fake {
        self.0.as_ref().expect("it runs")
    }
}

impl DerefMut for Live {
    fn deref_mut(&mut self) -> &mut Fake {
        self.0.as_mut().expect("it runs")
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        block_in_place(|| drop(self.0.take()));
    }
}

pub struct Visitor(pub WebSocketStream<MaybeTlsStream<TcpStream>>);

/// What the server says.
#[derive(Debug)]
pub enum Said {
    Text(Value),
    Picture(Value, Vec<u8>),
    Closed,
}

impl Visitor {
    pub async fn connect(fake: &Live, first: Value) -> Self {
        let (socket, _) = connect_async(format!("ws://{}/visit", fake.address())).await.expect("a socket");
        let mut visitor = Self(socket);
        visitor.say(first).await;
        visitor
    }

    /// Opens a stream and is welcomed.
    pub async fn open(fake: &Live, stream: &str, key: &str) -> Self {
        let mut visitor = Self::connect(fake, json!({"type": "open", "stream": stream, "key": key})).await;
        let welcome = visitor.text("welcome").await;
        assert_eq!((&welcome["stream"], &welcome["is_owner"]), (&json!(stream), &json!(true)));
        visitor
    }

    pub async fn watch(fake: &Live, stream: &str) -> Self {
        Self::connect(fake, json!({"type": "watch", "stream": stream})).await
    }

    pub async fn say(&mut self, value: Value) {
        self.0.send(Message::Text(value.to_string().into())).await.expect("it is open");
    }

    pub async fn next(&mut self) -> Said {
        loop {
            match timeout(PATIENCE, self.0.next()).await.expect("an answer") {
                Some(Ok(Message::Text(text))) => return Said::Text(serde_json::from_str(&text).expect("JSON")),
                Some(Ok(Message::Binary(bytes))) => {
                    let (length, rest) = bytes.split_first_chunk::<4>().expect("a length");
                    let (head, jpeg) = rest.split_at(u32::from_le_bytes(*length) as usize);
                    return Said::Picture(serde_json::from_slice(head).expect("a head"), jpeg.to_vec());
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Said::Closed,
            }
        }
    }

    /// The next text of that type; others are passed over.
    pub async fn text(&mut self, kind: &str) -> Value {
        loop {
            match self.next().await {
                Said::Text(text) if text["type"] == kind => return text,
                Said::Closed => panic!("closed before {kind}"),
                _ => {}
            }
        }
    }

    pub async fn picture(&mut self) -> (Value, Vec<u8>) {
        loop {
            match self.next().await {
                Said::Picture(head, jpeg) => return (head, jpeg),
                Said::Closed => panic!("closed before a picture"),
                Said::Text(_) => {}
            }
        }
    }

    pub async fn send(&mut self, kind: u8, tag: u32, body: &[u8]) {
        let head = [&[kind, 0, 0, 0][..], &tag.to_le_bytes(), &5.0f32.to_le_bytes()].concat();
        self.0.send(Message::Binary([&head, body].concat().into())).await.expect("it is open");
    }
}

/// A picture of one colour.
pub fn jpeg(side: usize, colour: [u8; 3]) -> Vec<u8> {
    let pixels = colour.repeat(side * side);
    let image = turbojpeg::Image {
        pixels: &pixels[..],
        width: side,
        pitch: side * 3,
        height: side,
        format: turbojpeg::PixelFormat::RGB,
    };
    turbojpeg::compress(image, 90, turbojpeg::Subsamp::None).expect("a JPEG").to_vec()
}

pub fn colour(jpeg: &[u8]) -> [u8; 3] {
    let image = turbojpeg::decompress(jpeg, turbojpeg::PixelFormat::RGB).expect("a JPEG");
    let middle = (image.height / 2 * image.width + image.width / 2) * 3;
    [image.pixels[middle], image.pixels[middle + 1], image.pixels[middle + 2]]
}

pub fn is_near(one: [u8; 3], other: [u8; 3]) -> bool {
    one.iter().zip(other).all(|(one, other)| one.abs_diff(other) < 8)
}

/// The next picture that goes into the graph.
pub async fn admitted(orders: &mut Orders) -> (Stamp, [u8; 3], [usize; 2]) {
    loop {
        match timeout(PATIENCE, orders.recv()).await.expect("a picture").expect("it runs") {
            Order::Frame(ready) => {
                let pixels = ready.pixels;
                let first = [pixels.rgb[0], pixels.rgb[1], pixels.rgb[2]];
                return (ready.header.stamp, first, [pixels.height, pixels.width]);
            }
            Order::Change { .. } | Order::Sound(_) | Order::Wanted(_) => {}
        }
    }
}

/// The graph has painted a picture: the same colour.
pub fn painted(streams: &Streams, stamp: Stamp, colour: [u8; 3]) {
    let painting = Painting {
        prompt: "neon".to_owned(),
        pack: "starter".to_owned(),
        provider: "CPU".to_owned(),
        passthrough: false,
    };
    let header = Header { painting: Some(painting), ..Header::of(stamp) };
    let frame = Frame { header, height: 32, width: 32, pixels: colour.repeat(32 * 32).into() };
    streams.picture(frame, mirror_contract::now_ns(), 0);
}
