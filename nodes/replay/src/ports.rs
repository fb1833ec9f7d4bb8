//! The ports: this node has more of them than its event loop has lines.

use mirror_contract::{Audio, Embedding, Frame, Latent, Message, Notice, Prompt, Settings, SettingsUpdate, Taken};
use mirror_kit::node::NOTICE;

/// The settings of a graph that chooses its own; and those that go out.
pub const SETTINGS: &str = "settings";
/// Says that a picture is painted and sent on.
pub const FINISHED: &str = "finished";
/// The camera's pictures.
pub const FRAME: &str = "frame";
/// What is painted, as the encoder has cropped it: a painting is laid over it.
pub const SOURCE: &str = "source";
/// The same in the latent space.
pub const LATENT: &str = "latent";
/// Painted, and still there.
pub const DENOISED: &str = "denoised";
/// All inputs, with the types of their messages.
pub const INPUTS: &[(&str, &str)] = &[(SETTINGS, Settings::TYPE), (FINISHED, Taken::TYPE)];
/// All outputs, with the types of their messages: a graph connects those that it wants played.
pub const OUTPUTS: &[(&str, &str)] = &[
    (FRAME, Frame::TYPE),
    (SOURCE, Frame::TYPE),
    ("picture", Frame::TYPE),
    (LATENT, Latent::TYPE),
    (DENOISED, Latent::TYPE),
    ("embedding", Embedding::TYPE),
    ("sound", Audio::TYPE),
    ("utterance", Audio::TYPE),
    ("prompt", Prompt::TYPE),
    (SETTINGS, Settings::TYPE),
    ("update", SettingsUpdate::TYPE),
    (NOTICE, Notice::TYPE),
];
