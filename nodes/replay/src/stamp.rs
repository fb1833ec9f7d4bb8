//! The times of a message that is sent once more: what was captured then is captured now, so that ages and stages are
//! those of this run. Numbers, streams and contents stay.

use crate::ports::FRAME;
use dora_node_api::Parameter;
use mirror_contract::{MetadataParameters, keys};
use mirror_tape::Taped;
use std::collections::VecDeque;

/// As many pictures as can be under way at once, twice.
const KEPT: usize = 32;

/// When the last pictures were captured in this run, by when they were in that of the recording. What was made of one picture, a
/// latent and what its painting is laid over, is put together by that time.
#[derive(Debug, Default)]
pub struct Times(VecDeque<[i64; 2]>);

impl Times {
    /// When what a message is about is captured now. A camera's picture is taken anew each time that it is sent.
    pub fn captured_ns(&mut self, taped: &Taped, now_ns: i64) -> i64 {
        let Some(was_ns) = taped.integer(keys::CAPTURED_NS) else { return now_ns };
        let known = self.0.iter_mut().find(|[was, _]| *was == was_ns);
        match known {
            Some([_, is_ns]) if taped.port() != FRAME => *is_ns,
            Some([_, is_ns]) => {
                *is_ns = now_ns;
                now_ns
            }
            None => {
                if self.0.len() == KEPT {
                    self.0.pop_front();
                }
                self.0.push_back([was_ns, now_ns]);
                now_ns
            }
        }
    }
}

/// Sets the times of a message's metadata, where it has any.
pub fn renew(parameters: &mut MetadataParameters, node: &str, captured_ns: i64, now_ns: i64) {
    let mut set = |key: &str, value: Parameter| {
        if let Some(old) = parameters.get_mut(key) {
            *old = value;
        }
    };
    set(keys::CAPTURED_NS, Parameter::Integer(captured_ns));
    set(keys::TRACE_STAGES, Parameter::ListString(vec![node.to_owned()]));
    set(keys::TRACE_NS, Parameter::ListInt(vec![now_ns, now_ns]));
    set(keys::TRACE_DROPS, Parameter::ListInt(vec![0]));
    if let Some(Parameter::String(source)) = parameters.get_mut(keys::SOURCE) {
        *source = format!("recording of {source}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mirror_contract::{Frame, Header, Message, Settings, StageTime, Stamp, Trace};

    #[test]
    fn a_picture_has_the_times_of_the_replay_and_the_number_of_the_recording() {
        let stage = StageTime { stage: "camera".to_owned(), received_ns: 1, sent_ns: 2, drops: 3 };
        let stamp = Stamp { stream: "house".to_owned(), frame_id: 7, captured_ns: 1 };
        let header = Header { source: "film".to_owned(), trace: Trace(vec![stage]), ..Header::of(stamp) };
        let frame = Frame { header, height: 1, width: 1, pixels: vec![1, 2, 3].into() };
        let (mut parameters, data) = frame.clone().encode();
        renew(&mut parameters, "replay", 900, 1000);
        let renewed = Frame::decode(&data, &parameters).expect("a picture");
        assert_eq!(renewed.pixels, frame.pixels);
        assert_eq!(renewed.header.stamp, Stamp { captured_ns: 900, ..frame.header.stamp });
        assert_eq!(renewed.header.source, "recording of film");
        let stage = &renewed.header.trace.0[0];
        assert_eq!((stage.stage.as_str(), stage.received_ns, stage.drops), ("replay", 1000, 0));
    }

    #[test]
    fn settings_stay_as_they_are() {
        let (before, _) = Settings::of("house").encode();
        let mut after = before.clone();
        renew(&mut after, "replay", 900, 1000);
        assert_eq!(after, before);
    }

    fn taped(topic: &str, captured_ns: i64) -> Taped {
        let stamp = Stamp { stream: "house".to_owned(), frame_id: 7, captured_ns };
        let frame = Frame { header: Header::of(stamp), height: 1, width: 1, pixels: vec![1, 2, 3].into() };
        let (parameters, data) = frame.encode();
        Taped::of(topic, 0, &parameters, &data).expect("a message")
    }

    #[test]
    fn what_was_made_of_one_picture_keeps_one_time_and_a_cameras_picture_is_taken_anew() {
        let mut times = Times::default();
        assert_eq!(times.captured_ns(&taped("encoder/latent", 1), 1000), 1000);
        assert_eq!(times.captured_ns(&taped("encoder/source", 1), 1001), 1000);
        assert_eq!(times.captured_ns(&taped("encoder/latent", 2), 1002), 1002);
        assert_eq!(times.captured_ns(&taped("encoder/latent", 1), 1003), 1000, "it is sent once more");
        assert_eq!(times.captured_ns(&taped("camera/frame", 3), 1004), 1004);
        assert_eq!(times.captured_ns(&taped("camera/frame", 3), 1005), 1005);
        for picture in 10..10 + KEPT as i64 {
            times.captured_ns(&taped("encoder/latent", picture), 1006);
        }
        assert_eq!(times.captured_ns(&taped("encoder/source", 1), 1007), 1007, "it is too long ago");
    }
}
