//! From a pack's scheduler configuration to plans.

use crate::betas::Table;
use crate::config::{Config, ConfigError, Method, Prediction, Sigmas, Spacing};
use crate::plan::Plan;
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
    /// Timesteps that do not fall, or that the schedule does not have, perhaps for a large `steps_offset`.
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
    pub(crate) config: Config,
    pub(crate) table: Table,
    pub(crate) eta: f64,
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
                self.within(timesteps(&self.config, &self.table, count, span))?
            }
            Steps::Timesteps(list) => shrunk(list, span.length / whole),
        };
        let rungs = rungs(&self.config, &self.table, timesteps, span, begin);
        if begin >= rungs.len() {
            return Err(PlanError::NoStepLeft { steps: count, strength: share });
        }
        let silent = rungs[begin..].iter().find(|rung| rung.here.alpha == 0.0);
        if let Some(rung) = silent.filter(|_| self.config.prediction == Prediction::Epsilon) {
            return Err(PlanError::NoSignal { timestep: rung.timestep });
        }
        Ok(self.planned(&rungs, begin))
    }

    /// All steps of the schedule and a `steps_offset` of 1 end one beyond it, where diffusers' Euler takes the last timestep;
    /// further out there is nothing to take.
    fn within(&self, timesteps: Vec<f64>) -> Result<Vec<f64>, PlanError> {
        let (most, first) = (self.config.train_timesteps - 1, timesteps.first().copied().unwrap_or(0.0));
        if first > self.config.train_timesteps as f64 {
            return Err(PlanError::Timestep { timestep: first as usize, most });
        }
        Ok(timesteps.into_iter().map(|timestep| timestep.clamp(0.0, most as f64)).collect())
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
        if matches!(method, Method::EulerAncestral | Method::Ddim | Method::Pndm) || spread {
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
            remembers: self.config.solver.order > 1 || self.config.method == Method::Pndm,
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
