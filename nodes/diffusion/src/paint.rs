//! The painter: a latent and an embedding become a painted latent.

use crate::condition::{Condition, HIDDEN_STATES, TEXT_EMBEDS, TIME_IDS, TIMESTEP_COND, Words};
use crate::memory::{Noises, Plans};
use eyre::{Result, bail};
use mirror_contract::{Latent, Painting, Settings};
use mirror_diffusion::{History, Scheduler, Strength, check_finite, guide};
use mirror_inference::{Element, Model, Options, Port, Provider, Runtime};
use mirror_models::{Pack, Part};
use mirror_stage::Opens;

/// The graph's inputs and output, as Optimum names them.
const SAMPLE: &str = "sample";
const TIMESTEP: &str = "timestep";
const OUT_SAMPLE: &str = "out_sample";

/// How a picture is to be painted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Request {
    /// UNet evaluations.
    pub steps: usize,
    /// 0 leaves the picture, 1 repaints it.
    pub strength: f64,
    /// Above 1 the negative prompt is painted too, and left; a UNet that was distilled with guidance is told instead.
    pub guidance_scale: f32,
    /// Chooses the noise.
    pub seed: u32,
    /// The latent is forgotten: painting starts from noise alone, at full strength.
    pub text_to_image: bool,
    /// Nothing is painted.
    pub passthrough: bool,
}

impl Request {
    /// What the settings ask for; a seed that runs is a new one for every frame.
    #[must_use]
    pub fn of(settings: &Settings, frame_id: i64) -> Self {
        let seed = if settings.fixed_seed { settings.seed } else { settings.seed.wrapping_add(frame_id) };
        Self {
            // The table allows 1 to 50 steps.
            steps: settings.steps as usize,
            strength: if settings.text_to_image { 1.0 } else { settings.strength },
            guidance_scale: settings.guidance_scale as f32,
            // The generator takes the low 32 bits, as PyTorch's does.
            seed: seed as u32,
            text_to_image: settings.text_to_image,
            passthrough: settings.passthrough,
        }
    }
}

/// A pack's UNet and scheduler, and what they remember between frames.
pub struct Painter {
    pack: String,
    unet: Model,
    timestep: Port,
    channels: usize,
    downscale: usize,
    scheduler: Scheduler,
    strength: fn(f64) -> Strength,
    plans: Plans,
    noises: Noises,
    history: History,
    condition: Condition,
    prediction: Vec<f32>,
}

impl Painter {
    /// Opens the UNet and the scheduler of a pack.
    ///
    /// # Errors
    /// A graph that cannot be opened, that does not fit the pack, or that needs more than Mirror gives it; a scheduler
    /// that is not supported.
    pub fn open(runtime: &Runtime, pack: &Pack, options: &Options) -> Result<Self> {
        let path = pack.graph(Part::Unet);
        let unet = Model::open(runtime, &path, options)?;
        let condition = Condition::of(&unet, pack)?;
        unet.output(OUT_SAMPLE)?;
        let (channels, said) = (unet.input(SAMPLE)?.axes.get(1).copied().flatten(), pack.latents.channels);
        if let Some(channels) = channels.filter(|channels| *channels != said) {
            bail!("{} takes {channels} channels, but the autoencoder's config.json says {said}", path.display());
        }
        let known = [SAMPLE, TIMESTEP, HIDDEN_STATES, TEXT_EMBEDS, TIME_IDS, TIMESTEP_COND];
        if let Some(other) = unet.inputs().iter().find(|port| !known.contains(&&*port.name)) {
            let taken = known.join(", ");
            bail!("{} also needs the input {other}; supported are UNets that take {taken}", path.display());
        }
        let timestep = unet.input(TIMESTEP)?.clone();
        let scheduler = Scheduler::from_config(&pack.scheduler)?;
        let (plans, noises, history) = (Plans::default(), Noises::default(), History::default());
        let prediction = Vec::new();
        let (pack, downscale) = (pack.name.clone(), pack.latents.downscale);
        let channels = said;
        Ok(Self {
            pack,
            unet,
            timestep,
            channels,
            downscale,
            scheduler,
            strength: Strength::Continuous,
            plans,
            noises,
            history,
            condition,
            prediction,
        })
    }

    /// What runs the UNet.
    #[must_use]
    pub fn provider(&self) -> Provider {
        self.unet.provider()
    }

    /// Paints with that noise whatever the seed: for comparing with a reference that drew its noise elsewhere.
    pub fn fix_noise(&mut self, noise: Vec<f32>) {
        self.noises.fix(noise);
    }

    /// Takes strengths by diffusers' rule from now on, not by the mirror's own: see [`Strength`].
    pub fn follow_diffusers(&mut self) {
        self.strength = Strength::Diffusers;
    }

    /// Paints a latent. Its values are read where the sender has left them: what comes of them is the first that is written.
    ///
    /// # Errors
    /// A latent or an embedding of another pack; a request or a shape that the pack cannot take; the graph does not run.
    pub fn paint<'a>(&mut self, latent: Latent, request: Request, words: impl Into<Words<'a>>) -> Result<Latent> {
        let words = words.into();
        let embedding = words.embedding;
        if let Some(other) = [&latent.pack, &embedding.pack].into_iter().find(|other| **other != self.pack) {
            bail!(
                "it is of the pack {other}, and this node runs the pack {}: set the same MIRROR_PACK for all",
                self.pack
            );
        }
        check_finite("the latent", &latent.values)?;
        let values = if request.passthrough {
            latent.values
        } else {
            self.denoise(&latent.values, latent.shape, request, words)?.into()
        };
        let mut header = latent.header;
        header.painting = Some(Painting {
            prompt: embedding.prompt.clone(),
            pack: self.pack.clone(),
            provider: self.provider().to_string(),
            passthrough: request.passthrough,
        });
        Ok(Latent { header, pack: latent.pack, shape: latent.shape, values })
    }

    /// Paints `[1, channels, height, width]` f32, times the scaling factor.
    fn denoise(&mut self, picture: &[f32], shape: [usize; 4], request: Request, words: Words) -> Result<Vec<f32>> {
        let plan = self.plans.of(&self.scheduler, request.steps, (self.strength)(request.strength))?;
        if plan.timesteps().is_empty() {
            return Ok(picture.to_vec());
        }
        let [_, channels, height, width] = shape;
        if channels != self.channels {
            bail!(
                "a latent of {channels} channels came, the UNet takes {}: encoder and diffusion run different packs",
                self.channels
            );
        }
        // diffusers does the same: at 1 and below there is nothing to guide.
        let rows = self.condition.rows(request.guidance_scale);
        self.unet.shape_input(SAMPLE, &[rows, channels, height, width])?;
        self.unet.shape_output(OUT_SAMPLE, &[rows, channels, height, width])?;
        let size = [height * self.downscale, width * self.downscale];
        self.condition.write(&mut self.unet, words, request.guidance_scale, size)?;
        let timestep_shape: &[usize] = match self.timestep.axes.as_slice() {
            [] => &[],
            [Some(1)] => &[1],
            _ => &[rows][..],
        };
        self.unet.shape_input(TIMESTEP, timestep_shape)?;

        let fresh = (0..plan.timesteps().len()).filter(|step| plan.needs_noise(*step)).count();
        self.noises.prepare(request.seed, picture.len(), 1 + fresh);
        let mut latent = if request.text_to_image {
            let mut noise = self.noises.tensor(0).to_vec();
            plan.scale_noise(&mut noise);
            noise
        } else {
            plan.add_noise(picture, self.noises.tensor(0))
        };
        for (step, timestep) in plan.timesteps().iter().enumerate() {
            self.unet.write(SAMPLE, |sample| {
                let (first, others) = sample.split_at_mut(latent.len());
                plan.model_input(step, &latent, first);
                others.chunks_exact_mut(latent.len()).for_each(|row| row.copy_from_slice(first));
            })?;
            match self.timestep.element {
                Some(Element::I64 | Element::I32) => {
                    self.unet.write_integers(TIMESTEP, |rows| rows.fill(timestep.round() as i64))?;
                }
                _ => self.unet.write(TIMESTEP, |rows| rows.fill(*timestep))?,
            }
            self.unet.run()?;
            let noise = if plan.needs_noise(step) { self.noises.tensor(1 + step) } else { &[] };
            let (prediction, history) = (&mut self.prediction, &mut self.history);
            self.unet.read(OUT_SAMPLE, |output| {
                if rows == 1 {
                    plan.step(step, &mut latent, output, noise, history)
                } else {
                    let (positive, negative) = output.split_at(latent.len());
                    prediction.clear();
                    prediction.extend_from_slice(positive);
                    guide(prediction, negative, request.guidance_scale);
                    plan.step(step, &mut latent, prediction, noise, history)
                }
            })??;
        }
        Ok(latent)
    }
}

impl Opens for Painter {
    fn open(runtime: &Runtime, pack: &Pack, options: &Options) -> Result<Self> {
        Self::open(runtime, pack, options)
    }

    fn provider(&self) -> Provider {
        self.provider()
    }
}
