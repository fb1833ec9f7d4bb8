//! From a pack's scheduler configuration to plans.

use crate::betas::{Point, Table};
use crate::config::{Config, ConfigError, Method, Prediction, Sigmas, Spacing};
use crate::multistep::Blend;
use crate::plan::{Plan, Step};
use crate::spacing::{Rung, Span, most_steps, rungs, timesteps};
use crate::steps::{Steps, Strength};
use serde_json::Value;

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
    /// diffusers' rule leaves no step of so few.
    #[error("{steps} steps at strength {strength} are less than one step: ask for more of either")]
    NoStepLeft {
        /// What was asked for.
        steps: usize,
        /// What was asked for.
        strength: f64,
    },
    /// Timesteps that do not fall, or that the schedule does not have.
    #[error("timesteps must fall and be at most {most}; {timestep} is not so")]
    Timestep {
        /// The one that is wrong.
        timestep: usize,
        /// The last of the schedule.
        most: usize,
    },
    /// The class chooses its timesteps itself, as in diffusers.
    #[error("{method:?} takes no list of timesteps with this configuration, only a number of steps")]
    NoList {
        /// The method of the class.
        method: Method,
    },
    /// Where nothing of the picture is left, predicted noise says nothing about it.
    #[error(
        "timestep {timestep} is pure noise (rescale_betas_zero_snr), out of which prediction_type epsilon gives no \
         picture: it must be v_prediction or sample"
    )]
    NoSignal {
        /// The timestep.
        timestep: f64,
    },
}

/// A pack's scheduler.
#[derive(Debug, Clone, PartialEq)]
pub struct Scheduler {
    config: Config,
    table: Table,
    eta: f64,
}

impl Scheduler {
    /// Reads `scheduler_config.json`.
    ///
    /// # Errors
    /// A class, prediction type, spacing or beta schedule that is not supported: the text says which are. A value of the
    /// wrong type or range. A key that nobody knows, unless it is null or false.
    pub fn from_config(json: &Value) -> Result<Self, ConfigError> {
        let config = Config::read(json)?;
        let table = Table::of(&config)?;
        if table.above(config.solver.lambda_min) < 2.min(config.train_timesteps) {
            let (key, value) = ("lambda_min_clipped", config.solver.lambda_min.to_string());
            return Err(ConfigError::OutOfRange { key, expected: "low enough to leave timesteps", value });
        }
        Ok(Self { config, table, eta: 0.0 })
    }

    /// With that much noise between the steps of DDIM and TCD; other methods do not ask. 0, the default of diffusers'
    /// pipelines, is none; 1 all that there is. TCD's authors call it gamma and take 0.3.
    ///
    /// # Errors
    /// A number outside 0 to 1.
    pub fn with_eta(self, eta: f64) -> Result<Self, ConfigError> {
        if (0.0..=1.0).contains(&eta) {
            return Ok(Self { eta, ..self });
        }
        Err(ConfigError::OutOfRange { key: "eta", expected: "from 0 to 1", value: eta.to_string() })
    }

    /// The method of the class.
    #[must_use]
    pub fn method(&self) -> Method {
        self.config.method
    }

    /// What the UNet predicts.
    #[must_use]
    pub fn prediction(&self) -> Prediction {
        self.config.prediction
    }

    /// A plan of so many evaluations of the UNet, or of those at given timesteps. Strength 0 is a plan without steps.
    ///
    /// # Errors
    /// No steps or more than the schedule has; a strength outside 0 to 1, or one that leaves no step; timesteps that do not
    /// fall; a configuration that cannot start where the plan does.
    pub fn plan<'a>(&self, steps: impl Into<Steps<'a>>, strength: Strength) -> Result<Plan, PlanError> {
        let (steps, share) = (steps.into(), strength.value());
        self.check(steps)?;
        if !(0.0..=1.0).contains(&share) {
            return Err(PlanError::Strength { strength: share });
        }
        if share == 0.0 {
            return Ok(self.planned(&[], 0));
        }
        let (count, whole) = (steps.count(), self.config.train_timesteps as f64);
        let (span, begin) = match strength {
            // At least one training timestep is left to stand on.
            Strength::Continuous(share) => (Span { length: (whole * share).max(1.0), strict: false }, 0),
            Strength::Diffusers(share) => {
                let taken = (count as f64 * share) as usize;
                (Span { length: whole, strict: true }, count - taken.min(count))
            }
        };
        let timesteps = match steps {
            Steps::Count(count) => {
                let count = count.min(most_steps(&self.config, &self.table, span));
                timesteps(&self.config, &self.table, count, span)
            }
            Steps::Timesteps(list) => shrunk(list, span.length / whole),
        };
        let rungs = rungs(&self.config, &self.table, timesteps, span);
        if begin >= rungs.len() {
            return Err(PlanError::NoStepLeft { steps: count, strength: share });
        }
        let silent = rungs[begin..].iter().find(|rung| rung.here.alpha == 0.0);
        if let Some(rung) = silent.filter(|_| self.config.prediction == Prediction::Epsilon) {
            return Err(PlanError::NoSignal { timestep: rung.timestep });
        }
        Ok(self.planned(&rungs, begin))
    }

    fn check(&self, steps: Steps) -> Result<(), PlanError> {
        let whole = self.config.train_timesteps;
        let span = Span { length: whole as f64, strict: true };
        let (steps, most) = (steps, most_steps(&self.config, &self.table, span));
        let list = match steps {
            Steps::Count(steps) if (1..=most).contains(&steps) => return Ok(()),
            Steps::Timesteps(list) if !list.is_empty() => list,
            Steps::Count(_) | Steps::Timesteps(_) => return Err(PlanError::Steps { steps: steps.count(), most }),
        };
        let method = self.config.method;
        let spread = matches!(self.config.sigmas, Sigmas::Karras | Sigmas::Exponential);
        if matches!(method, Method::EulerAncestral | Method::Ddim) || spread {
            return Err(PlanError::NoList { method });
        }
        let rising = list.windows(2).find(|pair| pair[0] <= pair[1]).map(|pair| pair[1]);
        match rising.or(Some(list[0]).filter(|first| *first >= whole)) {
            Some(timestep) => Err(PlanError::Timestep { timestep, most: whole - 1 }),
            None => Ok(()),
        }
    }

    /// The plan of the rungs from `begin` on.
    fn planned(&self, rungs: &[Rung], begin: usize) -> Plan {
        let start = rungs.get(begin).map(|rung| rung.here);
        let by_ratio = self.config.method.scales_by_ratio();
        let (start_latent, start_noise) = match start {
            None => (1.0, 0.0),
            Some(start) if by_ratio => (1.0, start.ratio()),
            Some(start) => (start.alpha, start.sigma),
        };
        let text_noise = match (by_ratio, self.config.spacing) {
            (false, _) => 1.0,
            (true, Spacing::Leading) => start_noise.hypot(1.0),
            (true, Spacing::Trailing | Spacing::Linspace) => start_noise,
        };
        Plan {
            steps: (begin..rungs.len()).map(|index| self.step(rungs, index, begin)).collect(),
            timesteps: rungs[begin..].iter().map(|rung| rung.timestep as f32).collect(),
            start_latent: start_latent as f32,
            start_noise: start_noise as f32,
            text_noise: text_noise as f32,
            clip: self.config.clip,
            remembers: self.config.solver.order > 1,
        }
    }

    fn step(&self, rungs: &[Rung], index: usize, begin: usize) -> Step {
        let Rung { timestep, here, next } = rungs[index];
        match self.config.method {
            Method::Euler | Method::EulerAncestral => self.euler(here, next),
            Method::Ddim => self.ddim(here, next),
            Method::Lcm => self.lcm(timestep, here, next),
            Method::Tcd => self.tcd(here, rungs.get(index + 1).map(|rung| rung.timestep), next),
            Method::DpmSolver => {
                let (solver, done) = (&self.config.solver, index - begin);
                let order = solver.order_of(index, rungs.len(), done, !self.config.ends_noisy);
                let before: Vec<Point> = (1..order).map(|back| rungs[index - back].here).collect();
                let Blend { keep, clean, past, fresh } = solver.blend(next, here, &before);
                Step {
                    past: past.map(|weight| weight as f32),
                    ..self.first_order(here, 1.0, [keep, 0.0, clean, fresh])
                }
            }
        }
    }

    /// A step in the space where `x = clean + ratio × noise`, as k-diffusion has it.
    fn euler(&self, here: Point, next: Point) -> Step {
        let (ratio, next) = (here.ratio(), next.ratio());
        let (down, up) = match self.config.method {
            Method::EulerAncestral => {
                let up = (next.powi(2) * (ratio.powi(2) - next.powi(2)) / ratio.powi(2)).max(0.0).sqrt();
                ((next.powi(2) - up.powi(2)).max(0.0).sqrt(), up)
            }
            _ => (next, 0.0),
        };
        // The model's input is the picture in the other space: x × alpha.
        self.first_order(here, here.alpha, [down / ratio, 0.0, 1.0 - down / ratio, up])
    }

    /// Keeps the predicted noise, but for a part of it that is drawn anew.
    fn ddim(&self, here: Point, next: Point) -> Step {
        // Song et al. 2020, eq. 16.
        let share = (next.sigma / here.sigma).powi(2) * (1.0 - (here.alpha / next.alpha).powi(2));
        let fresh = self.eta * share.max(0.0).sqrt();
        let noise = (next.sigma.powi(2) - fresh.powi(2)).max(0.0).sqrt();
        self.with_noise(here, [noise, next.alpha, fresh])
    }

    fn lcm(&self, timestep: f64, here: Point, next: Point) -> Step {
        // Boundary condition of consistency models, sigma_data 0.5 (diffusers, `LCMScheduler`).
        let scaled = timestep * self.config.timestep_scaling;
        let (skip, out) = (0.25 / (scaled.powi(2) + 0.25), scaled / scaled.hypot(0.5));
        self.first_order(here, 1.0, [next.alpha * skip, 0.0, next.alpha * out, next.sigma])
    }

    /// Goes further down than the next timestep, and up again with fresh noise; not so in the last step.
    fn tcd(&self, here: Point, timestep: Option<f64>, next: Point) -> Step {
        // diffusers rounds in f32 here.
        let below = timestep.map(|timestep| ((1.0 - self.eta) as f32 * timestep as f32) as usize);
        let down = below.filter(|_| self.eta > 0.0).map_or(next, |below| self.table.point(below));
        let up = next.alpha / down.alpha;
        let fresh = (1.0 - up.powi(2)).max(0.0).sqrt();
        self.with_noise(here, [up * down.sigma, up * down.alpha, fresh])
    }

    /// Next x = `noise × predicted noise + clean × clean latent + fresh × fresh noise`. The noise is that of the output
    /// itself, even where the clean latent is clipped, as diffusers does.
    fn with_noise(&self, here: Point, [noise, clean, fresh]: [f64; 3]) -> Step {
        let Point { alpha, sigma } = here;
        let (from_x, from_output) = match self.config.prediction {
            Prediction::Epsilon => (0.0, 1.0),
            Prediction::Velocity => (sigma, alpha),
            Prediction::Sample => (1.0 / sigma, -alpha / sigma),
        };
        self.first_order(here, 1.0, [noise * from_x, noise * from_output, clean, fresh])
    }

    /// Puts the prediction type in: how the clean latent follows from x and the UNet's output.
    ///
    /// `input` is what the UNet's input is multiplied by to get from the state's space to `alpha, sigma`.
    fn first_order(&self, here: Point, input: f64, [keep, output, clean, fresh]: [f64; 4]) -> Step {
        let Point { alpha, sigma } = here;
        // In the space of alpha and sigma: clean = (x − sigma × noise) / alpha, or alpha × x − sigma × velocity.
        let (from_x, from_output) = match self.config.prediction {
            Prediction::Epsilon => (1.0 / alpha, -sigma / alpha),
            Prediction::Velocity => (alpha, -sigma),
            Prediction::Sample => (0.0, 1.0),
        };
        Step {
            input: input as f32,
            from_x: (from_x * input) as f32,
            from_output: from_output as f32,
            keep: keep as f32,
            output: output as f32,
            clean: clean as f32,
            past: [0.0; 2],
            fresh: fresh as f32,
        }
    }
}

/// A list of timesteps on a part of the schedule.
fn shrunk(list: &[usize], share: f64) -> Vec<f64> {
    let shrink = |timestep: &usize| (((timestep + 1) as f64 * share).round_ties_even() - 1.0).max(0.0);
    let mut timesteps: Vec<f64> = list.iter().map(shrink).collect();
    timesteps.dedup();
    timesteps
}
