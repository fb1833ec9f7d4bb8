//! What every node that runs a model of a pack is configured with.
//!
//! A node lists seven keys, three under its own prefix, and reads them with [`Config::read`]:
//!
//! ```
//! use mirror_inference::config::{self, Config};
//! use mirror_kit::Key;
//!
//! const KEYS: &[Key] = &[
//!     config::threads("DECODER_THREADS", "Threads of the decoder; 0 is one a core"),
//!     config::spin_us("DECODER_SPIN_US"),
//!     config::cores("DECODER_CORES"),
//!     config::PACK,
//!     config::PACKS,
//!     config::PACKS_OPEN,
//!     config::PROVIDER,
//! ];
//! # fn main() -> eyre::Result<()> {
//! let config = Config::read(KEYS)?;
//! # Ok(())
//! # }
//! ```

use crate::cores::{self, Cores};
use crate::options::{Choice, Options};
use eyre::{Result, bail};
use mirror_kit::{Environment, Key};
use std::path::PathBuf;

pub use mirror_kit::config::{PACK, PACKS, PACKS_OPEN};

/// What the models run on.
pub const PROVIDER: Key =
    Key { name: "MIRROR_PROVIDER", default: "auto", text: "What runs the models: auto, cpu, cuda or tensorrt" };

/// How many threads the node's model has: `<NODE>_THREADS`.
#[must_use]
pub const fn threads(name: &'static str, text: &'static str) -> Key {
    Key { name, default: "0", text }
}

/// How long these threads stay awake while they wait: `<NODE>_SPIN_US`; see [`SPIN_US`](crate::options::SPIN_US).
#[must_use]
pub const fn spin_us(name: &'static str) -> Key {
    let text = "Microseconds that a waiting thread of the model stays awake; 0 is none";
    Key { name, default: "200", text }
}

/// On which cores these threads run: `<NODE>_CORES`; see [`Cores`].
#[must_use]
pub const fn cores(name: &'static str) -> Key {
    let text = "Which core each thread of the model keeps to, on the CPU: `any`, cores like `0` or `0,2-3`, or `auto`: one each where there is a thread for every core and there are at most four";
    Key { name, default: "auto", text }
}

/// What the seven keys say.
#[derive(Debug, Clone)]
pub struct Config {
    /// Directory of the model pack.
    pub pack: PathBuf,
    /// Where other packs lie: directories with `:` between.
    pub packs: String,
    /// How many packs may be open at once.
    pub packs_open: usize,
    /// How the model is run.
    pub options: Options,
}

impl Config {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// An unknown key under the node's prefix, or a value that cannot be used.
    pub fn read(keys: &'static [Key]) -> Result<Self> {
        Self::of(&Environment::read(keys)?)
    }

    /// Reads the given environment.
    ///
    /// # Errors
    /// A value that cannot be used.
    ///
    /// # Panics
    /// If the node does not list the seven keys: a fault of the program, which its first test finds.
    pub fn of(environment: &Environment) -> Result<Self> {
        let prefix = environment.prefix();
        let options = Options {
            provider: environment.parse(PROVIDER.name, Choice::EXPECTED)?,
            // More cores than any machine that this runs on has; a typing error beyond it is named.
            threads: environment.within(&format!("{prefix}THREADS"), 0, 256)?,
            // Beyond a second a thread would simply never sleep.
            spin_us: environment.within(&format!("{prefix}SPIN_US"), 0, 1_000_000)?,
            cores: environment.parse(&format!("{prefix}CORES"), Cores::EXPECTED)?,
        };
        if let Some(core) = options.cores.foreign() {
            let name = format!("{prefix}CORES");
            let there = cores::usable().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            bail!("{name}={:?} names core {core}: this process can use {there}", environment.text(&name));
        }
        Ok(Self {
            pack: environment.text(PACK.name).into(),
            packs: environment.text(PACKS.name).to_owned(),
            packs_open: environment.within(PACKS_OPEN.name, 1, 16)?,
            options,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Provider;

    const KEYS: &[Key] = &[
        threads("DECODER_THREADS", ""),
        spin_us("DECODER_SPIN_US"),
        super::cores("DECODER_CORES"),
        PACK,
        PACKS,
        PACKS_OPEN,
        PROVIDER,
    ];

    fn config(pairs: &[(&str, &str)]) -> Result<Config> {
        Config::of(&Environment::given(KEYS, pairs.iter().copied())?)
    }

    fn error(name: &str, value: &str) -> String {
        config(&[(name, value)]).expect_err("it is wrong").to_string()
    }

    #[test]
    fn every_key_is_read_under_the_nodes_own_prefix() {
        let config = config(&[
            ("DECODER_THREADS", "3"),
            ("DECODER_SPIN_US", "50"),
            ("MIRROR_PACK", "/models/mine"),
            ("MIRROR_PACKS", "/models:/more"),
            ("MIRROR_PACKS_OPEN", "3"),
            ("MIRROR_PROVIDER", "cuda"),
            ("DECODER_CORES", "any"),
            ("ENCODER_THREADS", "7"),
        ]);
        let Config { pack, packs, packs_open, options } = config.expect("all of them are right");
        assert_eq!(pack, PathBuf::from("/models/mine"));
        assert_eq!((packs.as_str(), packs_open), ("/models:/more", 3));
        assert_eq!((options.threads, options.spin_us), (3, 50));
        assert_eq!((options.provider, options.cores), (Choice::Only(Provider::Cuda), Cores::Any));
    }

    #[test]
    fn cores_that_cannot_be_read_or_are_not_there_are_refused() {
        assert_eq!(error("DECODER_CORES", "two"), "DECODER_CORES=\"two\" is not auto, any, or cores like 0 or 0,2-3");
        let fault = error("DECODER_CORES", "1023");
        assert!(fault.starts_with("DECODER_CORES=\"1023\" names core 1023: this process can use "), "{fault}");
        assert_eq!(config(&[]).expect("nothing is wrong").options.cores, Cores::Auto);
    }

    #[test]
    fn a_provider_that_does_not_exist_is_refused_with_those_that_do() {
        assert_eq!(error("MIRROR_PROVIDER", "npu"), "MIRROR_PROVIDER=\"npu\" is not auto, cpu, cuda or tensorrt");
    }

    #[test]
    fn threads_out_of_range_are_refused_with_the_range() {
        assert_eq!(error("DECODER_THREADS", "many"), "DECODER_THREADS=\"many\" is not a number from 0 to 256");
    }

    #[test]
    fn an_unknown_key_is_refused() {
        assert!(error("DECODER_PACK", "x").starts_with("DECODER_PACK is not a setting of this node"));
    }
}
