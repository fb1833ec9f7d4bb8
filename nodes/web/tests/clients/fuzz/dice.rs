//! Numbers that are the same in every run, and good messages that are spoilt with them.

/// Marsaglia's xorshift, 64 bits, shifts 13, 7, 17.
pub struct Dice(u64);

impl Dice {
    /// Others for each seed, which is not 0.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.roll() % end.max(1) as u64).expect("small")
    }

    pub fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

/// Good messages of Real-Time LCM …
pub const REALTIME: &[&str] = &[
    r#"{"status":"next_frame"}"#,
    r#"{"prompt":"neon","seed":2159232,"steps":2,"width":512,"height":512,"strength":0.5,"guidance_scale":1.0}"#,
];
/// … of Live Diffusion …
pub const LIVE: &[&str] = &[
    r#"{"type":"settings","data":{"prompt":"neon","negativePrompt":"mud","denoisingStrength":0.5,"guidance":7.5,"steps":4,"seed":-1,"useRandomSeed":true}}"#,
    r#"{"type":"settings","data":{"settings":{"prompt":"neon","denoising_strength":0.5}}}"#,
    r#"{"type":"ping"}"#,
];
/// … of DreamStream …
pub const DREAM: &[&str] = &[
    r#"{"type":"ping"}"#,
    r#"{"type":"frame","frame":"data:image/jpeg;base64,/9j/4AAQSkZJRgABAQ=="}"#,
    r#"{"type":"update_prompt","prompt":"neon"}"#,
    r#"{"type":"update_processor","processor_type":"lightning"}"#,
    r#"{"type":"update_negative_prompt","negative_prompt":"mud"}"#,
    r#"{"type":"update_strength","strength":0.5}"#,
    r#"{"type":"get_processor_info"}"#,
    r#"{"type":"get_latest_frame"}"#,
    r#"{"type":"subscribe_to_processed_frames"}"#,
    r#"{"type":"unsubscribe_from_processed_frames"}"#,
    r#"{"type":"check_stream_status","streamId":"stream123"}"#,
    r#"{"type":"get_style_prompt"}"#,
    r#"{"type":"list_streams"}"#,
];
/// … and of the page. What ends a stream is in none of them: it would be sent all the time.
pub const PAGE: &[&str] = &[
    r#"{"type":"watch","stream":"house"}"#,
    r#"{"type":"open","stream":"anna","key":"secret"}"#,
    r#"{"type":"settings","values":{"prompt":"neon","strength":0.5}}"#,
    r#"{"type":"settings","values":{"strength":7}}"#,
    r#"{"type":"compare","on":true}"#,
    r#"{"type":"compare","on":false}"#,
];
/// All of them.
pub const GOOD: [&[&str]; 4] = [REALTIME, LIVE, DREAM, PAGE];

/// What does not belong there.
const ODD: &[&str] = &[
    "\u{0}",
    "\"",
    "{",
    "}",
    "[",
    "]",
    "\\",
    "\\u0000",
    "\\ud800",
    "1e999",
    "-0",
    "18446744073709551616",
    "null",
    "true",
    "\u{202e}",
    "𝕬",
    "𒀀",
    ",",
    ":",
    "data:",
    ";base64,",
    "/../../etc/passwd",
    "%00",
    "NaN",
    "\u{feff}",
    "{\"a\":",
    "[[[[[[[[",
];

/// Half of them of a protocol's own, the others of any.
fn good<'a>(dice: &mut Dice, own: &[&'a str]) -> &'a str {
    let any = GOOD[dice.below(GOOD.len())];
    if dice.below(2) == 0 { dice.pick(own) } else { dice.pick(any) }
}

/// A good message, a quarter of them as they are, the others spoilt. Few are long.
pub fn spoil(dice: &mut Dice, own: &[&str]) -> String {
    let mut text = good(dice, own).to_owned();
    for _ in 0..dice.below(4) {
        let mut at = dice.below(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        match dice.below(6) {
            0 => text.truncate(at),
            1 => text.insert_str(at, dice.pick(ODD)),
            2 => text = format!("{}{}", &text[..at], good(dice, own)),
            3 => text = text.replacen(dice.pick(&["0.5", "\"neon\"", "4", "true", "\"ping\""]), dice.pick(ODD), 1),
            4 => {
                let most = if dice.below(50) == 0 { 300 } else { 8 };
                text.insert_str(at, &dice.pick(ODD).repeat(dice.below(most)));
            }
            _ => text = text.chars().rev().collect(),
        }
    }
    text
}
