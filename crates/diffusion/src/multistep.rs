//! DPM-Solver++: a step out of the clean latents of the last steps.

use crate::betas::Point;
use crate::config::Solver;

/// A step in coefficients: next x = `keep × x + clean × m₀ + past[0] × m₁ + past[1] × m₂ + fresh × noise`, where m₀ is
/// the clean latent that is predicted now, m₁ and m₂ those of the steps before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Blend {
    pub keep: f64,
    pub clean: f64,
    pub past: [f64; 2],
    pub fresh: f64,
}

impl Solver {
    /// The order of step `index` of `count`, when `done` steps were taken before it.
    ///
    /// `ends_clean`: the last step leads to the picture without noise, which only the first order does.
    pub fn order_of(&self, index: usize, count: usize, done: usize, ends_clean: bool) -> usize {
        // diffusers' measure of "few steps".
        let few = self.lower_order_final && count < 15;
        let last = index + 1 == count && (self.euler_at_final || few || ends_clean);
        let wanted = match () {
            () if last => 1,
            () if index + 2 == count && few => 2,
            () => 3,
        };
        wanted.min(self.order).min(done + 1)
    }

    /// The step from `here` to `next`; `before` are the places of the steps before, the latest first, as many as the
    /// order asks for (Lu et al. 2022, "DPM-Solver++", section 4 and appendix; diffusers,
    /// `multistep_dpm_solver_third_order_update`).
    pub fn blend(&self, next: Point, here: Point, before: &[Point]) -> Blend {
        let h = next.lambda() - here.lambda();
        if h <= 0.0 {
            // Where the last sigma is the schedule's lowest and the step stands there already.
            return Blend { keep: 1.0, clean: 0.0, past: [0.0; 2], fresh: 0.0 };
        }
        // The SDE goes twice as far and brings new noise.
        let reach = if self.sde { 2.0 * h } else { h };
        let gone = -(-reach).exp_m1();
        let keep = next.sigma / here.sigma * if self.sde { (-h).exp() } else { 1.0 };
        let fresh = if self.sde { next.sigma * gone.sqrt() } else { 0.0 };
        let mut blend = Blend { keep, clean: next.alpha * gone, past: [0.0; 2], fresh };
        let [first, rest @ ..] = before else { return blend };
        // How fast the clean latent changes: the first difference to it, per step of this length.
        let h0 = here.lambda() - first.lambda();
        if h0 <= 0.0 {
            return blend;
        }
        let slope = h / h0;
        let heun = next.alpha * (1.0 - gone / reach);
        let h1 = rest.first().map_or(0.0, |second| first.lambda() - second.lambda());
        if h1 <= 0.0 {
            let weight = if self.heun { heun } else { 0.5 * next.alpha * gone };
            blend.clean += weight * slope;
            blend.past[0] = -weight * slope;
            return blend;
        }
        let (slope_before, share) = (h / h1, h0 / (h0 + h1));
        // diffusers subtracts the half in the SDE; the ODE's formula has it the other way round.
        let half = if self.sde { -0.5 } else { 0.5 };
        let curve = next.alpha * (half - (reach - gone) / reach.powi(2)) * h / (h0 + h1);
        let (newer, older) = (heun * (1.0 + share) + curve, heun * share + curve);
        blend.clean += newer * slope;
        blend.past = [-newer * slope - older * slope_before, older * slope_before];
        blend
    }
}
