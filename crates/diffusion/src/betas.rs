//! How much of the picture is left at each timestep.
//!
//! diffusers computes the schedule in f32, and near its ends that rounding shows; so it is done here, step by step.

use crate::config::{Betas, Config, ConfigError};

/// A place on the schedule: `x = alpha × clean + sigma × noise`, with `alpha² + sigma² = 1`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    pub alpha: f64,
    pub sigma: f64,
}

impl Point {
    /// The picture without noise.
    pub const CLEAN: Self = Self { alpha: 1.0, sigma: 0.0 };

    /// The place where there is that much noise to one part of picture.
    pub fn of_ratio(ratio: f64) -> Self {
        // diffusers keeps these ratios in f32.
        let ratio = f64::from(ratio as f32);
        let alpha = 1.0 / ratio.hypot(1.0);
        Self { alpha, sigma: ratio * alpha }
    }

    /// Noise to signal, the sigma of Karras et al. 2022.
    pub fn ratio(self) -> f64 {
        self.sigma / self.alpha
    }

    /// Half the logarithm of the signal-to-noise ratio, the lambda of DPM-Solver. Infinite without noise.
    pub fn lambda(self) -> f64 {
        self.alpha.ln() - self.sigma.ln()
    }
}

/// The schedule.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Table {
    /// ᾱ_t, the products of 1 − β up to each timestep: the squared share of the picture that is left.
    products: Vec<f32>,
    /// √((1 − ᾱ) / ᾱ).
    ratios: Vec<f64>,
    /// Their logarithms.
    logs: Vec<f64>,
}

impl Table {
    /// The schedule of a configuration.
    ///
    /// # Errors
    /// Betas that leave no noise at the first timestep, or no picture at the last.
    pub fn of(config: &Config) -> Result<Self, ConfigError> {
        let betas = betas(&config.betas, config.train_timesteps);
        let mut products = products(betas.iter().map(|beta| 1.0 - beta));
        let (first, last) = (products.first().copied().unwrap_or(1.0), products.last().copied().unwrap_or(0.0));
        if first >= 1.0 {
            return Err(refused("beta_start", "large enough for noise at the first timestep", first));
        }
        if last <= 0.0 {
            return Err(refused(
                "beta_end",
                "small enough to leave something of the picture at the last timestep",
                last,
            ));
        }
        if config.zero_snr {
            if first <= last {
                return Err(refused("num_train_timesteps", "at least 2 for rescale_betas_zero_snr", 1.0));
            }
            products = without_signal_at_the_end(&products);
            if let Some(last) = products.last_mut().filter(|_| config.method.counts_in_ratios()) {
                // So diffusers keeps the ratio finite.
                *last = 2f32.powi(-24);
            }
        }
        let ratio = |product: &f32| f64::from(((1.0 - product) / product).sqrt());
        let ratios: Vec<f64> = products.iter().map(ratio).collect();
        let logs = ratios.iter().map(|ratio| f64::from((*ratio as f32).ln())).collect();
        Ok(Self { products, ratios, logs })
    }

    /// The place of a whole timestep.
    pub fn point(&self, timestep: usize) -> Point {
        let product = f64::from(self.products[timestep.min(self.products.len() - 1)]);
        Point { alpha: product.sqrt(), sigma: (1.0 - product).sqrt() }
    }

    /// The ratio of a timestep; between two whole ones it is interpolated, as diffusers does.
    pub fn ratio(&self, timestep: f64) -> f64 {
        let (below, share) = (timestep.max(0.0).floor() as usize, timestep.max(0.0).fract());
        let at = |index: usize| self.ratios[index.min(self.ratios.len() - 1)];
        at(below) + share * (at(below + 1) - at(below))
    }

    /// The timestep of a ratio, interpolated between the logarithms (diffusers, `_sigma_to_t`).
    pub fn timestep(&self, ratio: f64) -> f64 {
        let log = ratio.max(1e-10).ln();
        let most = self.logs.len().saturating_sub(2);
        let below = self.logs.partition_point(|other| *other <= log).saturating_sub(1).min(most);
        let (low, high) = (self.logs[below], self.logs[(below + 1).min(self.logs.len() - 1)]);
        let share = if high > low { ((log - low) / (high - low)).clamp(0.0, 1.0) } else { 0.0 };
        (1.0 - share) * below as f64 + share * (below + 1) as f64
    }

    /// How many timesteps have a lambda of at least that: the others are left out by `lambda_min_clipped`.
    pub fn above(&self, lambda: f64) -> usize {
        (0..self.products.len()).filter(|timestep| self.point(*timestep).lambda() >= lambda).count()
    }
}

fn refused(key: &'static str, expected: &'static str, value: f32) -> ConfigError {
    ConfigError::OutOfRange { key, expected, value: format!("so that it comes to {value}") }
}

fn betas(betas: &Betas, count: usize) -> Vec<f32> {
    match betas {
        Betas::Linear { start, end } => line(*start, *end, count),
        Betas::ScaledLinear { start, end } => {
            line(start.sqrt(), end.sqrt(), count).iter().map(|root| root * root).collect()
        }
        // Nichol & Dhariwal 2021, "Improved Denoising Diffusion Probabilistic Models", eq. 17; capped at 0.999.
        Betas::SquaredCosine => {
            let left = |share: f64| ((share + 0.008) / 1.008 * std::f64::consts::FRAC_PI_2).cos().powi(2);
            let beta = |index: usize| {
                let (now, next) = (index as f64 / count as f64, (index + 1) as f64 / count as f64);
                (1.0 - left(next) / left(now)).min(0.999) as f32
            };
            (0..count).map(beta).collect()
        }
        Betas::Given(betas) => betas.iter().map(|beta| *beta as f32).collect(),
    }
}

/// `torch.linspace`: from both ends to the middle, with a step of f32 and one rounding for each value.
fn line(from: f64, to: f64, count: usize) -> Vec<f32> {
    let (from, to) = (from as f32, to as f32);
    let step = if count > 1 { (to - from) / (count - 1) as f32 } else { 0.0 };
    let away = |end: f32, steps: usize| (f64::from(end) + f64::from(step) * steps as f64) as f32;
    let back = |end: f32, steps: usize| (f64::from(end) - f64::from(step) * steps as f64) as f32;
    let value = |index: usize| {
        if index < count / 2 || count == 1 { away(from, index) } else { back(to, count - 1 - index) }
    };
    (0..count).map(value).collect()
}

/// `torch.cumprod`: multiplied in f64, each product rounded.
fn products(factors: impl Iterator<Item = f32>) -> Vec<f32> {
    let mut product = 1.0;
    let next = |factor: f32| {
        product *= f64::from(factor);
        product as f32
    };
    factors.map(next).collect()
}

/// Makes the last timestep pure noise: Lin et al. 2023, "Common Diffusion Noise Schedules and Sample Steps are Flawed",
/// algorithm 1. By way of the betas, as there.
fn without_signal_at_the_end(old: &[f32]) -> Vec<f32> {
    let roots: Vec<f32> = old.iter().map(|product| product.sqrt()).collect();
    let (first, last) = (roots[0], roots[roots.len() - 1]);
    let scale = first / (first - last);
    let squares: Vec<f32> = roots.iter().map(|root| ((root - last) * scale).powi(2)).collect();
    let factor = |index: usize| if index == 0 { squares[0] } else { squares[index] / squares[index - 1] };
    products((0..squares.len()).map(|index| 1.0 - (1.0 - factor(index))))
}
