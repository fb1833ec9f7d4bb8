//! Classifier-free guidance: away from the negative prompt.

/// How strongly a prediction is guided.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Guidance {
    /// 1 and below: not at all, as in diffusers. Usual values are 3 to 9.
    pub scale: f32,
    /// 0 to 1: how far the guided prediction gets the deviation of the unguided one back. Lin et al. 2023, "Common
    /// Diffusion Noise Schedules and Sample Steps are Flawed", section 3.4, propose 0.7 for packs with zero terminal SNR.
    pub rescale: f32,
}

impl Guidance {
    /// Guidance of that scale, without rescaling.
    #[must_use]
    pub fn new(scale: f32) -> Self {
        Self { scale, rescale: 0.0 }
    }

    /// How often the UNet is evaluated for each step: once with the prompt alone, or a second time with the negative one.
    #[must_use]
    pub fn evaluations(&self) -> usize {
        // diffusers asks the same, so that 0 and 1 both mean none; NaN is none as well.
        if self.scale > 1.0 { 2 } else { 1 }
    }

    /// Guides one sample: `positive` becomes the guided prediction. In a batch each sample is guided by itself.
    ///
    /// Both have the same length.
    pub fn apply(&self, positive: &mut [f32], negative: &[f32]) {
        let unguided = if self.rescale == 0.0 { 0.0 } else { deviation(positive) };
        guide(positive, negative, self.scale);
        if self.rescale == 0.0 {
            return;
        }
        let guided = deviation(positive);
        // A flat prediction has no deviation to give back.
        if guided > 0.0 {
            let factor = f64::from(self.rescale) * (unguided / guided) + f64::from(1.0 - self.rescale);
            positive.iter_mut().for_each(|value| *value *= factor as f32);
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

/// The deviation as `torch.std` has it: divided by one less than there are values.
fn deviation(values: &[f32]) -> f64 {
    let count = values.len() as f64;
    let mean = values.iter().map(|value| f64::from(*value)).sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (f64::from(*value) - mean).powi(2)).sum();
    (squares / (count - 1.0).max(1.0)).sqrt()
}
