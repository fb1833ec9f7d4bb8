//! The ports.

use mirror_contract::{Frame, Latent, Message, Notice, Readiness, Settings, Taken, Wanted};
use mirror_kit::node::{FINISHED, NOTICE, TAKEN};
use mirror_stage::READINESS;

/// The camera's pictures.
pub const FRAME: &str = "frame";
/// The pictures of a second camera, of another stream.
pub const FRAME_2: &str = "frame_2";
/// Visitors' pictures.
pub const FRAME_WEB: &str = "frame_web";
/// The settings of all streams.
pub const SETTINGS: &str = "settings";
/// Somebody looks at a stream's source pictures.
pub const WANTED: &str = "wanted";
/// The source pictures of streams at which somebody looks. Others are not sent here.
pub const BEFORE: &str = "before";
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
    (FINISHED, Latent::TYPE),
    (WANTED, Wanted::TYPE),
];
/// All outputs, with the types of their messages.
pub const OUTPUTS: &[(&str, &str)] = &[
    (LATENT, Latent::TYPE),
    (SOURCE, Frame::TYPE),
    (BEFORE, Frame::TYPE),
    (TAKEN, Taken::TYPE),
    (READINESS, Readiness::TYPE),
    (NOTICE, Notice::TYPE),
];
