//! `mirror record`: messages of a running mirror into a file, or what it shows as a film.
//!
//! Messages: dora adds a node to the running graph, `tape`, that is connected to what is to be recorded, and takes it out again.
//! No other node notices. A film (`--mp4`): the program `film` looks at the page as a browser does (`crates/film`).

use crate::dora::Dora;
use crate::film;
use crate::house::{DATAFLOW, House};
use crate::journal::Journal;
use crate::screen::Screen;
use crate::which::Which;
use crate::{signals, topics};
use clap::Args;
use eyre::{Result, WrapErr, bail, eyre};
use mirror_kit::words;
use serde_json::{Map, Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The program of the node.
const PROGRAM: &str = "target/release/tape";
/// How the lines of what records begin: its progress, and its last one.
pub const LINES: [&str; 2] = [words::RECORDED, words::FINISHED];
/// The output that a node sends only while somebody needs it, and the parameter that says so: see `nodes/encoder`.
const SOURCE: &str = "source";
/// How long the node may be silent: longer, and it has ended without a word.
const SILENCE: Duration = Duration::from_secs(20);

/// Records messages of the running mirror into an MCAP file, until Ctrl-C: Foxglove shows it, `mirror replay` plays it.
///
/// The picture goes on as if nothing were: what the disk is too slow for is left out, and counted.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The file; one with the time in its name if you name none. It must not be there yet
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// What the mirror shows as a film instead, to be played anywhere: mirror.mp4. It must not be there yet
    #[arg(long, value_name = "FILE", conflicts_with_all = ["out", "topics", "raw", "visitors", "file_mib"])]
    mp4: Option<PathBuf>,
    /// What to record, with commas between: camera/frame, or picture for all outputs of that name, or all
    #[arg(long, value_delimiter = ',')]
    topics: Vec<String>,
    /// What visitors bring too: their pictures, voices, words and settings. Without this the mirror's own cameras alone are
    /// recorded: visitors came to look, and have not been asked
    #[arg(long)]
    visitors: bool,
    /// How many seconds
    #[arg(long)]
    seconds: Option<f64>,
    /// Pictures as they are and not as JPEG: ten times the bytes, and a replay paints the same pictures bit for bit
    #[arg(long)]
    raw: bool,
    /// A file that is larger goes on in the next one
    #[arg(long, value_name = "MIB", default_value_t = 2048)]
    file_mib: u32,
    /// Ends when the disk has no more free than this
    #[arg(long, value_name = "MIB", default_value_t = 1024)]
    free_mib: u32,
    #[command(flatten)]
    which: Which,
}

/// Runs the subcommand.
///
/// # Errors
/// No mirror runs; an output that it does not have; a recording that could not begin, or that the disk ended.
pub fn run(arguments: &Arguments) -> Result<()> {
    signals::listen()?;
    let here = std::env::current_dir().wrap_err("the current folder cannot be found")?;
    let root = House::find(&here, Path::new(DATAFLOW))?.root;
    if let Some(mp4) = &arguments.mp4 {
        let Arguments { seconds, free_mib, which, .. } = arguments;
        return film::record(&root, which, &here.join(mp4), *seconds, *free_mib);
    }
    let program = root.join(PROGRAM);
    if !program.is_file() {
        bail!("not built: {PROGRAM}; run \"make build\"");
    }
    let dora = Dora::find(&root)?.on(arguments.which.ports(&root)?);
    let name = &arguments.which.name;
    let id = if dora.is_up()? { dora.id_of(name)? } else { None };
    let id = id.ok_or_else(|| eyre!("no mirror called {name} runs here: start one with \"make run\""))?;
    let topics = topics::chosen(&arguments.topics, &topics::of(&id)?)?;

    let stamp = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let out = arguments.out.clone().unwrap_or_else(|| root.join(format!("out/mirror-{stamp}.mcap")));
    let out = here.join(out);
    if out.exists() {
        bail!("{} is there already: choose another name", out.display());
    }
    let node = format!("tape-{stamp}");
    let yaml = arguments.node(&node, &program, &out, &topics);
    let file = root.join("out").join(format!("{node}.yml"));
    fs::create_dir_all(root.join("out"))?;
    // JSON is YAML.
    fs::write(&file, yaml.to_string()).wrap_err_with(|| format!("{} cannot be written", file.display()))?;
    // It stays on when this recording ends: another one may go by it.
    for (sender, _) in topics.iter().filter_map(|topic| topic.split_once('/')).filter(|(_, port)| *port == SOURCE) {
        dora.switch_on(&id, sender, SOURCE)?;
    }
    let added = dora.add_node(&id, &file);
    let _ = fs::remove_file(&file);
    added?;
    let mut screen = Screen::new();
    let whose = if arguments.visitors { "of all streams" } else { "without visitors" };
    screen.say(&format!("recording {}, {whose}, into {}; Ctrl-C ends it", topics.join(", "), out.display()));
    let last = follow(&mut screen, &mut Journal::of(&root, &id), &node, || dora.remove_node(&id, &node));
    // A node that has ended by itself is not there any more.
    let _ = dora.remove_node(&id, &node);
    screen.clear();
    let last = last?;
    screen.say(&last);
    if out.is_file() && !last.contains(';') { Ok(()) } else { bail!("the recording is not whole: {last}") }
}

impl Arguments {
    /// The node as a dataflow file would have it.
    fn node(&self, node: &str, program: &Path, out: &Path, topics: &[String]) -> Value {
        let mut inputs: Map<String, Value> =
            topics.iter().map(|topic| (topic.replace('/', "_"), json!({"source": topic, "queue_size": 16}))).collect();
        inputs.insert("tick".to_owned(), json!("dora/timer/millis/500"));
        json!({
            "id": node,
            "path": program,
            "env": {
                "TAPE_OUT": out,
                "TAPE_PICTURES": if self.raw { "raw" } else { "jpeg" },
                "TAPE_VISITORS": if self.visitors { "on" } else { "off" },
                "TAPE_SECONDS": format!("{}s", self.seconds.unwrap_or(0.0)),
                "TAPE_FILE_MIB": format!("{}MiB", self.file_mib),
                "TAPE_FREE_MIB": format!("{}MiB", self.free_mib),
            },
            "inputs": inputs,
        })
    }
}

/// Shows what the node says, until it has said its last word; `stop` is called once, when somebody has had enough.
fn follow(screen: &mut Screen, journal: &mut Journal, node: &str, stop: impl FnOnce() -> Result<()>) -> Result<String> {
    let (mut heard, mut stop) = (Instant::now(), Some(stop));
    loop {
        for line in journal.news().into_iter().filter(|line| line.node == node) {
            heard = Instant::now();
            let said = line.text.trim().split_once(' ').map_or("", |(_, said)| said.trim());
            match LINES.map(|begin| said.strip_prefix(begin)) {
                [Some(progress), _] => screen.show(progress),
                [_, Some(last)] => return Ok(last.to_owned()),
                _ => screen.say(line.text.trim()),
            }
        }
        if signals::stop()
            && let Some(stop) = stop.take()
        {
            // It may have ended at the same moment; its last word is what counts.
            let _ = stop();
        }
        if heard.elapsed() > SILENCE {
            bail!("{node} has not said anything for {} s; \"dora logs\" may say why", SILENCE.as_secs());
        }
        sleep(Duration::from_millis(100));
    }
}
