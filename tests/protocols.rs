//! The whole mirror with clients of three other systems at once: their own messages, real dora, real models.

use eyre::{Result, ensure, eyre};
use mirror_tests::root;
use mirror_tests::running::{PATIENCE, Running, free_port, wait_for};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::stream::MaybeTlsStream;
use tokio_tungstenite::tungstenite::{Error, Message, WebSocket, client};

/// Pictures that each client waits for.
const PICTURES: usize = 3;
/// How often a client sends, as long as nothing comes: a picture may get lost in a graph that is behind.
const AGAIN: Duration = Duration::from_secs(1);

struct Socket(WebSocket<MaybeTlsStream<TcpStream>>);

impl Socket {
    fn open(port: u16, path: &str) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(AGAIN))?;
        let (socket, _) = client(format!("ws://127.0.0.1:{port}{path}"), MaybeTlsStream::Plain(stream))
            .map_err(|error| eyre!("{path}: {error}"))?;
        Ok(Self(socket))
    }

    fn say(&mut self, value: &Value) -> Result<()> {
        Ok(self.0.send(Message::Text(value.to_string().into()))?)
    }

    fn send(&mut self, file: &[u8]) -> Result<()> {
        Ok(self.0.send(Message::Binary(file.to_vec().into()))?)
    }

    /// The next text as JSON, or the next file. `again` is done as long as nothing comes.
    fn next(&mut self, mut again: impl FnMut() -> Result<()>) -> Result<(Value, Vec<u8>)> {
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE {
            match self.0.read() {
                Ok(Message::Text(text)) => return Ok((serde_json::from_str(&text)?, Vec::new())),
                Ok(Message::Binary(bytes)) => return Ok((Value::Null, bytes.to_vec())),
                Ok(Message::Close(frame)) => return Err(eyre!("closed: {frame:?}")),
                Ok(_) => {}
                Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => again()?,
                Err(error) => return Err(error.into()),
            }
        }
        Err(eyre!("nothing came"))
    }

    fn text(&mut self, field: &str, value: &str) -> Result<Value> {
        self.text_or(field, value, || Ok(()))
    }

    fn text_or(&mut self, field: &str, value: &str, mut again: impl FnMut() -> Result<()>) -> Result<Value> {
        loop {
            let (text, _) = self.next(&mut again)?;
            ensure!(text[field] != "error", "{text}");
            if text[field] == value {
                return Ok(text);
            }
        }
    }
}

fn is_jpeg(file: &[u8]) -> bool {
    file.starts_with(&[0xff, 0xd8, 0xff]) && file.len() > 1000
}

/// Real-Time LCM: asked for each picture, sees them as MJPEG.
fn realtime(port: u16, photo: &[u8]) -> Result<()> {
    let id = "3a6c4a3e-63a5-4e0f-9d53-0d3a3a3e7f10";
    let mut socket = Socket::open(port, &format!("/api/ws/{id}"))?;
    socket.text("status", "connected")?;
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET /api/stream/{id} HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    let looker = thread::spawn(move || -> Result<usize> {
        let (mut stream, mut pictures) = (BufReader::new(stream), 0);
        let mut line = Vec::new();
        while pictures < PICTURES && stream.read_until(b'\n', &mut line)? > 0 {
            pictures += usize::from(line.starts_with(b"Content-Type: image/jpeg"));
            line.clear();
        }
        let _ = stream.read(&mut [0; 64])?;
        Ok(pictures)
    });
    while !looker.is_finished() {
        let has_seen_all = || if looker.is_finished() { Err(eyre!("all pictures were seen")) } else { Ok(()) };
        let asked = socket.text_or("status", "send_frame", has_seen_all);
        if looker.is_finished() {
            // Nobody is asked for pictures that nobody looks at.
            break;
        }
        asked?;
        socket.say(&json!({"status": "next_frame"}))?;
        socket.say(&json!({"prompt": "a pencil drawing", "steps": 1, "strength": 1.0, "width": 256, "height": 256}))?;
        socket.send(photo)?;
    }
    let pictures = looker.join().map_err(|_| eyre!("it panicked"))??;
    ensure!(pictures == PICTURES, "{pictures} pictures");
    Ok(())
}

/// Live Diffusion: sends when it likes, gets data and a file for each painted picture.
fn live(port: u16, photo: &[u8]) -> Result<()> {
    let mut socket = Socket::open(port, "/ws")?;
    let status = socket.text("type", "status")?;
    ensure!(status["data"]["model_loaded"] == true, "{status}");
    socket.say(&json!({"type": "settings", "data": {"prompt": "neon lights", "denoisingStrength": 1.0, "steps": 1, "guidance": 1.0}}))?;
    let settings = socket.text("type", "settings")?;
    ensure!(settings["data"]["settings"]["prompt"] == "neon lights", "{settings}");
    for _ in 0..PICTURES {
        let (mut data, begin) = (Value::Null, Instant::now());
        while data["type"] != "processed_frame" {
            ensure!(begin.elapsed() < PATIENCE, "nothing was painted");
            socket.send(photo)?;
            // The time-out ends the waiting, and another picture is sent.
            data = socket.next(|| Err(eyre!("again"))).map_or(Value::Null, |(text, _)| text);
        }
        let (_, file) = socket.next(|| Ok(()))?;
        ensure!(is_jpeg(&file), "{data}: {} bytes", file.len());
    }
    Ok(())
}

/// DreamStream: a broadcaster and a viewer.
fn dream(port: u16, photo: &[u8]) -> Result<()> {
    let mut broadcaster = Socket::open(port, "/ws/broadcaster/stream123?processor_type=lightning")?;
    broadcaster.text("type", "processor_info")?;
    broadcaster.say(&json!({"type": "update_prompt", "prompt": "an oil painting"}))?;
    broadcaster.text("type", "prompt_updated")?;
    let mut viewer = Socket::open(port, "/ws/viewer/stream123")?;
    let style = viewer.text("type", "style_updated")?;
    ensure!(style["prompt"] == "an oil painting", "{style}");
    for _ in 0..PICTURES {
        let mut send = || broadcaster.say(&json!({"type": "frame", "frame": mirror_protocols::picture::encode(photo)}));
        send()?;
        let frame = viewer.text_or("type", "frame", send)?;
        let file = frame["frame"].as_str().ok_or_else(|| eyre!("{frame}"))?;
        let file = mirror_protocols::picture::decode(file).map_err(|error| eyre!(error))?;
        ensure!(is_jpeg(&file) && frame["streamId"] == "stream123", "{} bytes", file.len());
    }
    broadcaster.say(&json!({"type": "end_stream"}))?;
    broadcaster.text("type", "stream_ended_confirmation")?;
    viewer.text("type", "stream_ended")?;
    Ok(())
}

/// What a client does at that port with that picture.
type Client = fn(u16, &[u8]) -> Result<()>;

#[test]
fn clients_of_three_systems_are_painted_at_once() -> Result<()> {
    let ports = [free_port()?, free_port()?, free_port()?];
    let [first, second, third] = ports.map(|port| format!("127.0.0.1:{port}"));
    let mirror = Running::start(&[
        "--source",
        "pattern",
        "--size",
        "256",
        "--realtime",
        &first,
        "--live",
        &second,
        "--dream",
        &third,
    ])?;
    wait_for("pictures on the page", || mirror.get("/api/figures").is_ok_and(|now| now["frames"].as_u64() > Some(0)))?;
    let photo = std::fs::read(root().join("assets/cat.jpg"))?;
    thread::scope(|scope| {
        let clients: [(&str, Client); 3] =
            [("Real-Time LCM", realtime), ("Live Diffusion", live), ("DreamStream", dream)];
        let photo = &photo;
        let running: Vec<_> = clients
            .into_iter()
            .zip(ports)
            .map(|((name, client), port)| (name, scope.spawn(move || client(port, photo))))
            .collect();
        for (name, client) in running {
            let ended = client.join().map_err(|_| eyre!("{name} panicked"))?;
            ended.map_err(|error| error.wrap_err(format!("{name}; the mirror has said: {}", mirror.log())))?;
        }
        Ok(())
    })
}
