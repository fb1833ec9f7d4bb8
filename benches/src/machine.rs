//! The machine that something was measured on, and the day: figures mean nothing without them.

use std::fs;
use std::process::Command;
use std::thread::available_parallelism;

/// Processor and number of cores.
#[must_use]
pub fn name() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ").map(|(_, model)| model));
    let cores = available_parallelism().map_or(1, usize::from);
    format!("{}, {cores} cores, no GPU used", model.unwrap_or("unknown processor"))
}

/// Today, in Coordinated Universal Time: `2026-11-21`.
#[must_use]
pub fn date() -> String {
    let out = Command::new("date").args(["-u", "+%Y-%m-%d"]).output();
    out.map(|out| String::from_utf8_lossy(&out.stdout).trim().to_owned()).unwrap_or_default()
}

/// How busy it is: processes that run or want to, over the last minute. Above 0.5 per core, figures are not worth much.
#[must_use]
pub fn load() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or(0.0)
}
