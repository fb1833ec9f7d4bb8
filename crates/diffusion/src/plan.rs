//! The steps from noise to picture, with everything that can be computed beforehand.

use crate::finite::{NotFinite, check_finite};

/// One evaluation of the UNet, and what follows from it: all numbers of the step.
///
/// Every method here is linear in what it has: the noisy latent `x`, the UNet's output, the clean latent that it stands
/// for (which may be clipped), those of the steps before, and fresh noise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Step {
    /// The UNet sees `input × x`.
    pub input: f32,
    /// Clean latent = `from_x × x + from_output × output`; for PNDM the output stands in its place.
    pub from_x: f32,
    /// See [`from_x`](Self::from_x).
    pub from_output: f32,
    /// Next x = `keep × x + output × output + clean × clean latent + past · clean latents before + fresh × noise`.
    pub keep: f32,
    /// See [`keep`](Self::keep).
    pub output: f32,
    /// See [`keep`](Self::keep).
    pub clean: f32,
    /// See [`keep`](Self::keep); the latest first.
    pub past: [f32; 4],
    /// See [`keep`](Self::keep).
    pub fresh: f32,
}

/// A plan: made once for a number of steps and a strength, then used for every frame. No method but
/// [`add_noise`](Plan::add_noise) allocates.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub(crate) steps: Vec<Step>,
    pub(crate) timesteps: Vec<f32>,
    pub(crate) start_latent: f32,
    pub(crate) start_noise: f32,
    pub(crate) text_noise: f32,
    pub(crate) clip: Option<f32>,
    /// Clean latents are kept for the next steps.
    pub(crate) remembers: bool,
}

/// The clean latents of a run's last steps, which multistep methods go by. The caller keeps it from frame to frame, so
/// that its memory is allocated once; what it holds is of no use to another run, and no run reads it.
#[derive(Debug, Default)]
pub struct History([Vec<f32>; 5]);

impl History {
    /// Makes room for this step's clean latent and gives it with those before.
    fn turn(&mut self, len: usize) -> (&mut [f32], [&[f32]; 4]) {
        self.0.rotate_right(1);
        let [now, past @ ..] = &mut self.0;
        now.resize(len, 0.0);
        (now, past.each_ref().map(Vec::as_slice))
    }
}

impl Plan {
    /// The timesteps at which the UNet is evaluated, in order. Empty at strength 0.
    #[must_use]
    pub fn timesteps(&self) -> &[f32] {
        &self.timesteps
    }

    /// Whether fresh noise is drawn for a step: stochastic methods do for all but the last. If a step draws, so do those
    /// before it, as in diffusers, whatever comes of it.
    #[must_use]
    pub fn needs_noise(&self, step: usize) -> bool {
        self.steps[step..].iter().any(|step| step.fresh != 0.0)
    }

    /// A clean latent, as noisy as the first step expects it: the start of image-to-image.
    ///
    /// `latent` and `noise` have the same length; at strength 0 it is the latent itself.
    #[must_use]
    pub fn add_noise(&self, latent: &[f32], noise: &[f32]) -> Vec<f32> {
        latent.iter().zip(noise).map(|(x, noise)| self.start_latent * x + self.start_noise * noise).collect()
    }

    /// Makes noise what the first step expects: the start of text-to-image.
    pub fn scale_noise(&self, noise: &mut [f32]) {
        for x in noise {
            *x *= self.text_noise;
        }
    }

    /// What the UNet sees of the noisy latent in that step.
    pub fn model_input(&self, step: usize, latent: &[f32], into: &mut [f32]) {
        let scale = self.steps[step].input;
        for (input, x) in into.iter_mut().zip(latent) {
            *input = scale * x;
        }
    }

    /// Takes the step: the noisy latent becomes the next one, or the clean one in the last step.
    ///
    /// `prediction` is the UNet's output; `noise` is N(0, 1) and only read where
    /// [`needs_noise`](Self::needs_noise) says so (an empty slice will do otherwise). Steps are taken in order; the first
    /// one forgets what `history` holds.
    ///
    /// # Errors
    /// The prediction has a value that is no number. The latent is as it was then.
    pub fn step(
        &self,
        step: usize,
        latent: &mut [f32],
        prediction: &[f32],
        noise: &[f32],
        history: &mut History,
    ) -> Result<(), NotFinite> {
        // Here and not in the picture: NaN would stay in everything that remembers a frame.
        check_finite("the UNet's prediction", prediction)?;
        let Step { from_x, from_output, keep, output, clean, past, fresh, .. } = self.steps[step];
        let limit = self.clip.unwrap_or(f32::INFINITY);
        let seen = |x: f32, prediction: f32| (from_x * x + from_output * prediction).clamp(-limit, limit);
        if self.remembers {
            let (now, before) = history.turn(latent.len());
            for ((x, prediction), now) in latent.iter_mut().zip(prediction).zip(now) {
                *now = seen(*x, *prediction);
                *x = keep * *x + output * prediction + clean * *now;
            }
            // At the start of a run there is nothing before, or another run's, and the weight is 0.
            for (weight, before) in past.into_iter().zip(before).filter(|(weight, _)| *weight != 0.0) {
                latent.iter_mut().zip(before).for_each(|(x, before)| *x += weight * before);
            }
        } else {
            for (x, prediction) in latent.iter_mut().zip(prediction) {
                *x = keep * *x + output * prediction + clean * seen(*x, *prediction);
            }
        }
        if fresh != 0.0 {
            latent.iter_mut().zip(noise).for_each(|(x, noise)| *x += fresh * noise);
        }
        Ok(())
    }
}
