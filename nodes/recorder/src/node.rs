//! Ports and event loop.

use crate::config::Config;
use crate::recording::Recording;
use crate::schedule::Phase;
use eyre::Result;
use mirror_contract::{Frame, Level, Message, Notice, Prompt, Settings, SettingsUpdate, now_ns};
use mirror_kit::Node;
use mirror_kit::node::{NOTICE, TICK};

/// What is recorded.
pub const PICTURE: &str = "picture";
/// What the pictures are painted from.
pub const SOURCE: &str = "source";
/// What is to be painted of what was said.
pub const PROMPT: &str = "prompt";
/// What was said, word for word.
pub const TRANSCRIPT: &str = "transcript";
/// The settings in force.
pub const SETTINGS: &str = "settings";
/// All inputs, with the types of their messages; the tick has none.
pub const INPUTS: &[(&str, &str)] = &[
    (PICTURE, Frame::TYPE),
    (SOURCE, Frame::TYPE),
    (PROMPT, Prompt::TYPE),
    (TRANSCRIPT, Prompt::TYPE),
    (SETTINGS, Settings::TYPE),
    (NOTICE, Notice::TYPE),
    (TICK, ""),
];
/// The prompt that is to be painted now.
pub const UPDATE: &str = "update";
/// All outputs, with the types of their messages.
pub const OUTPUTS: &[(&str, &str)] = &[(UPDATE, SettingsUpdate::TYPE), (NOTICE, Notice::TYPE)];
/// The last notice: the report is there.
pub const FINISHED: &str = "recording finished";

/// Runs the node until its recording is finished or the mirror stops.
///
/// # Errors
/// A configuration that cannot be used; a file that cannot be written; no picture was shown.
pub fn run() -> Result<()> {
    mirror_film::choose_encoder_options();
    let mut node = Node::join()?;
    let config = Config::from_env()?;
    config.check_connected(&node.connected())?;
    let mut recording = Recording::start(&config, now_ns())?;
    let mut complete = false;
    while let Some(input) = node.next() {
        match input.port.as_str() {
            PICTURE => {
                if let Some(mut frame) = node.accept::<Frame>(&input) {
                    node.sign(&mut frame.header, input.received_ns);
                    recording.picture(&frame, input.received_ns);
                }
            }
            SOURCE => node.accept(&input).iter().for_each(|frame| recording.source(frame)),
            PROMPT => node.accept(&input).into_iter().for_each(|wish| recording.wish(wish, input.received_ns)),
            TRANSCRIPT => node.accept(&input).into_iter().for_each(|said| recording.transcript(said)),
            SETTINGS => node.accept(&input).into_iter().for_each(|settings| recording.settings(settings)),
            NOTICE => node.accept(&input).into_iter().for_each(|notice| recording.notice(notice)),
            TICK => {}
            port => node.refuse(port, &"this node has no such input"),
        }
        let now = now_ns();
        if let Some(update) = recording.due(now) {
            node.send(UPDATE, update)?;
        }
        recording.progress(now).into_iter().for_each(|line| tracing::info!("{line}"));
        match recording.phase(now) {
            Phase::Waiting | Phase::Prompt(_) => continue,
            end => complete = end == Phase::Over,
        }
        break;
    }
    let report = recording.finish(complete, now_ns())?;
    node.notice(Level::Info, FINISHED);
    config.check_shown(&report)
}
