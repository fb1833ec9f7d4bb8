//! Configuration from the environment.

use eyre::Result;
use mirror_inference::config::{PACK, PACKS, PACKS_OPEN, PROVIDER, cores, spin_us, threads};
use mirror_kit::{Environment, Key};

/// All keys of this node.
pub const KEYS: &[Key] = &[
    threads("ENCODER_THREADS", "Threads of the encoder; 0 is one a core"),
    spin_us("ENCODER_SPIN_US"),
    cores("ENCODER_CORES"),
    Key {
        name: "ENCODER_MIRROR",
        default: "on",
        text: "Whether left and right are swapped as the setting `mirror` says; `off` where a node between the camera and this one does it",
    },
    PACK,
    PACKS,
    PACKS_OPEN,
    PROVIDER,
];

/// Whether this node swaps left and right.
///
/// # Errors
/// A value that is no switch.
pub fn mirrors(environment: &Environment) -> Result<bool> {
    environment.switch("ENCODER_MIRROR")
}

#[cfg(test)]
mod tests {
    use super::*;
    use mirror_inference::Config;

    #[test]
    fn the_defaults_are_a_configuration() {
        let environment = Environment::given(KEYS, []).expect("nothing is set");
        Config::of(&environment).expect("all keys that are read are listed");
        assert!(mirrors(&environment).expect("a switch"));
    }
}
