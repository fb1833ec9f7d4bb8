//! A mirror in one node, for trying the recorder alone: at every tick a grey frame and, painted, a plain colour that
//! depends on the prompt.
//!
//! ```yaml
//! - id: painter
//!   path: target/release/examples/painter
//!   inputs: { tick: dora/timer/millis/40, update: recorder/update }
//!   outputs: [source, picture, settings]
//! ```

use eyre::Result;
use mirror_contract::{Header, Painting, Settings, SettingsUpdate, Stamp, now_ns};
use mirror_kit::Node;
use mirror_kit::node::TICK;
use std::process::ExitCode;

/// Side of the square picture, in pixels.
const SIDE: usize = 256;

fn main() -> ExitCode {
    mirror_kit::start("painter", run)
}

fn run() -> Result<()> {
    let mut node = Node::join()?;
    let mut settings = Settings::of("house");
    let mut frame_id = 0;
    while let Some(input) = node.next() {
        if input.port == TICK {
            let stamp = Stamp { stream: "house".to_owned(), frame_id, captured_ns: now_ns() };
            let mut header = Header::of(stamp);
            frame_id += 1;
            node.send_frame("source", &header, [SIDE, SIDE], |pixels| pixels.fill(90))?;
            header.painting = Some(Painting {
                prompt: settings.prompt.clone(),
                pack: "plain".to_owned(),
                provider: "CPU".to_owned(),
                passthrough: false,
            });
            node.sign(&mut header, input.received_ns);
            let [one, two] = [7, 13]
                .map(|step| settings.prompt.bytes().fold(40u8, |sum, byte| sum.wrapping_add(byte.wrapping_mul(step))));
            node.send_frame("picture", &header, [SIDE, SIDE], |pixels| {
                pixels.chunks_exact_mut(3).for_each(|pixel| pixel.copy_from_slice(&[one, two, 200]));
            })?;
        } else if let Some(update) = node.accept::<SettingsUpdate>(&input) {
            tracing::info!("{} asked for {:?}", update.origin, update.values);
            for (name, value) in &update.values {
                settings.set(name, value)?;
            }
            settings.version += 1;
            node.send("settings", settings.clone())?;
        }
    }
    Ok(())
}
