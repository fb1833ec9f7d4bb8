//! Ports and event loop.

use crate::config::Config;
use crate::cut::{RATE_HZ, Utterance};
use crate::detect::Ear;
use crate::ears::{Ears, MOST};
use eyre::Result;
use mirror_contract::{Audio, Message, Notice, Stamp, Trace};
use mirror_kit::Node;
use mirror_kit::node::NOTICE;

/// Sound of one or several microphones.
pub const SOUND: &str = "sound";
/// Sound of visitors.
pub const SOUND_WEB: &str = "sound_web";
/// What somebody said.
pub const UTTERANCE: &str = "utterance";
/// Inputs: port and message type.
pub const INPUTS: &[(&str, &str)] = &[(SOUND, Audio::TYPE), (SOUND_WEB, Audio::TYPE)];
/// Outputs: port and message type.
pub const OUTPUTS: &[(&str, &str)] = &[(UTTERANCE, Audio::TYPE), (NOTICE, Notice::TYPE)];

/// Runs the node until the mirror stops.
///
/// # Errors
/// A configuration that cannot be used; dora cannot send.
pub fn run() -> Result<()> {
    let mut node = Node::join()?;
    let config = Config::from_env()?;
    let mut ears = Ears::default();
    let mut count = 0;
    while let Some(input) = node.next() {
        let Some(sound) = node.accept::<Audio>(&input) else { continue };
        if sound.sample_rate_hz != RATE_HZ as i64 {
            node.refuse(SOUND, &format!("{} Hz came, it must be {RATE_HZ}", sound.sample_rate_hz));
            continue;
        }
        let stream = sound.stamp.stream;
        let Some(ear) = ears.of(&stream, input.received_ns, || Ear::new(&config)) else {
            node.refuse(SOUND, &format!("stream {stream:?} is one too many: {MOST} are listened to"));
            continue;
        };
        let (mut heard, refused) = (Vec::new(), ear.refused());
        ear.hear(&sound.samples, sound.stamp.captured_ns, |utterance| heard.push(utterance));
        if ear.refused() != refused && ear.refused().is_power_of_two() {
            tracing::info!("stream {stream}: {} sounds so far were no talk", ear.refused());
        }
        for utterance in heard {
            send(&mut node, &stream, count, utterance)?;
            count += 1;
        }
    }
    Ok(())
}

/// Sends an utterance. This stage's time begins when the last word was spoken: it is the silence that it waited for.
fn send(node: &mut Node, stream: &str, frame_id: i64, utterance: Utterance) -> Result<()> {
    let Utterance { captured_ns, spoken_ns, samples, .. } = utterance;
    let seconds = samples.len() as f64 / RATE_HZ as f64;
    tracing::debug!("utterance {frame_id} of {seconds:.1} s");
    let mut trace = Trace::default();
    node.sign_trace(&mut trace, spoken_ns);
    let stamp = Stamp { stream: stream.to_owned(), frame_id, captured_ns };
    node.send(UTTERANCE, Audio { stamp, trace, sample_rate_hz: RATE_HZ as i64, samples: samples.into() })
}
