//! Ports and event loop.

use crate::config::Config;
use crate::overlay;
use crate::view::{Outcome, View};
use eyre::Result;
use mirror_contract::{Frame, Level, Message, Notice, now_ns};
use mirror_kit::node::{NOTICE, TICK};
use mirror_kit::{Figures, Node};
use std::time::{Duration, Instant};

/// What is to be shown.
pub const PICTURE: &str = "picture";
/// All inputs, with the types of their messages; the tick has none.
pub const INPUTS: &[(&str, &str)] = &[(PICTURE, Frame::TYPE), (NOTICE, Notice::TYPE), (TICK, "")];
/// All outputs, with the types of their messages.
pub const OUTPUTS: &[(&str, &str)] = &[(NOTICE, Notice::TYPE)];

/// How old the pictures are is told once in this time.
const TOLD_EVERY: Duration = Duration::from_secs(1);
/// The figures go to the log once in this time.
const LOG_EVERY: Duration = Duration::from_secs(5);

/// Runs the node until the mirror stops or the window is closed.
///
/// # Errors
/// A configuration that cannot be used; a window that was asked for and cannot be opened.
pub fn run() -> Result<()> {
    let config = Config::from_env()?;
    let mut node = Node::join()?;
    let (mut view, without) = View::open(&config)?;
    if let Some(reason) = without {
        node.notice(Level::Info, &reason);
    }
    let mut figures = Figures::default();
    let (mut logged, mut told) = (Instant::now(), Instant::now());
    while let Some(input) = node.next() {
        match input.port.as_str() {
            PICTURE => {
                if let Some(frame) = node.accept::<Frame>(&input).filter(|it| config.shows(&it.header.stamp.stream)) {
                    let mut header = frame.header.clone();
                    view.show(frame, input.received_ns)?;
                    // The window has it: now, and not before, is its age measured.
                    node.sign(&mut header, input.received_ns);
                    figures.shown(&header, now_ns());
                }
            }
            NOTICE => {
                if let Some(notice) = node.accept::<Notice>(&input).filter(|notice| config.concerns(&notice.stream)) {
                    view.tell(&notice, input.received_ns);
                }
            }
            TICK => view.refresh(|| figures.summary(input.received_ns), input.received_ns)?,
            port => node.refuse(port, &"this node has no such input"),
        }
        match view.obey() {
            Ok(Outcome::Open) => {}
            Ok(Outcome::Closed) => {
                node.notice(Level::Info, Notice::WINDOW_CLOSED);
                return Ok(());
            }
            Err(error) => node.notice(Level::Warning, &format!("{error:#}")),
        }
        if told.elapsed() >= TOLD_EVERY {
            told = Instant::now();
            node.tell_age(figures.summary(now_ns()).age_ms);
        }
        if logged.elapsed() >= LOG_EVERY {
            logged = Instant::now();
            tracing::info!("{}", overlay::line(&figures.summary(now_ns())));
        }
    }
    Ok(())
}
