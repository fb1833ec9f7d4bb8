//! What this machine is busy with, out of `/proc`.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

/// Over how long the use of the processors is measured: the kernel counts in hundredths of a second.
const SPAN: Duration = Duration::from_millis(200);

/// How busy it is. What cannot be read is 0.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Load {
    /// Use of all processors, in percent.
    pub processor_percent: f64,
    /// Memory in use, in percent of all.
    pub memory_percent: f64,
    /// This program's memory, in MB.
    pub own_mb: f64,
    /// This program's threads.
    pub threads: u64,
}

/// Looks. Takes a fifth of a second.
#[must_use]
pub fn load() -> Load {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let before = ticks(&read("/proc/stat"));
    sleep(SPAN);
    let now = ticks(&read("/proc/stat"));
    let (busy, all) = (now.0.saturating_sub(before.0), now.1.saturating_sub(before.1));
    let percent = |part: u64, whole: u64| if whole == 0 { 0.0 } else { 100.0 * part as f64 / whole as f64 };
    let memory = read("/proc/meminfo");
    let (total, available) = (field(&memory, "MemTotal:"), field(&memory, "MemAvailable:"));
    let own = read("/proc/self/status");
    Load {
        processor_percent: percent(busy, all),
        memory_percent: percent(total.saturating_sub(available), total),
        own_mb: field(&own, "VmRSS:") as f64 / 1024.0,
        threads: field(&own, "Threads:"),
    }
}

/// Busy and all ticks of all processors since the machine started: `/proc/stat`, fields of `cpu` as in proc(5).
fn ticks(text: &str) -> (u64, u64) {
    let fields = text.lines().next().unwrap_or_default().split_whitespace().skip(1).take(8);
    let fields: Vec<u64> = fields.filter_map(|field| field.parse().ok()).collect();
    let all: u64 = fields.iter().sum();
    // The fourth is idle, the fifth waits for disks.
    let idle: u64 = fields.iter().skip(3).take(2).sum();
    (all - idle, all)
}

/// The number behind that name.
fn field(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_words_become_figures() {
        assert_eq!(ticks("cpu  10 0 20 60 10 0 0 0 0 0\ncpu0 …"), (30, 100));
        assert_eq!(ticks(""), (0, 0));
        assert_eq!(field("MemTotal:  100 kB\nMemAvailable: 25 kB\n", "MemAvailable:"), 25);
        let load = load();
        assert!(load.threads >= 1 && load.own_mb > 1.0, "{load:?}");
        assert!((0.0..=100.0).contains(&load.processor_percent) && (0.0..=100.0).contains(&load.memory_percent));
    }
}
