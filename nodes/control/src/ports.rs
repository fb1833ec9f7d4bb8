//! The ports: this node has more of them than its event loop has lines.

use mirror_contract::{Message, Notice, Prompt, Readiness, Settings, SettingsUpdate};
use mirror_kit::node::{NOTICE, TICK};

/// All inputs that a dataflow may give this node, with the types of their messages; the tick has none.
pub const INPUTS: &[(&str, &str)] = &[
    ("update_web", SettingsUpdate::TYPE),
    ("update_chat", SettingsUpdate::TYPE),
    ("update_recorder", SettingsUpdate::TYPE),
    ("prompt_voice", Prompt::TYPE),
    ("notice_camera", Notice::TYPE),
    ("notice_encoder", Notice::TYPE),
    ("notice_embed", Notice::TYPE),
    ("notice_diffusion", Notice::TYPE),
    ("notice_decoder", Notice::TYPE),
    ("notice_fused", Notice::TYPE),
    ("notice_operator", Notice::TYPE),
    ("notice_preprocess", Notice::TYPE),
    ("notice_postprocess", Notice::TYPE),
    ("notice_display", Notice::TYPE),
    ("notice_recorder", Notice::TYPE),
    ("notice_replay", Notice::TYPE),
    ("notice_tape", Notice::TYPE),
    ("notice_watch", Notice::TYPE),
    ("notice_web", Notice::TYPE),
    ("notice_microphone", Notice::TYPE),
    ("notice_vad", Notice::TYPE),
    ("notice_stt", Notice::TYPE),
    ("notice_rephrase", Notice::TYPE),
    ("readiness_encoder", Readiness::TYPE),
    ("readiness_embed", Readiness::TYPE),
    ("readiness_diffusion", Readiness::TYPE),
    ("readiness_decoder", Readiness::TYPE),
    ("readiness_fused", Readiness::TYPE),
    (TICK, ""),
];
/// The inputs on which somebody says what is to be painted: who follows.
pub const PROMPT: &str = "prompt_";
/// The inputs on which stages say that they have opened a pack, and cannot: the stage's name follows.
pub const READINESS: &str = "readiness_";
/// All settings of a stream, whenever one changes and at every tick.
pub const SETTINGS: &str = "settings";
/// All outputs, with the types of their messages.
pub const OUTPUTS: &[(&str, &str)] = &[(SETTINGS, Settings::TYPE), (NOTICE, Notice::TYPE)];
