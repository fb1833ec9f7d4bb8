//! What the recording ran on.

use serde::Serialize;

/// The machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Machine {
    /// The processor's name.
    pub cpu: String,
    /// How many of its cores this process may use.
    pub cores: usize,
}

impl Machine {
    /// This machine. What cannot be found out is `unknown` or 0.
    #[must_use]
    pub fn here() -> Self {
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        let cpu = cpu_name(&read("/proc/cpuinfo"), &read("/proc/device-tree/model"));
        let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
        Self { cpu, cores }
    }
}

/// The name of the processor: from `/proc/cpuinfo`, which ARM leaves without one, else from the board's model.
fn cpu_name(cpuinfo: &str, board: &str) -> String {
    let named = |key: &str| {
        cpuinfo.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            (name.trim() == key && !value.trim().is_empty()).then(|| value.trim().to_owned())
        })
    };
    let board = board.trim_matches(['\0', '\n', ' ']);
    named("model name")
        .or_else(|| (!board.is_empty()).then(|| board.to_owned()))
        .or_else(|| named("Hardware"))
        .unwrap_or_else(|| "unknown".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_has_a_name_on_every_kind_of_machine() {
        assert_eq!(cpu_name("processor\t: 0\nmodel name\t: AMD EPYC\nmodel name\t: other\n", ""), "AMD EPYC");
        assert_eq!(cpu_name("processor\t: 0\nFeatures : fp\n", "NVIDIA Jetson Orin Nano\0"), "NVIDIA Jetson Orin Nano");
        assert_eq!(cpu_name("Hardware\t: BCM2835\n", ""), "BCM2835");
        assert_eq!(cpu_name("", ""), "unknown");
    }
}
