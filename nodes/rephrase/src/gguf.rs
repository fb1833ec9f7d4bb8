//! Language models in GGUF, read as far as is needed to know that llama.cpp can read them: it ends the process over
//! some faults, and computes with others.
//!
//! The format (ggml's `docs/gguf.md`, versions 2 and 3), little-endian: magic, version, count of tensors, count of values;
//! the values, each a name, a type and what it is; then each tensor's name, axes from the fastest on, type and place;
//! then, from the next multiple of the alignment on, the tensors' bytes.

mod kind;
mod read;

use eyre::{Result, WrapErr, bail, ensure, eyre};
use kind::bytes_of;
use read::{Reader, Value};
use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::Path;

/// Values of one file, and tensors of one: models have some thousands at most.
const MOST: u64 = 100_000;
/// Layers that llama.cpp has room for (`LLAMA_MAX_LAYERS`).
const MOST_LAYERS: u64 = 512;
/// Where tensors begin, unless `general.alignment` says otherwise.
const ALIGNMENT: u64 = 32;

/// What a model's file says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// `llama`, `qwen2` …
    pub architecture: String,
    /// Tokens that it was trained to look back on.
    pub context: u64,
    /// Tokens of its vocabulary.
    pub vocabulary: u64,
    /// Whether it says how a conversation is written.
    pub has_template: bool,
}

/// Reads a model's head, and checks that it fits together and that the file is whole.
///
/// # Errors
/// A file that is not there, is no language model, is cut short or damaged: with the remedy.
pub fn check(path: &Path) -> Result<Description> {
    let name = path.display();
    let bring = "bring an instruct model in GGUF, such as qwen2.5-0.5b-instruct-q4_k_m.gguf";
    let file = File::open(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            eyre!("{name}: there is no such file; {bring}, or set REPHRASE_MODEL=none, or take the node out of the dataflow")
        }
        _ => eyre!("{name} cannot be read: {error}"),
    })?;
    let metadata = file.metadata().wrap_err_with(|| format!("{name} cannot be read"))?;
    ensure!(metadata.is_file(), "{name} is not a file; {bring}");
    let mut input = Reader::new(BufReader::with_capacity(1 << 20, file), metadata.len());
    whole(&mut input)
        .wrap_err_with(|| format!("{name} is damaged, cut short or no language model: download it again, or {bring}"))
}

fn whole(input: &mut Reader<impl Read>) -> Result<Description> {
    ensure!(input.len() > 0, "it is empty (0 bytes)");
    let magic = input.bytes(4)?;
    ensure!(magic != b"lmgg" && magic != b"tjgg", "it is an older ggml file: llama.cpp reads GGUF");
    ensure!(magic == b"GGUF", "it does not begin as a GGUF file does");
    let version = input.u32()?;
    ensure!((2..=3).contains(&version), "it is of version {version}, which is not 2 or 3");
    let (tensors, count) = (input.u64()?, input.u64()?);
    ensure!((1..=MOST).contains(&tensors) && count <= MOST, "it says {tensors} tensors and {count} values");
    let mut values = BTreeMap::new();
    for _ in 0..count {
        let (name, value) = input.value()?;
        if values.insert(name.clone(), value).is_some() {
            bail!("its value {name} is there twice");
        }
    }
    let values = Values(values);
    let description = describe(&values)?;
    let shapes = places(input, &values, tensors)?;
    ensure!(shapes.contains_key("token_embd.weight"), "it has no tensor token_embd.weight");
    let wanted = [values.number(&format!("{}.embedding_length", description.architecture))?, description.vocabulary];
    let embedding = &shapes["token_embd.weight"];
    ensure!(
        embedding[..] == wanted,
        "its tensor token_embd.weight has the shape {embedding:?}, it must have {wanted:?}"
    );
    Ok(description)
}

/// Reads where the tensors are, and checks that all of it is there: their shapes by name.
fn places(input: &mut Reader<impl Read>, values: &Values, count: u64) -> Result<BTreeMap<String, Vec<u64>>> {
    let alignment = values.optional("general.alignment").unwrap_or(ALIGNMENT);
    ensure!(alignment.is_power_of_two() && (8..=65_536).contains(&alignment), "its alignment is {alignment}");
    let (mut shapes, mut end) = (BTreeMap::new(), 0_u64);
    for _ in 0..count {
        let name = input.text(1024, "the name of a tensor")?;
        let axes = input.u32()?;
        ensure!((1..=4).contains(&axes), "its tensor {name} has {axes} axes");
        let shape = (0..axes).map(|_| input.u64()).collect::<Result<Vec<u64>>>()?;
        let (kind, place) = (input.u32()?, input.u64()?);
        let bytes = bytes_of(kind, &shape)
            .ok_or_else(|| eyre!("its tensor {name} of the shape {shape:?} cannot be of the kind {kind}"))?;
        ensure!(
            place.is_multiple_of(alignment),
            "its tensor {name} lies at {place}, which is no multiple of {alignment}"
        );
        end = end.max(place.checked_add(bytes).ok_or_else(|| eyre!("its tensor {name} lies at {place}"))?);
        ensure!(shapes.insert(name.clone(), shape).is_none(), "its tensor {name} is there twice");
    }
    let start = input.position().next_multiple_of(alignment);
    let needed = start.saturating_add(end);
    ensure!(input.len() >= needed, "it has {} bytes, its head says {needed}", input.len());
    Ok(shapes)
}

/// The values of a file by name.
struct Values(BTreeMap<String, Value>);

impl Values {
    fn number(&self, name: &str) -> Result<u64> {
        match self.0.get(name) {
            Some(Value::Number(number)) => Ok(*number),
            Some(_) => bail!("its value {name} is no number"),
            None => bail!("its value {name} is missing"),
        }
    }

    fn optional(&self, name: &str) -> Option<u64> {
        self.number(name).ok()
    }

    fn text(&self, name: &str) -> Result<&str> {
        match self.0.get(name) {
            Some(Value::Text(text)) => Ok(text),
            Some(_) => bail!("its value {name} is no text"),
            None => bail!("its value {name} is missing"),
        }
    }

    fn texts(&self, name: &str) -> Result<&[String]> {
        match self.0.get(name) {
            Some(Value::Texts(texts)) => Ok(texts),
            Some(_) => bail!("its value {name} is no list of texts"),
            None => bail!("its value {name} is missing"),
        }
    }

    /// As many as the list says, if there is one.
    fn check_count(&self, name: &str, count: u64) -> Result<()> {
        match self.0.get(name) {
            None => Ok(()),
            Some(Value::Many(many)) if *many == count => Ok(()),
            Some(Value::Many(many)) => bail!("its list {name} has {many} entries for {count} tokens"),
            Some(_) => bail!("its value {name} is no list"),
        }
    }
}

/// What llama.cpp reads first: sizes and vocabulary.
fn describe(values: &Values) -> Result<Description> {
    let architecture = values.text("general.architecture")?.to_owned();
    let of = |name: &str| format!("{architecture}.{name}");
    for (name, most) in [("block_count", MOST_LAYERS), ("embedding_length", 1 << 20), ("context_length", 1 << 30)] {
        let value = values.number(&of(name))?;
        ensure!((1..=most).contains(&value), "its value {} is {value}, which is not from 1 to {most}", of(name));
    }
    // Some architectures give a number for each layer; those are llama.cpp's to check.
    let heads = values.optional(&of("attention.head_count"));
    let shared = values.optional(&of("attention.head_count_kv"));
    ensure!(heads != Some(0) && shared != Some(0), "it has no attention heads");
    if let (Some(heads), Some(shared)) = (heads, shared) {
        ensure!(heads % shared == 0, "its {heads} attention heads do not share {shared}");
    }
    for (name, value) in &values.0 {
        let Value::Fraction(value) = value else { continue };
        ensure!(value.is_finite(), "its value {name} is no number");
        // Added to a mean of squares before its root is taken, or a wave's base: llama.cpp ends the process over others.
        let right = if name.ends_with("epsilon") {
            (0.0..1.0).contains(value)
        } else {
            !name.ends_with("freq_base") || *value > 0.0
        };
        ensure!(right, "its value {name} is {value}");
    }
    // Turned in pairs, within a head.
    if let (Some(turned), Some(heads)) = (values.optional(&of("rope.dimension_count")), heads) {
        let head =
            values.optional(&of("attention.key_length")).unwrap_or(values.number(&of("embedding_length"))? / heads);
        ensure!(turned % 2 == 0 && turned <= head, "it turns {turned} of the {head} values of a head");
    }
    let vocabulary = vocabulary(values)?;
    let context = values.number(&of("context_length"))?;
    let has_template = matches!(values.0.get("tokenizer.chat_template"), Some(Value::Text(_)));
    Ok(Description { architecture, context, vocabulary, has_template })
}

/// Checks the vocabulary: how many tokens it has.
fn vocabulary(values: &Values) -> Result<u64> {
    let tokens = values.texts("tokenizer.ggml.tokens")?;
    let count = tokens.len() as u64;
    let distinct: HashSet<&str> = tokens.iter().map(String::as_str).collect();
    ensure!(
        !tokens.is_empty() && distinct.len() == tokens.len(),
        "its vocabulary has {} tokens twice",
        tokens.len() - distinct.len()
    );
    match values.text("tokenizer.ggml.model")? {
        "gpt2" => ensure!(!values.texts("tokenizer.ggml.merges")?.is_empty(), "its vocabulary has no merges"),
        // SentencePiece spells what it has no token for in bytes.
        "llama" => {
            let missing = (0..256).filter(|byte| !distinct.contains(format!("<0x{byte:02X}>").as_str())).count();
            ensure!(missing == 0, "its vocabulary lacks {missing} of the 256 bytes");
        }
        other => bail!("its tokenizer is {other:?}, language models that follow instructions have gpt2 or llama"),
    }
    for name in ["tokenizer.ggml.scores", "tokenizer.ggml.token_type"] {
        values.check_count(name, count)?;
    }
    for (name, value) in
        values.0.iter().filter(|(name, _)| name.starts_with("tokenizer.ggml.") && name.ends_with("_token_id"))
    {
        let Value::Number(id) = value else { bail!("its value {name} is no number") };
        // The greatest 32-bit number stands for none.
        ensure!(*id < count || *id == u64::from(u32::MAX), "its value {name} is {id}, there are {count} tokens");
    }
    if matches!(values.0.get("tokenizer.ggml.add_bos_token"), Some(Value::Number(1))) {
        values.number("tokenizer.ggml.bos_token_id")?;
    }
    Ok(count)
}
