//! The steps from noise to picture, with everything that can be computed beforehand.

/// One evaluation of the UNet, and what follows from it: all numbers of the step.
///
/// Every first-order method is linear in what it has: the noisy latent `x`, the clean latent that the prediction stands
/// for, and fresh noise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Step {
    /// What the UNet is told.
    pub timestep: f32,
    /// The UNet sees `input × x`.
    pub input: f32,
    /// Clean latent = `from_x × x + from_output × prediction`.
    pub from_x: f32,
    /// See [`from_x`](Self::from_x).
    pub from_output: f32,
    /// Next x = `keep × x + clean × clean latent + fresh × noise`.
    pub keep: f32,
    /// See [`keep`](Self::keep).
    pub clean: f32,
    /// See [`keep`](Self::keep).
    pub fresh: f32,
}

/// A plan: made once for a number of steps and a strength, then used for every frame. No method allocates.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub(crate) steps: Vec<Step>,
    pub(crate) timesteps: Vec<f32>,
    pub(crate) start_latent: f32,
    pub(crate) start_noise: f32,
    pub(crate) text_noise: f32,
    pub(crate) clip: Option<f32>,
}

impl Plan {
    /// The timesteps at which the UNet is evaluated, in order. Empty at strength 0.
    #[must_use]
    pub fn timesteps(&self) -> &[f32] {
        &self.timesteps
    }

    /// Whether a step needs fresh noise: the ancestral methods and LCM do between steps.
    #[must_use]
    pub fn needs_noise(&self, step: usize) -> bool {
        self.steps[step].fresh != 0.0
    }

    /// Makes a clean latent as noisy as the first step expects it: the start of image-to-image.
    ///
    /// `latent` and `noise` have the same length; at strength 0 the latent stays as it is.
    pub fn add_noise(&self, latent: &mut [f32], noise: &[f32]) {
        for (x, noise) in latent.iter_mut().zip(noise) {
            *x = self.start_latent * *x + self.start_noise * noise;
        }
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
    /// [`needs_noise`](Self::needs_noise) says so (an empty slice will do otherwise).
    pub fn step(&self, step: usize, latent: &mut [f32], prediction: &[f32], noise: &[f32]) {
        let Step { from_x, from_output, keep, clean, fresh, .. } = self.steps[step];
        let limit = self.clip.unwrap_or(f32::INFINITY);
        let next = |x: f32, prediction: f32| {
            let clean_latent = (from_x * x + from_output * prediction).clamp(-limit, limit);
            keep * x + clean * clean_latent
        };
        if fresh == 0.0 {
            for (x, prediction) in latent.iter_mut().zip(prediction) {
                *x = next(*x, *prediction);
            }
        } else {
            for ((x, prediction), noise) in latent.iter_mut().zip(prediction).zip(noise) {
                *x = next(*x, *prediction) + fresh * noise;
            }
        }
    }
}

/// Classifier-free guidance: `negative + scale × (positive − negative)`, written over `positive`
/// (Ho & Salimans 2022, "Classifier-Free Diffusion Guidance", eq. 6, as diffusers scales it).
pub fn guide(positive: &mut [f32], negative: &[f32], scale: f32) {
    for (positive, negative) in positive.iter_mut().zip(negative) {
        *positive = negative + scale * (*positive - negative);
    }
}
