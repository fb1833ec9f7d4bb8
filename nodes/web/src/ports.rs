//! The ports: this node has more of them than its event loop has lines.

use mirror_contract::{Audio, Frame, Message, Notice, Prompt, Settings, SettingsUpdate, Taken, Wanted};
use mirror_kit::node::{NOTICE, TAKEN, TICK};

/// Pictures to be shown, of all streams.
pub const PICTURE: &str = "picture";
/// All settings, from `control`.
pub const SETTINGS: &str = "settings";
/// What was heard, in words.
pub const PROMPT: &str = "prompt";
/// What is to be changed.
pub const UPDATE: &str = "update";
/// Visitors' pictures.
pub const FRAME: &str = "frame";
/// Visitors' voices.
pub const SOUND: &str = "sound";
/// The pictures that a camera's paintings are made from, while somebody compares.
pub const BEFORE: &str = "before";
/// Somebody compares.
pub const WANTED: &str = "wanted";
/// Who asks, in updates and in the notices that answer them.
pub const ORIGIN: &str = "web";
/// All inputs, with the types of their messages; the tick has none.
pub const INPUTS: &[(&str, &str)] = &[
    (PICTURE, Frame::TYPE),
    (TAKEN, Taken::TYPE),
    (BEFORE, Frame::TYPE),
    (SETTINGS, Settings::TYPE),
    (PROMPT, Prompt::TYPE),
    (NOTICE, Notice::TYPE),
    (TICK, ""),
];
/// All outputs, with the types of their messages.
pub const OUTPUTS: &[(&str, &str)] = &[
    (FRAME, Frame::TYPE),
    (SOUND, Audio::TYPE),
    (WANTED, Wanted::TYPE),
    (UPDATE, SettingsUpdate::TYPE),
    (NOTICE, Notice::TYPE),
];
