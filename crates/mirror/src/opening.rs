//! How every subcommand that starts a graph begins: the arguments that all of them take, and what has to be there
//! before anything is started.

use crate::dora::Dora;
use crate::house::House;
use crate::overrides::{self, Overrides};
use crate::signals;
use clap::Args;
use eyre::{Result, WrapErr};
use std::path::Path;

/// What every subcommand takes.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// The camera: its number, /dev/video2, a film, a folder of pictures, rtsp://…, http://…, pattern, auto
    #[arg(long)]
    source: Option<String>,
    /// The model pack: a directory in the diffusers ONNX layout
    #[arg(long, value_name = "DIRECTORY")]
    pack: Option<String>,
    /// A setting of a node, as often as you like, over the one in the dataflow file and in the environment: CAMERA_FPS=15
    #[arg(long, value_name = "KEY=VALUE")]
    env: Vec<String>,
}

impl Common {
    /// One more setting of a node.
    pub fn add(&mut self, key: &str, value: &str) {
        self.env.push(format!("{key}={value}"));
    }

    /// What the nodes are told: this program's environment where the dataflow file has the key, then `--env`, then the
    /// other arguments. Paths are seen from `here`.
    ///
    /// # Errors
    /// A text without `=`, an empty source, a path that is not Unicode.
    pub fn overrides(&self, house: &House, here: &Path) -> Result<Overrides> {
        let mut overrides = house.inherited();
        for text in &self.env {
            let (key, value) = overrides::key(text)?;
            overrides.insert(key, value);
        }
        if let Some(source) = &self.source {
            overrides.insert("CAMERA_SOURCE".to_owned(), overrides::source(source, here)?);
        }
        if let Some(pack) = &self.pack {
            overrides.insert("MIRROR_PACK".to_owned(), overrides::absolute(pack, here)?);
        }
        Ok(overrides)
    }
}

/// All that a graph needs, found and checked.
#[derive(Debug)]
pub struct Opening {
    /// The project and the dataflow file.
    pub house: House,
    /// What the nodes are told.
    pub overrides: Overrides,
    /// The dora command line.
    pub dora: Dora,
}

impl Opening {
    /// Finds the project around the current folder, asks `overrides` what the nodes are told, and makes sure that the
    /// programs, dora, the pack and ONNX Runtime are there. From here on Ctrl-C ends things in order.
    ///
    /// # Errors
    /// What is missing or wrong, and the remedy.
    pub fn find(dataflow: &Path, overrides: impl FnOnce(&House, &Path) -> Result<Overrides>) -> Result<Self> {
        signals::listen()?;
        let here = std::env::current_dir().wrap_err("the current folder cannot be found")?;
        let house = House::find(&here, dataflow)?;
        let overrides = overrides(&house, &here)?;
        house.check_built()?;
        let dora = Dora::find(&house.root)?;
        house.check_models(&overrides)?;
        Ok(Self { house, overrides, dora })
    }
}
