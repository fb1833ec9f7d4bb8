//! `make bench`: measures the mirror, prints a table and keeps it in `benches/`.

use clap::Parser;
use eyre::{Result, WrapErr, ensure, eyre};
use indicatif::{ProgressBar, ProgressStyle};
use mirror_benches::flow::{Flow, Pace, fused_path, hop, image_path, memory_mib};
use mirror_benches::table::{Results, Round, Size};
use mirror_benches::{limit, machine, whole};
use mirror_inference::Runtime;
use mirror_models::Pack;
use serde_json::Value;
use std::env;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// Measures the mirror: the bare models and the dataflow by turns, then the hops, then the whole mirror. Takes about eight minutes
/// on an idle machine.
#[derive(Parser)]
struct Arguments {
    /// Sides of the pictures to measure.
    #[arg(long, value_delimiter = ',', default_value = "256,512")]
    sizes: Vec<usize>,
    /// How often everything is measured: a machine is not equally fast all the time, so limit and dataflow take turns,
    /// and the table shows medians.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Seconds that each dataflow is watched, each time.
    #[arg(long, default_value_t = 5)]
    seconds: usize,
    /// Pictures that the bare models are measured over, each time.
    #[arg(long, default_value_t = 50)]
    pictures: usize,
    /// Directory of the pack.
    #[arg(long, default_value = "models/starter")]
    pack: PathBuf,
    /// Where the table goes, as Markdown; the figures go beside it as JSON.
    #[arg(long, default_value = "benches/RESULTS.md")]
    out: PathBuf,
}

/// The edge that the probe looks at.
const PICTURE: &str = "      picture: { source: decoder/picture, queue_size: 1 }";
/// Of the limit: pictures come faster than they can be painted.
const FULL: f64 = 1.25;
/// Of the limit: pictures come slower than they are painted.
const CALM: f64 = 0.5;
/// One process for all three models: its name in the table, and whether a picture is decoded while the next one is painted.
const FUSED: [(&str, bool); 2] = [("fused", false), ("fused, overlapped", true)];
/// Longer than any start and any measurement.
const PATIENCE: Duration = Duration::from_secs(120);

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let root = env::current_dir()?;
    if !root.join("dataflow.yml").is_file() {
        return Err(eyre!("run this in the project's root, where dataflow.yml is: \"make bench\" does"));
    }
    let load = machine::load();
    let pack = Pack::open(&arguments.pack)?;
    let runtime = Runtime::load()?;
    let mut sizes = Vec::new();
    for size in &arguments.sizes {
        let rounds = (1..=arguments.rounds.max(1)).map(|round| measure(&arguments, &runtime, &pack, *size, round));
        sizes.push(Size { size: *size, rounds: rounds.collect::<Result<_>>()? });
    }
    let mut hops = Vec::new();
    for port in ["frame", "latent"] {
        let bar = spinner(&format!("hop of a {port}"));
        hops.push((port.to_owned(), Flow::new(&root, &hop(port, arguments.seconds.min(5)))?.findings(PATIENCE)?));
        bar.finish_and_clear();
    }
    let mut wholes = Vec::new();
    for size in &arguments.sizes {
        let bar = spinner(&format!("the whole mirror, {size} × {size}"));
        wholes.push(whole::measure(&root, &arguments.pack, *size, arguments.seconds)?);
        bar.finish_and_clear();
    }
    let (machine, date) = (machine::name(), machine::date());
    let results = Results { machine, date, pack: pack.name, load, sizes, hops, wholes };
    let table = results.markdown();
    println!("{table}");
    let json = arguments.out.with_extension("json");
    fs::write(&arguments.out, &table).wrap_err_with(|| format!("{} cannot be written", arguments.out.display()))?;
    fs::write(&json, serde_json::to_vec_pretty(&results)?)
        .wrap_err_with(|| format!("{} cannot be written", json.display()))?;
    println!("kept in {} and {}", arguments.out.display(), json.display());
    Ok(())
}

fn measure(arguments: &Arguments, runtime: &Runtime, pack: &Pack, size: usize, round: usize) -> Result<Round> {
    let name = format!("round {round} of {}, {size} × {size}", arguments.rounds);
    let style = ProgressStyle::with_template("{msg:44} {bar:30} {pos}/{len}")?;
    let bar = ProgressBar::new((limit::ROUNDS * arguments.pictures) as u64)
        .with_style(style)
        .with_message(format!("{name}: bare models"));
    let limit = limit::measure(runtime, pack, size, arguments.pictures, &|| bar.inc(1))?;
    bar.finish_and_clear();
    let share = |share: f64| (share * limit.fps * 10.0).round() / 10.0;
    let mut full = Vec::new();
    for pace in Pace::ALL {
        full.push((pace.name().to_owned(), flow(arguments, size, share(FULL), pace, &name)?.0));
    }
    let mut fused = Vec::new();
    for (shape, overlap) in FUSED {
        let yaml = fused_path(size, share(FULL), arguments.seconds, overlap);
        fused.push((shape.to_owned(), run(arguments, &yaml, &format!("{name}: {shape}"))?.0));
    }
    let calm_fps = share(CALM);
    let (calm, memory_mib) = flow(arguments, size, calm_fps, Pace::Balanced, &format!("{name}, calm"))?;
    let bare_calm = limit::calm(runtime, pack, size, calm_fps, arguments.pictures)?;
    let yaml = fused_path(size, calm_fps, arguments.seconds, false);
    let fused_calm = run(arguments, &yaml, &format!("{name}: fused, calm"))?.0;
    Ok(Round { limit, full, fused, calm, bare_calm, fused_calm, calm_fps, memory_mib })
}

fn flow(arguments: &Arguments, size: usize, fps: f64, pace: Pace, name: &str) -> Result<(Value, f64)> {
    let yaml = image_path(size, fps, arguments.seconds, pace, PICTURE);
    run(arguments, &yaml, &format!("{name}: dataflow, {}", pace.name()))
}

fn run(arguments: &Arguments, yaml: &str, name: &str) -> Result<(Value, f64)> {
    let bar = spinner(&format!("{name}, {} s", arguments.seconds));
    let watched = Flow::new(&env::current_dir()?, yaml)?;
    let running = watched.start()?;
    let (findings, (memory, log)) =
        watched.watch(running, PATIENCE, |running| Ok((memory_mib(running)?, running.log())))?;
    bar.finish_and_clear();
    ensure!(findings["picture"]["count"].as_u64() > Some(0), "{name}: no picture arrived:\n{log}");
    Ok((findings, memory))
}

fn spinner(message: &str) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_message(message.to_owned());
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}
