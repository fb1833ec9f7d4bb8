//! Words to token ids, as the pack's tokenizer says.

use eyre::{Result, WrapErr, bail, eyre};
use mirror_models::{Pack, Part};
use serde_json::Value;
use std::fs;
use std::path::Path;
use tokenizers::models::bpe::BPE;
use tokenizers::normalizers::{Lowercase, NFC, Replace, Sequence};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::processors::roberta::RobertaProcessing;
use tokenizers::{
    AddedToken, PaddingDirection, PaddingParams, PaddingStrategy, PreTokenizerWrapper, SplitDelimiterBehavior,
    Tokenizer, TruncationParams, pre_tokenizers,
};

/// CLIP's words: contractions, letters, single digits, runs of anything else (OpenAI, `simple_tokenizer.py`).
const CLIP_WORDS: &str = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";
const CLIP_START: &str = "<|startoftext|>";
const CLIP_END: &str = "<|endoftext|>";

/// A pack's tokenizer: always as many ids as the text encoder has positions.
pub struct Tokens {
    tokenizer: Tokenizer,
    count: usize,
}

impl Tokens {
    /// Reads the tokenizer of a pack's first text encoder: `tokenizer.json`, or CLIP's `vocab.json` and `merges.txt`.
    ///
    /// # Errors
    /// Neither is there, or it cannot be read.
    pub fn open(pack: &Pack) -> Result<Self> {
        Self::of(pack, Part::TextEncoder)
    }

    /// Reads the tokenizer of that text encoder.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn of(pack: &Pack, encoder: Part) -> Result<Self> {
        let folder = pack.tokenizer(encoder);
        let count = pack.tokens_of(encoder)?;
        let whole = folder.join("tokenizer.json");
        let mut tokenizer = if whole.is_file() {
            Tokenizer::from_file(&whole).map_err(|error| eyre!("{} is not a tokenizer: {error}", whole.display()))?
        } else {
            clip(&folder)?
        };
        let truncation = TruncationParams { max_length: count, ..TruncationParams::default() };
        let wrong = |error: tokenizers::Error| eyre!("{}: {error}", folder.display());
        tokenizer.with_truncation(Some(truncation)).map_err(wrong)?;
        let pad_token = padding(&folder, &tokenizer)?;
        let Some(pad_id) = tokenizer.token_to_id(&pad_token) else {
            bail!("{}: the padding token \"{pad_token}\" is not in the vocabulary", folder.display());
        };
        if !whole.is_file() {
            // The tokenizers of SD 2 and SDXL that pad with "!" read a "!" in a prompt as that token, not as the word.
            let special = AddedToken::from(pad_token.clone(), true).normalized(false);
            tokenizer.add_special_tokens([special]).map_err(wrong)?;
        }
        let strategy = PaddingStrategy::Fixed(count);
        let direction = PaddingDirection::Right;
        let padding =
            PaddingParams { strategy, direction, pad_id, pad_token, pad_to_multiple_of: None, pad_type_id: 0 };
        tokenizer.with_padding(Some(padding));
        Ok(Self { tokenizer, count })
    }

    /// How many ids a prompt has.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// The ids of a prompt: cut or padded to [`count`](Self::count).
    ///
    /// # Errors
    /// The tokenizer's own.
    pub fn ids(&self, prompt: &str) -> Result<Vec<i64>> {
        let encoding =
            self.tokenizer.encode(prompt, true).map_err(|error| eyre!("prompt cannot be tokenized: {error}"))?;
        Ok(encoding.get_ids().iter().map(|id| i64::from(*id)).collect())
    }
}

/// The padding token. `special_tokens_map.json` says it before `tokenizer_config.json` where the latter has no list
/// of added tokens (Hugging Face's own order: the packs of SD 2 rely on it); else the tokenizer's own file, else it is
/// the end of the text.
fn padding(folder: &Path, tokenizer: &Tokenizer) -> Result<String> {
    let config = json(&folder.join("tokenizer_config.json"))?;
    let map = match config["added_tokens_decoder"] {
        Value::Null => json(&folder.join("special_tokens_map.json"))?,
        _ => Value::Null,
    };
    // A token is written as a text or as an object with its content.
    let said = |file: &Value| {
        let token = &file["pad_token"];
        token.as_str().or_else(|| token["content"].as_str()).map(str::to_owned)
    };
    Ok(said(&map)
        .or_else(|| said(&config))
        .or_else(|| tokenizer.get_padding().map(|padding| padding.pad_token.clone()))
        .unwrap_or_else(|| CLIP_END.to_owned()))
}

/// A file of the tokenizer that may be missing.
fn json(path: &Path) -> Result<Value> {
    match fs::read_to_string(path) {
        Ok(text) => serde_json::from_str(&text).wrap_err_with(|| format!("{} is not JSON", path.display())),
        Err(_) => Ok(Value::Null),
    }
}

/// CLIP's tokenizer out of its two files, as Hugging Face's `CLIPTokenizerFast` puts it together.
fn clip(folder: &Path) -> Result<Tokenizer> {
    let (vocabulary, merges) = (folder.join("vocab.json"), folder.join("merges.txt"));
    for path in [&vocabulary, &merges] {
        if !path.is_file() {
            bail!("{} holds neither tokenizer.json nor {}: the pack is not whole", folder.display(), path.display());
        }
    }
    let wrong = |error: tokenizers::Error| eyre!("{}: {error}", folder.display());
    let bpe = BPE::from_file(&vocabulary.to_string_lossy(), &merges.to_string_lossy())
        .unk_token(CLIP_END.to_owned())
        .end_of_word_suffix("</w>".to_owned())
        .build()
        .map_err(wrong)?;
    let mut tokenizer = Tokenizer::new(bpe);
    let space =
        Replace::new(tokenizers::normalizers::replace::ReplacePattern::Regex(r"\s+".to_owned()), " ").map_err(wrong)?;
    let normalizer = Sequence::new(vec![NFC.into(), space.into(), Lowercase.into()]);
    tokenizer.with_normalizer(Some(normalizer)).map_err(wrong)?;
    let words =
        Split::new(SplitPattern::Regex(CLIP_WORDS.to_owned()), SplitDelimiterBehavior::Removed, true).map_err(wrong)?;
    let bytes = ByteLevel::default().add_prefix_space(false);
    let steps: Vec<PreTokenizerWrapper> = vec![words.into(), bytes.into()];
    tokenizer.with_pre_tokenizer(Some(pre_tokenizers::sequence::Sequence::new(steps)));
    let id = |token: &str| {
        let id = tokenizer.token_to_id(token);
        id.map(|id| (token.to_owned(), id)).ok_or_else(|| eyre!("{} does not hold {token}", vocabulary.display()))
    };
    let (start, end) = (id(CLIP_START)?, id(CLIP_END)?);
    let special = [AddedToken::from(CLIP_START, true), AddedToken::from(CLIP_END, true)];
    tokenizer.add_special_tokens(special).map_err(wrong)?;
    tokenizer.with_post_processor(Some(RobertaProcessing::new(end, start).trim_offsets(false).add_prefix_space(false)));
    Ok(tokenizer)
}
