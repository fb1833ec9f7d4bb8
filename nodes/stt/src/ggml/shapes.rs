//! The tensors of a whisper model: their names, shapes and types.

use super::Header;

/// How values are stored. The numbers are ggml's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// 32-bit floats.
    F32,
    /// 16-bit floats.
    F16,
    /// Quantised in blocks: ggml's number, values in a block, bytes of a block.
    Blocks(i32, u64, u64),
}

impl Type {
    /// The type of the matrices of a file (`ggml_ftype`), if whisper.cpp takes it.
    #[must_use]
    pub fn of_file(file_type: i32) -> Option<Self> {
        Some(match file_type {
            // 0 is F32, whose convolutions whisper.cpp ends the process over.
            1 => Self::F16,
            // ggml-common.h: block_q4_0, block_q4_1 …
            2 => Self::Blocks(2, 32, 18),
            3 => Self::Blocks(3, 32, 20),
            7 => Self::Blocks(8, 32, 34),
            8 => Self::Blocks(6, 32, 22),
            9 => Self::Blocks(7, 32, 24),
            10 => Self::Blocks(10, 256, 84),
            11 => Self::Blocks(11, 256, 110),
            12 => Self::Blocks(12, 256, 144),
            13 => Self::Blocks(13, 256, 176),
            14 => Self::Blocks(14, 256, 210),
            _ => return None,
        })
    }

    /// ggml's number.
    #[must_use]
    pub fn number(self) -> i32 {
        match self {
            Self::F32 => 0,
            Self::F16 => 1,
            Self::Blocks(number, ..) => number,
        }
    }

    /// Bytes of a tensor; `None` if its rows do not split into blocks.
    #[must_use]
    pub fn bytes(self, shape: [i32; 4]) -> Option<u64> {
        let count = shape.iter().try_fold(1_u64, |product, axis| product.checked_mul(u64::try_from(*axis).ok()?))?;
        match self {
            Self::F32 => count.checked_mul(4),
            Self::F16 => count.checked_mul(2),
            Self::Blocks(_, values, bytes) => {
                u64::try_from(shape[0]).ok()?.is_multiple_of(values).then_some(())?;
                (count / values).checked_mul(bytes)
            }
        }
    }

    /// Whether whole floats are numbers; what is quantised is not looked into.
    #[must_use]
    pub fn are_numbers(self, bytes: &[u8]) -> bool {
        match self {
            Self::F32 => bytes
                .chunks_exact(4)
                .all(|four| u32::from_le_bytes([four[0], four[1], four[2], four[3]]) & 0x7f80_0000 != 0x7f80_0000),
            Self::F16 => bytes.chunks_exact(2).all(|two| u16::from_le_bytes([two[0], two[1]]) & 0x7c00 != 0x7c00),
            Self::Blocks(..) => true,
        }
    }
}

/// The tensors that a model of some size has.
#[derive(Debug, Clone, Copy)]
pub struct Shapes {
    header: Header,
    matrices: Type,
}

/// Names of a layer's tensors, and how they are: `.bias` and `.weight` of a norm or of a matrix.
#[derive(Debug, Clone, Copy)]
enum Part {
    Vector,
    Wide,
    Square,
    Up,
    Down,
}

impl Shapes {
    /// Those of a model with that header, and matrices of that type.
    #[must_use]
    pub fn of(header: &Header, matrices: Type) -> Self {
        Self { header: *header, matrices }
    }

    /// How many there are: 7 and 15 a layer in the encoder, 4 and 24 a layer in the decoder.
    #[must_use]
    pub fn count(&self) -> usize {
        let layers = |count: i32| usize::try_from(count).unwrap_or(0);
        7 + 15 * layers(self.header.audio_layers) + 4 + 24 * layers(self.header.text_layers)
    }

    /// Type and axes of a tensor, the fastest axis first; `None` if no whisper model has it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<(Type, [i32; 4])> {
        let Header { audio_width: width, positions, mel_bands, tokens, vocabulary, .. } = self.header;
        // Convolutions are never quantised.
        let kernel = Type::F16;
        Some(match name {
            "encoder.positional_embedding" => (Type::F32, [width, positions, 1, 1]),
            "encoder.conv1.weight" => (kernel, [3, mel_bands, width, 1]),
            "encoder.conv2.weight" => (kernel, [3, width, width, 1]),
            "encoder.conv1.bias" | "encoder.conv2.bias" => (Type::F32, [1, width, 1, 1]),
            "decoder.positional_embedding" => (Type::F32, [width, tokens, 1, 1]),
            "decoder.token_embedding.weight" => (self.matrices, [width, vocabulary, 1, 1]),
            "encoder.ln_post.weight" | "encoder.ln_post.bias" | "decoder.ln.weight" | "decoder.ln.bias" => {
                (Type::F32, [width, 1, 1, 1])
            }
            _ => self.of_layer(name)?,
        })
    }

    fn of_layer(&self, name: &str) -> Option<(Type, [i32; 4])> {
        let (side, rest) = name.split_once(".blocks.")?;
        let (number, part) = rest.split_once('.')?;
        let layers = match side {
            "encoder" => self.header.audio_layers,
            "decoder" => self.header.text_layers,
            _ => return None,
        };
        let index: i32 = number.parse().ok()?;
        // As whisper.cpp writes it: "+1" or "01" would be another name there.
        if !(0..layers).contains(&index) || number != index.to_string() {
            return None;
        }
        let part = match part.strip_prefix("cross_") {
            Some(part) if side == "decoder" && part.starts_with("attn") => part,
            Some(_) => return None,
            None => part,
        };
        let part = match part {
            "mlp_ln.weight" | "mlp_ln.bias" | "attn_ln.weight" | "attn_ln.bias" | "mlp.2.bias" | "attn.query.bias"
            | "attn.value.bias" | "attn.out.bias" => Part::Vector,
            "mlp.0.bias" => Part::Wide,
            "mlp.0.weight" => Part::Up,
            "mlp.2.weight" => Part::Down,
            "attn.query.weight" | "attn.key.weight" | "attn.value.weight" | "attn.out.weight" => Part::Square,
            _ => return None,
        };
        let width = self.header.audio_width;
        Some(match part {
            Part::Vector => (Type::F32, [width, 1, 1, 1]),
            Part::Wide => (Type::F32, [4 * width, 1, 1, 1]),
            Part::Square => (self.matrices, [width, width, 1, 1]),
            Part::Up => (self.matrices, [width, 4 * width, 1, 1]),
            Part::Down => (self.matrices, [4 * width, width, 1, 1]),
        })
    }
}
