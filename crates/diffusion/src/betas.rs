//! How much of the picture is left at each timestep.

use crate::config::{Config, ConfigError};

/// The products ᾱ_t of 1 − β up to each timestep: the squared share of the picture that is left.
///
/// Computed in f64 and rounded once; diffusers computes in f32, and its rounding is the difference that remains.
///
/// # Errors
/// A beta schedule that is not known.
pub(crate) fn alphas_cumprod(config: &Config) -> Result<Vec<f64>, ConfigError> {
    let count = config.train_timesteps;
    let line = |from: f64, to: f64, index: usize| {
        if count == 1 { from } else { from + (to - from) * index as f64 / (count - 1) as f64 }
    };
    let betas: Vec<f64> = match &*config.beta_schedule {
        "linear" => (0..count).map(|index| line(config.beta_start, config.beta_end, index)).collect(),
        "scaled_linear" => {
            (0..count).map(|index| line(config.beta_start.sqrt(), config.beta_end.sqrt(), index).powi(2)).collect()
        }
        "squaredcos_cap_v2" => {
            // Nichol & Dhariwal 2021, "Improved Denoising Diffusion Probabilistic Models", eq. 17; capped at 0.999.
            let bar = |share: f64| ((share + 0.008) / 1.008 * std::f64::consts::FRAC_PI_2).cos().powi(2);
            let beta = |index: usize| {
                let (now, next) = (index as f64 / count as f64, (index + 1) as f64 / count as f64);
                (1.0 - bar(next) / bar(now)).min(0.999)
            };
            (0..count).map(beta).collect()
        }
        other => {
            let supported = "linear, scaled_linear, squaredcos_cap_v2";
            return Err(ConfigError::Unsupported { key: "beta_schedule", value: other.to_owned(), supported });
        }
    };
    let mut left = 1.0;
    let mut products: Vec<f64> = betas
        .iter()
        .map(|beta| {
            left *= 1.0 - beta;
            left
        })
        .collect();
    if config.rescale_zero_snr {
        rescale_to_zero_snr(&mut products);
    }
    Ok(products)
}

/// Makes the last timestep pure noise: Lin et al. 2023, "Common Diffusion Noise Schedules and Sample Steps are
/// Flawed", algorithm 1. As in diffusers, the last value is not 0 but 2⁻²⁴, so that its sigma stays finite.
fn rescale_to_zero_snr(products: &mut [f64]) {
    let (Some(first), Some(last)) = (products.first().map(|p| p.sqrt()), products.last().map(|p| p.sqrt())) else {
        return;
    };
    if first > last {
        for product in products.iter_mut() {
            *product = ((product.sqrt() - last) * first / (first - last)).powi(2);
        }
    }
    if let Some(last) = products.last_mut() {
        *last = 2f64.powi(-24);
    }
}
