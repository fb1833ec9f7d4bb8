//! `make bench-voice`: from the last word said to the first picture painted as was asked, and what the film loses meanwhile.
//!
//! The clip runs through the whole mirror as `mirror demo` starts it, by turns with prompts that are typed, without the nodes of
//! the voice, and with recordings that are spoken into it. Each turn starts anew, so nothing is remembered. Writes
//! `benches/SPOKEN.md`.

use clap::Parser;
use eyre::{Result, WrapErr, bail, ensure, eyre};
use indicatif::{ProgressBar, ProgressStyle};
use mirror_benches::flow::dora;
use mirror_benches::live::root;
use mirror_benches::machine;
use mirror_kit::figures::Spread;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Speaks to the mirror and measures how soon it is painted. Takes about four minutes on an idle machine.
#[derive(Parser)]
struct Arguments {
    /// What is said: a WAV file or a folder of them, one after the other
    #[arg(long, default_value = "nodes/vad/tests/speech")]
    speech: PathBuf,
    /// Sides of the pictures
    #[arg(long, value_delimiter = ',', default_value = "256,512")]
    sizes: Vec<usize>,
    /// How often each is measured
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Seconds of each: longer than everything that is said takes
    #[arg(long, default_value_t = 25)]
    seconds: usize,
    /// Where the table goes; the figures go beside it as JSON
    #[arg(long, default_value = "benches/SPOKEN.md")]
    out: PathBuf,
}

/// One size: the reports of the turns with typed prompts, and of those with speech.
struct Size {
    side: usize,
    typed: Vec<Value>,
    spoken: Vec<Value>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let (root, load) = (root()?, machine::load());
    ensure!(root.join(&arguments.speech).exists(), "there is no {}", arguments.speech.display());
    let bar = ProgressBar::new((2 * arguments.rounds * arguments.sizes.len()) as u64);
    bar.set_style(ProgressStyle::with_template("{msg:30} {wide_bar} {pos}/{len}")?);
    let mut sizes = Vec::new();
    for &side in &arguments.sizes {
        let mut size = Size { side, typed: Vec::new(), spoken: Vec::new() };
        for _ in 0..arguments.rounds.max(1) {
            bar.set_message(format!("{side} × {side}, typed"));
            size.typed.push(demo(&root, &arguments, side, &["--prompts", "a pencil drawing;neon lights"])?);
            bar.inc(1);
            bar.set_message(format!("{side} × {side}, spoken"));
            let speech = arguments.speech.to_string_lossy();
            size.spoken.push(demo(&root, &arguments, side, &["--mic", &speech])?);
            bar.inc(1);
        }
        sizes.push(size);
    }
    bar.finish_and_clear();
    let text = markdown(&sizes, &arguments, load)?;
    print!("{text}");
    let reports: Vec<Value> =
        sizes.iter().map(|size| json!({"size": size.side, "typed": size.typed, "spoken": size.spoken})).collect();
    let figures = json!({"machine": machine::name(), "date": machine::date(), "load": load, "sizes": reports});
    let failed = |path: &Path| format!("{} cannot be written", path.display());
    fs::write(&arguments.out, &text).wrap_err_with(|| failed(&arguments.out))?;
    let json = arguments.out.with_extension("json");
    fs::write(&json, serde_json::to_vec_pretty(&figures)?).wrap_err_with(|| failed(&json))?;
    println!("kept in {} and {}", arguments.out.display(), json.display());
    Ok(())
}

/// Runs a demo of the clip and reads its report.
fn demo(root: &Path, arguments: &Arguments, side: usize, more: &[&str]) -> Result<Value> {
    let out = tempfile::tempdir()?;
    let mut command = Command::new(root.join("target/release/mirror"));
    command.args(["demo", "--source", "assets/clip.mp4", "--seconds", &arguments.seconds.to_string()]);
    command.args(["--size", &side.to_string(), "--out"]).arg(out.path()).args(more);
    let ended = command.current_dir(root).env("DORA", dora(root)).stdin(Stdio::null()).output()?;
    if !ended.status.success() {
        bail!("mirror demo {}: {}", more.join(" "), String::from_utf8_lossy(&ended.stderr));
    }
    Ok(serde_json::from_slice(&fs::read(out.path().join("report.json"))?)?)
}

fn spread(mut values: Vec<f64>) -> Option<Spread> {
    let mut values: Vec<i64> = values.drain(..).map(|ms| (ms * 1e6) as i64).collect();
    (!values.is_empty()).then(|| Spread::of(&mut values))
}

fn cell(spread: Option<Spread>) -> String {
    spread.map_or_else(|| "none".to_owned(), |spread| format!("{:.0} / {:.0}", spread.p50, spread.p99))
}

impl Size {
    /// All wishes that were said.
    fn wishes(&self) -> impl Iterator<Item = &Value> {
        self.spoken.iter().flat_map(|report| report["prompts"].as_array().into_iter().flatten())
    }

    /// From the last word to the first picture.
    fn shown(&self) -> Option<Spread> {
        spread(self.wishes().filter_map(|wish| wish["spoken"]["shown_after_ms"].as_f64()).collect())
    }

    /// The times of the stages before the prompt, by name.
    fn stages(&self) -> BTreeMap<String, Vec<f64>> {
        let mut stages: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for stage in self.wishes().flat_map(|wish| wish["spoken"]["stages"].as_array().into_iter().flatten()) {
            if let (Some(name), Some(ms)) = (stage["stage"].as_str(), stage["ms"].as_f64()) {
                stages.entry(name.to_owned()).or_default().push(ms);
            }
        }
        stages
    }

    /// The median of the turns' frame rates, typed and spoken.
    fn fps(&self) -> Result<[f64; 2]> {
        let median = |reports: &[Value]| {
            let mut rates: Vec<f64> = reports.iter().filter_map(|report| report["fps"].as_f64()).collect();
            rates.sort_by(f64::total_cmp);
            rates.get(rates.len() / 2).copied().ok_or_else(|| eyre!("no report says its fps"))
        };
        Ok([median(&self.typed)?, median(&self.spoken)?])
    }
}

fn markdown(sizes: &[Size], arguments: &Arguments, load: f64) -> Result<String> {
    let mut text = String::new();
    let (name, date, rounds) = (machine::name(), machine::date(), arguments.rounds);
    writeln!(
        text,
        "# From the last word to the picture\n\n{name}, {date}; load {load:.1} at the start. Times in ms, p50 / p99.\n"
    )?;
    writeln!(
        text,
        "`make bench-voice` writes this file: {rounds} turns of {} s for each size, with prompts that are typed and without the voice's nodes, and\n\
         with the recordings of `{}` spoken into the mirror one after the other. *vad* is the silence that it waits for.\n",
        arguments.seconds,
        arguments.speech.display()
    )?;
    let heads: Vec<String> = sizes.iter().map(|size| format!("{0} × {0}", size.side)).collect();
    writeln!(text, "| | {} |\n|---|{}", heads.join(" | "), "---|".repeat(sizes.len()))?;
    let mut row = |name: &str, cells: Vec<String>| writeln!(text, "| {name} | {} |", cells.join(" | "));
    row("wishes that were painted", sizes.iter().map(|size| size.wishes().count().to_string()).collect())?;
    row("**last word to first picture**", sizes.iter().map(|size| format!("**{}**", cell(size.shown()))).collect())?;
    for stage in ["vad", "stt", "rephrase"] {
        let times = sizes.iter().map(|size| cell(spread(size.stages().remove(stage).unwrap_or_default())));
        row(stage, times.collect())?;
    }
    let rates = sizes.iter().map(Size::fps).collect::<Result<Vec<_>>>()?;
    row("fps, typed", rates.iter().map(|[typed, _]| format!("{typed:.1}")).collect())?;
    row("fps, spoken", rates.iter().map(|[_, spoken]| format!("{spoken:.1}")).collect())?;
    row("**fps kept**", rates.iter().map(|[typed, spoken]| format!("**{:.0} %**", 100.0 * spoken / typed)).collect())?;
    writeln!(text, "\n| said to the mirror | heard | painted |\n|---|---|---|")?;
    let (mut number, first) = (0, sizes.first().and_then(|size| size.spoken.first()));
    for wish in first.and_then(|report| report["prompts"].as_array()).into_iter().flatten() {
        number += 1;
        let said = |value: &Value| value.as_str().unwrap_or("nothing").to_owned();
        writeln!(text, "| {number} | {} | {} |", said(&wish["spoken"]["heard"]), said(&wish["prompt"]))?;
    }
    Ok(text)
}
