//! The ports.

use mirror_contract::{Frame, Latent, Message, Notice, Readiness, Settings, Taken};
use mirror_kit::node::{NOTICE, TAKEN};
use mirror_stage::READINESS;

/// The camera's pictures.
pub const FRAME: &str = "frame";
/// The pictures of a second camera, of another stream.
pub const FRAME_2: &str = "frame_2";
/// Visitors' pictures.
pub const FRAME_WEB: &str = "frame_web";
/// The settings of all streams.
pub const SETTINGS: &str = "settings";
/// The picture as the model sees it.
pub const SOURCE: &str = "source";
/// The picture in the latent space.
pub const LATENT: &str = "latent";
/// All inputs, with the types of their messages.
pub const INPUTS: &[(&str, &str)] = &[
    (FRAME, Frame::TYPE),
    (FRAME_2, Frame::TYPE),
    (FRAME_WEB, Frame::TYPE),
    (SETTINGS, Settings::TYPE),
    (TAKEN, Taken::TYPE),
];
/// All outputs, with the types of their messages.
pub const OUTPUTS: &[(&str, &str)] = &[
    (LATENT, Latent::TYPE),
    (SOURCE, Frame::TYPE),
    (TAKEN, Taken::TYPE),
    (READINESS, Readiness::TYPE),
    (NOTICE, Notice::TYPE),
];
