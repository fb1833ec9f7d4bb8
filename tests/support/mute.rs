//! For tests: a node that lets thirty pictures pass, or hears the settings three times, and then does nothing any more, as one
//! whose locks wait for each other. Once dora has started it again, it goes on.

use eyre::Result;
use mirror_contract::Frame;
use mirror_kit::Node;

/// How many pictures pass.
const PICTURES: usize = 30;
/// How often the settings are heard.
const SETTINGS: usize = 3;

fn main() -> std::process::ExitCode {
    mirror_kit::start("mute", run)
}

fn run() -> Result<()> {
    let mut node = Node::join()?;
    let (mut passed, mut heard) = (0, 0);
    while let Some(input) = node.next() {
        heard += usize::from(input.port == "settings");
        if (passed == PICTURES || heard == SETTINGS) && node.restarts() == 0 {
            loop {
                std::thread::park();
            }
        }
        if input.port != "picture" {
            continue;
        }
        let Some(frame) = node.accept::<Frame>(&input) else { continue };
        let Frame { mut header, height, width, pixels } = frame;
        node.sign(&mut header, input.received_ns);
        node.send_frame("picture", &header, [height, width], |into| into.copy_from_slice(&pixels))?;
        node.take(&header.stamp)?;
        passed += 1;
    }
    Ok(())
}
