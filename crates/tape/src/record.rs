//! A message ⇄ the records of a file.
//!
//! | payload | on the topic itself | on `<topic>/stamp` |
//! |---|---|---|
//! | pixels | `foxglove.RawImage`, or `foxglove.CompressedImage` | metadata, JSON |
//! | sound | `foxglove.RawAudio`, and its samples bit for bit in a field more | metadata, JSON |
//! | other numbers, other bytes | `mirror.media.v1.Tensor` | metadata, JSON |
//! | a notice | `foxglove.Log`, JSON, with the metadata | |
//! | another text | JSON: metadata, and the text or the values that it is JSON of | |

use crate::message::{Payload, Taped};
use crate::parameters;
use crate::proto::{Message, bytes_of};
use crate::schema::{self, Schema, field};
use eyre::{Result, WrapErr, bail, eyre};
use mirror_contract::keys;
use serde_json::{Map, Value, json};
use turbojpeg::{Image, PixelFormat, Subsamp};

/// What follows a topic's name where its metadata are.
pub const STAMP: &str = "/stamp";
/// Quality of recorded JPEG files, 1 to 100: what differs from the picture is below what a screen shows at arm's length.
const QUALITY: i32 = 92;

/// How pictures are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pictures {
    /// As JPEG: about a tenth of the bytes. What comes back looks the same, but is not the same.
    Jpeg,
    /// As they are.
    Raw,
}

/// One record of a file.
pub struct Record {
    /// What follows the message's own topic: nothing, or [`STAMP`].
    pub suffix: &'static str,
    /// `protobuf` or `json`.
    pub encoding: &'static str,
    /// Its schema, made when it is needed.
    pub schema: fn() -> Schema,
    /// The record.
    pub data: Vec<u8>,
}

const JSON: &str = "json";
const PROTOBUF: &str = "protobuf";

/// The records of a message, in the order in which they are written.
///
/// # Errors
/// Metadata that cannot be written; a picture that JPEG cannot hold.
pub fn records(taped: &Taped, pictures: Pictures) -> Result<Vec<Record>> {
    let metadata = parameters::to_json(&taped.parameters)?;
    let record = |suffix, encoding, schema, data| Record { suffix, encoding, schema, data };
    let (schema, data): (fn() -> Schema, _) = match (&taped.payload, taped.picture()) {
        (Payload::Text(text), _) => {
            let (schema, object): (fn() -> Schema, _) = match taped.text(keys::LEVEL) {
                Some(level) => (schema::log, log(taped, level, text, &metadata)),
                None => (schema::text, words(text, &metadata)),
            };
            return Ok(vec![record("", JSON, schema, object.to_string().into_bytes())]);
        }
        (Payload::Bytes(pixels), Some(shape)) => match pictures {
            Pictures::Raw => (schema::raw_image, raw_image(taped, pixels, shape)?),
            Pictures::Jpeg => (schema::compressed_image, compressed_image(taped, pixels, shape)?),
        },
        (Payload::Bytes(bytes), None) => (schema::tensor, tensor(taped, "uint8", bytes)),
        (Payload::Floats(floats), _) => {
            let bytes: Vec<u8> = floats.iter().flat_map(|value| value.to_le_bytes()).collect();
            match taped.integer(keys::SAMPLE_RATE_HZ) {
                Some(rate_hz) => (schema::raw_audio, raw_audio(taped, floats, rate_hz, &bytes)?),
                None => (schema::tensor, tensor(taped, "float32", &bytes)),
            }
        }
    };
    let stamp = Value::Object(metadata).to_string().into_bytes();
    Ok(vec![record(STAMP, JSON, schema::stamp, stamp), record("", PROTOBUF, schema, data)])
}

fn raw_image(taped: &Taped, pixels: &[u8], [height, width]: [usize; 2]) -> Result<Vec<u8>> {
    let [height, width] = [u32::try_from(height)?, u32::try_from(width)?];
    let step = width.checked_mul(3).ok_or_else(|| eyre!("a picture of {width} columns cannot be recorded"))?;
    let message = Message::with_capacity(pixels.len() + 128).timestamp(field::TIMESTAMP, taped.captured_ns());
    let message = message.text(field::RAW_FRAME_ID, taped.text(keys::STREAM).unwrap_or_default());
    let message = message.fixed32(field::WIDTH, width).fixed32(field::HEIGHT, height);
    Ok(message.text(field::ENCODING, "rgb8").fixed32(field::STEP, step).bytes(field::PIXELS, pixels).0)
}

fn compressed_image(taped: &Taped, pixels: &[u8], [height, width]: [usize; 2]) -> Result<Vec<u8>> {
    let image = Image { pixels, width, pitch: width * 3, height, format: PixelFormat::RGB };
    let file = turbojpeg::compress(image, QUALITY, Subsamp::Sub2x2).wrap_err("a picture does not become JPEG")?;
    let message = Message::with_capacity(file.len() + 128).timestamp(field::TIMESTAMP, taped.captured_ns());
    let message = message.text(field::COMPRESSED_FRAME_ID, taped.text(keys::STREAM).unwrap_or_default());
    Ok(message.bytes(field::FILE, &file).text(field::FORMAT, "jpeg").0)
}

/// Foxglove plays whole numbers of sixteen bits, and the mirror has samples of 32: both are written.
fn raw_audio(taped: &Taped, samples: &[f32], rate_hz: i64, bytes: &[u8]) -> Result<Vec<u8>> {
    const CHANNELS: u32 = 1;
    let rate_hz = u32::try_from(rate_hz).wrap_err("a rate of samples that cannot be recorded")?;
    let whole = |sample: &f32| (sample.clamp(-1.0, 1.0) * f32::from(i16::MAX)).round() as i16;
    let pcm: Vec<u8> = samples.iter().flat_map(|sample| whole(sample).to_le_bytes()).collect();
    let message = Message::with_capacity(pcm.len() + bytes.len() + 64).timestamp(field::TIMESTAMP, taped.captured_ns());
    let message = message.bytes(field::PCM, &pcm).text(field::PCM_FORMAT, "pcm-s16");
    let message = message.fixed32(field::SAMPLE_RATE, rate_hz).fixed32(field::CHANNELS, CHANNELS);
    Ok(message.bytes(field::SAMPLES, bytes).0)
}

fn tensor(taped: &Taped, dtype: &str, bytes: &[u8]) -> Vec<u8> {
    let message = Message::with_capacity(bytes.len() + 128).timestamp(field::TIMESTAMP, taped.captured_ns());
    message.integers(field::SHAPE, taped.shape()).text(field::DTYPE, dtype).bytes(field::VALUES, bytes).0
}

/// Foxglove's levels: 2 is information, 3 a warning, 4 an error.
fn log(taped: &Taped, level: &str, text: &str, metadata: &Map<String, Value>) -> Value {
    let level = match level {
        "error" => 4,
        "warning" => 3,
        _ => 2,
    };
    let ns = taped.log_ns.max(0);
    let time = json!({"sec": ns / 1_000_000_000, "nsec": ns % 1_000_000_000});
    let name = taped.text(keys::ORIGIN).unwrap_or_default();
    json!({"timestamp": time, "level": level, "message": text, "name": name, "file": taped.topic, "line": 0, "metadata": metadata})
}

/// A text that is JSON is written as such, where that loses nothing.
fn words(text: &str, metadata: &Map<String, Value>) -> Value {
    match serde_json::from_str::<Value>(text) {
        Ok(values) if values.is_object() && serde_json::to_string(&values).is_ok_and(|again| again == text) => {
            json!({"metadata": metadata, "values": values})
        }
        _ => json!({"metadata": metadata, "text": text}),
    }
}

/// The message of a text's record.
///
/// # Errors
/// It is not one that [`records`] writes.
pub fn of_text(topic: &str, log_ns: i64, data: &[u8]) -> Result<Taped> {
    let Value::Object(mut object) = serde_json::from_slice(data).wrap_err("it is not JSON")? else {
        bail!("it is not a JSON object")
    };
    let text = match (object.remove("values"), object.get("text").or_else(|| object.get("message"))) {
        (Some(values), _) => values.to_string(),
        (None, Some(Value::String(text))) => text.clone(),
        _ => bail!("it has neither a text nor values"),
    };
    let Some(Value::Object(metadata)) = object.get("metadata") else { bail!("it has no metadata") };
    let parameters = parameters::from_json(metadata)?;
    Ok(Taped { topic: topic.to_owned(), log_ns, parameters, payload: Payload::Text(text) })
}

fn floats(bytes: &[u8]) -> Result<Payload> {
    let (values, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        bail!("{} bytes are not 32-bit floats", bytes.len());
    }
    Ok(Payload::Floats(values.iter().map(|value| f32::from_le_bytes(*value)).collect()))
}

/// The message of a payload's record and of the stamp beside it.
///
/// # Errors
/// They are not what [`records`] writes.
pub fn of_stamped(topic: &str, log_ns: i64, stamp: &[u8], schema: &str, data: &[u8]) -> Result<Taped> {
    let Value::Object(metadata) = serde_json::from_slice(stamp).wrap_err("its stamp is not JSON")? else {
        bail!("its stamp is not a JSON object")
    };
    let payload = match schema {
        "foxglove.RawImage" => Payload::Bytes(bytes_of(data, field::PIXELS)?.to_vec()),
        "foxglove.CompressedImage" => {
            let file = bytes_of(data, field::FILE)?;
            Payload::Bytes(turbojpeg::decompress(file, PixelFormat::RGB).wrap_err("its JPEG cannot be read")?.pixels)
        }
        "foxglove.RawAudio" => floats(bytes_of(data, field::SAMPLES)?)?,
        "mirror.media.v1.Tensor" => {
            let bytes = bytes_of(data, field::VALUES)?;
            match bytes_of(data, field::DTYPE)? {
                b"uint8" => Payload::Bytes(bytes.to_vec()),
                b"float32" => floats(bytes)?,
                _ => bail!("a tensor of a type that no message has"),
            }
        }
        other => bail!("its schema {other:?} is none that Mirror writes"),
    };
    let parameters = parameters::from_json(&metadata)?;
    Ok(Taped { topic: topic.to_owned(), log_ns, parameters, payload })
}
