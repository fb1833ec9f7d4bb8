//! Ports and event loop.

use crate::config::{Config, KEYS};
use crate::host::Host;
use crate::prepare::{News, Preparation};
use crate::sample::{Painted, Sample};
use crate::worker::Worker;
use eyre::Result;
use mirror_contract::{Frame, Level, Message, Notice, Settings, Taken};
use mirror_kit::handover::Found;
use mirror_kit::node::{NOTICE, TAKEN, TICK};
use mirror_kit::{Book, Environment, Node, Sources};

pub use mirror_operator::{PICTURE, SOURCE};

/// The settings of all streams.
pub const SETTINGS: &str = "settings";
/// All inputs, with the types of their messages; the tick has none.
pub const INPUTS: &[(&str, &str)] =
    &[(PICTURE, Frame::TYPE), (SOURCE, Frame::TYPE), (SETTINGS, Settings::TYPE), (TAKEN, Taken::TYPE), (TICK, "")];
/// All outputs, with the types of their messages.
pub const OUTPUTS: &[(&str, &str)] = &[(PICTURE, Frame::TYPE), (TAKEN, Taken::TYPE), (NOTICE, Notice::TYPE)];

/// Runs the node until the mirror stops.
///
/// # Errors
/// A configuration that cannot be used; dora cannot send.
pub fn run() -> Result<()> {
    let mut node = Node::join()?.paced_where_asked(&[PICTURE], PICTURE);
    let preparation = Preparation::start(Config::of(&Environment::read(KEYS)?)?)?;
    let (mut host, mut book, mut sources) = (Host::default(), Book::default(), Sources::default());
    while let Some(input) = node.next() {
        // Here, between two pictures, operators are swapped.
        tend(&mut node, &preparation, &mut host);
        match input.port.as_str() {
            PICTURE => {
                let Some(frame) = node.accept::<Frame>(&input) else { continue };
                let stamp = frame.header.stamp.clone();
                let sample = Sample::of(&frame, &book, &sources);
                paint(&mut node, &mut host, frame, &sample, input.received_ns)?;
                // Not before: the queue keeps one picture, whoever it is of, and what waits in it grows old.
                node.take(&stamp)?;
                preparation.newest(sample);
            }
            SOURCE => node.accept(&input).into_iter().for_each(|frame| sources.keep(frame)),
            SETTINGS => node.accept(&input).into_iter().for_each(|settings| book.write(settings)),
            // Without pictures, there are still things to say.
            TICK => {}
            port => node.refuse(port, &"this node has no such input"),
        }
    }
    Ok(())
}

fn tend(node: &mut Node, preparation: &Preparation, host: &mut Host<Worker>) {
    loop {
        match preparation.news() {
            Found::Brought(News::Ready(worker)) => node.notice(Level::Info, &host.swap(worker)),
            Found::Brought(News::Gone) => host.clear().iter().for_each(|text| node.notice(Level::Info, text)),
            Found::Say(level, text) => node.notice(level, &text),
            Found::End(_) | Found::Nothing => return,
        }
    }
}

fn paint(node: &mut Node, host: &mut Host<Worker>, frame: Frame, sample: &Sample, received_ns: i64) -> Result<()> {
    let painted = host.run(sample, &mut |level, text| node.notice(level, &text));
    let Frame { mut header, height, width, pixels } = frame;
    let Painted { shape, pixels } = painted.unwrap_or(Painted { shape: [height, width], pixels });
    node.sign(&mut header, received_ns);
    node.send_frame(PICTURE, &header, shape, |into| into.copy_from_slice(&pixels))
}
