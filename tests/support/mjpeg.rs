//! A camera of the network that a test switches on and off: MJPEG over HTTP.

use crate::running::free_port;
use camera::pattern;
use eyre::{Result, eyre};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;
use turbojpeg::{Image, PixelFormat, Subsamp, compress};

/// Its pictures are that wide and high.
const SIDE: usize = 256;
/// Between two of them: 20 a second.
const PERIOD: Duration = Duration::from_millis(50);

/// The camera. It ends with the test's process.
pub struct Webcam {
    address: String,
    is_on: Arc<AtomicBool>,
}

impl Webcam {
    /// One that is on.
    ///
    /// # Errors
    /// There is no port for it.
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", free_port()?))?;
        let address = format!("http://{}/live.mjpg", listener.local_addr()?);
        let is_on = Arc::new(AtomicBool::new(true));
        let shared = Arc::clone(&is_on);
        thread::spawn(move || {
            while let Ok((peer, _)) = listener.accept() {
                let is_on = Arc::clone(&shared);
                // Whoever looks may hang up.
                thread::spawn(move || serve(peer, &is_on));
            }
        });
        Ok(Self { address, is_on })
    }

    /// Where it is: `http://127.0.0.1:20001/live.mjpg`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Switches it on, or off: then it hangs up on everybody, and on whoever calls.
    pub fn switch(&self, on: bool) {
        self.is_on.store(on, Ordering::SeqCst);
    }
}

/// Sends pictures as long as the camera is on.
fn serve(mut peer: TcpStream, is_on: &AtomicBool) -> Result<()> {
    if !is_on.load(Ordering::SeqCst) {
        return Ok(());
    }
    for line in BufReader::new(peer.try_clone()?).lines() {
        if line?.is_empty() {
            break;
        }
    }
    write!(peer, "HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n")?;
    let mut pixels = vec![0; SIDE * SIDE * 3];
    for number in 0.. {
        if !is_on.load(Ordering::SeqCst) {
            break;
        }
        pattern::paint(number, [SIDE; 2], &mut pixels);
        let image = Image { pixels: &pixels[..], width: SIDE, pitch: SIDE * 3, height: SIDE, format: PixelFormat::RGB };
        let jpeg = compress(image, 90, Subsamp::None).map_err(|error| eyre!("{error}"))?;
        write!(peer, "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n", jpeg.len())?;
        peer.write_all(&jpeg)?;
        peer.write_all(b"\r\n")?;
        thread::sleep(PERIOD);
    }
    Ok(())
}
