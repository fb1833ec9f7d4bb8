//! Ports and event loop.

use crate::census::Census;
use crate::config::Config;
use crate::front::own_certificate;
use crate::listeners;
use crate::press::Press;
use crate::site::Site;
use crate::streams::{Order, Streams, limits};
use eyre::Result;
use mirror_contract::{Frame, SettingsUpdate, Taken};
use mirror_kit::node::{NOTICE, TAKEN, TICK};
use mirror_kit::{Input, Next, Node, Woken};
use std::sync::Arc;

pub use crate::ports::{BEFORE, FRAME, INPUTS, ORIGIN, OUTPUTS, PICTURE, PROMPT, SETTINGS, SOUND, UPDATE, WANTED};

/// Serves the page until the mirror stops.
///
/// # Errors
/// A configuration that cannot be used, an address that is taken; dora cannot send.
pub fn run() -> Result<()> {
    let mut node = Node::join()?;
    let config = Config::from_env()?;
    let press = Press::start(&config)?;
    let (streams, mut orders) = Streams::start(&config, limits(&node, &config), press.clone())?;
    let site = Site::new(config.clone(), press, streams.clone(), Census::of(&node));
    let (_servers, said) = listeners::open(&Arc::new(site), own_certificate())?;
    // They come back with everybody's notices, and so to the page.
    said.into_iter().for_each(|(level, text)| node.notice(level, &text));
    loop {
        match node.next_or(orders.recv()) {
            Woken::Other(Some(order)) => obey(&mut node, order)?,
            Woken::Graph(Next::Input(input)) => take(&mut node, &streams, &input),
            Woken::Graph(Next::Nothing) => {}
            Woken::Graph(Next::Stop) | Woken::Other(None) => break,
        }
    }
    streams.close();
    Ok(())
}

fn take(node: &mut Node, streams: &Streams, input: &Input) {
    let at_ns = input.received_ns;
    match input.port.as_str() {
        PICTURE => {
            let drops = node.drops();
            node.accept(input).into_iter().for_each(|frame: Frame| streams.picture(frame, at_ns, drops));
        }
        BEFORE => node.accept(input).into_iter().for_each(|frame| streams.before(frame)),
        TAKEN => node.accept(input).into_iter().for_each(|taken: Taken| streams.taken(&taken.stamp)),
        SETTINGS => node.accept(input).into_iter().for_each(|settings| streams.take(settings)),
        PROMPT => node.accept(input).into_iter().for_each(|prompt| streams.heard(&prompt)),
        NOTICE => node.accept(input).into_iter().for_each(|notice| streams.notice(&notice, at_ns / 1_000_000)),
        TICK => streams.tick(at_ns),
        port => node.refuse(port, &"this node has no such input"),
    }
}

fn obey(node: &mut Node, order: Order) -> Result<()> {
    match order {
        Order::Change { stream, origin, values } => node.send(UPDATE, SettingsUpdate { stream, origin, values }),
        Order::Frame(mut ready) => {
            node.sign(&mut ready.header, ready.received_ns);
            let pixels = &ready.pixels;
            let size = [pixels.height, pixels.width];
            node.send_frame(FRAME, &ready.header, size, |into| into.copy_from_slice(&pixels.rgb))
        }
        Order::Wanted(wanted) => node.send(WANTED, wanted),
        Order::Sound(audio) => node.send(SOUND, audio),
    }
}
