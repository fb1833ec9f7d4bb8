//! The names of all metadata keys, in one place.
//!
//! Units are suffixed. dora reserves `request_id`, `goal_*`, `session_id`, `segment_id`, `seq`, `fin`, `flush`,
//! `open_telemetry_context` and everything that starts with an underscore.

/// Which camera or visitor this belongs to: text.
pub const STREAM: &str = "stream";
/// Counts the frames of a stream from 0: integer.
pub const FRAME_ID: &str = "frame_id";
/// When the camera took the frame: integer, nanoseconds since the Unix epoch.
pub const CAPTURED_NS: &str = "captured_ns";
/// Sizes of the tensor's axes, outermost first: list of integers.
pub const SHAPE: &str = "shape";
/// Sizes of the axes of an embedding's pooled part: list of integers; not there where a pack has none.
pub const POOLED_SHAPE: &str = "pooled_shape";
/// The stages that a frame went through: list of texts.
pub const TRACE_STAGES: &str = "trace_stages";
/// Received and sent time of each stage in turn: list of integers, nanoseconds since the Unix epoch.
pub const TRACE_NS: &str = "trace_ns";
/// How many messages each stage has dropped since it started: list of integers.
pub const TRACE_DROPS: &str = "trace_drops";
/// The prompt that a picture was painted with: text.
pub const PROMPT: &str = "prompt";
/// The negative prompt of an embedding: text.
pub const NEGATIVE_PROMPT: &str = "negative_prompt";
/// The pack that painted, or whose text encoder made an embedding: text.
pub const PACK: &str = "pack";
/// The pack whose latent space a latent lies in: text.
pub const LATENT_PACK: &str = "latent_pack";
/// The pack that a stream will be painted with once all stages have opened it: text, empty if it stays with its pack.
pub const NEXT_PACK: &str = "next_pack";
/// The ONNX Runtime execution provider that ran it: text.
pub const PROVIDER: &str = "provider";
/// Whether the picture is the camera's own: boolean.
pub const PASSTHROUGH: &str = "passthrough";
/// Version of the settings: integer, rising.
pub const VERSION: &str = "version";
/// Where a text or an update came from (`chat`, `web`, `voice`): text.
pub const ORIGIN: &str = "origin";
/// How serious a notice is (`info`, `warning`, `error`): text.
pub const LEVEL: &str = "level";
/// Samples a second: integer.
pub const SAMPLE_RATE_HZ: &str = "sample_rate_hz";
/// What the camera reads a frame from, for people (`film clip.mp4, 30.000 fps`): text; not there where nobody says.
pub const SOURCE: &str = "source";
