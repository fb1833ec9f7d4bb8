//! Prompt and negative prompt to embedding.

use crate::text::{Row, Text};
use eyre::{Result, bail};
use mirror_contract::{Embedding, Pooled};
use mirror_inference::{Options, Provider, Runtime};
use mirror_models::Pack;
use mirror_stage::Opens;
use std::collections::HashMap;

/// Texts whose embedding is remembered: people go back and forth between a few, and there may be a hundred of them.
const REMEMBERED: usize = 256;

/// A pack's text encoders: one, or the two of SDXL.
pub struct Embedder {
    pack: String,
    texts: Vec<Text>,
    tokens: usize,
    width: usize,
    pooled_width: usize,
    /// No negative prompt is a row of zeros.
    zeros: bool,
    remembered: HashMap<String, Row>,
}

impl Embedder {
    /// Opens the tokenizers and the text encoders of a pack.
    ///
    /// # Errors
    /// One of them cannot be opened, or they do not fit each other.
    pub fn open(runtime: &Runtime, pack: &Pack, options: &Options) -> Result<Self> {
        let open = |encoder: &_| Text::open(runtime, pack, *encoder, options);
        let texts = pack.text_encoders().iter().map(open).collect::<Result<Vec<Text>>>()?;
        let tokens = pack.tokens()?;
        if let Some([other, _]) = texts.iter().map(Text::shape).find(|shape| shape[0] != tokens) {
            let shown = pack.directory.display();
            bail!(
                "model pack {shown}: its text encoders take {tokens} and {other} tokens, and must take the same number"
            );
        }
        let width = texts.iter().map(|text| text.shape()[1]).sum();
        let pooled_width = texts.iter().map(Text::pooled_width).sum();
        let (zeros, remembered) = (pack.zeros_without_negative()?, HashMap::new());
        Ok(Self { pack: pack.name.clone(), texts, tokens, width, pooled_width, zeros, remembered })
    }

    /// What runs it.
    #[must_use]
    pub fn provider(&self) -> Provider {
        self.texts.first().map_or(Provider::Cpu, Text::provider)
    }

    /// The embedding of a stream's prompt and negative prompt, of the settings of that version. The prompt is row 0.
    ///
    /// # Errors
    /// A graph does not run.
    pub fn embed(&mut self, stream: &str, version: i64, prompt: &str, negative_prompt: &str) -> Result<Embedding> {
        let Row { mut states, mut pooled } = self.row(prompt)?.clone();
        if self.zeros && negative_prompt.is_empty() {
            states.resize(2 * states.len(), 0.0);
            pooled.resize(2 * pooled.len(), 0.0);
        } else {
            let negative = self.row(negative_prompt)?;
            states.extend_from_slice(&negative.states);
            pooled.extend_from_slice(&negative.pooled);
        }
        let pooled_shape = [2, self.pooled_width];
        Ok(Embedding {
            stream: stream.to_owned(),
            version,
            prompt: prompt.to_owned(),
            negative_prompt: negative_prompt.to_owned(),
            pack: self.pack.clone(),
            shape: [2, self.tokens, self.width],
            values: states.into(),
            pooled: (self.pooled_width > 0).then(|| Pooled { shape: pooled_shape, values: pooled.into() }),
        })
    }

    /// The row of a text, remembered or made.
    fn row(&mut self, text: &str) -> Result<&Row> {
        if !self.remembered.contains_key(text) {
            if self.remembered.len() == REMEMBERED {
                self.remembered.clear();
            }
            let rows = self.texts.iter_mut().map(|encoder| encoder.encode(text)).collect::<Result<Vec<Row>>>()?;
            let row = self.side_by_side(rows);
            self.remembered.insert(text.to_owned(), row);
        }
        Ok(&self.remembered[text])
    }

    /// Lays the states of the encoders side by side, token by token.
    fn side_by_side(&self, mut rows: Vec<Row>) -> Row {
        if rows.len() == 1 {
            return rows.remove(0);
        }
        let mut whole = Row { states: Vec::with_capacity(self.tokens * self.width), pooled: Vec::new() };
        for token in 0..self.tokens {
            for (row, text) in rows.iter().zip(&self.texts) {
                let width = text.shape()[1];
                whole.states.extend_from_slice(&row.states[token * width..(token + 1) * width]);
            }
        }
        rows.into_iter().for_each(|row| whole.pooled.extend(row.pooled));
        whole
    }
}

impl Opens for Embedder {
    fn open(runtime: &Runtime, pack: &Pack, options: &Options) -> Result<Self> {
        Self::open(runtime, pack, options)
    }

    fn provider(&self) -> Provider {
        self.provider()
    }
}
