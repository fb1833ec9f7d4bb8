//! The encoder: pixels to latent.

use eyre::{Result, bail, eyre};
use mirror_imaging::{Preprocess, normalise};
use mirror_inference::{Model, Options, Provider, Runtime};
use mirror_models::pack::Latents;
use mirror_models::{Pack, Part};
use mirror_stage::{Opens, downscale};

/// The graph's input.
const SAMPLE: &str = "sample";
/// Names that exporters give its output: the latent, or mean and log-variance one after the other (Optimum ≥ 1.13).
const OUTPUTS: [&str; 2] = ["latent_sample", "latent_parameters"];

/// A pack's encoder, and the preprocessing before it.
pub struct Encoder {
    pack: String,
    model: Model,
    output: &'static str,
    /// Channels that the graph puts out; the latent is the first of them.
    channels: usize,
    latents: Latents,
    preprocess: Preprocess,
    latent_shape: [usize; 4],
}

impl Encoder {
    /// Opens the encoder of a pack.
    ///
    /// # Errors
    /// A graph that cannot be opened, or that does not fit the pack's configuration.
    pub fn open(runtime: &Runtime, pack: &Pack, options: &Options) -> Result<Self> {
        let path = pack.graph(Part::VaeEncoder);
        let mut model = Model::open(runtime, &path, options)?;
        model.input(SAMPLE)?;
        let output = OUTPUTS.into_iter().find(|name| model.output(name).is_ok());
        let output = output.ok_or_else(|| eyre!("{} has neither output {}", path.display(), OUTPUTS.join(" nor ")))?;
        let latents = pack.latents;
        let channels = model.output(output)?.axes.get(1).copied().flatten().unwrap_or(latents.channels);
        if channels != latents.channels && channels != 2 * latents.channels {
            let said = latents.channels;
            bail!(
                "{} puts out {channels} channels, but the pack's config.json says {said} latent_channels",
                path.display()
            );
        }
        downscale::check(&mut model, pack, Part::VaeEncoder, (SAMPLE, 3), (output, channels))?;
        let (preprocess, latent_shape) = (Preprocess::default(), [0; 4]);
        Ok(Self { pack: pack.name.clone(), model, output, channels, latents, preprocess, latent_shape })
    }

    /// The pack whose latent space it is.
    #[must_use]
    pub fn pack(&self) -> &str {
        &self.pack
    }

    /// What runs it.
    #[must_use]
    pub fn provider(&self) -> Provider {
        self.model.provider()
    }

    /// Takes a picture in: writes it as the model sees it to `seen` (`[size, size, 3]` u8) and, as floats, to the
    /// model's own input.
    ///
    /// # Errors
    /// A picture without pixels, or a size that the pack cannot take.
    pub fn take(&mut self, pixels: &[u8], shape: [usize; 2], size: usize, mirror: bool, seen: &mut [u8]) -> Result<()> {
        self.preprocess.apply(pixels, shape, size, mirror, seen)?;
        self.take_whole(seen, [size, size])
    }

    /// As [`take`](Self::take), of a picture that nobody needs but the model: it is written to the model's own input alone, in one
    /// pass.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    pub fn take_unseen(&mut self, pixels: &[u8], shape: [usize; 2], size: usize, mirror: bool) -> Result<()> {
        self.shape([size, size])?;
        let (preprocess, mut fitted) = (&mut self.preprocess, Ok(()));
        self.model.write(SAMPLE, |tensor| fitted = preprocess.normalise(pixels, shape, size, mirror, tensor))?;
        Ok(fitted?)
    }

    /// Takes a picture in as it is, `[height, width, 3]` u8: any shape whose sides the pack's downscale divides.
    ///
    /// # Errors
    /// A shape that the pack cannot take; pixels that are not those of the shape.
    pub fn take_whole(&mut self, picture: &[u8], shape: [usize; 2]) -> Result<()> {
        self.shape(shape)?;
        let mut fitted = Ok(());
        self.model.write(SAMPLE, |tensor| fitted = normalise(picture, tensor))?;
        Ok(fitted?)
    }

    /// Makes input and output ready for a picture of that height and width.
    fn shape(&mut self, [height, width]: [usize; 2]) -> Result<()> {
        let [rows, columns] = [height, width].map(|side| side / self.latents.downscale);
        self.model.shape_input(SAMPLE, &[1, 3, height, width])?;
        self.model.shape_output(self.output, &[1, self.channels, rows, columns])?;
        self.latent_shape = [1, self.latents.channels, rows, columns];
        Ok(())
    }

    /// The latent of the picture that was taken in, and its shape `[1, channels, size/8, size/8]`.
    ///
    /// # Errors
    /// The graph does not run.
    pub fn encode(&mut self) -> Result<(Vec<f32>, [usize; 4])> {
        self.model.run()?;
        let Latents { scaling_factor, shift_factor, .. } = self.latents;
        let len = self.latent_shape.iter().product();
        // Of mean and log-variance the mean is taken: a mirror must not shimmer.
        let scale =
            |values: &[f32]| values[..len].iter().map(|value| (value - shift_factor) * scaling_factor).collect();
        Ok((self.model.read(self.output, scale)?, self.latent_shape))
    }
}

impl Opens for Encoder {
    fn open(runtime: &Runtime, pack: &Pack, options: &Options) -> Result<Self> {
        Self::open(runtime, pack, options)
    }

    fn provider(&self) -> Provider {
        self.provider()
    }
}
