//! `mirror replay`: a recording instead of the camera.

use crate::contract;
use crate::house::House;
use crate::opening::Common;
use crate::overrides;
use crate::reroute::reroute;
use crate::run;
use crate::variant::Variant;
use crate::which::Which;
use clap::Args;
use eyre::{Result, WrapErr, bail};
use std::path::{Path, PathBuf};

/// Plays a recording back into the mirror: its camera and its settings are painted again, then the mirror ends.
///
/// With the seed fixed, and a recording with raw pictures (`mirror record --raw`), the pictures are the same, bit for bit.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The recording; files that go on with it, x-2.mcap, are played after it
    file: PathBuf,
    /// Each picture when the one before is painted, and not when it came
    #[arg(long)]
    fast: bool,
    /// What to play, with commas between: camera/frame leaves the settings to the page and to --set; encoder/latent goes to
    /// whoever takes latents
    #[arg(long)]
    topics: Option<String>,
    /// Records what is painted, pixel by pixel
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The graph
    #[arg(long, value_name = "FILE", default_value = "dataflow.replay.yml")]
    dataflow: PathBuf,
    /// Opens no window; the picture is on the page
    #[arg(long)]
    no_window: bool,
    /// The mirror goes on after the recording's end, with its last picture
    #[arg(long)]
    stay: bool,
    /// A setting to start with, where the recording's are not played: strength=0.6
    #[arg(long = "set", value_name = "NAME=VALUE")]
    settings: Vec<String>,
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    which: Which,
}

/// Runs the subcommand.
///
/// # Errors
/// No such recording; as [`run::run`].
pub fn run(arguments: &Arguments) -> Result<()> {
    let here = std::env::current_dir().wrap_err("the current folder cannot be found")?;
    let whole = |path: &PathBuf| overrides::absolute(&path.to_string_lossy(), &here);
    if !arguments.file.is_file() {
        bail!("there is no recording {}", arguments.file.display());
    }
    let mut common = arguments.common.clone();
    let pace = if arguments.fast { "fast" } else { "recorded" };
    let topics = arguments.topics.clone().unwrap_or_default();
    let variant = arguments.variant(&here, &topics)?;
    let dataflow = variant.as_ref().map_or(arguments.dataflow.as_path(), Variant::path).to_owned();
    common.add("REPLAY_FILE", &whole(&arguments.file)?);
    common.add("REPLAY_PACE", pace);
    common.add("REPLAY_TOPICS", &topics);
    if let Some(out) = &arguments.out {
        if out.exists() {
            bail!("{} is there already: choose another name", out.display());
        }
        common.add("TAPE_OUT", &whole(out)?);
    }
    run::run(&run::Arguments {
        common,
        front: crate::front::Front::default(),
        which: arguments.which.clone(),
        mic: None,
        prompt: None,
        size: None,
        settings: arguments.settings.clone(),
        dataflow,
        no_window: arguments.no_window,
        fresh: false,
        end: (!arguments.stay).then_some(run::REPLAYED),
    })
}

impl Arguments {
    /// The graph in which the topics are played, where the one of the file does not play them as it is.
    fn variant(&self, here: &Path, topics: &str) -> Result<Option<Variant>> {
        let topics: Vec<&str> = topics.split(',').map(str::trim).filter(|topic| !topic.is_empty()).collect();
        if topics.is_empty() {
            return Ok(None);
        }
        let house = House::find(here, &self.dataflow)?;
        let shown = house.dataflow.display();
        let graph = reroute(&house.root, &contract::graph(&house.dataflow)?, &topics);
        let Some(graph) = graph.wrap_err_with(|| shown.to_string())? else { return Ok(None) };
        let faults = contract::faults(&house.root, &graph)?;
        if !faults.is_empty() {
            bail!("{shown} does not fit together with these topics: {}", faults.join("; "));
        }
        Variant::write(&house.root, &graph).map(Some)
    }
}
