//! From a pack's scheduler configuration to plans.

use crate::betas::alphas_cumprod;
use crate::config::{Config, ConfigError, Prediction, Spacing};
use crate::plan::{Plan, Step};
use serde_json::Value;

/// How a step goes from one timestep to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Karras et al. 2022, algorithm 2 without churn: diffusers' `EulerDiscreteScheduler`.
    Euler,
    /// Euler with fresh noise after each step: `EulerAncestralDiscreteScheduler`.
    EulerAncestral,
    /// Song et al. 2020, eq. 12 with eta 0: `DDIMScheduler`.
    Ddim,
    /// Luo et al. 2023, "Latent Consistency Models", algorithm 3: `LCMScheduler`.
    Lcm,
}

/// Steps or strength that make no plan.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PlanError {
    /// Too few or too many steps.
    #[error("steps must be from 1 to {most}, not {steps}")]
    Steps {
        /// What was asked for.
        steps: usize,
        /// The most that the schedule has.
        most: usize,
    },
    /// A strength outside 0 to 1.
    #[error("strength must be from 0 to 1, not {strength}")]
    Strength {
        /// What was asked for.
        strength: f64,
    },
}

/// A pack's scheduler.
#[derive(Debug, Clone, PartialEq)]
pub struct Scheduler {
    method: Method,
    config: Config,
    alphas_cumprod: Vec<f64>,
}

/// Where a step starts or ends: `x = alpha × clean + sigma × noise`.
#[derive(Debug, Clone, Copy)]
struct Point {
    alpha: f64,
    sigma: f64,
}

impl Point {
    /// Noise to signal, the sigma of Karras et al.
    fn ratio(self) -> f64 {
        self.sigma / self.alpha
    }
}

impl Scheduler {
    /// Reads `scheduler_config.json`.
    ///
    /// # Errors
    /// A class, prediction type, spacing or beta schedule that is not supported: the text says which are.
    pub fn from_config(json: &Value) -> Result<Self, ConfigError> {
        let config = Config::read(json)?;
        let method = match &*config.class {
            "EulerDiscreteScheduler" => Method::Euler,
            "EulerAncestralDiscreteScheduler" => Method::EulerAncestral,
            "DDIMScheduler" => Method::Ddim,
            "LCMScheduler" => Method::Lcm,
            other => {
                let supported = "EulerDiscreteScheduler, EulerAncestralDiscreteScheduler, DDIMScheduler, LCMScheduler";
                return Err(ConfigError::Unsupported { key: "_class_name", value: other.to_owned(), supported });
            }
        };
        let alphas_cumprod = alphas_cumprod(&config)?;
        Ok(Self { method, config, alphas_cumprod })
    }

    /// The method of the class.
    #[must_use]
    pub fn method(&self) -> Method {
        self.method
    }

    /// What the UNet predicts.
    #[must_use]
    pub fn prediction(&self) -> Prediction {
        self.config.prediction
    }

    /// A plan of so many evaluations of the UNet.
    ///
    /// The strength chooses how far up the schedule image-to-image starts: 1 at its end, 0.5 in its middle. All steps
    /// are then spread below, so that one step works at every strength. A pack that is asked in diffusers for N steps
    /// at strength s does the same as ours for N × s steps at strength s. Strength 0 is a plan without steps.
    ///
    /// # Errors
    /// No steps or more than the schedule has; a strength outside 0 to 1.
    pub fn plan(&self, steps: usize, strength: f64) -> Result<Plan, PlanError> {
        let most = self.config.train_timesteps;
        if !(1..=most).contains(&steps) {
            return Err(PlanError::Steps { steps, most });
        }
        if !(0.0..=1.0).contains(&strength) {
            return Err(PlanError::Strength { strength });
        }
        let timesteps = if strength == 0.0 { Vec::new() } else { self.timesteps(steps, strength) };
        let points: Vec<Point> = timesteps.iter().map(|timestep| self.point(*timestep)).collect();
        let plan = timesteps
            .iter()
            .enumerate()
            .map(|(index, timestep)| self.step(*timestep, points[index], points.get(index + 1).copied()))
            .collect();
        let start = points.first().copied();
        let in_ratio = matches!(self.method, Method::Euler | Method::EulerAncestral);
        let (start_latent, start_noise) = match start {
            None => (1.0, 0.0),
            Some(start) if in_ratio => (1.0, start.ratio()),
            Some(start) => (start.alpha, start.sigma),
        };
        let text_noise = match (in_ratio, self.config.spacing) {
            (false, _) => 1.0,
            (true, Spacing::Leading) => start_noise.hypot(1.0),
            (true, Spacing::Trailing | Spacing::Linspace) => start_noise,
        };
        Ok(Plan {
            steps: plan,
            timesteps: timesteps.iter().map(|timestep| *timestep as f32).collect(),
            start_latent: start_latent as f32,
            start_noise: start_noise as f32,
            text_noise: text_noise as f32,
            clip: self.config.clip,
        })
    }

    /// The timesteps, falling, spread below `strength` of the schedule.
    fn timesteps(&self, steps: usize, strength: f64) -> Vec<f64> {
        // At least one training timestep is left to stand on.
        let span = (self.config.train_timesteps as f64 * strength).max(1.0);
        let steps = steps.min(span as usize);
        let count = steps as f64;
        let top = self.config.train_timesteps as f64 - 1.0;
        if self.method == Method::Lcm {
            // Consistency models are distilled on a coarser schedule; its timesteps alone are known to them.
            let original = ((self.config.original_steps as f64 * strength) as usize).max(1);
            let stride = (self.config.train_timesteps / self.config.original_steps).max(1);
            let steps = steps.min(original);
            return (0..steps).map(|index| ((original - index * original / steps) * stride - 1) as f64).collect();
        }
        let whole = |timestep: f64| if self.method == Method::Ddim { timestep.round() } else { timestep };
        let timestep = |index: usize| match self.config.spacing {
            Spacing::Trailing => (span - index as f64 * span / count).round_ties_even() - 1.0,
            Spacing::Leading => (steps - 1 - index) as f64 * (span / count).floor() + self.config.steps_offset,
            Spacing::Linspace if steps == 1 => whole(span - 1.0),
            Spacing::Linspace => whole((span - 1.0) * (steps - 1 - index) as f64 / (count - 1.0)),
        };
        (0..steps).map(|index| timestep(index).clamp(0.0, top)).collect()
    }

    /// The point of a timestep; between two whole ones the ratio is interpolated, as diffusers does.
    fn point(&self, timestep: f64) -> Point {
        let exact = |index: usize| {
            let product = self.alphas_cumprod[index.min(self.alphas_cumprod.len() - 1)];
            Point { alpha: product.sqrt(), sigma: (1.0 - product).sqrt() }
        };
        let (below, share) = (timestep.floor() as usize, timestep.fract());
        if share == 0.0 {
            return exact(below);
        }
        let ratio = exact(below).ratio() * (1.0 - share) + exact(below + 1).ratio() * share;
        let alpha = 1.0 / ratio.hypot(1.0);
        Point { alpha, sigma: ratio * alpha }
    }

    fn step(&self, timestep: f64, here: Point, next: Option<Point>) -> Step {
        let step = match self.method {
            Method::Euler | Method::EulerAncestral => self.euler(here, next.map_or(0.0, Point::ratio)),
            Method::Ddim => {
                let next = next.unwrap_or(Point { alpha: 1.0, sigma: 0.0 });
                let keep = next.sigma / here.sigma;
                self.with_clean(here, 1.0, [keep, next.alpha - here.alpha * keep, 0.0])
            }
            Method::Lcm => self.lcm(timestep, here, next),
        };
        Step { timestep: timestep as f32, ..step }
    }

    /// A step in the space where `x = clean + ratio × noise`, as k-diffusion has it.
    fn euler(&self, here: Point, next: f64) -> Step {
        let ratio = here.ratio();
        let (down, up) = match self.method {
            Method::EulerAncestral => {
                let up = (next.powi(2) * (ratio.powi(2) - next.powi(2)) / ratio.powi(2)).max(0.0).sqrt();
                ((next.powi(2) - up.powi(2)).max(0.0).sqrt(), up)
            }
            _ => (next, 0.0),
        };
        // The model's input is the picture in the other space: x × alpha.
        self.with_clean(here, here.alpha, [down / ratio, 1.0 - down / ratio, up])
    }

    fn lcm(&self, timestep: f64, here: Point, next: Option<Point>) -> Step {
        // Boundary condition of consistency models, sigma_data 0.5 (diffusers, `LCMScheduler`).
        let scaled = timestep * self.config.timestep_scaling;
        let (skip, out) = (0.25 / (scaled.powi(2) + 0.25), scaled / scaled.hypot(0.5));
        let next = next.unwrap_or(Point { alpha: 1.0, sigma: 0.0 });
        self.with_clean(here, 1.0, [next.alpha * skip, next.alpha * out, next.sigma])
    }

    /// Puts the prediction type in: how the clean latent follows from x and the UNet's output.
    ///
    /// `input` is what the UNet's input is multiplied by to get from the state's space to `alpha, sigma`.
    fn with_clean(&self, here: Point, input: f64, [keep, clean, fresh]: [f64; 3]) -> Step {
        let Point { alpha, sigma } = here;
        // In the space of alpha and sigma: clean = (x − sigma × noise) / alpha, or alpha × x − sigma × velocity.
        let (from_x, from_output) = match self.config.prediction {
            Prediction::Epsilon => (1.0 / alpha, -sigma / alpha),
            Prediction::Velocity => (alpha, -sigma),
            Prediction::Sample => (0.0, 1.0),
        };
        Step {
            timestep: 0.0,
            input: input as f32,
            from_x: (from_x * input) as f32,
            from_output: from_output as f32,
            keep: keep as f32,
            clean: clean as f32,
            fresh: fresh as f32,
        }
    }
}
