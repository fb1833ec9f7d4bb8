//! What is recorded comes back as it was; what cannot be is named, and the recording goes on.

use arrow::buffer::ScalarBuffer;
use eyre::Result;
use mcap::read::LinearReader;
use mcap::records::Record;
use mirror_contract::{
    Audio, Embedding, Frame, Header, Latent, Level, Message, Notice, Painting, Prompt, Settings, StageTime, Stamp,
    Taken, Trace, Wanted,
};
use mirror_kit::disk::{Room, free_bytes};
use mirror_tape::proto::bytes_of;
use mirror_tape::record::records;
use mirror_tape::reel::{Fault, Written};
use mirror_tape::schema::field;
use mirror_tape::{Limits, Payload, Pictures, Reader, Reel, Taped};
use proptest::prelude::*;
use std::fs;
use std::path::Path;

const LIMITS: Limits = Limits { file_bytes: 0, free_bytes: 0 };

fn header(frame_id: i64) -> Header {
    let stamp = Stamp { stream: "house".to_owned(), frame_id, captured_ns: 1_795_270_000_123_456_789 };
    let stage = StageTime { stage: "camera".to_owned(), received_ns: 1, sent_ns: 2, drops: 3 };
    let painting = Painting {
        prompt: "neon".to_owned(),
        pack: "starter".to_owned(),
        provider: "CPU".to_owned(),
        passthrough: false,
    };
    let source = "pattern".to_owned();
    Header { stamp, source, trace: Trace(vec![stage]), painting: (frame_id % 2 == 0).then_some(painting) }
}

fn frame(frame_id: i64, [height, width]: [usize; 2]) -> Frame {
    let pixels: Vec<u8> = (0..height * width * 3).map(|at| (at as i64 * 7 + frame_id) as u8).collect();
    Frame { header: header(frame_id), height, width, pixels: pixels.into() }
}

fn taped<M: Message>(topic: &str, log_ns: i64, message: M) -> Taped {
    let (parameters, data) = message.encode();
    Taped::of(topic, log_ns, &parameters, &data).expect("a message of the mirror")
}

fn write(path: &Path, pictures: Pictures, limits: Limits, messages: &[Taped]) -> Result<Written> {
    let mut reel = Reel::create(path, pictures, limits)?;
    for message in messages {
        if let Err(Fault::Message(error) | Fault::Disk(error)) = reel.write(message) {
            return Err(error);
        }
    }
    reel.finish("stopped", 0)
}

fn read(path: &Path) -> Vec<Taped> {
    Reader::open(path).expect("it is there").collect::<Result<_>>().expect("it can be read")
}

fn one_of_each() -> Vec<Taped> {
    let floats = |len: usize| ScalarBuffer::from((0..len).map(|at| at as f32 / 3.0).collect::<Vec<_>>());
    let stamp = header(7).stamp;
    let latent = Latent { header: header(5), pack: "starter".to_owned(), shape: [1, 4, 2, 3], values: floats(24) };
    let embedding = Embedding {
        stream: "house".to_owned(),
        version: 3,
        prompt: "neon".to_owned(),
        negative_prompt: String::new(),
        pack: "starter".to_owned(),
        shape: [2, 3, 4],
        values: floats(24),
        pooled: None,
    };
    let audio = Audio { stamp: stamp.clone(), trace: Trace::default(), sample_rate_hz: 16_000, samples: floats(100) };
    let text = "could you make it \"neon\"".to_owned();
    let prompt = Prompt { stamp: stamp.clone(), trace: Trace::default(), origin: "voice".to_owned(), text };
    let (stream, origin, text) = ("house".to_owned(), "camera".to_owned(), "film clip.mp4".to_owned());
    let notice = Notice { stream, origin, level: Level::Warning, text };
    let settings = Settings { prompt: "neon".to_owned(), strength: 0.1 + 0.2, version: 9, ..Settings::of("house") };
    vec![
        taped("control/settings", 1, settings),
        taped("camera/frame", 2, frame(1, [4, 6])),
        taped("encoder/latent", 3, latent),
        taped("embed/embedding", 4, embedding),
        taped("microphone/sound", 5, audio),
        taped("rephrase/prompt", 6, prompt),
        taped("control/notice", 7, notice),
        taped("decoder/taken", 8, Taken { stamp }),
        taped("web/wanted", 9, Wanted { stream: "house".to_owned() }),
        taped("decoder/picture", 9, frame(2, [2, 2])),
    ]
}

#[test]
fn every_message_of_the_graph_comes_back_as_it_went_in_the_same_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("deep/er/x.mcap");
    let messages = one_of_each();
    let written = write(&path, Pictures::Raw, LIMITS, &messages).expect("it is written");
    assert_eq!((written.messages, written.files), (messages.len() as u64, 1));
    assert_eq!(read(&path), messages);
    let Payload::Text(text) = &read(&path)[0].payload else { panic!("settings are a text") };
    assert!(text.contains("0.30000000000000004"), "{text}");
}

proptest! {
    #[test]
    fn whatever_a_picture_and_its_metadata_are_they_come_back(
        (height, width) in (1usize..20, 1usize..20), stream in ".{0,12}", prompt in ".{0,40}", ns in 0..i64::MAX
    ) {
        let mut frame = frame(4, [height, width]);
        (frame.header.stamp.stream, frame.header.stamp.captured_ns) = (stream.clone(), ns);
        frame.header.painting.as_mut().expect("it is painted").prompt = prompt.clone();
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.mcap");
        let notice = Notice { stream, origin: "camera".to_owned(), level: Level::Info, text: prompt };
        let messages = [taped("decoder/picture", ns, frame), taped("camera/notice", ns, notice)];
        write(&path, Pictures::Raw, LIMITS, &messages).expect("it is written");
        prop_assert_eq!(read(&path), messages);
    }
}

#[test]
fn pictures_as_jpeg_take_less_room_and_look_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let (raw, jpeg) = (folder.path().join("raw.mcap"), folder.path().join("jpeg.mcap"));
    let mut picture = frame(1, [128, 96]);
    picture.pixels = (0..128 * 96 * 3).map(|at| (at / (96 * 3)) as u8).collect::<Vec<_>>().into();
    let message = [taped("camera/frame", 1, picture)];
    let bytes = [(&raw, Pictures::Raw), (&jpeg, Pictures::Jpeg)]
        .map(|(path, pictures)| write(path, pictures, LIMITS, &message).expect("it is written").bytes);
    assert!(bytes[1] * 5 < bytes[0], "{bytes:?}");
    let back = &read(&jpeg)[0];
    assert_eq!(back.parameters, message[0].parameters);
    let (Payload::Bytes(one), Payload::Bytes(other)) = (&message[0].payload, &back.payload) else { panic!("pixels") };
    let apart = one.iter().zip(other).map(|(one, other)| one.abs_diff(*other)).max();
    assert!(one.len() == other.len() && apart <= Some(6), "{apart:?}");
}

#[test]
fn a_file_that_is_full_goes_on_in_the_next_and_is_read_as_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.mcap");
    let messages: Vec<Taped> = (0..10).map(|at| taped("camera/frame", at, frame(at, [32, 32]))).collect();
    let limits = Limits { file_bytes: 8000, free_bytes: 0 };
    let written = write(&path, Pictures::Raw, limits, &messages).expect("it is written");
    assert!(written.files >= 3, "{written:?}");
    assert!(folder.path().join("x-2.mcap").is_file() && folder.path().join("x-3.mcap").is_file());
    assert_eq!(read(&path), messages);
}

#[test]
fn a_recording_that_was_cut_short_is_read_as_far_as_it_goes() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.mcap");
    let messages: Vec<Taped> = (0..8).map(|at| taped("camera/frame", at, frame(at, [500, 500]))).collect();
    write(&path, Pictures::Raw, LIMITS, &messages).expect("it is written");
    let whole = fs::read(&path).expect("the file");
    fs::write(&path, &whole[..whole.len() / 2]).expect("half of it");
    let mut reader = Reader::open(&path).expect("it is there");
    let mut read = Vec::new();
    for message in reader.by_ref() {
        read.push(message.expect("what is there can be read"));
    }
    assert!((2..8).contains(&read.len()), "{} messages", read.len());
    assert_eq!(read, messages[..read.len()]);
    assert!(reader.remark().expect("it is said").contains("ends in the middle"));
}

#[test]
fn what_is_no_recording_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.mcap");
    assert!(Reader::open(&path).err().expect("nothing there").to_string().contains("x.mcap"));
    fs::write(&path, "a text that has nothing to do with it").expect("a file");
    let error = Reader::open(&path).expect("a file").next().expect("an error").expect_err("no recording");
    assert!(format!("{error:#}").contains("x.mcap is no recording"), "{error:#}");
}

#[test]
fn a_file_that_is_there_is_not_overwritten() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.mcap");
    fs::write(&path, "precious").expect("a file");
    let error = write(&path, Pictures::Raw, LIMITS, &[]).expect_err("it is there");
    assert!(format!("{error:#}").contains("x.mcap"), "{error:#}");
    assert_eq!(fs::read_to_string(&path).expect("the file"), "precious");
}

#[test]
fn a_disk_without_room_is_said_before_anything_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let limits = Limits { file_bytes: 0, free_bytes: free_bytes(folder.path()).expect("a disk") + (1 << 40) };
    let error = write(&folder.path().join("x.mcap"), Pictures::Raw, limits, &[]).expect_err("no room");
    assert!(error.to_string().contains("make room"), "{error}");
    assert!(!folder.path().join("x.mcap").exists());
}

#[test]
fn a_disk_that_fills_up_ends_the_recording_whole_and_the_file_says_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.mcap");
    // The third look is one too many.
    let room = Room::for_looks(2);
    let mut reel = Reel::within(&path, Pictures::Raw, 0, room).expect("it begins");
    // Three megabytes each.
    let message = |number| taped("camera/frame", number, frame(number, [1000, 1000]));
    let fault = (0..100).find_map(|number| reel.write(&message(number)).err());
    let Some(Fault::Disk(error)) = fault else { panic!("the disk was never full: {fault:?}") };
    assert!(error.to_string().ends_with("has 10 MiB free, and a recording leaves 10 MiB: make room"), "{error}");
    let written = reel.finish("the disk was full", 3).expect("there is room for its end");
    assert_eq!((written.messages, written.files), (6, 1));

    let mut reader = Reader::open(&path).expect("it is there");
    let read: Vec<Taped> = reader.by_ref().collect::<Result<_>>().expect("it can be read");
    assert!(read.len() == 6 && read.iter().zip(0..).all(|(taped, number)| *taped == message(number)));
    assert_eq!(reader.remark(), None);
    let bytes = fs::read(&path).expect("the file");
    let about = LinearReader::new(&bytes).expect("its end is there too").find_map(|record| match record {
        Ok(Record::Metadata(about)) => Some(about.metadata),
        _ => None,
    });
    let about = about.expect("it says what it is");
    assert_eq!((about["ended"].as_str(), about["dropped"].as_str()), ("the disk was full", "3"));
}

#[test]
fn sound_is_what_foxglove_plays_and_comes_back_as_it_was() {
    let stamp = Stamp { stream: "house".to_owned(), frame_id: 1, captured_ns: 2 };
    let samples: Vec<f32> = vec![0.0, 1.0, -1.0, 0.1, 3.0];
    let audio = Audio { stamp, trace: Trace::default(), sample_rate_hz: 16_000, samples: samples.clone().into() };
    let records = records(&taped("vad/utterance", 1, audio), Pictures::Jpeg).expect("it can be recorded");
    assert_eq!(records.iter().map(|record| record.suffix).collect::<Vec<_>>(), ["/stamp", ""]);
    let (schema, data) = ((records[1].schema)(), &records[1].data);
    assert_eq!((schema.name, schema.encoding), ("foxglove.RawAudio", "protobuf"));
    let bytes = |number| bytes_of(data, number).expect("it is there");
    let pcm: Vec<i16> = bytes(field::PCM).as_chunks::<2>().0.iter().map(|value| i16::from_le_bytes(*value)).collect();
    assert_eq!((bytes(field::PCM_FORMAT), pcm), (&b"pcm-s16"[..], vec![0, 32_767, -32_767, 3277, 32_767]));
    let own: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    assert_eq!(bytes(field::SAMPLES), own);
}
