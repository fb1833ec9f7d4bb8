//! Configuration from the environment.

use mirror_inference::config::{PACK, PACKS, PACKS_OPEN, PROVIDER, cores, spin_us, threads};
use mirror_kit::Key;

/// All keys of this node.
pub const KEYS: &[Key] = &[
    threads("DECODER_THREADS", "Threads of the decoder; 0 is one a core"),
    spin_us("DECODER_SPIN_US"),
    cores("DECODER_CORES"),
    PACK,
    PACKS,
    PACKS_OPEN,
    PROVIDER,
];

#[cfg(test)]
mod tests {
    use super::*;
    use mirror_inference::Config;
    use mirror_kit::Environment;

    #[test]
    fn the_defaults_are_a_configuration() {
        let environment = Environment::given(KEYS, []).expect("nothing is set");
        Config::of(&environment).expect("all keys that are read are listed");
    }
}
