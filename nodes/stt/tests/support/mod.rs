//! A whisper model of random weights, in the format that whisper.cpp reads: tiny, and good for nothing but running.

use std::f32::consts::TAU;

/// Sizes of the model.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    pub vocabulary: i32,
    pub positions: i32,
    pub width: i32,
    pub heads: i32,
    pub layers: i32,
    /// `ggml_ftype`: 1 f16, 7 q8_0, 9 q5_1.
    pub file_type: i32,
    /// It hears that nobody speaks, whatever it hears: the logit of that token is 64. For f16 alone.
    pub is_deaf: bool,
}

pub const TINY: Sizes =
    Sizes { vocabulary: 51_864, positions: 1500, width: 32, heads: 2, layers: 1, file_type: 1, is_deaf: false };

/// The token of an English model that says that nobody speaks.
const NO_SPEECH: usize = 50_361;

/// Writes what whisper.cpp 1.8 reads: see `stt::ggml`.
pub struct Writer {
    pub bytes: Vec<u8>,
    seed: u32,
    sizes: Sizes,
}

impl Writer {
    fn i32(&mut self, value: i32) {
        self.bytes.extend(value.to_le_bytes());
    }

    /// Random, −1 to 1.
    fn random(&mut self) -> f32 {
        self.seed = self.seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.seed >> 8) as f32 / (1 << 23) as f32 - 1.0
    }

    fn tensor(&mut self, name: &str, axes: &[i32], matrix: bool, base: f32) {
        let kernel = name.contains("conv") && name.ends_with("weight");
        let kind = match (matrix, kernel, self.sizes.file_type) {
            (true, _, 9) => 7,
            (true, _, 7) => 8,
            (true, ..) | (_, true, _) => 1,
            _ => 0,
        };
        self.i32(axes.len() as i32);
        self.i32(name.len() as i32);
        self.i32(kind);
        axes.iter().for_each(|axis| self.i32(*axis));
        self.bytes.extend(name.as_bytes());
        let count = axes.iter().product::<i32>();
        let scale = 0.3 / (axes[0] as f32).sqrt();
        match kind {
            0 => (0..count).for_each(|_| {
                let value = base + scale * self.random();
                self.bytes.extend(value.to_le_bytes());
            }),
            1 => (0..count).for_each(|_| {
                let value = half(scale * self.random());
                self.bytes.extend(value.to_le_bytes());
            }),
            // q8_0: a scale as f16, and 32 bytes.
            8 => (0..count / 32).for_each(|_| {
                self.bytes.extend(half(scale / 127.0).to_le_bytes());
                (0..32).for_each(|_| {
                    let byte = (self.random() * 127.0) as i8 as u8;
                    self.bytes.push(byte);
                });
            }),
            // q5_1: scale and least value as f16, 4 bytes of fifth bits, 16 of the other four.
            _ => (0..count / 32).for_each(|_| {
                self.bytes.extend(half(scale / 16.0).to_le_bytes());
                self.bytes.extend(half(-scale).to_le_bytes());
                (0..20).for_each(|_| {
                    let byte = (self.random() * 127.0) as i8 as u8;
                    self.bytes.push(byte);
                });
            }),
        }
    }

    fn norm(&mut self, name: &str) {
        self.tensor(&format!("{name}.weight"), &[self.sizes.width], false, 1.0);
        self.tensor(&format!("{name}.bias"), &[self.sizes.width], false, 0.0);
    }

    fn linear(&mut self, name: &str, axes: [i32; 2], bias: bool) {
        self.tensor(&format!("{name}.weight"), &axes, true, 0.0);
        if bias {
            self.tensor(&format!("{name}.bias"), &axes[1..], false, 0.0);
        }
    }

    fn attention(&mut self, name: &str) {
        let square = [self.sizes.width; 2];
        for (part, bias) in [("query", true), ("key", false), ("value", true), ("out", true)] {
            self.linear(&format!("{name}.{part}"), square, bias);
        }
    }

    fn block(&mut self, name: &str, cross: bool) {
        let width = self.sizes.width;
        self.norm(&format!("{name}.attn_ln"));
        self.attention(&format!("{name}.attn"));
        if cross {
            self.norm(&format!("{name}.cross_attn_ln"));
            self.attention(&format!("{name}.cross_attn"));
        }
        self.norm(&format!("{name}.mlp_ln"));
        self.linear(&format!("{name}.mlp.0"), [width, 4 * width], true);
        self.linear(&format!("{name}.mlp.2"), [4 * width, width], true);
    }
}

/// The whole file of a random model.
pub fn model(sizes: Sizes) -> Vec<u8> {
    let Sizes { vocabulary, positions, width, heads, layers, file_type, is_deaf } = sizes;
    let mut to = Writer { bytes: Vec::new(), seed: 7, sizes };
    to.bytes.extend(0x6767_6d6c_u32.to_le_bytes());
    for value in [vocabulary, positions, width, heads, layers, 448, width, heads, layers, 80, file_type] {
        to.i32(value);
    }
    [80, 201].into_iter().for_each(|value| to.i32(value));
    for band in 0..80 {
        for frequency in 0..201 {
            let value = (-((frequency as f32 - 2.5 * band as f32) / 3.0).powi(2)).exp();
            to.bytes.extend(value.to_le_bytes());
        }
    }
    // Words of letters for the ordinary tokens; the special ones have no text of their own.
    to.i32(50_257);
    for word in 0..50_257_u32 {
        // The first one is the space, which whisper.cpp looks for.
        let text = if word == 0 { " ".to_owned() } else { format!(" {word:x}") };
        to.i32(text.len() as i32);
        to.bytes.extend(text.as_bytes());
    }
    to.tensor("encoder.positional_embedding", &[width, positions], false, 0.0);
    to.tensor("encoder.conv1.weight", &[3, 80, width], false, 0.0);
    to.tensor("encoder.conv1.bias", &[1, width], false, 0.0);
    to.tensor("encoder.conv2.weight", &[3, width, width], false, 0.0);
    to.tensor("encoder.conv2.bias", &[1, width], false, 0.0);
    (0..layers).for_each(|layer| to.block(&format!("encoder.blocks.{layer}"), false));
    to.norm("encoder.ln_post");
    to.tensor("decoder.positional_embedding", &[width, 448], false, 0.0);
    to.tensor("decoder.token_embedding.weight", &[width, vocabulary], true, 0.0);
    if is_deaf {
        let row = 2 * width as usize;
        let start = to.bytes.len() - row * (vocabulary as usize - NO_SPEECH);
        to.bytes[start..start + row].copy_from_slice(&half(2.0).to_le_bytes().repeat(width as usize));
    }
    (0..layers).for_each(|layer| to.block(&format!("decoder.blocks.{layer}"), true));
    // Of a deaf one every logit is the sum of its row.
    to.tensor("decoder.ln.weight", &[width], false, if is_deaf { 0.0 } else { 1.0 });
    to.tensor("decoder.ln.bias", &[width], false, if is_deaf { 1.0 } else { 0.0 });
    to.bytes
}

/// A number as 16-bit float, cut off; good for what is between 2^-14 and 2^15 and for 0.
fn half(value: f32) -> u16 {
    let bits = value.to_bits();
    let exponent = ((bits >> 23) & 0xff) as i32 - 127 + 15;
    let sign = ((bits >> 16) & 0x8000) as u16;
    if exponent <= 0 { sign } else { sign | (exponent as u16) << 10 | ((bits >> 13) & 0x3ff) as u16 }
}

/// Two seconds of a voice-like sound.
#[allow(dead_code, reason = "not every test hears something")]
pub fn sound() -> Vec<f32> {
    let voice = |at: usize| {
        let time = at as f32 / 16_000.0;
        0.2 * (TAU * 150.0 * time).sin() * (TAU * 3.0 * time).sin() + 0.1 * (TAU * 1200.0 * time).sin()
    };
    (0..32_000).map(voice).collect()
}
