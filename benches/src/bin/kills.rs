//! `make kills`: kills every node of a running mirror, again and again, and says what came of it. `make bench-swap` replaces
//! them instead, as `make swap` does.

use clap::Parser;
use eyre::{Result, WrapErr, bail, eyre};
use indicatif::{ProgressBar, ProgressStyle};
use mirror_benches::live::{Eye, Live, root};
use mirror_benches::machine;
use mirror_kit::processes::Process;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Kills every node of a running mirror (kill -9), or replaces it, one after the other, and writes how long the picture stood
/// still.
#[derive(Parser)]
struct Arguments {
    /// Replaces nodes by `mirror swap` instead
    #[arg(long)]
    swap: bool,
    /// How often each node is killed, or replaced
    #[arg(long, default_value_t = 20)]
    times: usize,
    /// Only these nodes, with commas between
    #[arg(long, value_delimiter = ',')]
    nodes: Vec<String>,
    /// Side of the pictures
    #[arg(long, default_value_t = 256)]
    size: usize,
    /// Where the table goes, as Markdown; the figures go beside it as JSON; usually benches/KILLS.md, or SWAPS.md there
    #[arg(long)]
    out: Option<PathBuf>,
}

impl Arguments {
    fn out(&self) -> &Path {
        let usual = if self.swap { "benches/SWAPS.md" } else { "benches/KILLS.md" };
        self.out.as_deref().unwrap_or(Path::new(usual))
    }
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

/// One kill, or one replacement.
#[derive(Debug, Clone, serde::Serialize)]
struct Blow {
    /// From the kill, or from the command, to the node's next process.
    back_ms: f64,
    /// The longest time without a new picture on the page.
    gap_ms: f64,
    /// What the gap would have held at the frame rate before.
    lost: f64,
    /// Other nodes whose processes have changed.
    others: Vec<String>,
    /// The prompt was painted afterwards as before.
    prompt_kept: bool,
    /// `mirror swap` had to replace the node a second time.
    twice: bool,
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
    let mut all: BTreeMap<String, Blows> = nodes.iter().map(|node| (node.clone(), Blows::default())).collect();
    // By turns: dora gives a node up that ends ten times within a minute.
    for round in 1..=arguments.times {
        for (node, blows) in &mut all {
            bar.set_message(node.clone());
            match strike(&live, &eye, node, arguments.swap.then_some(&root)) {
                Ok(blow) => blows.done.push(blow),
                // One that goes wrong is a figure, too; it does not take the others with it.
                Err(error) => {
                    bar.println(format!("{node}, round {round}: {error:#}"));
                    blows.faults.push(format!("{error:#}"));
                }
            }
            bar.inc(1);
        }
        // What there is by now is there, whatever comes.
        write(&all, &arguments, load)?;
        if live.has_ended()? {
            bail!(
                "the mirror has ended in round {round}, {} has what was before:\n{}",
                arguments.out().display(),
                live.log()
            );
        }
    }
    bar.finish_and_clear();
    drop(live);
    println!("{}", table(&all, &arguments, load));
    Ok(())
}

/// All that was done to a node.
#[derive(Debug, Default, serde::Serialize)]
struct Blows {
    done: Vec<Blow>,
    /// Those after which the picture did not come back in time, or no node was there: in words.
    faults: Vec<String>,
}

fn write(all: &BTreeMap<String, Blows>, arguments: &Arguments, load: f64) -> Result<()> {
    let out = arguments.out();
    fs::write(out, table(all, arguments, load)).wrap_err_with(|| out.display().to_string())?;
    fs::write(out.with_extension("json"), serde_json::to_vec_pretty(all)?).wrap_err("the figures as JSON")
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

/// Kills a node; with the project's root, replaces it by itself.
fn strike(live: &Live, eye: &Eye, node: &str, swap: Option<&PathBuf>) -> Result<Blow> {
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
    let begin = Instant::now();
    let mut swap = match swap {
        Some(root) => Some(live.command(root, &["swap", node]).stdout(Stdio::piped()).spawn()?),
        // SAFETY: kill(2) touches no memory of this process.
        None if unsafe { libc::kill(pid, libc::SIGKILL) } == 0 => None,
        None => bail!("it cannot be killed"),
    };
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
    let said = swap.take().map(Child::wait_with_output).transpose()?;
    if let Some(said) = said.as_ref().filter(|said| !said.status.success()) {
        bail!("mirror swap: {} {}", said.status, String::from_utf8_lossy(&said.stdout).trim());
    }
    let twice = said.is_some_and(|said| String::from_utf8_lossy(&said.stdout).contains("once more"));
    let seen = eye.since(begin);
    let starts = std::iter::once(&begin).chain(&seen);
    let gap = starts.zip(&seen).map(|(one, next)| next.duration_since(*one)).max().unwrap_or_default();
    let after = live.nodes();
    // A node that was replaced just before has two processes for a while, one of which is meant to end.
    let goes_on = |name: &str| {
        let pids = |of: &[Process]| of.iter().filter(|it| it.node == name).map(|it| it.pid).collect::<BTreeSet<_>>();
        !pids(&before).is_disjoint(&pids(&after))
    };
    let others: BTreeSet<&String> = before.iter().map(|process| &process.node).collect();
    let others = others.into_iter().filter(|name| *name != node && !goes_on(name)).cloned();
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    Ok(Blow {
        back_ms: ms(back.unwrap_or_default()),
        gap_ms: ms(gap),
        lost: (gap.as_secs_f64() * fps - 1.0).max(0.0).round(),
        others: others.collect(),
        prompt_kept: live.now().is_some_and(|now| now.prompt == PROMPT),
        twice,
    })
}

/// Whether the newest picture is so old that the mirror does not paint again yet.
fn is_old(at: &Instant) -> bool {
    at.elapsed() > Duration::from_secs(1)
}

fn table(all: &BTreeMap<String, Blows>, arguments: &Arguments, load: f64) -> String {
    let times = all.values().map(|blows| blows.done.len() + blows.faults.len()).max().unwrap_or(0);
    let (title, command, how) = if arguments.swap {
        (
            "replaced",
            "make bench-swap",
            "`mirror swap` by the same program and settings, in the middle of the work, then three seconds' rest. *Back*: from the\n\
             command until the new process is there.",
        )
    } else {
        (
            "killed",
            "make kills",
            "`kill -9` in the middle of the work, then three seconds' rest. *Back*: until dora has started the node again.",
        )
    };
    let mut text = format!(
        "# Every node {title} {times} times\n\n`{command}` on {}, {}; the clip at {} × {} pixels, load {load:.1} before.\n\n\
         {how} *Picture*:\n\
         the longest time without a new picture on the page, which holds the time that the models take to be opened.\n\
         *Lost*: pictures that would have been painted in that time. *Not back*: after {} s.",
        machine::date(),
        machine::name(),
        arguments.size,
        arguments.size,
        PATIENCE.as_secs(),
    );
    if arguments.swap {
        text += " *Twice*: dora had not joined the\nnew process to its neighbours, and the command replaced it again.";
    }
    let head = ["node", "back ms, median", "picture ms, median", "picture ms, worst", "lost, median", "not back"];
    let mut head = [&head[..], &["others that ended", "prompt kept"]].concat();
    head.extend(arguments.swap.then_some("twice"));
    let _ = writeln!(text, "\n\n| {} |\n|{}", head.join(" | "), "---|".repeat(head.len()));
    for (node, Blows { done, faults }) in all {
        let median = |value: fn(&Blow) -> f64| {
            let mut values: Vec<f64> = done.iter().map(value).collect();
            values.sort_by(f64::total_cmp);
            values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
        };
        let worst = done.iter().map(|blow| blow.gap_ms).fold(0.0, f64::max);
        let others = done.iter().flat_map(|blow| blow.others.clone()).collect::<BTreeSet<_>>();
        let others =
            if others.is_empty() { "none".to_owned() } else { others.into_iter().collect::<Vec<_>>().join(", ") };
        let kept = done.iter().filter(|blow| blow.prompt_kept).count();
        let (back, gap, lost) = (median(|blow| blow.back_ms), median(|blow| blow.gap_ms), median(|blow| blow.lost));
        let _ = write!(
            text,
            "| {node} | {back:.0} | {gap:.0} | {worst:.0} | {lost:.0} | {} of {} | {others} | {kept} of {} |",
            faults.len(),
            done.len() + faults.len(),
            done.len()
        );
        let twice = done.iter().filter(|blow| blow.twice).count();
        text += &if arguments.swap { format!(" {twice} |\n") } else { "\n".to_owned() };
    }
    text
}
