//! Ports and event loop.

use crate::board::{Board, welcome};
use crate::census::Census;
use crate::config::Config;
use crate::press::Press;
use crate::routes::routes;
use crate::server::Server;
use crate::site::Site;
use eyre::Result;
use mirror_contract::{Frame, Message, Notice, Settings, SettingsUpdate, now_ns};
use mirror_kit::node::{NOTICE, TICK};
use mirror_kit::{Input, Next, Node, Woken};
use std::sync::Arc;

/// Pictures to be shown.
pub const PICTURE: &str = "picture";
/// All settings, from `control`.
pub const SETTINGS: &str = "settings";
/// What is to be changed.
pub const UPDATE: &str = "update";
/// Who asks, in updates and in the notices that answer them.
pub const ORIGIN: &str = "web";
/// All inputs, with the types of their messages; the tick has none.
pub const INPUTS: &[(&str, &str)] =
    &[(PICTURE, Frame::TYPE), (SETTINGS, Settings::TYPE), (NOTICE, Notice::TYPE), (TICK, "")];
/// All outputs, with the types of their messages.
pub const OUTPUTS: &[(&str, &str)] = &[(UPDATE, SettingsUpdate::TYPE), (NOTICE, Notice::TYPE)];

/// Serves the page until the mirror stops.
///
/// # Errors
/// A configuration that cannot be used, an address that is taken; dora cannot send.
pub fn run() -> Result<()> {
    let mut node = Node::join()?;
    let config = Config::from_env()?;
    let press = Press::start(&config)?;
    let mut board = Board::of(&config.stream);
    let first = board.status(press.figures(now_ns()));
    let (site, status, mut wishes) = Site::new(config.clone(), press.clone(), Census::of(&node), first);
    let server = Server::start(config.address, config.connections(), routes(Arc::new(site)))?;
    // They come back with everybody's notices, and so to the page.
    welcome(server.address()).into_iter().for_each(|(level, text)| node.notice(level, &text));
    loop {
        let input = match node.next_or(wishes.recv()) {
            Woken::Other(Some(values)) => {
                node.send(UPDATE, SettingsUpdate { stream: config.stream.clone(), origin: ORIGIN.to_owned(), values })?;
                continue;
            }
            Woken::Graph(Next::Input(input)) => input,
            Woken::Graph(Next::Nothing) => continue,
            Woken::Graph(Next::Stop) | Woken::Other(None) => break,
        };
        if take(&mut node, &mut board, &press, &config.stream, &input) {
            status.send_replace(Arc::new(board.status(press.figures(now_ns()))));
        }
    }
    press.close();
    Ok(())
}

/// Takes a message in; `true` if there is something new to be shown besides pictures.
fn take(node: &mut Node, board: &mut Board, press: &Press, stream: &str, input: &Input) -> bool {
    match input.port.as_str() {
        PICTURE => {
            let drops = node.drops();
            let frame = node.accept::<Frame>(input).filter(|frame| frame.header.stamp.stream == stream);
            let is_news = frame.as_ref().is_some_and(|frame| board.picture(&frame.header));
            frame.into_iter().for_each(|frame| press.offer(frame, input.received_ns, drops));
            is_news
        }
        SETTINGS => node.accept(input).is_some_and(|settings| board.settings(settings)),
        NOTICE => node.accept(input).is_some_and(|notice| board.notice(&notice, input.received_ns / 1_000_000)),
        TICK => true,
        port => {
            node.refuse(port, &"this node has no such input");
            false
        }
    }
}
