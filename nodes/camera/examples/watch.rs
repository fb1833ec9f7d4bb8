//! A node that looks at what a camera sends: one line for each picture and notice, in the file that `WATCH_OUT` names
//! or else in the log. `frame <frame_id> <height>x<width> number <number in the test pattern> age_us <age>`.

use camera::pattern;
use mirror_contract::{Frame, Notice};
use mirror_kit::Node;
use std::fs::File;
use std::io::{Write, stdout};

fn main() -> std::process::ExitCode {
    mirror_kit::start("watch", || {
        let mut out: Box<dyn Write> = match std::env::var_os("WATCH_OUT") {
            Some(path) => Box::new(File::create(path)?),
            None => Box::new(stdout()),
        };
        let mut node = Node::join()?;
        while let Some(input) = node.next() {
            if input.port == "notice" {
                if let Some(notice) = node.accept::<Notice>(&input) {
                    writeln!(out, "notice {} {}", notice.level.name(), notice.text)?;
                }
            } else if let Some(frame) = node.accept::<Frame>(&input) {
                let (shape, stamp) = ([frame.height, frame.width], &frame.header.stamp);
                let number = pattern::number(&frame.pixels, shape).unwrap_or(0);
                let age = (input.received_ns - stamp.captured_ns) / 1000;
                let (id, [height, width]) = (stamp.frame_id, shape);
                writeln!(out, "frame {id} {height}x{width} number {number} age_us {age}")?;
            }
        }
        Ok(())
    })
}
