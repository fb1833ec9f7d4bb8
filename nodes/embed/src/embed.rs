//! The text encoder: prompt to embedding.

use crate::tokens::Tokens;
use eyre::{Result, eyre};
use mirror_inference::{Model, Options, Provider, Runtime};
use mirror_models::{Pack, Part};
use std::collections::HashMap;

/// The graph's input.
const INPUT_IDS: &str = "input_ids";
/// The graph's output.
const LAST_HIDDEN_STATE: &str = "last_hidden_state";
/// Texts whose embedding is remembered: people go back and forth between a few.
const REMEMBERED: usize = 64;

/// A pack's tokenizer and text encoder.
pub struct Embedder {
    tokens: Tokens,
    model: Model,
    width: usize,
    remembered: HashMap<String, Vec<f32>>,
}

impl Embedder {
    /// Opens the tokenizer and the text encoder of a pack.
    ///
    /// # Errors
    /// One of them cannot be opened, or they do not fit each other.
    pub fn open(runtime: &Runtime, pack: &Pack, options: &Options) -> Result<Self> {
        let tokens = Tokens::open(pack)?;
        let path = pack.graph(Part::TextEncoder);
        let mut model = Model::open(runtime, &path, options)?;
        model.shape_input(INPUT_IDS, &[1, tokens.count()])?;
        let width = model.output(LAST_HIDDEN_STATE)?.axes.get(2).copied().flatten();
        let width =
            width.ok_or_else(|| eyre!("{} does not say how wide its {LAST_HIDDEN_STATE} is", path.display()))?;
        model.shape_output(LAST_HIDDEN_STATE, &[1, tokens.count(), width])?;
        Ok(Self { tokens, model, width, remembered: HashMap::new() })
    }

    /// What runs it.
    #[must_use]
    pub fn provider(&self) -> Provider {
        self.model.provider()
    }

    /// `[2, tokens, width]`.
    #[must_use]
    pub fn shape(&self) -> [usize; 3] {
        [2, self.tokens.count(), self.width]
    }

    /// The embeddings of a prompt and of its negative prompt, one after the other: [`shape`](Self::shape).
    ///
    /// # Errors
    /// The graph does not run.
    pub fn pair(&mut self, prompt: &str, negative_prompt: &str) -> Result<Vec<f32>> {
        let mut both = self.embed(prompt)?.to_vec();
        both.extend_from_slice(self.embed(negative_prompt)?);
        Ok(both)
    }

    fn embed(&mut self, text: &str) -> Result<&[f32]> {
        if !self.remembered.contains_key(text) {
            if self.remembered.len() == REMEMBERED {
                self.remembered.clear();
            }
            let ids = self.tokens.ids(text)?;
            self.model.write_integers(INPUT_IDS, |input| input.copy_from_slice(&ids))?;
            self.model.run()?;
            let embedding = self.model.read(LAST_HIDDEN_STATE, <[f32]>::to_vec)?;
            self.remembered.insert(text.to_owned(), embedding);
        }
        Ok(&self.remembered[text])
    }
}
