//! Configuration from the environment.

use eyre::Result;
use mirror_inference::config::{PACK, PACKS, PACKS_OPEN, PROVIDER, cores, spin_us, threads};
use mirror_kit::{Environment, Key};

/// Whether stages work at once.
pub const OVERLAP: Key = Key {
    name: "FUSED_OVERLAP",
    default: "off",
    text: "on: while a picture is painted, the one before is decoded and the next one encoded, in another thread; off: one after the other. `make bench` measures both",
};

/// All keys of this node.
pub const KEYS: &[Key] = &[
    threads("FUSED_THREADS", "Threads of each of the three models; 0 is one a core"),
    spin_us("FUSED_SPIN_US"),
    cores("FUSED_CORES"),
    OVERLAP,
    PACK,
    PACKS,
    PACKS_OPEN,
    PROVIDER,
];

/// Whether stages work at once, as the process's environment says.
///
/// # Errors
/// A value that is neither on nor off; an unknown key.
pub fn overlap() -> Result<bool> {
    Environment::read(KEYS)?.switch(OVERLAP.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mirror_inference::Config;

    #[test]
    fn the_defaults_are_a_configuration() {
        let environment = Environment::given(KEYS, []).expect("nothing is set");
        Config::of(&environment).expect("all keys that are read are listed");
        assert!(!environment.switch(OVERLAP.name).expect("a switch"));
    }
}
