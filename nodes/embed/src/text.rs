//! One tokenizer and the text encoder that reads its ids.

use crate::tokens::Tokens;
use eyre::{Result, eyre};
use mirror_inference::{Model, Options, Port, Provider, Runtime};
use mirror_models::{Pack, Part};

/// The graph's input.
const INPUT_IDS: &str = "input_ids";
/// What the UNet reads where there is one text encoder: the last layer's states, normalised.
const LAST_HIDDEN_STATE: &str = "last_hidden_state";
/// What comes out of the layers, from 0 (the token embeddings) on, as Optimum names it.
const HIDDEN_STATES: &str = "hidden_states.";
/// A whole text as one vector, of the second encoder of SDXL.
const TEXT_EMBEDS: &str = "text_embeds";

/// A text as the UNet reads it.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// `[tokens, width]`.
    pub states: Vec<f32>,
    /// `[pooled width]`; empty where the pack has none.
    pub pooled: Vec<f32>,
}

/// A text encoder of a pack.
pub struct Text {
    tokens: Tokens,
    model: Model,
    states: String,
    width: usize,
    pooled_width: usize,
}

impl Text {
    /// Opens a text encoder and its tokenizer. In a pack with two, both give the states before their last layer, and
    /// the second one the pooled embedding (diffusers, `StableDiffusionXLPipeline.encode_prompt`).
    ///
    /// # Errors
    /// One of them cannot be opened, or they do not fit each other.
    pub fn open(runtime: &Runtime, pack: &Pack, encoder: Part, options: &Options) -> Result<Self> {
        let tokens = Tokens::of(pack, encoder)?;
        let path = pack.graph(encoder);
        let mut model = Model::open(runtime, &path, options)?;
        model.shape_input(INPUT_IDS, &[1, tokens.count()])?;
        let states = match pack.text_encoders() {
            [_] => LAST_HIDDEN_STATE.to_owned(),
            _ => penultimate(&model).ok_or_else(|| {
                let shown = path.display();
                eyre!("{shown} has no outputs {HIDDEN_STATES}0, {HIDDEN_STATES}1 …: export it with its hidden states")
            })?,
        };
        let unsaid = |name: &str| eyre!("{} does not say how wide its {name} is", path.display());
        let width = width(model.output(&states)?).ok_or_else(|| unsaid(&states))?;
        model.shape_output(&states, &[1, tokens.count(), width])?;
        let mut pooled_width = 0;
        if encoder == Part::TextEncoder2 {
            pooled_width = self::width(model.output(TEXT_EMBEDS)?).ok_or_else(|| unsaid(TEXT_EMBEDS))?;
            model.shape_output(TEXT_EMBEDS, &[1, pooled_width])?;
        }
        Ok(Self { tokens, model, states, width, pooled_width })
    }

    /// What runs it.
    #[must_use]
    pub fn provider(&self) -> Provider {
        self.model.provider()
    }

    /// `[tokens, width]` of its states.
    #[must_use]
    pub fn shape(&self) -> [usize; 2] {
        [self.tokens.count(), self.width]
    }

    /// How wide its pooled embedding is; 0 is none.
    #[must_use]
    pub fn pooled_width(&self) -> usize {
        self.pooled_width
    }

    /// Encodes a text.
    ///
    /// # Errors
    /// The text cannot be tokenized; the graph does not run.
    pub fn encode(&mut self, text: &str) -> Result<Row> {
        let ids = self.tokens.ids(text)?;
        self.model.write_integers(INPUT_IDS, |input| input.copy_from_slice(&ids))?;
        self.model.run()?;
        let states = self.model.read(&self.states, <[f32]>::to_vec)?;
        let pooled = if self.pooled_width == 0 { Vec::new() } else { self.model.read(TEXT_EMBEDS, <[f32]>::to_vec)? };
        Ok(Row { states, pooled })
    }
}

/// The last axis, where the graph fixes it.
fn width(port: &Port) -> Option<usize> {
    port.axes.last().copied().flatten()
}

/// The output before the last of the hidden states, if there are that many.
fn penultimate(model: &Model) -> Option<String> {
    let layer = |port: &Port| port.name.strip_prefix(HIDDEN_STATES)?.parse::<usize>().ok();
    let last = model.outputs().iter().filter_map(layer).max()?;
    Some(format!("{HIDDEN_STATES}{}", last.checked_sub(1)?))
}
