//! A source for trying the display alone: a picture that is red on the left and blue on the right, at every tick.
//!
//! ```yaml
//! - id: halves
//!   path: target/release/examples/halves
//!   inputs: { tick: dora/timer/millis/40 }
//!   outputs: [picture]
//! ```

use eyre::Result;
use mirror_contract::{Header, Painting, Stamp, now_ns};
use mirror_kit::Node;
use std::process::ExitCode;

/// Side of the square picture, in pixels.
const SIDE: usize = 256;
/// The log says once in so many pictures that the source is alive.
const LOG_EVERY: i64 = 10;

fn main() -> ExitCode {
    mirror_kit::start("halves", run)
}

fn run() -> Result<()> {
    let mut node = Node::join()?;
    let mut frame_id = 0;
    while let Some(input) = node.next() {
        let stamp = Stamp { stream: "house".to_owned(), frame_id, captured_ns: now_ns() };
        let painting = Painting {
            prompt: "red and blue halves".to_owned(),
            pack: "none".to_owned(),
            provider: "CPU".to_owned(),
            passthrough: false,
        };
        let mut header = Header { painting: Some(painting), ..Header::of(stamp) };
        node.sign(&mut header, input.received_ns);
        node.send_frame("picture", &header, [SIDE, SIDE], |pixels| {
            for (index, pixel) in pixels.chunks_exact_mut(3).enumerate() {
                let colour = if index % SIDE < SIDE / 2 { [255, 0, 0] } else { [0, 0, 255] };
                pixel.copy_from_slice(&colour);
            }
        })?;
        frame_id += 1;
        if frame_id % LOG_EVERY == 0 {
            tracing::info!("{frame_id} pictures sent");
        }
    }
    Ok(())
}
