//! The whole mirror as `mirror run` starts `dataflow.yml`, with every node of it and nobody who speaks: what people see, measured
//! from outside.

use crate::live::{Live, Now, share_mib};
use eyre::{Result, bail, eyre};
use mirror_kit::figures::Spread;
use serde::Serialize;
use serde_json::json;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// What the mirror starts with.
const FIRST: &str = "neon lights";
/// What is wished for then, one after the other. Each is new to the mirror: a prompt that it remembers needs no text encoder.
const WISHES: [&str; 7] = [
    "a pencil drawing",
    "a blueprint",
    "a chalkboard",
    "a statue of marble",
    "film noir",
    "a thermal camera",
    "vaporwave",
];
/// The page's figures are of the last five seconds: those of the start must be gone.
const SETTLE: Duration = Duration::from_secs(8);
/// Between two looks at the figures, and before each wish.
const REST: Duration = Duration::from_secs(1);
/// Between two looks whether a wish is painted.
const LOOK: Duration = Duration::from_millis(2);
/// Longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// What was measured of one size.
#[derive(Debug, Clone, Serialize)]
pub struct Whole {
    /// Side of the picture.
    pub size: usize,
    /// Nodes that dora has started.
    pub nodes: usize,
    /// Pictures a second.
    pub fps: f64,
    /// From the camera's stamp to the picture's arrival at the page: medians of all looks.
    pub age_ms: Spread,
    /// Memory of all nodes, in MiB; what they share counts once.
    pub memory_mib: f64,
    /// From `mirror run` to the first picture, in seconds, when all files were read once before.
    pub start_s: f64,
    /// From each wish to the first picture that is painted so, in milliseconds.
    pub wishes_ms: Vec<f64>,
}

/// Measures the mirror on the clip with that pack, without a window; so many looks at its figures, a second apart.
///
/// # Errors
/// It does not start, does not paint, or does not do what was wished for.
pub fn measure(root: &Path, pack: &Path, size: usize, looks: usize) -> Result<Whole> {
    let (pack, side) = (pack.display().to_string(), size.to_string());
    let flags = ["--source", "assets/clip.mp4", "--pack", &pack, "--size", &side, "--prompt", FIRST];
    let live = Live::start(root, &flags, PATIENCE)?;
    sleep(SETTLE);
    let mut seen: Vec<Now> = Vec::new();
    for _ in 0..looks.max(1) {
        sleep(REST);
        seen.push(live.now().ok_or_else(|| eyre!("the page does not answer:\n{}", live.log()))?);
    }
    let nodes = live.nodes();
    let memory_mib = nodes.iter().filter_map(|node| share_mib(node.pid)).sum();
    let wishes_ms = WISHES.iter().map(|prompt| wish(&live, prompt)).collect::<Result<_>>()?;
    drop(live);
    let start_s = first_picture(&Live::start(root, &flags, PATIENCE)?)?;
    let age_ms = Spread { p50: median(&seen, |now| now.age_ms[0]), p99: median(&seen, |now| now.age_ms[1]) };
    Ok(Whole { size, nodes: nodes.len(), fps: median(&seen, |now| now.fps), age_ms, memory_mib, start_s, wishes_ms })
}

fn median(seen: &[Now], of: impl Fn(&Now) -> f64) -> f64 {
    let mut values: Vec<f64> = seen.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// How long a picture that is painted so takes to come, in milliseconds.
fn wish(live: &Live, prompt: &str) -> Result<f64> {
    sleep(REST);
    let begin = Instant::now();
    live.set(&json!({ "prompt": prompt }))?;
    while live.now().is_none_or(|now| now.prompt != prompt) {
        if begin.elapsed() > PATIENCE {
            bail!("\"{prompt}\" is not painted:\n{}", live.log());
        }
        sleep(LOOK);
    }
    Ok(begin.elapsed().as_secs_f64() * 1000.0)
}

/// What `mirror run` says of its start, in seconds.
fn first_picture(live: &Live) -> Result<f64> {
    let begin = Instant::now();
    loop {
        if let Some(seconds) = said(&live.log()) {
            return Ok(seconds);
        }
        if begin.elapsed() > PATIENCE {
            bail!("the mirror does not say when its first picture came:\n{}", live.log());
        }
        sleep(REST);
    }
}

/// Out of the line "page after 1.2 s, first picture after 2.3 s".
fn said(log: &str) -> Option<f64> {
    log.lines().find_map(|line| line.split_once("first picture after ")?.1.strip_suffix(" s")?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_is_what_the_mirror_says_of_it() {
        let log = "starting dataflow.yml …\npage after 1.2 s, first picture after 2.3 s\n21.7 fps";
        assert_eq!(said(log), Some(2.3));
        assert_eq!(said("starting dataflow.yml …\n"), None);
    }
}
