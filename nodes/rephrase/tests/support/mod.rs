//! A language model of random weights in GGUF: of the architecture `llama`, with a vocabulary of bytes. It runs, and says
//! nothing.

/// A value of the head.
#[derive(Debug, Clone)]
pub enum Value {
    Number(u32),
    Fraction(f32),
    Switch(bool),
    Text(String),
    Texts(Vec<String>),
    Numbers(Vec<i32>),
}

/// A model before it is written: what a test changes in it.
#[derive(Debug, Clone)]
pub struct Model {
    pub values: Vec<(String, Value)>,
    pub tensors: Vec<(String, Vec<u64>)>,
}

const WIDTH: u32 = 32;
const LAYERS: u32 = 2;
const HEADS: u32 = 2;
/// Width between the layers.
const BETWEEN: u32 = 64;
/// Tokens to look back on.
const CONTEXT: u32 = 512;
/// Special tokens after the 256 bytes.
const SPECIAL: [&str; 3] = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"];

/// The letter that stands for a byte in vocabularies of GPT-2: itself, or one beyond 255.
fn letter(byte: u32) -> char {
    let shown = |byte: u32| (33..=126).contains(&byte) || (161..=172).contains(&byte) || (174..=255).contains(&byte);
    let code = if shown(byte) { byte } else { 256 + (0..byte).filter(|other| !shown(*other)).count() as u32 };
    char::from_u32(code).expect("a letter")
}

/// A model of that many values and tensors; `template` as it is, or none.
pub fn model(template: Option<&str>) -> Model {
    let text = |text: &str| Value::Text(text.to_owned());
    let mut tokens: Vec<String> = (0..256).map(|byte| letter(byte).to_string()).collect();
    tokens.extend(["he", "th"].map(str::to_owned));
    let normal = tokens.len();
    tokens.extend(SPECIAL.map(str::to_owned));
    let kinds = (0..tokens.len()).map(|at| if at < normal { 1 } else { 3 }).collect();
    let special = |index: usize| Value::Number((normal + index) as u32);
    let vocabulary = tokens.len() as u64;
    let mut values: Vec<(String, Value)> = [
        ("general.architecture", text("llama")),
        ("llama.context_length", Value::Number(CONTEXT)),
        ("llama.embedding_length", Value::Number(WIDTH)),
        ("llama.block_count", Value::Number(LAYERS)),
        ("llama.feed_forward_length", Value::Number(BETWEEN)),
        ("llama.attention.head_count", Value::Number(HEADS)),
        ("llama.attention.head_count_kv", Value::Number(HEADS)),
        ("llama.attention.layer_norm_rms_epsilon", Value::Fraction(1e-5)),
        ("llama.rope.dimension_count", Value::Number(WIDTH / HEADS)),
        ("tokenizer.ggml.model", text("gpt2")),
        ("tokenizer.ggml.pre", text("gpt-2")),
        ("tokenizer.ggml.tokens", Value::Texts(tokens)),
        ("tokenizer.ggml.token_type", Value::Numbers(kinds)),
        ("tokenizer.ggml.merges", Value::Texts(["h e", "t h"].map(str::to_owned).to_vec())),
        ("tokenizer.ggml.bos_token_id", special(0)),
        ("tokenizer.ggml.eos_token_id", special(2)),
        ("tokenizer.ggml.add_bos_token", Value::Switch(false)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec();
    values.extend(template.map(|template| ("tokenizer.chat_template".to_owned(), text(template))));
    let [width, between] = [WIDTH, BETWEEN].map(u64::from);
    let mut tensors =
        vec![("token_embd.weight".to_owned(), vec![width, vocabulary]), ("output_norm.weight".to_owned(), vec![width])];
    for layer in 0..LAYERS {
        for (name, shape) in [
            ("attn_norm", vec![width]),
            ("attn_q", vec![width, width]),
            ("attn_k", vec![width, width]),
            ("attn_v", vec![width, width]),
            ("attn_output", vec![width, width]),
            ("ffn_norm", vec![width]),
            ("ffn_gate", vec![width, between]),
            ("ffn_up", vec![width, between]),
            ("ffn_down", vec![between, width]),
        ] {
            tensors.push((format!("blk.{layer}.{name}.weight"), shape));
        }
    }
    Model { values, tensors }
}

impl Model {
    /// The value of that name, for a test to change.
    #[allow(dead_code, reason = "not every test changes something")]
    pub fn set(&mut self, name: &str, value: Option<Value>) -> &mut Self {
        self.values.retain(|(of, _)| of != name);
        self.values.extend(value.map(|value| (name.to_owned(), value)));
        self
    }

    /// The file: GGUF version 3, weights of 32-bit floats.
    pub fn bytes(&self) -> Vec<u8> {
        let mut to = Vec::new();
        to.extend(b"GGUF");
        to.extend(3_u32.to_le_bytes());
        to.extend((self.tensors.len() as u64).to_le_bytes());
        to.extend((self.values.len() as u64).to_le_bytes());
        for (name, value) in &self.values {
            text(&mut to, name);
            write(&mut to, value);
        }
        let mut place = 0;
        for (name, shape) in &self.tensors {
            text(&mut to, name);
            to.extend((shape.len() as u32).to_le_bytes());
            shape.iter().for_each(|axis| to.extend(axis.to_le_bytes()));
            to.extend(0_u32.to_le_bytes());
            to.extend(u64::to_le_bytes(place));
            place += (4 * shape.iter().product::<u64>()).next_multiple_of(32);
        }
        to.resize(to.len().next_multiple_of(32), 0);
        let mut seed = 11_u32;
        for (name, shape) in &self.tensors {
            let base = if name.contains("norm") { 1.0 } else { 0.0 };
            for _ in 0..shape.iter().product::<u64>() {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let random = (seed >> 8) as f32 / (1 << 23) as f32 - 1.0;
                to.extend((base + 0.5 * random).to_le_bytes());
            }
            to.resize(to.len().next_multiple_of(32), 0);
        }
        to
    }
}

fn text(to: &mut Vec<u8>, text: &str) {
    to.extend((text.len() as u64).to_le_bytes());
    to.extend(text.as_bytes());
}

fn write(to: &mut Vec<u8>, value: &Value) {
    let mut kind = |kind: u32| to.extend(kind.to_le_bytes());
    match value {
        Value::Number(number) => {
            kind(4);
            to.extend(number.to_le_bytes());
        }
        Value::Fraction(fraction) => {
            kind(6);
            to.extend(fraction.to_le_bytes());
        }
        Value::Switch(switch) => {
            kind(7);
            to.push(u8::from(*switch));
        }
        Value::Text(value) => {
            kind(8);
            text(to, value);
        }
        Value::Texts(texts) => {
            [9, 8].into_iter().for_each(&mut kind);
            to.extend((texts.len() as u64).to_le_bytes());
            texts.iter().for_each(|value| text(to, value));
        }
        Value::Numbers(numbers) => {
            [9, 5].into_iter().for_each(&mut kind);
            to.extend((numbers.len() as u64).to_le_bytes());
            numbers.iter().for_each(|number| to.extend(number.to_le_bytes()));
        }
    }
}
