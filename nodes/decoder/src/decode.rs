//! The decoder: latent to pixels.

use eyre::{Result, bail};
use mirror_imaging::denormalise;
use mirror_inference::{Model, Options, Provider, Runtime};
use mirror_models::pack::Latents;
use mirror_models::{Pack, Part};
use mirror_stage::downscale;

/// The graph's input.
const LATENT_SAMPLE: &str = "latent_sample";
/// The graph's output.
const SAMPLE: &str = "sample";

/// A pack's decoder.
pub struct Decoder {
    model: Model,
    latents: Latents,
}

impl Decoder {
    /// Opens the decoder of a pack.
    ///
    /// # Errors
    /// A graph that cannot be opened, or that does not fit the pack's configuration.
    pub fn open(runtime: &Runtime, pack: &Pack, options: &Options) -> Result<Self> {
        let path = pack.graph(Part::VaeDecoder);
        let mut model = Model::open(runtime, &path, options)?;
        let channels = model.input(LATENT_SAMPLE)?.axes.get(1).copied().flatten();
        model.output(SAMPLE)?;
        let latents = pack.latents;
        if let Some(channels) = channels.filter(|channels| *channels != latents.channels) {
            let said = latents.channels;
            bail!(
                "{} takes {channels} channels, but the pack's config.json says {said} latent_channels",
                path.display()
            );
        }
        downscale::check(&mut model, pack, Part::VaeDecoder, (LATENT_SAMPLE, latents.channels), (SAMPLE, 3))?;
        Ok(Self { model, latents })
    }

    /// What runs it.
    #[must_use]
    pub fn provider(&self) -> Provider {
        self.model.provider()
    }

    /// Height and width of the picture that a latent of that shape becomes.
    #[must_use]
    pub fn picture_shape(&self, [_, _, height, width]: [usize; 4]) -> [usize; 2] {
        [height * self.latents.downscale, width * self.latents.downscale]
    }

    /// Decodes a latent (`[1, channels, height, width]` f32, times the scaling factor). The picture is then ready to be
    /// [`read`](Self::read).
    ///
    /// # Errors
    /// A shape that the pack cannot take; the graph does not run.
    pub fn decode(&mut self, latent: &[f32], shape: [usize; 4]) -> Result<()> {
        let [height, width] = self.picture_shape(shape);
        self.model.shape_input(LATENT_SAMPLE, &shape)?;
        self.model.shape_output(SAMPLE, &[1, 3, height, width])?;
        let Latents { scaling_factor, shift_factor, .. } = self.latents;
        let unscale = 1.0 / scaling_factor;
        self.model.write(LATENT_SAMPLE, |input| {
            for (input, value) in input.iter_mut().zip(latent) {
                *input = value * unscale + shift_factor;
            }
        })?;
        self.model.run()
    }

    /// Writes the decoded picture to `into`: `[height, width, 3]` u8.
    ///
    /// # Errors
    /// `into` has another size; nothing has been decoded.
    pub fn read(&mut self, into: &mut [u8]) -> Result<()> {
        Ok(self.model.read(SAMPLE, |tensor| denormalise(tensor, into))??)
    }
}
