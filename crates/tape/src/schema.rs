//! What the records look like, for programs that do not know Mirror: Foxglove's own schemas where one fits.

use crate::proto::Message;
use serde_json::json;

/// A schema: its name, how it is written, its text.
pub struct Schema {
    /// `foxglove.RawImage`.
    pub name: &'static str,
    /// `protobuf` or `jsonschema`.
    pub encoding: &'static str,
    /// The schema itself.
    pub data: Vec<u8>,
}

/// Kinds of fields in a `FieldDescriptorProto` (google/protobuf/descriptor.proto, `FieldDescriptorProto.Type`).
const INT64: i64 = 3;
const INT32: i64 = 5;
const FIXED32: i64 = 7;
const STRING: i64 = 9;
const MESSAGE: i64 = 11;
const BYTES: i64 = 12;

/// Numbers of the fields of `foxglove.RawImage`, `foxglove.CompressedImage`, `foxglove.RawAudio` and our `Tensor`.
pub mod field {
    /// The time of all four.
    pub const TIMESTAMP: u64 = 1;
    /// Columns of a raw image.
    pub const WIDTH: u64 = 2;
    /// Rows of a raw image.
    pub const HEIGHT: u64 = 3;
    /// What the pixels of a raw image are.
    pub const ENCODING: u64 = 4;
    /// Bytes of a row of a raw image.
    pub const STEP: u64 = 5;
    /// The pixels of a raw image.
    pub const PIXELS: u64 = 6;
    /// Whose picture a raw image is.
    pub const RAW_FRAME_ID: u64 = 7;
    /// The file of a compressed image.
    pub const FILE: u64 = 2;
    /// The kind of file of a compressed image.
    pub const FORMAT: u64 = 3;
    /// Whose picture a compressed image is.
    pub const COMPRESSED_FRAME_ID: u64 = 4;
    /// The axes of a tensor.
    pub const SHAPE: u64 = 2;
    /// What the values of a tensor are.
    pub const DTYPE: u64 = 3;
    /// The values of a tensor.
    pub const VALUES: u64 = 4;
    /// The samples of sound, as programs play them.
    pub const PCM: u64 = 2;
    /// What these samples are.
    pub const PCM_FORMAT: u64 = 3;
    /// Samples of sound a second.
    pub const SAMPLE_RATE: u64 = 4;
    /// Channels of sound.
    pub const CHANNELS: u64 = 5;
    /// The samples of sound as they were, f32. A field of ours, beyond those that Foxglove has (up to 101).
    pub const SAMPLES: u64 = 1000;
}

/// A picture, pixel by pixel.
#[must_use]
pub fn raw_image() -> Schema {
    let fields = [
        ("timestamp", field::TIMESTAMP, MESSAGE),
        ("frame_id", field::RAW_FRAME_ID, STRING),
        ("width", field::WIDTH, FIXED32),
        ("height", field::HEIGHT, FIXED32),
        ("encoding", field::ENCODING, STRING),
        ("step", field::STEP, FIXED32),
        ("data", field::PIXELS, BYTES),
    ];
    protobuf("foxglove.RawImage", &fields)
}

/// A picture as a JPEG file.
#[must_use]
pub fn compressed_image() -> Schema {
    let fields = [
        ("timestamp", field::TIMESTAMP, MESSAGE),
        ("frame_id", field::COMPRESSED_FRAME_ID, STRING),
        ("data", field::FILE, BYTES),
        ("format", field::FORMAT, STRING),
    ];
    protobuf("foxglove.CompressedImage", &fields)
}

/// Sound: as Foxglove plays it, and beside that as it was.
#[must_use]
pub fn raw_audio() -> Schema {
    let fields = [
        ("timestamp", field::TIMESTAMP, MESSAGE),
        ("data", field::PCM, BYTES),
        ("format", field::PCM_FORMAT, STRING),
        ("sample_rate", field::SAMPLE_RATE, FIXED32),
        ("number_of_channels", field::CHANNELS, FIXED32),
        ("samples", field::SAMPLES, BYTES),
    ];
    protobuf("foxglove.RawAudio", &fields)
}

/// A latent, an embedding: numbers with a shape, little-endian.
#[must_use]
pub fn tensor() -> Schema {
    let fields = [
        ("timestamp", field::TIMESTAMP, MESSAGE),
        ("shape", field::SHAPE, INT64),
        ("dtype", field::DTYPE, STRING),
        ("data", field::VALUES, BYTES),
    ];
    protobuf("mirror.media.v1.Tensor", &fields)
}

/// A notice, as Foxglove's log panel shows it, with its metadata beside.
#[must_use]
pub fn log() -> Schema {
    let time = json!({"type": "object", "title": "time",
        "properties": {"sec": {"type": "integer", "minimum": 0}, "nsec": {"type": "integer", "minimum": 0}}});
    let schema = json!({"title": "foxglove.Log", "type": "object", "properties": {
        "timestamp": time, "level": {"type": "integer"}, "message": {"type": "string"}, "name": {"type": "string"},
        "file": {"type": "string"}, "line": {"type": "integer"}, "metadata": {"type": "object"}}});
    Schema { name: "foxglove.Log", encoding: "jsonschema", data: schema.to_string().into_bytes() }
}

/// The metadata of a message whose payload is on the topic beside it.
#[must_use]
pub fn stamp() -> Schema {
    let integers = json!({"type": "array", "items": {"type": "integer"}});
    let texts = json!({"type": "array", "items": {"type": "string"}});
    let schema = json!({"title": "mirror.media.v1.Stamp", "type": "object", "properties": {
        "stream": {"type": "string"}, "frame_id": {"type": "integer"}, "captured_ns": {"type": "integer"},
        "shape": integers, "trace_stages": texts, "trace_ns": integers, "trace_drops": integers,
        "prompt": {"type": "string"}, "pack": {"type": "string"}, "provider": {"type": "string"}}});
    Schema { name: "mirror.media.v1.Stamp", encoding: "jsonschema", data: schema.to_string().into_bytes() }
}

/// A text and its metadata: settings, a prompt.
#[must_use]
pub fn text() -> Schema {
    let schema = json!({"title": "mirror.media.v1.Text", "type": "object", "properties": {
        "metadata": {"type": "object"}, "text": {"type": "string"}, "values": {"type": "object"}}});
    Schema { name: "mirror.media.v1.Text", encoding: "jsonschema", data: schema.to_string().into_bytes() }
}

/// A `FileDescriptorSet` with one message, and with `google.protobuf.Timestamp` that its first field is.
fn protobuf(name: &'static str, fields: &[(&str, u64, i64)]) -> Schema {
    let seconds = [("seconds", 1, INT64), ("nanos", 2, INT32)];
    let timestamp = file("google/protobuf/timestamp.proto", "google.protobuf.Timestamp", &seconds, None);
    let path = format!("{}.proto", name.replace('.', "/"));
    let own = file(&path, name, fields, Some("google/protobuf/timestamp.proto"));
    let set = Message::default().message(1, &timestamp).message(1, &own);
    Schema { name, encoding: "protobuf", data: set.0 }
}

/// A `FileDescriptorProto`.
fn file(path: &str, full_name: &str, fields: &[(&str, u64, i64)], dependency: Option<&str>) -> Message {
    let (package, name) = full_name.rsplit_once('.').unwrap_or(("", full_name));
    let mut message = Message::default().text(1, name);
    for (name, number, kind) in fields {
        const OPTIONAL: i64 = 1;
        const REPEATED: i64 = 3;
        let label = if *name == "shape" { REPEATED } else { OPTIONAL };
        let number = i64::try_from(*number).unwrap_or(0);
        let mut field = Message::default().text(1, name).integer(3, number).integer(4, label).integer(5, *kind);
        if *kind == MESSAGE {
            field = field.text(6, ".google.protobuf.Timestamp");
        }
        message = message.message(2, &field);
    }
    let mut file = Message::default().text(1, path).text(2, package);
    if let Some(path) = dependency {
        file = file.text(3, path);
    }
    file.message(4, &message).text(12, "proto3")
}
