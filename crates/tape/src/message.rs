//! A message as it is recorded.

use arrow::array::{Array, AsArray, Float32Array, StringArray, UInt8Array};
use arrow::datatypes::{Float32Type, UInt8Type};
use dora_node_api::Parameter;
use eyre::{Result, bail};
use mirror_contract::{DoraArray, MetadataParameters, keys};

/// What a message holds besides its metadata.
#[derive(Debug, Clone, PartialEq)]
pub enum Payload {
    /// Bytes: pixels, or nothing at all.
    Bytes(Vec<u8>),
    /// Numbers: a latent, an embedding, sound.
    Floats(Vec<f32>),
    /// One text.
    Text(String),
}

/// A message of the graph, out of the shared memory of its sender.
#[derive(Debug, Clone, PartialEq)]
pub struct Taped {
    /// The node and its output: `camera/frame`.
    pub topic: String,
    /// When it came to the recording: nanoseconds since the Unix epoch.
    pub log_ns: i64,
    /// Its metadata.
    pub parameters: MetadataParameters,
    /// Its payload.
    pub payload: Payload,
}

impl Payload {
    /// Copies a payload.
    ///
    /// # Errors
    /// A type that no message of the mirror has, or one with holes.
    pub fn of(data: &DoraArray) -> Result<Self> {
        let array = data.as_array();
        if array.null_count() > 0 {
            bail!("the payload has {} nulls", array.null_count());
        }
        if let Some(bytes) = array.as_primitive_opt::<UInt8Type>() {
            return Ok(Self::Bytes(bytes.values().to_vec()));
        }
        if let Some(floats) = array.as_primitive_opt::<Float32Type>() {
            return Ok(Self::Floats(floats.values().to_vec()));
        }
        match array.as_string_opt::<i32>() {
            Some(texts) if texts.len() == 1 => Ok(Self::Text(texts.value(0).to_owned())),
            _ => bail!("a payload of {} × {} cannot be recorded", array.len(), array.data_type()),
        }
    }

    /// How many bytes a payload takes, before it is copied.
    #[must_use]
    pub fn size_of(data: &DoraArray) -> usize {
        data.as_array().get_buffer_memory_size()
    }

    /// The payload as dora sends it.
    #[must_use]
    pub fn into_array(self) -> DoraArray {
        match self {
            Self::Bytes(bytes) => DoraArray::from_array(UInt8Array::from(bytes)),
            Self::Floats(floats) => DoraArray::from_array(Float32Array::from(floats)),
            Self::Text(text) => DoraArray::from_array(StringArray::from(vec![text])),
        }
    }

    /// How many bytes it takes.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Floats(floats) => floats.len() * size_of::<f32>(),
            Self::Text(text) => text.len(),
        }
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Taped {
    /// Copies a message out of the shared memory.
    ///
    /// # Errors
    /// As [`Payload::of`].
    pub fn of(topic: &str, log_ns: i64, parameters: &MetadataParameters, data: &DoraArray) -> Result<Self> {
        let payload = Payload::of(data)?;
        Ok(Self { topic: topic.to_owned(), log_ns, parameters: parameters.clone(), payload })
    }

    /// The last part of its topic, the port that it was sent on: `frame`.
    #[must_use]
    pub fn port(&self) -> &str {
        self.topic.rsplit('/').next().unwrap_or(&self.topic)
    }

    /// An integer of its metadata.
    #[must_use]
    pub fn integer(&self, key: &str) -> Option<i64> {
        match self.parameters.get(key) {
            Some(Parameter::Integer(value)) => Some(*value),
            _ => None,
        }
    }

    /// A text of its metadata.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.parameters.get(key) {
            Some(Parameter::String(value)) => Some(value),
            _ => None,
        }
    }

    /// The number of the frame that it is or was made from.
    #[must_use]
    pub fn frame_id(&self) -> Option<i64> {
        self.integer(keys::FRAME_ID)
    }

    /// When what it is about was captured; without that, when it came.
    #[must_use]
    pub fn captured_ns(&self) -> i64 {
        self.integer(keys::CAPTURED_NS).unwrap_or(self.log_ns)
    }

    /// The sizes of the axes that its metadata name.
    #[must_use]
    pub fn shape(&self) -> &[i64] {
        match self.parameters.get(keys::SHAPE) {
            Some(Parameter::ListInt(axes)) => axes,
            _ => &[],
        }
    }

    /// Rows and columns, if its bytes are the pixels of a picture: `[height, width, 3]` u8, RGB.
    #[must_use]
    pub fn picture(&self) -> Option<[usize; 2]> {
        let (Payload::Bytes(bytes), [height, width, 3]) = (&self.payload, self.shape()) else { return None };
        let axes = [usize::try_from(*height).ok()?, usize::try_from(*width).ok()?];
        (!bytes.is_empty() && axes[0].checked_mul(axes[1])?.checked_mul(3)? == bytes.len()).then_some(axes)
    }
}
