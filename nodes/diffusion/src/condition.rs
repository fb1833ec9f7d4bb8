//! What a UNet reads besides the noisy latent and the timestep.

use eyre::{Result, bail, eyre};
use mirror_contract::Embedding;
use mirror_inference::{Model, Port};
use mirror_models::{Pack, Part};

/// The graph's inputs, as Optimum names them.
pub const HIDDEN_STATES: &str = "encoder_hidden_states";
/// The pooled embedding, of SDXL's UNets: `[rows, width]`.
pub const TEXT_EMBEDS: &str = "text_embeds";
/// Sizes of the picture, of SDXL's UNets: `[rows, 6]`.
pub const TIME_IDS: &str = "time_ids";
/// The guidance scale, of UNets that were distilled with it (LCM): `[rows, width]`.
pub const TIMESTEP_COND: &str = "timestep_cond";

/// A prompt's words as they are painted.
#[derive(Debug, Clone, Copy)]
pub struct Words<'a> {
    /// The prompt's embedding.
    pub embedding: &'a Embedding,
    /// What is painted instead of its values: it is on the way there.
    pub between: Option<&'a Between>,
}

impl<'a> From<&'a Embedding> for Words<'a> {
    fn from(embedding: &'a Embedding) -> Self {
        Self { embedding, between: None }
    }
}

/// Values between two embeddings of the same shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Between {
    /// As `Embedding::values`.
    pub values: Vec<f32>,
    /// As those of `Embedding::pooled`; empty where it has none.
    pub pooled: Vec<f32>,
}

impl Between {
    /// An embedding's own values.
    #[must_use]
    pub fn of(embedding: &Embedding) -> Self {
        let pooled = embedding.pooled.as_ref().map(|pooled| pooled.values.to_vec()).unwrap_or_default();
        Self { values: embedding.values.to_vec(), pooled }
    }
}

/// What the prompt and the size of the picture add to a UNet's input: written when it changes, not for each frame.
#[derive(Debug, Default)]
pub struct Condition {
    sdxl: bool,
    /// Width of [`TIMESTEP_COND`]; `None` where the UNet is guided by a second row.
    guidance_width: Option<usize>,
    /// Prompt and negative prompt whose embedding lies in the UNet's input, and for how many rows.
    embedded: Option<(String, String, usize)>,
    /// Rows, height and width of the picture that lie there.
    sized: Option<[usize; 3]>,
    /// Rows and guidance scale that lie there.
    guided: Option<(usize, f32)>,
}

impl Condition {
    /// What the UNet asks for.
    ///
    /// # Errors
    /// It has no hidden states; it has one of SDXL's inputs without the other, or the pack no second text encoder.
    pub fn of(unet: &Model, pack: &Pack) -> Result<Self> {
        let shown = pack.graph(Part::Unet).display().to_string();
        unet.input(HIDDEN_STATES)?;
        let has = |name: &str| unet.inputs().iter().any(|port| port.name == name);
        let (pooled, sizes) = (has(TEXT_EMBEDS), has(TIME_IDS));
        if pooled != sizes {
            bail!("{shown} has one of the inputs {TEXT_EMBEDS} and {TIME_IDS}; SDXL's UNets have both");
        }
        if pooled && pack.text_encoders().len() < 2 {
            bail!("{shown} reads {TEXT_EMBEDS}, which text_encoder_2 makes, and the pack has no such folder");
        }
        let guidance = unet.inputs().iter().find(|port| port.name == TIMESTEP_COND);
        let width = |port: &Port| {
            let width = port.axes.last().copied().flatten().filter(|width| *width >= 4 && width % 2 == 0);
            width.ok_or_else(|| eyre!("{shown}: {port} must have an even number of values a row, and say how many"))
        };
        Ok(Self { sdxl: pooled, guidance_width: guidance.map(width).transpose()?, ..Self::default() })
    }

    /// Rows of a run: a second one for the negative prompt, unless nothing is guided or the UNet was distilled to do
    /// it in one (diffusers, `do_classifier_free_guidance`).
    #[must_use]
    pub fn rows(&self, guidance_scale: f32) -> usize {
        if guidance_scale > 1.0 && self.guidance_width.is_none() { 2 } else { 1 }
    }

    /// Writes what has changed. `picture` is height and width in pixels.
    ///
    /// # Errors
    /// The UNet needs a pooled embedding and the pack has none; a shape that the graph cannot take.
    pub fn write(&mut self, unet: &mut Model, words: Words, guidance_scale: f32, picture: [usize; 2]) -> Result<()> {
        let rows = self.rows(guidance_scale);
        let Embedding { prompt, negative_prompt, .. } = words.embedding;
        let there = self.embedded.as_ref().is_some_and(|(positive, negative, of_rows)| {
            (positive, negative, *of_rows) == (prompt, negative_prompt, rows)
        });
        if words.between.is_some() {
            self.embed(unet, words, rows)?;
            self.embedded = None;
        } else if !there {
            self.embed(unet, words, rows)?;
            self.embedded = Some((prompt.clone(), negative_prompt.clone(), rows));
        }
        let [height, width] = picture;
        if self.sdxl && self.sized != Some([rows, height, width]) {
            unet.shape_input(TIME_IDS, &[rows, 6])?;
            let ids = time_ids(picture);
            unet.write(TIME_IDS, |values| values.chunks_exact_mut(6).for_each(|row| row.copy_from_slice(&ids)))?;
            self.sized = Some([rows, height, width]);
        }
        if let Some(width) = self.guidance_width
            && self.guided != Some((rows, guidance_scale))
        {
            unet.shape_input(TIMESTEP_COND, &[rows, width])?;
            unet.write(TIMESTEP_COND, |values| guidance_embedding(guidance_scale, values))?;
            self.guided = Some((rows, guidance_scale));
        }
        Ok(())
    }

    fn embed(&self, unet: &mut Model, Words { embedding, between }: Words, rows: usize) -> Result<()> {
        let [_, tokens, width] = embedding.shape;
        let values = between.map_or(&*embedding.values, |between| &between.values);
        unet.shape_input(HIDDEN_STATES, &[rows, tokens, width])?;
        unet.write(HIDDEN_STATES, |states| states.copy_from_slice(&values[..rows * tokens * width]))?;
        if self.sdxl {
            let Some(pooled) = &embedding.pooled else {
                bail!("the UNet reads {TEXT_EMBEDS}, and the embedding that came has no pooled part");
            };
            let width = pooled.shape[1];
            let values = between.map_or(&*pooled.values, |between| &between.pooled);
            unet.shape_input(TEXT_EMBEDS, &[rows, width])?;
            unet.write(TEXT_EMBEDS, |embeds| embeds.copy_from_slice(&values[..rows * width]))?;
        }
        Ok(())
    }
}

/// Original size, left upper corner of the crop, target size, each height first: SDXL's micro-conditioning (Podell et
/// al. 2023, sections 2.2 and 2.3) of a picture that was never larger (diffusers, `_get_add_time_ids`).
fn time_ids([height, width]: [usize; 2]) -> [f32; 6] {
    let (height, width) = (height as f32, width as f32);
    [height, width, 0.0, 0.0, height, width]
}

/// The guidance scale less 1, times 1000, as sines and then cosines of falling frequency, in one row (diffusers,
/// `get_guidance_scale_embedding`).
fn guidance_embedding(guidance_scale: f32, row: &mut [f32]) {
    let half = row.len() / 2;
    let scale = (guidance_scale - 1.0) * 1000.0;
    let (sines, cosines) = row.split_at_mut(half);
    let fall = 10_000f32.ln() / (half as f32 - 1.0);
    for (index, (sine, cosine)) in sines.iter_mut().zip(cosines).enumerate() {
        let angle = scale * (-fall * index as f32).exp();
        (*sine, *cosine) = angle.sin_cos();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guidance_scale_is_embedded_as_diffusers_embeds_it() {
        let mut row = [0.0; 8];
        guidance_embedding(7.5, &mut row);
        // LatentConsistencyModelPipeline.get_guidance_scale_embedding(torch.tensor([6.5]), 8), diffusers 0.42.1.
        let expected: [f32; 8] = [-0.0448, 0.1102, 0.9911, 0.6052, -0.9990, 0.9939, 0.1329, 0.7961];
        for (value, expected) in row.iter().zip(expected) {
            assert!((value - expected).abs() < 1e-3, "{row:?}");
        }
    }

    #[test]
    fn a_picture_that_was_never_cropped_says_its_size_twice() {
        assert_eq!(time_ids([512, 768]), [512.0, 768.0, 0.0, 0.0, 512.0, 768.0]);
    }
}
