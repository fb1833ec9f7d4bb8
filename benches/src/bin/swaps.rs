//! How an operator is swapped under load: a hundred swaps in a row, and what they cost the pictures.
//!
//! Numbered pictures go through the host at an even pace while, in the same dataflow, the mirror paints as fast as it can on
//! all cores. First there is no operator, then one that stays, for comparison; then `grade` and `kaleidoscope` take turns,
//! each put in place of the other as `make operator` does. Writes `benches/OPERATORS.md`.

use clap::Parser;
use eyre::{Result, WrapErr, bail, ensure, eyre};
use mirror_benches::flow::{Flow, Pace, Running, image_path};
use mirror_benches::machine;
use mirror_contract::now_ns;
use serde_json::Value;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Pictures a second through the host.
const FPS: i64 = 30;
/// Rows and columns of them.
const SIZE: usize = 512;
/// How long one swap may take before the benchmark gives up.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two swaps, from one being live to the next file.
const REST: Duration = Duration::from_millis(250);

/// A picture that is late so long after an operator is live is late because of the swap: most of [`REST`].
const AFTERWARDS_NS: i64 = 200_000_000;

#[derive(Parser)]
struct Arguments {
    /// How many swaps.
    #[arg(long, default_value_t = 100)]
    swaps: usize,
    /// How long there is no operator, and how long one stays, before, in seconds.
    #[arg(long, default_value_t = 15)]
    calm: u64,
    /// Where the table is written to.
    #[arg(long, default_value = "benches/OPERATORS.md")]
    out: PathBuf,
}

/// A picture that came out of the host.
struct Seen {
    number: i64,
    /// From being sent to being received, in nanoseconds.
    age_ns: i64,
    /// In the host, in nanoseconds.
    stage_ns: i64,
    sent_ns: i64,
    received_ns: i64,
    drops: i64,
}

/// One swap: when the file was in place, and when the host said that it is live.
struct Swap {
    put_ns: i64,
    live_ns: i64,
}

fn main() -> ExitCode {
    mirror_kit::start("swaps", run)
}

fn run() -> Result<()> {
    let Arguments { swaps: count, calm, out } = Arguments::parse();
    let root = std::env::current_dir()?;
    let load = machine::load();
    let flow = Flow::new(&root, &graph())?;
    let running = flow.start()?;
    let bytes = ["grade", "kaleidoscope"].map(|name| {
        let path = root.join(format!("target/release/lib{name}.so"));
        fs::read(&path).wrap_err_with(|| format!("{} is not built: make build", path.display()))
    });
    let [grade, kaleidoscope] = bytes;
    let libraries = [grade?, kaleidoscope?];
    until_pictures(&flow, &running)?;
    let start_ns = now_ns();
    sleep(Duration::from_secs(calm));
    let none_ns = now_ns();
    put(&flow, &running, &libraries[1], 1)?;
    let live_ns = now_ns();
    sleep(Duration::from_secs(calm));
    let (calm_ns, before) = (now_ns(), resident(&running)?);
    let mut swaps = Vec::new();
    for index in 0..count {
        swaps.push(put(&flow, &running, &libraries[index % 2], index + 2)?);
        sleep(REST);
    }
    let (end_ns, after) = (now_ns(), resident(&running)?);
    let lines = lines(&flow.path("seen.jsonl"));
    drop(running);
    let phase = |port, name: &str, from_ns: i64, to_ns: i64| {
        let seen = lines.iter().filter_map(|line| seen(line, port));
        Phase { name: name.to_owned(), seen: seen.filter(|it| (from_ns..to_ns).contains(&it.sent_ns)).collect() }
    };
    let table = Table {
        load,
        fps: painted(&lines, start_ns),
        phases: vec![
            phase("direct", "past the host", start_ns, end_ns),
            phase("picture", "no operator", start_ns, none_ns),
            phase("picture", "one operator", live_ns, calm_ns),
            phase("picture", &format!("{count} swaps"), calm_ns, end_ns),
        ],
        swaps,
        size: libraries.map(|bytes| bytes.len()).iter().sum::<usize>() / 2,
        memory: (before, after),
    };
    let text = table.markdown()?;
    print!("{text}");
    fs::write(&out, text).wrap_err_with(|| format!("{} cannot be written", out.display()))
}

/// The mirror at work, and beside it pictures through the host.
fn graph() -> String {
    let inputs = "      painted: { source: decoder/picture, queue_size: 1 }
      picture: { source: operator/picture, queue_size: 256 }
      direct: { source: sender/picture, queue_size: 256 }";
    let mirror = image_path(SIZE, 30.0, 1, Pace::Balanced, inputs);
    let mirror = mirror
        .replace("  - id: probe\n    path: target/release/probe\n", "  - id: tally\n    path: target/release/tally\n");
    let mirror = mirror.replace("  PROBE_OUT: findings.json\n  PROBE_SECONDS: 1s\n", "  TALLY_OUT: seen.jsonl\n");
    format!(
        "{mirror}  - id: sender
    path: target/release/tally
    env: {{ TALLY_SEND: {FPS}, TALLY_SIZE: {SIZE} }}
    outputs: [picture]
  - id: operator
    path: target/release/operator
    env: {{ OPERATOR_LIBRARY: operator.so, OPERATOR_PATIENCE_MS: 20000 }}
    inputs:
      picture: {{ source: sender/picture, queue_size: 256 }}
      tick: {{ source: dora/timer/millis/100, queue_size: 1 }}
    outputs: [picture, notice]
  - id: scribe
    path: target/release/scribe
    env: {{ SCRIBE_OUT: notices.jsonl }}
    inputs:
      notice: {{ source: operator/notice, queue_size: 64, queue_policy: backpressure }}
"
    )
}

/// Waits until pictures come through the host and out of the mirror.
fn until_pictures(flow: &Flow, running: &Running) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    let came = |lines: &[Value], port: &str| lines.iter().filter(|line| line["port"] == port).count() > 10;
    while !["picture", "painted"].iter().all(|port| came(&lines(&flow.path("seen.jsonl")), port)) {
        ensure!(Instant::now() < until, "no pictures came:\n{}", running.log());
        sleep(Duration::from_millis(100));
    }
    Ok(())
}

/// Puts a library in place and waits until the host has said so often that one is live.
fn put(flow: &Flow, running: &Running, bytes: &[u8], count: usize) -> Result<Swap> {
    fs::write(flow.path("operator.part"), bytes)?;
    fs::rename(flow.path("operator.part"), flow.path("operator.so"))?;
    let (put_ns, until) = (now_ns(), Instant::now() + PATIENCE);
    loop {
        let lines = lines(&flow.path("notices.jsonl"));
        let live = |line: &&Value| line["text"].as_str().is_some_and(|text| text.contains(" is live"));
        if let Some(line) = lines.iter().filter(live).nth(count - 1) {
            return Ok(Swap { put_ns, live_ns: line["received_ns"].as_i64().ok_or_else(|| eyre!("no time: {line}"))? });
        }
        if Instant::now() > until {
            bail!("swap {count} did not happen:\n{}", running.log());
        }
        sleep(Duration::from_millis(20));
    }
}

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn seen(line: &Value, port: &str) -> Option<Seen> {
    let of = |key: &str| line[key].as_i64();
    let (sent_ns, received_ns) = (of("sent_ns")?, of("received_ns")?);
    (line["port"] == port).then_some(())?;
    Some(Seen {
        number: of("picture")?,
        age_ns: received_ns - sent_ns,
        stage_ns: of("stage_ns")?,
        sent_ns,
        received_ns,
        drops: of("drops")?,
    })
}

/// Pictures a second that the mirror painted beside it.
fn painted(lines: &[Value], from_ns: i64) -> f64 {
    let times = lines.iter().filter(|line| line["port"] == "painted").filter_map(|line| line["received_ns"].as_i64());
    let times: Vec<i64> = times.filter(|time| *time >= from_ns).collect();
    let seconds = times.last().zip(times.first()).map_or(0.0, |(last, first)| (last - first) as f64 / 1e9);
    if seconds > 0.0 { (times.len() - 1) as f64 / seconds } else { 0.0 }
}

/// Resident memory of the host, in KiB.
fn resident(running: &Running) -> Result<u64> {
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let read = |file: &str| fs::read_to_string(Path::new("/proc").join(&name).join(file)).unwrap_or_default();
        let status = read("status");
        let of = |key: &str| status.lines().find_map(|line| line.strip_prefix(key)).map(|rest| rest.trim().to_owned());
        if of("Name:").as_deref() == Some("operator") && of("PPid:") == Some(running.pid().to_string()) {
            let kib = of("VmRSS:").and_then(|text| text.split_ascii_whitespace().next()?.parse().ok());
            return kib.ok_or_else(|| eyre!("its status does not say VmRSS"));
        }
    }
    bail!("the host does not run:\n{}", running.log())
}

/// What was seen while something went on.
struct Phase {
    name: String,
    seen: Vec<Seen>,
}

struct Table {
    load: f64,
    fps: f64,
    phases: Vec<Phase>,
    swaps: Vec<Swap>,
    size: usize,
    memory: (u64, u64),
}

impl Table {
    fn markdown(&self) -> Result<String> {
        let Self { load, fps, phases, swaps, size, memory: (before, after) } = self;
        let mut text = String::new();
        writeln!(
            text,
            "# Swapping operators\n\n{}, {}; load {load:.1} at the start.\n",
            machine::name(),
            machine::date()
        )?;
        writeln!(
            text,
            "`target/release/swaps` writes this file: {FPS} pictures of {SIZE} × {SIZE} a second go through the node `operator` while, in the same\n\
             dataflow, the starter pack paints on all cores ({fps:.1} pictures a second meanwhile). First there is no operator, then one that\n\
             stays; then `grade` and `kaleidoscope` take turns {} times, each as soon as the other is live. *Late* is a picture that is\n\
             received more than a period ({:.0} ms) after the phase's median picture would have been.\n",
            swaps.len(),
            1000.0 / FPS as f64
        )?;
        let columns = phases.iter().map(column).collect::<Result<Vec<_>>>()?;
        let names: Vec<&str> = phases.iter().map(|phase| phase.name.as_str()).collect();
        writeln!(text, "| | {} |\n|---|{}", names.join(" | "), "---|".repeat(names.len()))?;
        for row in 0..columns.first().map_or(0, Vec::len) {
            let cells: Vec<&str> = columns.iter().map(|column| column[row].1.as_str()).collect();
            writeln!(text, "| {} | {} |", columns[0][row].0, cells.join(" | "))?;
        }
        self.swaps(&mut text)?;
        writeln!(text, "| size of a library, KiB | {} |", size / 1024)?;
        let each = (*after as f64 - *before as f64) / swaps.len() as f64;
        writeln!(text, "| memory of the host before and after all, MiB | {}, {} |", before / 1024, after / 1024)?;
        writeln!(text, "| memory that one leaves behind, KiB | {each:.0} |")?;
        Ok(text)
    }

    fn swaps(&self, text: &mut String) -> Result<()> {
        let mut took: Vec<i64> = self.swaps.iter().map(|swap| swap.live_ns - swap.put_ns).collect();
        took.sort_unstable();
        let at = |percent: usize| took.get((took.len() * percent / 100).min(took.len().saturating_sub(1)));
        let ms = |percent| at(percent).map_or(f64::NAN, |ns| *ns as f64 / 1e6);
        writeln!(text, "\n| a swap | |\n|---|---|")?;
        writeln!(
            text,
            "| file in place to operator live, least / p50 / p99 / most, ms | {:.0} / {:.0} / {:.0} / {:.0} |",
            ms(0),
            ms(50),
            ms(99),
            ms(100)
        )?;
        let swapped = self.phases.last().ok_or_else(|| eyre!("no phases"))?;
        writeln!(
            text,
            "| **most pictures late, from the file in place to {} ms after the operator is live** | **{}** |",
            AFTERWARDS_NS / 1_000_000,
            most_late(&swapped.seen, &self.swaps)
        )?;
        let past = self.phases.first().ok_or_else(|| eyre!("no phases"))?;
        writeln!(
            text,
            "| most pictures late past the host meanwhile, which no operator sees | {} |",
            most_late(&past.seen, &self.swaps)
        )?;
        Ok(())
    }
}

/// The rows of one phase.
fn column(phase: &Phase) -> Result<Vec<(&'static str, String)>> {
    let seen = &phase.seen;
    let (first, last) = seen.first().zip(seen.last()).ok_or_else(|| eyre!("{}: no pictures", phase.name))?;
    let lost = (last.number - first.number + 1) - i64::try_from(seen.len())?;
    ensure!(seen.windows(2).all(|pair| pair[0].number < pair[1].number), "pictures came out of order");
    let sorted = |of: fn(&Seen) -> i64| {
        let mut values: Vec<i64> = seen.iter().map(of).collect();
        values.sort_unstable();
        values
    };
    let spread = |values: &[i64]| {
        let at = |percent: usize| values[(values.len() * percent / 100).min(values.len() - 1)] as f64 / 1e6;
        format!("{:.2} / {:.2} / {:.2}", at(50), at(99), at(100))
    };
    let mut gaps: Vec<i64> = seen.windows(2).map(|pair| pair[1].received_ns - pair[0].received_ns).collect();
    gaps.sort_unstable();
    Ok(vec![
        ("pictures", seen.len().to_string()),
        ("**lost**", format!("**{lost}**")),
        ("dropped on the way", (last.drops - first.drops).to_string()),
        ("in the last stage, p50 / p99 / most, ms", spread(&sorted(|it| it.stage_ns))),
        ("from sent to received, p50 / p99 / most, ms", spread(&sorted(|it| it.age_ns))),
        ("between two pictures, p50 / p99 / most, ms", spread(&gaps)),
        ("late", late(&seen.iter().collect::<Vec<_>>(), seen).to_string()),
    ])
}

/// How many of `some` are late, measured against the median of `all`.
fn late(some: &[&Seen], all: &[Seen]) -> usize {
    let mut ages: Vec<i64> = all.iter().map(|it| it.age_ns).collect();
    ages.sort_unstable();
    let Some(median) = ages.get(ages.len() / 2) else { return 0 };
    some.iter().filter(|it| it.age_ns > median + 1_000_000_000 / FPS).count()
}

/// Most late pictures of one swap.
fn most_late(seen: &[Seen], swaps: &[Swap]) -> usize {
    let after = |swap: &Swap| {
        let time = swap.put_ns..swap.live_ns + AFTERWARDS_NS;
        let near: Vec<&Seen> = seen.iter().filter(|it| time.contains(&it.received_ns)).collect();
        late(&near, seen)
    };
    swaps.iter().map(after).max().unwrap_or(0)
}
