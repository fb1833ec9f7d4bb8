//! Which timesteps a plan takes, and how noisy it is there.

use crate::betas::{Point, Table};
use crate::config::{Config, Method, Sigmas, Spacing};

/// One evaluation of the UNet: what it is told, where it stands, and where its step leads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rung {
    pub timestep: f64,
    pub here: Point,
    pub next: Point,
}

/// How much of the schedule there is to spread over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    /// In training timesteps, at least 1; those above are left out.
    pub length: f64,
    /// As diffusers does it where it makes little sense; then `length` is the whole schedule.
    pub strict: bool,
}

/// The most steps that can be told apart on a span of the schedule.
pub(crate) fn most_steps(config: &Config, table: &Table, span: Span) -> usize {
    let length = span.length as usize;
    let solver = config.method == Method::DpmSolver && config.sigmas == Sigmas::OfTimesteps;
    let most = match config.spacing {
        _ if config.method.is_distilled() => original_steps(config, span),
        // One more than there are steps is spread, and the lowest is left out.
        Spacing::Linspace | Spacing::Leading if solver => {
            length.min(table.above(config.solver.lambda_min)).saturating_sub(1)
        }
        _ => length,
    };
    most.max(1)
}

/// The timesteps on that span that a consistency model was distilled at.
fn original_steps(config: &Config, span: Span) -> usize {
    (config.original_steps as f64 * (span.length / config.train_timesteps as f64)).max(1.0) as usize
}

/// `count` timesteps, falling. `steps_offset` may lead beyond the end of the schedule.
pub(crate) fn timesteps(config: &Config, table: &Table, count: usize, span: Span) -> Vec<f64> {
    match config.method {
        Method::Lcm | Method::Tcd => distilled(config, count, span),
        Method::DpmSolver => solved(config, table, count, span),
        Method::Euler | Method::EulerAncestral | Method::Ddim => plain(config, count, span),
        Method::Pndm => {
            let mut twice = plain(config, count, span);
            if let Some(second) = twice.get(1).copied() {
                twice.insert(1, second);
            }
            twice
        }
    }
}

fn plain(config: &Config, count: usize, span: Span) -> Vec<f64> {
    let last = count - 1;
    match config.spacing {
        Spacing::Trailing => trailing(span.length, span.length, count),
        Spacing::Leading => {
            let stride = (span.length / count as f64).floor();
            (0..count).map(|index| (last - index) as f64 * stride + config.steps_offset).collect()
        }
        Spacing::Linspace if count == 1 => vec![if span.strict { 0.0 } else { span.length - 1.0 }],
        Spacing::Linspace => {
            let values = linspace(span.length - 1.0, last);
            // Whole timesteps where diffusers has a table of them, else f32.
            let kept = |value: f64| {
                if config.method.scales_by_ratio() { f64::from(value as f32) } else { value.round_ties_even() }
            };
            values.into_iter().rev().map(kept).collect()
        }
    }
}

/// DPM-Solver leaves out timesteps whose lambda is below `lambda_min_clipped`.
fn solved(config: &Config, table: &Table, count: usize, span: Span) -> Vec<f64> {
    let length = span.length.min(table.above(config.solver.lambda_min) as f64);
    match config.spacing {
        Spacing::Trailing => trailing(length, span.length, count),
        Spacing::Leading => {
            let stride = (length / (count + 1) as f64).floor();
            (1..=count).rev().map(|index| index as f64 * stride + config.steps_offset).collect()
        }
        Spacing::Linspace => {
            linspace(length - 1.0, count)[1..].iter().rev().map(|value| value.round_ties_even()).collect()
        }
    }
}

/// Consistency models are distilled on a coarser schedule; its timesteps alone are known to them.
fn distilled(config: &Config, count: usize, span: Span) -> Vec<f64> {
    let original = original_steps(config, span);
    let stride = config.train_timesteps / config.original_steps;
    let skip = original as f64 / count as f64;
    (0..count).map(|index| ((original - (index as f64 * skip) as usize) * stride) as f64 - 1.0).collect()
}

/// `numpy.arange(top, 0, -length / count).round() - 1`, with numpy's rounding. Where that has one value more than there
/// are steps, of timestep −1 (61 steps of 1000, say), the value is left out.
fn trailing(top: f64, length: f64, count: usize) -> Vec<f64> {
    let stride = (top - length / count as f64) - top;
    let values = (0..count).map(|index| top + index as f64 * stride);
    values.take_while(|value| *value > 0.0).map(|value| value.round_ties_even() - 1.0).collect()
}

/// `numpy.linspace(0, top, gaps + 1)`.
fn linspace(top: f64, gaps: usize) -> Vec<f64> {
    let stride = top / gaps as f64;
    (0..=gaps).map(|index| if index == gaps { top } else { index as f64 * stride }).collect()
}

/// Puts the places to the timesteps, of which those before `begin` are left out later. Karras and exponential sigmas choose the places themselves, and then the timesteps
/// follow.
pub(crate) fn rungs(config: &Config, table: &Table, mut timesteps: Vec<f64>, span: Span, begin: usize) -> Vec<Rung> {
    let count = timesteps.len();
    let whole = |timestep: f64| table.point(timestep as usize);
    let end = if config.ends_noisy { table.point(0) } else { Point::CLEAN };
    let places: Vec<Point> = match config.method {
        Method::Ddim | Method::Pndm => {
            // diffusers steps down by the stride, even where the timesteps were rounded to something else.
            let steps = 1 + timesteps.windows(2).filter(|pair| pair[0] != pair[1]).count();
            let stride = (span.length / steps as f64).floor();
            let next = |timestep: f64| if timestep < stride { end } else { whole(timestep - stride) };
            let rung = |(index, timestep): (usize, &f64)| match config.method {
                // The second evaluation does the first step again.
                Method::Pndm if index == begin + 1 => {
                    Rung { timestep: *timestep, here: whole(timestep + stride), next: whole(*timestep) }
                }
                _ => Rung { timestep: *timestep, here: whole(*timestep), next: next(*timestep) },
            };
            return timesteps.iter().enumerate().map(rung).collect();
        }
        Method::Lcm => timesteps.iter().map(|timestep| whole(*timestep)).chain([Point::CLEAN]).collect(),
        // It ends at timestep 0, not at the clean picture.
        Method::Tcd => timesteps.iter().map(|timestep| whole(*timestep)).chain([table.point(0)]).collect(),
        Method::Euler | Method::EulerAncestral | Method::DpmSolver => {
            let ratios = ratios(config, table, &mut timesteps, span);
            // Log-linear sigmas bring an end of their own.
            let end = if ratios.len() > count { None } else { Some(end) };
            ratios.into_iter().map(Point::of_ratio).chain(end).collect()
        }
    };
    let rung =
        |(index, timestep): (usize, &f64)| Rung { timestep: *timestep, here: places[index], next: places[index + 1] };
    timesteps.iter().enumerate().map(rung).collect()
}

fn ratios(config: &Config, table: &Table, timesteps: &mut [f64], span: Span) -> Vec<f64> {
    let count = timesteps.len();
    let (lowest, top) = (table.ratio(0.0), table.ratio(span.length - 1.0));
    let own: Vec<f64> = timesteps.iter().map(|timestep| table.ratio(*timestep)).collect();
    // Euler spreads between the outermost of its timesteps, DPM-Solver between the ends of the schedule.
    let (high, low) = match config.method {
        Method::Euler => (own[0], own[count - 1]),
        _ => (top, lowest),
    };
    let high = config.sigma_max.map_or(high, |most| if span.strict { most } else { most.min(high) });
    let low = config.sigma_min.unwrap_or(low);
    let ramp = |index: usize| if count > 1 { index as f64 / (count - 1) as f64 } else { 0.0 };
    let between = |high: f64, low: f64, share: f64| (high.ln() + share * (low.ln() - high.ln())).exp();
    let ratios: Vec<f64> = match config.sigmas {
        Sigmas::OfTimesteps => return own,
        Sigmas::LogLinear => {
            return (0..=count).map(|index| between(top, lowest, index as f64 / count as f64)).collect();
        }
        Sigmas::Exponential => (0..count).map(|index| between(high, low, ramp(index))).collect(),
        Sigmas::Karras => {
            // Karras et al. 2022, eq. 5, with their rho.
            let (rho, root) = (7.0, |ratio: f64| ratio.powf(1.0 / 7.0));
            (0..count).map(|index| (root(high) + ramp(index) * (root(low) - root(high))).powf(rho)).collect()
        }
    };
    // DPM-Solver tells the UNet whole timesteps: rounded with Karras's sigmas, else cut off, as diffusers does.
    let rounds = config.sigmas == Sigmas::Karras && config.betas != crate::config::Betas::SquaredCosine;
    for (timestep, ratio) in timesteps.iter_mut().zip(&ratios) {
        let exact = table.timestep(*ratio);
        *timestep = match config.method {
            Method::DpmSolver if rounds => exact.round_ties_even(),
            Method::DpmSolver => exact.floor(),
            _ => exact,
        };
    }
    ratios
}
