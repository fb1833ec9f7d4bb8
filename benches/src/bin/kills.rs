//! `make kills`: kills every node of a running mirror, again and again, and says what came of it.

use clap::Parser;
use eyre::{Result, WrapErr, bail, eyre};
use indicatif::{ProgressBar, ProgressStyle};
use mirror_benches::live::{Eye, Live, root};
use mirror_benches::machine;
use mirror_kit::processes::Process;
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Kills every node of a running mirror (kill -9), one after the other, and writes how long the picture stood still.
#[derive(Parser)]
struct Arguments {
    /// How often each node is killed
    #[arg(long, default_value_t = 20)]
    times: usize,
    /// Only these nodes, with commas between
    #[arg(long, value_delimiter = ',')]
    nodes: Vec<String>,
    /// Side of the pictures
    #[arg(long, default_value_t = 256)]
    size: usize,
    /// Where the table goes, as Markdown; the figures go beside it as JSON
    #[arg(long, default_value = "benches/KILLS.md")]
    out: PathBuf,
}

/// What is painted: it must be there after every kill.
const PROMPT: &str = "neon lights";
/// Between two looks.
const LOOK: Duration = Duration::from_millis(5);
/// The mirror rests before each kill, so that figures before it are of a mirror that runs well.
const REST: Duration = Duration::from_secs(3);
/// How long it is watched after a kill: longer than a node takes to come back and to do its worst.
const WATCH: Duration = Duration::from_secs(4);
/// A picture that is not back by then does not come back.
const PATIENCE: Duration = Duration::from_secs(30);

/// One kill.
#[derive(Debug, Clone, serde::Serialize)]
struct Kill {
    /// From the kill to the node's next process.
    back_ms: f64,
    /// The longest time without a new picture on the page.
    gap_ms: f64,
    /// What the gap would have held at the frame rate before.
    lost: f64,
    /// Other nodes whose processes have changed.
    others: Vec<String>,
    /// The prompt was painted afterwards as before.
    prompt_kept: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let root = root()?;
    let load = machine::load();
    let size = arguments.size.to_string();
    let flags = ["--source", "assets/clip.mp4", "--size", &size, "--prompt", "a pencil drawing"];
    let mut live = Live::start(&root, &flags, Duration::from_secs(120))?;
    // Set while it runs: what it was started with is no proof that anything is kept.
    live.set(&json!({ "prompt": PROMPT }))?;
    until(Duration::from_secs(20), || live.now().is_some_and(|now| now.prompt == PROMPT))
        .wrap_err("the prompt is not painted")?;
    let all: Vec<String> = live.nodes().into_iter().map(|process| process.node).collect();
    let nodes: Vec<String> = if arguments.nodes.is_empty() { all.clone() } else { arguments.nodes.clone() };
    if let Some(unknown) = nodes.iter().find(|node| !all.contains(node)) {
        bail!("there is no node {unknown}; there are {}", all.join(", "));
    }
    let eye = live.eye();
    let bar = ProgressBar::new((nodes.len() * arguments.times) as u64);
    bar.set_style(ProgressStyle::with_template("{msg:40} {wide_bar} {pos}/{len}")?);
    let mut kills: BTreeMap<String, Kills> = nodes.iter().map(|node| (node.clone(), Kills::default())).collect();
    // By turns: dora gives a node up that ends ten times within a minute.
    for round in 1..=arguments.times {
        for (node, kills) in &mut kills {
            bar.set_message(node.clone());
            match kill(&live, &eye, node) {
                Ok(kill) => kills.done.push(kill),
                // One that goes wrong is a figure, too; it does not take the others with it.
                Err(error) => {
                    bar.println(format!("{node}, round {round}: {error:#}"));
                    kills.faults.push(format!("{error:#}"));
                }
            }
            bar.inc(1);
        }
        // What there is by now is there, whatever comes.
        write(&kills, &arguments, load)?;
        if live.has_ended()? {
            bail!(
                "the mirror has ended in round {round}, {} has what was before:\n{}",
                arguments.out.display(),
                live.log()
            );
        }
    }
    bar.finish_and_clear();
    drop(live);
    println!("{}", table(&kills, &arguments, load));
    Ok(())
}

/// All kills of a node.
#[derive(Debug, Default, serde::Serialize)]
struct Kills {
    done: Vec<Kill>,
    /// Those after which the picture did not come back in time, or no node was there to be killed: in words.
    faults: Vec<String>,
}

fn write(kills: &BTreeMap<String, Kills>, arguments: &Arguments, load: f64) -> Result<()> {
    let out = &arguments.out;
    fs::write(out, table(kills, arguments, load)).wrap_err_with(|| out.display().to_string())?;
    fs::write(out.with_extension("json"), serde_json::to_vec_pretty(kills)?).wrap_err("the figures as JSON")
}

fn until(patience: Duration, mut is_so: impl FnMut() -> bool) -> Result<Duration> {
    let begin = Instant::now();
    while !is_so() {
        if begin.elapsed() > patience {
            bail!("it did not happen in {} s", patience.as_secs());
        }
        sleep(LOOK);
    }
    Ok(begin.elapsed())
}

fn of<'a>(nodes: &'a [Process], node: &str) -> Option<&'a Process> {
    nodes.iter().find(|process| process.node == node)
}

fn kill(live: &Live, eye: &Eye, node: &str) -> Result<Kill> {
    let rest = Instant::now();
    sleep(REST);
    let fps = eye.since(rest).len() as f64 / rest.elapsed().as_secs_f64();
    // On a busy machine, the one before may be about to come back.
    let mut running = None;
    until(PATIENCE, || {
        running = of(&live.nodes(), node).map(|process| process.pid);
        running.is_some()
    })?;
    let pid = running.ok_or_else(|| eyre!("it does not run"))?;
    let before = live.nodes();
    // SAFETY: kill(2) touches no memory of this process.
    if unsafe { libc::kill(pid, libc::SIGKILL) } != 0 {
        bail!("it cannot be killed");
    }
    let begin = Instant::now();
    let mut back = None;
    while begin.elapsed() < WATCH || back.is_none() || eye.since(begin).last().is_none_or(is_old) {
        if begin.elapsed() > PATIENCE {
            bail!("no picture {} s after it was killed", PATIENCE.as_secs());
        }
        // Looking costs: not more often than it takes.
        sleep(if back.is_none() { Duration::from_millis(20) } else { Duration::from_millis(200) });
        if back.is_none() {
            let process = live.nodes().into_iter().find(|process| process.node == node && process.pid != pid);
            back = process.map(|_| begin.elapsed());
        }
    }
    let seen = eye.since(begin);
    let starts = std::iter::once(&begin).chain(&seen);
    let gap = starts.zip(&seen).map(|(one, next)| next.duration_since(*one)).max().unwrap_or_default();
    let after = live.nodes();
    let changed = |process: &&Process| of(&after, &process.node).is_none_or(|now| now.pid != process.pid);
    let others = before.iter().filter(changed).map(|process| process.node.clone()).filter(|name| name != node);
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    Ok(Kill {
        back_ms: ms(back.unwrap_or_default()),
        gap_ms: ms(gap),
        lost: (gap.as_secs_f64() * fps - 1.0).max(0.0).round(),
        others: others.collect(),
        prompt_kept: live.now().is_some_and(|now| now.prompt == PROMPT),
    })
}

/// Whether the newest picture is so old that the mirror does not paint again yet.
fn is_old(at: &Instant) -> bool {
    at.elapsed() > Duration::from_secs(1)
}

fn table(kills: &BTreeMap<String, Kills>, arguments: &Arguments, load: f64) -> String {
    let times = kills.values().map(|kills| kills.done.len() + kills.faults.len()).max().unwrap_or(0);
    let mut text = format!(
        "# Every node killed {times} times\n\n`make kills` on {}, {}; the clip at {} × {} pixels, load {load:.1} before.\n\n\
         `kill -9` in the middle of the work, then three seconds' rest. *Back*: until dora has started the node again. *Picture*:\n\
         the longest time without a new picture on the page, which holds the time that the models take to be opened.\n\
         *Lost*: pictures that would have been painted in that time. *Not back*: after {} s.\n\n\
         | node | back ms, median | picture ms, median | picture ms, worst | lost, median | not back | others that ended | prompt kept |\n\
         |---|---|---|---|---|---|---|---|\n",
        machine::date(),
        machine::name(),
        arguments.size,
        arguments.size,
        PATIENCE.as_secs(),
    );
    for (node, Kills { done: kills, faults }) in kills {
        let median = |value: fn(&Kill) -> f64| {
            let mut values: Vec<f64> = kills.iter().map(value).collect();
            values.sort_by(f64::total_cmp);
            values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
        };
        let worst = kills.iter().map(|kill| kill.gap_ms).fold(0.0, f64::max);
        let others = kills.iter().flat_map(|kill| kill.others.clone()).collect::<std::collections::BTreeSet<_>>();
        let others =
            if others.is_empty() { "none".to_owned() } else { others.into_iter().collect::<Vec<_>>().join(", ") };
        let kept = kills.iter().filter(|kill| kill.prompt_kept).count();
        let (back, gap, lost) = (median(|kill| kill.back_ms), median(|kill| kill.gap_ms), median(|kill| kill.lost));
        let _ = writeln!(
            text,
            "| {node} | {back:.0} | {gap:.0} | {worst:.0} | {lost:.0} | {} of {} | {others} | {kept} of {} |",
            faults.len(),
            kills.len() + faults.len(),
            kills.len()
        );
    }
    text
}
