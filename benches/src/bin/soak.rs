//! `make soak MINUTES=30`: runs the mirror for a while and says whether it stays as it was.

use clap::Parser;
use eyre::{Result, WrapErr, bail};
use indicatif::{ProgressBar, ProgressStyle};
use mirror_benches::chart::{Curve, Panel, svg};
use mirror_benches::live::{Live, own_memory_mib, root};
use mirror_benches::machine;
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Runs the mirror with the clip for a while, changes the prompt every minute, and draws memory, frame rate and age.
#[derive(Parser)]
struct Arguments {
    /// How many minutes
    #[arg(long, default_value_t = 30.0)]
    minutes: f64,
    /// Side of the pictures
    #[arg(long, default_value_t = 256)]
    size: usize,
    /// Seconds between two looks
    #[arg(long, default_value_t = 5.0)]
    every: f64,
    /// Where the figures go, as Markdown; the drawing and the samples go beside it as SVG and CSV
    #[arg(long, default_value = "benches/SOAK.md")]
    out: PathBuf,
}

const PROMPTS: [&str; 4] = ["a pencil drawing", "neon lights", "a watercolor painting", "a mosaic of tiles"];
/// Between two prompts.
const PERIOD: Duration = Duration::from_secs(60);
/// What is not counted as growth: buffers find their sizes, and every prompt is embedded once.
const WARM_UP_MINUTES: f64 = 2.0;

/// What was seen at one time.
struct Sample {
    minutes: f64,
    frames: u64,
    fps: f64,
    age_ms: [f64; 2],
    drops: i64,
    /// Memory by node, MiB: what is its own.
    memory: BTreeMap<String, f64>,
    restarts: u32,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let root = root()?;
    let load = machine::load();
    let size = arguments.size.to_string();
    let flags = ["--source", "assets/clip.mp4", "--size", &size, "--prompt", PROMPTS[0]];
    let mut live = Live::start(&root, &flags, Duration::from_secs(120))?;
    let (begin, whole) = (Instant::now(), Duration::from_secs_f64(arguments.minutes * 60.0));
    let bar = ProgressBar::new(whole.as_secs());
    bar.set_style(ProgressStyle::with_template("{msg:60} {wide_bar} {pos}/{len} s")?);
    let (mut samples, mut asked) = (Vec::new(), 0);
    while begin.elapsed() < whole {
        let turn = usize::try_from(begin.elapsed().as_secs() / PERIOD.as_secs())?;
        // A page that is too busy to answer is asked again.
        if turn != asked && live.set(&json!({ "prompt": PROMPTS[turn % PROMPTS.len()] })).is_ok() {
            asked = turn;
        }
        if live.has_ended()? {
            bar.finish_and_clear();
            write(&samples, &arguments, load)?;
            let minutes = begin.elapsed().as_secs_f64() / 60.0;
            bail!("the mirror has ended after {minutes:.1} minutes:\n{}", live.log());
        }
        if let Some(sample) = look(&live, begin.elapsed()) {
            let total: f64 = sample.memory.values().sum();
            bar.set_message(format!("{:.1} fps, {:.0} ms, {total:.0} MiB", sample.fps, sample.age_ms[0]));
            samples.push(sample);
        }
        bar.set_position(begin.elapsed().as_secs());
        sleep(Duration::from_secs_f64(arguments.every));
    }
    bar.finish_and_clear();
    drop(live);
    write(&samples, &arguments, load)
}

fn write(samples: &[Sample], arguments: &Arguments, load: f64) -> Result<()> {
    let text = report(samples, arguments, load)?;
    let out = |extension: &str| arguments.out.with_extension(extension);
    fs::write(&arguments.out, &text).wrap_err_with(|| arguments.out.display().to_string())?;
    fs::write(out("svg"), drawing(samples))?;
    fs::write(out("csv"), table(samples))?;
    println!("{text}");
    Ok(())
}

fn look(live: &Live, elapsed: Duration) -> Option<Sample> {
    let now = live.now()?;
    let nodes = live.nodes();
    let memory = nodes.iter().filter_map(|process| Some((process.node.clone(), own_memory_mib(process.pid)?)));
    Some(Sample {
        minutes: elapsed.as_secs_f64() / 60.0,
        frames: now.frames,
        fps: now.fps,
        age_ms: now.age_ms,
        drops: now.drops,
        memory: memory.collect(),
        restarts: nodes.iter().map(|process| process.restarts).sum(),
    })
}

fn nodes(samples: &[Sample]) -> Vec<String> {
    samples.last().map(|sample| sample.memory.keys().cloned().collect()).unwrap_or_default()
}

fn report(samples: &[Sample], arguments: &Arguments, load: f64) -> Result<String> {
    let settled: Vec<&Sample> = samples.iter().filter(|sample| sample.minutes >= WARM_UP_MINUTES).collect();
    let settled = if settled.len() < 4 { samples.iter().collect() } else { settled };
    let (Some(first), Some(last)) = (settled.first(), settled.last()) else { bail!("nothing was seen") };
    let size = arguments.size;
    // It lies beside the text.
    let drawing = arguments.out.with_extension("svg");
    let drawing = drawing.file_name().unwrap_or_default().to_string_lossy();
    let mut text = format!(
        "# {:.0} minutes\n\n`make soak MINUTES={}` on {}, {}; the clip at {size} × {size} pixels, another prompt every minute, load {load:.1} before.\n\n\
         ![memory, frame rate and age over time]({drawing})\n\n\
         {} pictures, {} restarts. The first {WARM_UP_MINUTES} minutes are left out below: the first quarter of the rest against the last.\n\
         Memory is what is a node's own (`RssAnon`): not its program's file, and not what it shares with others.\n\n\
         | | first quarter, mean | last quarter, mean | change |\n|---|---|---|---|\n",
        last.minutes,
        arguments.minutes,
        machine::date(),
        machine::name(),
        last.frames,
        last.restarts,
    );
    let quarter = settled.len().div_ceil(4);
    let mut row = |name: &str, value: &dyn Fn(&Sample) -> f64| {
        let mean = |part: &[&Sample]| part.iter().map(|sample| value(sample)).sum::<f64>() / part.len() as f64;
        let (before, after) = (mean(&settled[..quarter]), mean(&settled[settled.len() - quarter..]));
        let change = if before == 0.0 { 0.0 } else { (after / before - 1.0) * 100.0 };
        let _ = writeln!(text, "| {name} | {before:.1} | {after:.1} | {change:+.1} % |");
    };
    row("pictures a second", &|sample| sample.fps);
    row("age, median, ms", &|sample| sample.age_ms[0]);
    row("age, 99th percentile, ms", &|sample| sample.age_ms[1]);
    row("memory of all nodes, MiB", &|sample| sample.memory.values().sum());
    for node in nodes(samples) {
        row(&format!("memory of {node}, MiB"), &|sample| sample.memory.get(&node).copied().unwrap_or(0.0));
    }
    let _ = writeln!(
        text,
        "\nBetween {:.0} and {:.0} minutes {} messages gave way to newer ones.",
        first.minutes,
        last.minutes,
        last.drops - first.drops
    );
    Ok(text)
}

fn drawing(samples: &[Sample]) -> String {
    let curve = |name: &str, value: &dyn Fn(&Sample) -> f64| Curve {
        name: name.to_owned(),
        points: samples.iter().map(|sample| [sample.minutes, value(sample)]).collect(),
    };
    let of_node = |node: &String| curve(node, &|sample| sample.memory.get(node).copied().unwrap_or(0.0));
    let panel = |title: &str, curves| Panel { title: title.to_owned(), curves };
    svg(&[
        panel("memory of each node, MiB", nodes(samples).iter().map(of_node).collect()),
        panel("pictures a second", vec![curve("shown", &|sample| sample.fps)]),
        panel(
            "age of a picture, ms",
            vec![curve("median", &|sample| sample.age_ms[0]), curve("99th percentile", &|sample| sample.age_ms[1])],
        ),
    ])
}

fn table(samples: &[Sample]) -> String {
    let nodes = nodes(samples);
    let mut text =
        format!("minutes,frames,fps,age_p50_ms,age_p99_ms,drops,restarts,{}\n", nodes.join("_mib,") + "_mib");
    for sample in samples {
        let Sample { minutes, frames, fps, age_ms: [p50, p99], drops, restarts, memory } = sample;
        let memory: Vec<String> =
            nodes.iter().map(|node| memory.get(node).map_or(String::new(), |mib| format!("{mib:.1}"))).collect();
        let _ =
            writeln!(text, "{minutes:.3},{frames},{fps:.2},{p50:.1},{p99:.1},{drops},{restarts},{}", memory.join(","));
    }
    text
}
