//! Every message survives the way to Arrow and back; every broken one is an error that names what is wrong.

use arrow::array::{Array, AsArray, Float32Array, Int32Array, StringArray, UInt8Array};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::UInt8Type;
use dora_node_api::{DoraArray, MetadataParameters, Parameter};
use mirror_contract::{
    Audio, ContractError, Embedding, Frame, Header, Latent, Level, Message, Notice, Painting, Pooled, Prompt,
    Readiness, Settings, SettingsUpdate, StageTime, Stamp, Taken, Trace, Wanted,
};
use proptest::collection::vec;
use proptest::prelude::*;

fn stamp() -> impl Strategy<Value = Stamp> {
    (".{0,12}", any::<i64>(), any::<i64>()).prop_map(|(stream, frame_id, captured_ns)| Stamp {
        stream,
        frame_id,
        captured_ns,
    })
}

fn trace() -> impl Strategy<Value = Trace> {
    vec(("[a-z]{1,8}", any::<i64>(), any::<i64>(), any::<i64>()), 0..5).prop_map(|stages| {
        let stage = |(stage, received_ns, sent_ns, drops)| StageTime { stage, received_ns, sent_ns, drops };
        Trace(stages.into_iter().map(stage).collect())
    })
}

fn header() -> impl Strategy<Value = Header> {
    let painting = (".{0,20}", ".{0,8}", ".{0,8}", any::<bool>())
        .prop_map(|(prompt, pack, provider, passthrough)| Painting { prompt, pack, provider, passthrough });
    (stamp(), ".{0,20}", trace(), proptest::option::of(painting)).prop_map(|(stamp, source, trace, painting)| Header {
        stamp,
        source,
        trace,
        painting,
    })
}

fn floats(len: usize) -> impl Strategy<Value = ScalarBuffer<f32>> {
    vec(-1e6f32..1e6, len).prop_map(ScalarBuffer::from)
}

fn there_and_back<M: Message>(message: M) -> Result<M, ContractError> {
    let (parameters, data) = message.encode();
    M::decode(&data, &parameters)
}

proptest! {
    #[test]
    fn a_frame_comes_back_as_it_went(
        (header, height, width, pixels) in (header(), 1usize..9, 1usize..9)
            .prop_flat_map(|(header, height, width)| (Just(header), Just(height), Just(width), vec(any::<u8>(), height * width * 3)))
    ) {
        let frame = Frame { header, height, width, pixels: pixels.into() };
        prop_assert_eq!(there_and_back(frame.clone()), Ok(frame));
    }

    #[test]
    fn a_latent_comes_back_as_it_went(
        (header, shape, values) in (header(), 1usize..5, 1usize..5, 1usize..5)
            .prop_flat_map(|(header, c, h, w)| (Just(header), Just([1, c, h, w]), floats(c * h * w)))
    ) {
        let latent = Latent { header, pack: "starter".to_owned(), shape, values };
        prop_assert_eq!(there_and_back(latent.clone()), Ok(latent));
    }

    #[test]
    fn an_embedding_comes_back_as_it_went(
        stream in ".{0,12}", version in any::<i64>(), prompt in ".*", negative_prompt in ".*",
        (shape, values) in (1usize..5, 1usize..5).prop_flat_map(|(t, w)| (Just([2, t, w]), floats(2 * t * w))),
        pooled in proptest::option::of(
            (1usize..7).prop_flat_map(|w| (Just([2, w]), floats(2 * w))).prop_map(|(shape, values)| Pooled { shape, values })
        )
    ) {
        let pack = "starter".to_owned();
        let embedding = Embedding { stream, version, prompt, negative_prompt, pack, shape, values, pooled };
        prop_assert_eq!(there_and_back(embedding.clone()), Ok(embedding));
    }

    #[test]
    fn sound_comes_back_as_it_went(
        stamp in stamp(), trace in trace(), sample_rate_hz in 1i64..200_000, samples in floats(7)
    ) {
        let audio = Audio { stamp, trace, sample_rate_hz, samples };
        prop_assert_eq!(there_and_back(audio.clone()), Ok(audio));
    }

    #[test]
    fn what_a_stage_says_of_a_pack_comes_back_as_it_went(pack in ".{0,12}", fault in proptest::option::of(".{1,40}")) {
        let readiness = Readiness { pack, fault };
        prop_assert_eq!(there_and_back(readiness.clone()), Ok(readiness));
    }

    #[test]
    fn a_word_that_something_was_taken_comes_back_as_it_went(stamp in stamp()) {
        prop_assert_eq!(there_and_back(Taken { stamp: stamp.clone() }), Ok(Taken { stamp }));
    }

    #[test]
    fn a_wish_for_source_pictures_comes_back_as_it_went(stream in ".*") {
        prop_assert_eq!(there_and_back(Wanted { stream: stream.clone() }), Ok(Wanted { stream }));
    }

    #[test]
    fn words_come_back_as_they_went(
        stream in ".*", stamp in stamp(), trace in trace(), origin in ".*", text in ".*"
    ) {
        let prompt = Prompt { stamp, trace, origin: origin.clone(), text: text.clone() };
        prop_assert_eq!(there_and_back(prompt.clone()), Ok(prompt));
        for level in [Level::Info, Level::Warning, Level::Error] {
            let notice = Notice { stream: stream.clone(), origin: origin.clone(), level, text: text.clone() };
            prop_assert_eq!(there_and_back(notice.clone()), Ok(notice));
        }
    }

    #[test]
    fn settings_come_back_as_they_went(
        stream in ".*", version in any::<i64>(), prompt in ".{0,200}", strength in 0.0f64..=1.0, steps in 1i64..=50,
        seed in 0i64..=4_294_967_295, mirror in any::<bool>()
    ) {
        let settings = Settings { stream, version, prompt, strength, steps, seed, mirror, ..Settings::default() };
        prop_assert_eq!(there_and_back(settings.clone()), Ok(settings));
    }

    #[test]
    fn an_update_comes_back_as_it_went(stream in ".*", origin in ".*", prompt in ".*", seed in any::<i64>()) {
        let values = [("prompt".to_owned(), prompt.into()), ("seed".to_owned(), seed.into())].into_iter().collect();
        let update = SettingsUpdate { stream, origin, values };
        prop_assert_eq!(there_and_back(update.clone()), Ok(update));
    }

    #[test]
    fn a_frame_without_one_of_its_keys_is_an_error_that_names_the_key(header in header(), which in 0usize..7) {
        let frame = Frame { header: Header { source: String::new(), painting: None, ..header }, height: 1, width: 1, pixels: vec![1, 2, 3].into() };
        let (mut parameters, data) = frame.encode();
        let key = parameters.keys().nth(which).cloned().expect("a frame has seven keys");
        parameters.remove(&key);
        let error = Frame::decode(&data, &parameters).expect_err("a key is missing").to_string();
        prop_assert!(error.contains("mirror/media/v1/Frame") && error.contains(&key), "{error}");
    }

    #[test]
    fn any_metadata_and_payload_is_read_or_refused_but_never_panics(
        shape in vec(any::<i64>(), 0..6), pooled_shape in proptest::option::of(vec(any::<i64>(), 0..4)), bytes in vec(any::<u8>(), 0..64), text in ".*"
    ) {
        let mut parameters = MetadataParameters::new();
        for (key, value) in [("stream", "house"), ("prompt", "x"), ("negative_prompt", ""), ("pack", "p"), ("origin", "o"),
            ("latent_pack", "p"), ("level", "info")] {
            parameters.insert(key.to_owned(), Parameter::String(value.to_owned()));
        }
        for key in ["frame_id", "captured_ns", "version", "sample_rate_hz"] {
            parameters.insert(key.to_owned(), Parameter::Integer(shape.first().copied().unwrap_or(0)));
        }
        parameters.insert("shape".to_owned(), Parameter::ListInt(shape));
        if let Some(pooled_shape) = pooled_shape {
            parameters.insert("pooled_shape".to_owned(), Parameter::ListInt(pooled_shape));
        }
        let payloads = [
            DoraArray::from_array(UInt8Array::from(bytes.clone())),
            DoraArray::from_array(Float32Array::from(bytes.iter().map(|byte| f32::from(*byte)).collect::<Vec<_>>())),
            DoraArray::from_array(StringArray::from(vec![text])),
        ];
        for data in &payloads {
            let _ = Frame::decode(data, &parameters);
            let _ = Latent::decode(data, &parameters);
            let _ = Embedding::decode(data, &parameters);
            let _ = Audio::decode(data, &parameters);
            let _ = Prompt::decode(data, &parameters);
            let _ = Settings::decode(data, &parameters);
            let _ = SettingsUpdate::decode(data, &parameters);
            let _ = Notice::decode(data, &parameters);
        }
    }
}

fn one_pixel() -> Frame {
    let stamp = Stamp { stream: "house".to_owned(), frame_id: 7, captured_ns: 42 };
    let header = Header::of(stamp);
    Frame { header, height: 1, width: 1, pixels: vec![1, 2, 3].into() }
}

#[test]
fn a_received_frame_points_into_the_buffer_that_it_came_in() {
    let (parameters, data) = one_pixel().encode();
    let sent = data.as_array().as_primitive::<UInt8Type>().values().as_ptr();
    let received = Frame::decode(&data, &parameters).expect("it is a frame");
    assert_eq!(received.pixels.as_ptr(), sent);
}

#[test]
fn a_frame_of_the_wrong_type_names_both_types() {
    let (parameters, _) = one_pixel().encode();
    let error = Frame::decode(&DoraArray::from_array(Int32Array::from(vec![1, 2, 3])), &parameters).expect_err("wrong");
    assert_eq!(error.to_string(), "mirror/media/v1/Frame: payload must be an Arrow UInt8 array, not Int32");
}

#[test]
fn a_frame_that_is_too_short_names_both_lengths() {
    let (parameters, _) = one_pixel().encode();
    let error = Frame::decode(&DoraArray::from_array(UInt8Array::from(vec![1, 2])), &parameters).expect_err("short");
    assert_eq!(error.to_string(), "mirror/media/v1/Frame: shape [1, 1, 3] needs 3 elements, the payload has 2");
}

#[test]
fn a_frame_with_nulls_is_refused() {
    let (parameters, _) = one_pixel().encode();
    let data = DoraArray::from_array(UInt8Array::from(vec![Some(1), None, Some(3)]));
    assert_eq!(data.as_array().null_count(), 1);
    let error = Frame::decode(&data, &parameters).expect_err("nulls");
    assert_eq!(error.to_string(), "mirror/media/v1/Frame: payload has 1 nulls, it must have none");
}

#[test]
fn a_frame_in_four_channels_is_refused() {
    let (mut parameters, _) = one_pixel().encode();
    parameters.insert("shape".to_owned(), Parameter::ListInt(vec![1, 1, 4]));
    let error = Frame::decode(&DoraArray::from_array(UInt8Array::from(vec![0; 4])), &parameters).expect_err("RGBA");
    assert_eq!(error.to_string(), "mirror/media/v1/Frame: shape [1, 1, 4] must be [height, width, 3]");
}

/// The error of an embedding `[2, 3, 4]` whose payload has `len` values and whose pooled part has that shape.
fn pooled_error(len: usize, pooled_shape: &[i64]) -> String {
    let values: ScalarBuffer<f32> = vec![0.0; 24].into();
    let (stream, pack, prompt, negative_prompt) = ("house".to_owned(), "p".to_owned(), String::new(), String::new());
    let shape = [2, 3, 4];
    let embedding = Embedding { stream, version: 0, prompt, negative_prompt, pack, shape, values, pooled: None };
    let (mut parameters, _) = embedding.encode();
    parameters.insert("pooled_shape".to_owned(), Parameter::ListInt(pooled_shape.to_vec()));
    let data = DoraArray::from_array(Float32Array::from(vec![0.0; len]));
    Embedding::decode(&data, &parameters).err().map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn a_pooled_embedding_of_a_wrong_shape_or_length_is_refused() {
    assert_eq!(pooled_error(34, &[2, 5]), "");
    let wrong = "mirror/media/v1/Embedding: shape [1, 10] must be [2, width] of the pooled embedding";
    assert_eq!(pooled_error(34, &[1, 10]), wrong);
    let short = "mirror/media/v1/Embedding: shape [2, 3, 4] needs 24 elements, the payload has 20";
    assert_eq!(pooled_error(30, &[2, 5]), short);
    for shape in [&[2, -5][..], &[], &[2], &[0, 0], &[i64::MAX, i64::MAX], &[2, 5, 1]] {
        assert_ne!(pooled_error(34, shape), "", "{shape:?}");
    }
}
