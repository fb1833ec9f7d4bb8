//! `scheduler_config.json` as diffusers writes it.

use crate::keys::Keys;
use serde_json::Value;

/// How a step goes from one timestep to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Karras et al. 2022, algorithm 2 without churn: diffusers' `EulerDiscreteScheduler`.
    Euler,
    /// Euler with fresh noise after each step: `EulerAncestralDiscreteScheduler`. Mirror takes the prediction type
    /// `sample` too, which diffusers leaves out.
    EulerAncestral,
    /// Song et al. 2020, eq. 12: `DDIMScheduler`.
    Ddim,
    /// Luo et al. 2023, "Latent Consistency Models", algorithm 3: `LCMScheduler`.
    Lcm,
    /// Zheng et al. 2024, "Trajectory Consistency Distillation", algorithm 4: `TCDScheduler`.
    Tcd,
    /// Liu et al. 2022, "Pseudo Numerical Methods for Diffusion Models on Manifolds", without the Runge-Kutta steps:
    /// `PNDMScheduler` as Stable Diffusion 1 has it. It evaluates its second timestep twice.
    Pndm,
    /// Lu et al. 2022, "DPM-Solver++", orders 1 to 3, as ODE or SDE: `DPMSolverMultistepScheduler`.
    DpmSolver,
}

impl Method {
    /// Whether the state is `clean + ratio × noise`, as k-diffusion has it.
    pub(crate) fn scales_by_ratio(self) -> bool {
        matches!(self, Self::Euler | Self::EulerAncestral)
    }

    /// Whether diffusers computes the method out of ratios of noise to signal, which must stay finite.
    pub(crate) fn counts_in_ratios(self) -> bool {
        matches!(self, Self::Euler | Self::EulerAncestral | Self::DpmSolver)
    }

    /// Whether it knows only the timesteps that a consistency model was distilled at.
    pub(crate) fn is_distilled(self) -> bool {
        matches!(self, Self::Lcm | Self::Tcd)
    }
}

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

/// Where the betas come from (`beta_schedule`, `trained_betas`).
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Betas {
    Linear { start: f64, end: f64 },
    ScaledLinear { start: f64, end: f64 },
    SquaredCosine,
    Given(Vec<f64>),
}

/// How the ratios of a plan come from the schedule (`interpolation_type`, `use_karras_sigmas` …).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sigmas {
    /// Those of the timesteps.
    OfTimesteps,
    /// Equal steps of the logarithm from end to end, with the timesteps as they are.
    LogLinear,
    /// Karras et al. 2022, eq. 5.
    Karras,
    /// Equal steps of the logarithm between the first and the last timestep's.
    Exponential,
}

/// What DPM-Solver++ is told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Solver {
    pub order: usize,
    pub heun: bool,
    pub sde: bool,
    pub lower_order_final: bool,
    pub euler_at_final: bool,
    pub lambda_min: f64,
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
    /// A value that makes no schedule.
    #[error("scheduler_config.json: {key} must be {expected}, not {value}")]
    OutOfRange {
        /// The key.
        key: &'static str,
        /// What it may be.
        expected: &'static str,
        /// What it is.
        value: String,
    },
    /// A key that may change the picture in a way that is not known here.
    #[error(
        "scheduler_config.json: {key} (here {value}) is not known, so that the picture might not be the one that is \
         meant; take the key out if it does not matter"
    )]
    Unknown {
        /// The key.
        key: String,
        /// Its value.
        value: String,
    },
    /// No JSON object.
    #[error("scheduler_config.json is no JSON object with keys like _class_name")]
    NoObject,
}

/// The configuration with diffusers' defaults filled in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Config {
    pub method: Method,
    pub train_timesteps: usize,
    pub betas: Betas,
    pub prediction: Prediction,
    pub spacing: Spacing,
    pub steps_offset: f64,
    pub zero_snr: bool,
    pub sigmas: Sigmas,
    pub sigma_min: Option<f64>,
    pub sigma_max: Option<f64>,
    /// The last step ends at the first timestep's noise, not at none: `final_sigmas_type`, `set_alpha_to_one`.
    pub ends_noisy: bool,
    pub original_steps: usize,
    pub timestep_scaling: f64,
    pub clip: Option<f32>,
    pub solver: Solver,
}

/// What a positive number of a configuration may be, so that f32 can square it.
const POSITIVE: [f64; 2] = [1e-9, 1e9];
const POSITIVE_RANGE: &str = "between 1e-9 and 1e9";

/// The classes, by name.
const CLASSES: &[(&str, Method)] = &[
    ("EulerDiscreteScheduler", Method::Euler),
    ("EulerAncestralDiscreteScheduler", Method::EulerAncestral),
    ("DDIMScheduler", Method::Ddim),
    ("PNDMScheduler", Method::Pndm),
    ("LCMScheduler", Method::Lcm),
    ("TCDScheduler", Method::Tcd),
    ("DPMSolverMultistepScheduler", Method::DpmSolver),
];
const CLASS_NAMES: &str = "EulerDiscreteScheduler, EulerAncestralDiscreteScheduler, DDIMScheduler, PNDMScheduler, \
                           LCMScheduler, TCDScheduler, DPMSolverMultistepScheduler";

impl Config {
    pub fn read(json: &Value) -> Result<Self, ConfigError> {
        let keys = Keys::of(json)?;
        // The class first: of another class's keys it would be said that nobody knows them.
        if !keys.has("_class_name") {
            let (key, value) = ("_class_name", "missing".to_owned());
            return Err(ConfigError::OutOfRange { key, expected: CLASS_NAMES, value });
        }
        let method = keys.choice("_class_name", CLASSES, CLASS_NAMES)?;
        keys.all_known()?;
        let train = keys.whole("num_train_timesteps", 1000, 1..=100_000, "a whole number from 1 to 100000")?;
        let predictions =
            [("epsilon", Prediction::Epsilon), ("v_prediction", Prediction::Velocity), ("sample", Prediction::Sample)];
        let prediction = if method == Method::Pndm {
            // Its steps go by the noise, which diffusers does not make out of a clean latent here.
            keys.choice("prediction_type", &predictions[..2], "epsilon, v_prediction")?
        } else {
            keys.choice("prediction_type", &predictions, "epsilon, v_prediction, sample")?
        };
        if method == Method::Pndm && !keys.flag("skip_prk_steps", false)? {
            let (key, value) = ("skip_prk_steps", "false".to_owned());
            return Err(ConfigError::Unsupported { key, value, supported: "true" });
        }
        let mut spacings =
            [("linspace", Spacing::Linspace), ("leading", Spacing::Leading), ("trailing", Spacing::Trailing)];
        if !method.counts_in_ratios() {
            spacings.swap(0, 1);
        }
        let spacing = keys.choice("timestep_spacing", &spacings, "trailing, leading, linspace")?;
        let steps_offset = keys.whole("steps_offset", 0, 0..=train, "a whole number from 0 to num_train_timesteps")?;
        let original = if method.is_distilled() {
            keys.whole("original_inference_steps", 50, 1..=train, "a whole number from 1 to num_train_timesteps")?
        } else {
            50
        };
        if matches!(method, Method::Ddim | Method::Lcm | Method::DpmSolver) {
            keys.refuse(&["thresholding"])?;
        }
        let clips = match method {
            Method::Ddim => keys.flag("clip_sample", true)?,
            Method::Lcm => keys.flag("clip_sample", false)?,
            _ => false,
        };
        let range = keys.between("clip_sample_range", POSITIVE, POSITIVE_RANGE)?.unwrap_or(1.0);
        let ends_noisy = match method {
            Method::Euler | Method::DpmSolver => {
                keys.choice("final_sigmas_type", &[("zero", false), ("sigma_min", true)], "zero, sigma_min")?
            }
            Method::Ddim => !keys.flag("set_alpha_to_one", true)?,
            Method::Pndm => !keys.flag("set_alpha_to_one", false)?,
            _ => false,
        };
        let bounds = |key| if method == Method::Euler { keys.between(key, POSITIVE, POSITIVE_RANGE) } else { Ok(None) };
        Ok(Self {
            method,
            train_timesteps: train,
            betas: betas(&keys, method, train)?,
            prediction,
            spacing,
            steps_offset: steps_offset as f64,
            zero_snr: method != Method::Pndm && keys.flag("rescale_betas_zero_snr", false)?,
            sigmas: sigmas(&keys, method)?,
            sigma_min: bounds("sigma_min")?,
            sigma_max: bounds("sigma_max")?,
            ends_noisy,
            original_steps: original,
            timestep_scaling: keys.between("timestep_scaling", POSITIVE, POSITIVE_RANGE)?.unwrap_or(10.0),
            clip: clips.then_some(range as f32),
            solver: solver(&keys, method)?,
        })
    }
}

fn betas(keys: &Keys, method: Method, train: usize) -> Result<Betas, ConfigError> {
    if let Some(betas) = keys.list("trained_betas")? {
        // One of 0 adds no noise, and is right anywhere but at the start, where there would be none at all.
        let starts = betas.first().is_some_and(|beta| *beta > 0.0);
        if betas.len() != train || !starts || betas.iter().any(|beta| !(0.0..1.0).contains(beta)) {
            let value = format!("{} numbers", betas.len());
            let expected = "as many numbers as num_train_timesteps says, from 0 to below 1, the first above 0";
            return Err(ConfigError::OutOfRange { key: "trained_betas", expected, value });
        }
        return Ok(Betas::Given(betas));
    }
    let distilled = method.is_distilled();
    let (start, end) = if distilled { (0.00085, 0.012) } else { (0.0001, 0.02) };
    let beta = |key| keys.between(key, [0.0, 1.0], "between 0 and 1");
    let (start, end) = (beta("beta_start")?.unwrap_or(start), beta("beta_end")?.unwrap_or(end));
    let mut schedules = [
        ("linear", Betas::Linear { start, end }),
        ("scaled_linear", Betas::ScaledLinear { start, end }),
        ("squaredcos_cap_v2", Betas::SquaredCosine),
    ];
    schedules[..2].rotate_left(usize::from(distilled));
    keys.choice("beta_schedule", &schedules, "linear, scaled_linear, squaredcos_cap_v2")
}

fn sigmas(keys: &Keys, method: Method) -> Result<Sigmas, ConfigError> {
    if !matches!(method, Method::Euler | Method::DpmSolver) {
        return Ok(Sigmas::OfTimesteps);
    }
    keys.refuse(&["use_beta_sigmas"])?;
    let (karras, exponential) = (keys.flag("use_karras_sigmas", false)?, keys.flag("use_exponential_sigmas", false)?);
    if karras && exponential {
        let (key, value) = ("use_exponential_sigmas", "true".to_owned());
        return Err(ConfigError::OutOfRange { key, expected: "false where use_karras_sigmas is true", value });
    }
    let of_timesteps = if method == Method::Euler {
        keys.choice("timestep_type", &[("discrete", ())], "discrete")?;
        let types = [("linear", Sigmas::OfTimesteps), ("log_linear", Sigmas::LogLinear)];
        keys.choice("interpolation_type", &types, "linear, log_linear")?
    } else {
        keys.refuse(&["use_lu_lambdas", "use_flow_sigmas", "use_dynamic_shifting"])?;
        Sigmas::OfTimesteps
    };
    if of_timesteps == Sigmas::LogLinear && (karras || exponential) {
        let (key, value) = ("interpolation_type", "log_linear".to_owned());
        return Err(ConfigError::OutOfRange { key, expected: "linear with Karras or exponential sigmas", value });
    }
    Ok(match (karras, exponential) {
        (true, _) => Sigmas::Karras,
        (_, true) => Sigmas::Exponential,
        _ => of_timesteps,
    })
}

fn solver(keys: &Keys, method: Method) -> Result<Solver, ConfigError> {
    let mut solver = Solver {
        order: 1,
        heun: false,
        sde: false,
        lower_order_final: true,
        euler_at_final: false,
        lambda_min: f64::NEG_INFINITY,
    };
    if method != Method::DpmSolver {
        return Ok(solver);
    }
    // diffusers takes what its other solvers write for the nearest of its own.
    let algorithms = [("dpmsolver++", false), ("sde-dpmsolver++", true), ("deis", false)];
    let types = [("midpoint", false), ("heun", true), ("logrho", false), ("bh1", false), ("bh2", false)];
    solver.sde = keys.choice("algorithm_type", &algorithms, "dpmsolver++, sde-dpmsolver++")?;
    solver.heun = keys.choice("solver_type", &types, "midpoint, heun")?;
    solver.order = keys.whole("solver_order", 2, 1..=3, "1, 2 or 3")?;
    solver.lower_order_final = keys.flag("lower_order_final", true)?;
    solver.euler_at_final = keys.flag("euler_at_final", false)?;
    // Python writes the default as -Infinity, which is no JSON: such a file is read with null there.
    solver.lambda_min = keys.number("lambda_min_clipped")?.unwrap_or(f64::NEG_INFINITY);
    let plain = [("", ()), ("fixed_small", ()), ("fixed_large", ())];
    keys.choice("variance_type", &plain, "those that are not learned")?;
    Ok(solver)
}
