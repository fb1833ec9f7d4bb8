//! Ports and event loop.

use crate::config::{Config, KEYS};
use crate::host::Host;
use crate::prepare::{News, Preparation};
use crate::trial::Sample;
use crate::worker::Worker;
use arrow::array::UInt8Array;
use eyre::Result;
use mirror_contract::{Frame, Level, Message, Notice};
use mirror_kit::handover::Found;
use mirror_kit::node::{NOTICE, TICK};
use mirror_kit::{Environment, Input, Node};
use mirror_operator::Context;
use std::sync::Arc;

pub use mirror_operator::PICTURE;

/// All inputs, with the types of their messages; the tick has none.
pub const INPUTS: &[(&str, &str)] = &[(PICTURE, Frame::TYPE), (TICK, "")];
/// All outputs, with the types of their messages.
pub const OUTPUTS: &[(&str, &str)] = &[(PICTURE, Frame::TYPE), (NOTICE, Notice::TYPE)];

/// Runs the node until the mirror stops.
///
/// # Errors
/// A configuration that cannot be used; dora cannot send.
pub fn run() -> Result<()> {
    let mut node = Node::join()?;
    let preparation = Preparation::start(Config::of(&Environment::read(KEYS)?)?)?;
    let mut host = Host::default();
    while let Some(input) = node.next() {
        // Here, between two pictures, operators are swapped.
        tend(&mut node, &preparation, &mut host);
        match input.port.as_str() {
            PICTURE => paint(&mut node, &preparation, &mut host, &input)?,
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

fn paint(node: &mut Node, preparation: &Preparation, host: &mut Host<Worker>, input: &Input) -> Result<()> {
    let Some(Frame { mut header, height, width, pixels }) = node.accept(input) else { return Ok(()) };
    let stamp = &header.stamp;
    let (frame_id, captured_ns) = (stamp.frame_id, stamp.captured_ns);
    let context = Context { height, width, frame_id, captured_ns, stream: &stamp.stream }.to_string();
    // The same bytes, in the sender's shared memory.
    let picture = Arc::new(UInt8Array::new(pixels.clone(), None));
    let sample = Sample { picture, context };
    let painted = host.run(&sample.picture, &sample.context, &mut |level, text| node.notice(level, &text));
    preparation.newest(sample);
    node.sign(&mut header, input.received_ns);
    node.send_frame(PICTURE, &header, [height, width], |into| into.copy_from_slice(painted.as_ref().unwrap_or(&pixels)))
}
