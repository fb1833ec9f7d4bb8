//! Ports and event loop.

use crate::config::Config;
use crate::hear::{RATE_HZ, Transcriber};
use crate::words::words;
use eyre::Result;
use mirror_contract::{Audio, Level, Message, Notice, Prompt, Stamp};
use mirror_kit::node::NOTICE;
use mirror_kit::{Input, Node};

/// What somebody said.
pub const UTTERANCE: &str = "utterance";
/// Its words.
pub const PROMPT: &str = "prompt";
/// Inputs: port and message type.
pub const INPUTS: &[(&str, &str)] = &[(UTTERANCE, Audio::TYPE)];
/// Outputs: port and message type.
pub const OUTPUTS: &[(&str, &str)] = &[(PROMPT, Prompt::TYPE), (NOTICE, Notice::TYPE)];

/// Where spoken wishes come from, for those who answer them.
pub const ORIGIN: &str = "voice";

/// Runs the node until the mirror stops, with a transcriber that `open` opens.
///
/// # Errors
/// A configuration or a model that cannot be used; dora cannot send.
pub fn run<T: Transcriber>(open: impl FnOnce(&Config) -> Result<T>) -> Result<()> {
    let mut node = Node::join()?;
    let config = Config::from_env()?;
    let mut transcriber = open(&config)?;
    // The first one takes longer: memory is touched for the first time.
    transcriber.hear(&[0.0; RATE_HZ])?;
    node.notice(Level::Info, &transcriber.text());
    while let Some(input) = node.next() {
        listen(&mut node, &config, &mut transcriber, &input)?;
    }
    Ok(())
}

fn listen(node: &mut Node, config: &Config, transcriber: &mut impl Transcriber, input: &Input) -> Result<()> {
    let Some(Audio { stamp, mut trace, sample_rate_hz, samples }) = node.accept(input) else { return Ok(()) };
    if sample_rate_hz != RATE_HZ as i64 {
        node.refuse(UTTERANCE, &format!("{sample_rate_hz} Hz came, it must be {RATE_HZ}"));
        return Ok(());
    }
    let heard = match transcriber.hear(&samples) {
        Ok(heard) => heard,
        Err(error) => {
            node.refuse(UTTERANCE, &format!("{error:#}"));
            return Ok(());
        }
    };
    match words(&heard, config.gates, &config.refused) {
        Ok(text) => {
            node.notice_of(&stamp.stream, Level::Info, &format!("heard \"{text}\""));
            // The cutter's time begins when the last word was said.
            let end_ns = stamp.captured_ns + samples.len() as i64 * (1_000_000_000 / sample_rate_hz);
            let captured_ns = trace.0.first().map_or(end_ns, |stage| stage.received_ns);
            node.sign_trace(&mut trace, input.received_ns);
            let stamp = Stamp { captured_ns, ..stamp };
            node.send(PROMPT, Prompt { stamp, trace, origin: ORIGIN.to_owned(), text })?;
        }
        Err(why) => {
            tracing::info!("utterance {} is no prompt: {why}", stamp.frame_id);
            if config.gates.is_guess(&heard) {
                node.notice_of(&stamp.stream, Level::Info, "something was said that was not understood");
            }
        }
    }
    Ok(())
}
