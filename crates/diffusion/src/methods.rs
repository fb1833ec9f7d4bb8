//! The step of each method, in coefficients.

use crate::betas::Point;
use crate::config::{Method, Prediction};
use crate::multistep::Blend;
use crate::plan::Step;
use crate::scheduler::Scheduler;
use crate::spacing::Rung;

impl Scheduler {
    /// The step of a rung, in a plan that begins at `begin`.
    pub(crate) fn step(&self, rungs: &[Rung], index: usize, begin: usize) -> Step {
        let Rung { timestep, here, next } = rungs[index];
        match self.config.method {
            Method::Euler | Method::EulerAncestral => self.euler(here, next),
            Method::Ddim => self.ddim(here, next),
            Method::Pndm => self.pndm(rungs, index, index - begin),
            Method::Lcm => self.lcm(timestep, here, next),
            Method::Tcd => self.tcd(here, rungs.get(index + 1).map(|rung| rung.timestep), next),
            Method::DpmSolver => {
                let (solver, done) = (&self.config.solver, index - begin);
                let order = solver.order_of(index, rungs.len(), done, !self.config.ends_noisy);
                let before: Vec<Point> = (1..order).map(|back| rungs[index - back].here).collect();
                let Blend { keep, clean, past, fresh } = solver.blend(next, here, &before);
                Step {
                    past: [past[0] as f32, past[1] as f32, 0.0, 0.0],
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

    /// A step along a mean of the last outputs, with the weights of Adams and Bashforth; `done` steps were taken before.
    fn pndm(&self, rungs: &[Rung], index: usize, done: usize) -> Step {
        // The output of the second evaluation serves that step alone.
        let (now, past) = match done {
            0 => (1.0, [0.0; 4]),
            1 => (0.5, [0.5, 0.0, 0.0, 0.0]),
            2 => (3.0 / 2.0, [0.0, -1.0 / 2.0, 0.0, 0.0]),
            3 => (23.0 / 12.0, [-16.0 / 12.0, 0.0, 5.0 / 12.0, 0.0]),
            4 => (55.0 / 24.0, [-59.0 / 24.0, 37.0 / 24.0, 0.0, -9.0 / 24.0]),
            _ => (55.0 / 24.0, [-59.0 / 24.0, 37.0 / 24.0, -9.0 / 24.0, 0.0]),
        };
        // Next x = keep × x + turn × mean.
        let line = |Rung { here, next, .. }: &Rung| {
            let (stretch, noise) = (next.alpha / here.alpha, next.sigma - here.sigma * next.alpha / here.alpha);
            match self.config.prediction {
                Prediction::Velocity => (stretch + noise * here.sigma, noise * here.alpha),
                Prediction::Epsilon | Prediction::Sample => (stretch, noise),
            }
        };
        let (mut keep, turn) = line(&rungs[index]);
        let mut past = past.map(|weight| turn * weight);
        if done == 1 {
            // It starts where the first step started: x₀ = (x₁ − turn₀ × output₀) / keep₀.
            let (first_keep, first_turn) = line(&rungs[index - 1]);
            keep /= first_keep;
            past[0] -= keep * first_turn;
        }
        Step {
            input: 1.0,
            from_x: 0.0,
            from_output: 1.0,
            keep: keep as f32,
            output: 0.0,
            clean: (turn * now) as f32,
            past: past.map(|weight| weight as f32),
            fresh: 0.0,
        }
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
            past: [0.0; 4],
            fresh: fresh as f32,
        }
    }
}
