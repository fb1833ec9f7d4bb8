//! `scheduler_config.json` as diffusers writes it.

use serde_json::Value;

/// What the UNet predicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prediction {
    /// The noise.
    Epsilon,
    /// The velocity: Salimans & Ho 2022, "Progressive Distillation", eq. 11.
    Velocity,
    /// The clean latent.
    Sample,
}

/// How the timesteps of a plan are spread over the schedule (diffusers, `timestep_spacing`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spacing {
    /// From the last one down, equally.
    Trailing,
    /// From the first one up, equally, plus `steps_offset`.
    Leading,
    /// First and last included.
    Linspace,
}

/// A configuration that cannot be used. The text names the key and what is supported.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ConfigError {
    /// A key whose value is not supported.
    #[error("scheduler_config.json: {key} \"{value}\" is not supported; supported are {supported}")]
    Unsupported {
        /// The key.
        key: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        supported: &'static str,
    },
    /// A number that makes no schedule.
    #[error("scheduler_config.json: {key} must be {expected}, not {value}")]
    OutOfRange {
        /// The key.
        key: &'static str,
        /// What it may be.
        expected: &'static str,
        /// What it is.
        value: String,
    },
}

/// The configuration with diffusers' defaults filled in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Config {
    pub class: String,
    pub train_timesteps: usize,
    pub beta_start: f64,
    pub beta_end: f64,
    pub beta_schedule: String,
    pub prediction: Prediction,
    pub spacing: Spacing,
    pub steps_offset: f64,
    pub rescale_zero_snr: bool,
    pub original_steps: usize,
    pub timestep_scaling: f64,
    pub clip: Option<f32>,
}

impl Config {
    pub fn read(json: &Value) -> Result<Self, ConfigError> {
        let text = |key: &str, default: &str| json[key].as_str().unwrap_or(default).to_owned();
        let number = |key: &str, default: f64| json[key].as_f64().unwrap_or(default);
        let unsupported = |key, value, supported| Err(ConfigError::Unsupported { key, value, supported });
        let class = text("_class_name", "EulerDiscreteScheduler");
        let prediction = match &*text("prediction_type", "epsilon") {
            "epsilon" => Prediction::Epsilon,
            "v_prediction" => Prediction::Velocity,
            "sample" => Prediction::Sample,
            other => return unsupported("prediction_type", other.to_owned(), "epsilon, v_prediction, sample"),
        };
        let default_spacing = if class.starts_with("Euler") { "linspace" } else { "leading" };
        let spacing = match &*text("timestep_spacing", default_spacing) {
            "trailing" => Spacing::Trailing,
            "leading" => Spacing::Leading,
            "linspace" => Spacing::Linspace,
            other => return unsupported("timestep_spacing", other.to_owned(), "trailing, leading, linspace"),
        };
        if json["use_karras_sigmas"].as_bool().unwrap_or(false) {
            return unsupported("use_karras_sigmas", "true".to_owned(), "false");
        }
        let train = number("num_train_timesteps", 1000.0);
        if !(1.0..=100_000.0).contains(&train) || train.fract() != 0.0 {
            let expected = "a whole number from 1 to 100000";
            return Err(ConfigError::OutOfRange { key: "num_train_timesteps", expected, value: train.to_string() });
        }
        let clips = json["clip_sample"].as_bool().unwrap_or(class == "DDIMScheduler");
        Ok(Self {
            train_timesteps: train as usize,
            beta_start: beta(json, "beta_start", if class == "LCMScheduler" { 0.00085 } else { 0.0001 })?,
            beta_end: beta(json, "beta_end", if class == "LCMScheduler" { 0.012 } else { 0.02 })?,
            beta_schedule: text("beta_schedule", if class == "LCMScheduler" { "scaled_linear" } else { "linear" }),
            prediction,
            spacing,
            steps_offset: number("steps_offset", 0.0),
            rescale_zero_snr: json["rescale_betas_zero_snr"].as_bool().unwrap_or(false),
            original_steps: number("original_inference_steps", 50.0).max(1.0) as usize,
            timestep_scaling: number("timestep_scaling", 10.0),
            clip: clips.then(|| number("clip_sample_range", 1.0) as f32),
            class,
        })
    }
}

fn beta(json: &Value, key: &'static str, default: f64) -> Result<f64, ConfigError> {
    let value = json[key].as_f64().unwrap_or(default);
    if value > 0.0 && value < 1.0 {
        Ok(value)
    } else {
        Err(ConfigError::OutOfRange { key, expected: "between 0 and 1", value: value.to_string() })
    }
}
