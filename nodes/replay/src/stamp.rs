//! The times of a message that is sent once more: what was captured then is captured now, so that ages and stages are
//! those of this run. Numbers, streams and contents stay.

use dora_node_api::Parameter;
use mirror_contract::{MetadataParameters, keys};

/// Sets the times of a message's metadata, where it has any.
pub fn renew(parameters: &mut MetadataParameters, node: &str, now_ns: i64) {
    let mut set = |key: &str, value: Parameter| {
        if let Some(old) = parameters.get_mut(key) {
            *old = value;
        }
    };
    set(keys::CAPTURED_NS, Parameter::Integer(now_ns));
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
        renew(&mut parameters, "replay", 1000);
        let renewed = Frame::decode(&data, &parameters).expect("a picture");
        assert_eq!(renewed.pixels, frame.pixels);
        assert_eq!(renewed.header.stamp, Stamp { captured_ns: 1000, ..frame.header.stamp });
        assert_eq!(renewed.header.source, "recording of film");
        let stage = &renewed.header.trace.0[0];
        assert_eq!((stage.stage.as_str(), stage.received_ns, stage.drops), ("replay", 1000, 0));
    }

    #[test]
    fn settings_stay_as_they_are() {
        let (before, _) = Settings::of("house").encode();
        let mut after = before.clone();
        renew(&mut after, "replay", 1000);
        assert_eq!(after, before);
    }
}
