//! `mirror swap`: another program, other settings or another definition for one node, while the others run on.

use crate::contract;
use crate::dora::Dora;
use crate::house::{DATAFLOW, House};
use crate::kept::Kept;
use crate::nodes::Nodes;
use crate::overrides;
use crate::page::{Notice, Page};
use crate::pause::Watcher;
use crate::rewire::definition_file;
use crate::which::Which;
use clap::Args;
use eyre::{Result, WrapErr, bail, eyre};
use serde_yaml_ng::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// How long pictures may take to come back: a large model may be loaded.
const PATIENCE: Duration = Duration::from_secs(60);
/// How much slower than before pictures may come.
const SLOWER: u32 = 3;
/// How long a node that is ready may let pictures wait, or come more slowly than that.
const SLOW: Duration = Duration::from_secs(4);
/// After that no picture of the old node is under way any more.
const SETTLED: Duration = Duration::from_secs(1);
/// Pictures after which it counts as back.
const BACK: usize = 5;

/// Replaces one node of the mirror that runs: by its new build, or with other settings. All others run on.
///
/// The definition is the one in the dataflow file, as it is now, unless --yaml names another. A definition that dora does
/// not accept, or a program that cannot be started, changes nothing.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The node, as the dataflow file names it: diffusion
    node: String,
    /// A file with another definition of the node: the same inputs and outputs, whatever else is different
    #[arg(long, value_name = "FILE")]
    yaml: Option<PathBuf>,
    /// A setting of the node, as often as you like: DIFFUSION_THREADS=1
    #[arg(long, value_name = "KEY=VALUE")]
    env: Vec<String>,
    /// The dataflow file that has the definition; without it the one that the mirror was started with, as it is now
    #[arg(long, value_name = "FILE")]
    dataflow: Option<PathBuf>,
    #[command(flatten)]
    which: Which,
}

/// Runs the subcommand.
///
/// # Errors
/// No mirror runs; no such node; dora refuses it; pictures do not come back.
pub fn run(arguments: &Arguments) -> Result<()> {
    let here = std::env::current_dir().wrap_err("the current folder cannot be found")?;
    let project = House::find(&here, Path::new(DATAFLOW))?;
    let (dora, id) = running(&project.root, &arguments.which)?;
    let mut kept = Kept::read(&project.root, &id).ok();
    let file = arguments.dataflow.clone().or_else(|| Some(kept.as_ref()?.dataflow.clone()));
    let house = House::find(&here, file.as_deref().unwrap_or(Path::new(DATAFLOW)))?;
    let definition = definition(&house, &here, arguments)?;
    let overrides = kept.as_ref().map_or_else(|| house.inherited(), |kept| kept.overrides.clone());
    let page = Page::of_house(&house, &overrides)?;
    let before = page.nodes()?;
    replace(&dora, &id, &page, &definition, || match &mut kept {
        Some(kept) => {
            kept.replace(&definition);
            kept.write(&house.root, &id)
        }
        None => Ok(()),
    })?;
    println!("{}", others(&before, &page.nodes()?, &arguments.node));
    Ok(())
}

/// Replaces a node by that definition, waits until pictures come through it as before, and says how long they paused. What has
/// to be written down is, as soon as the new one is there.
///
/// # Errors
/// The page does not answer; dora refuses the definition; pictures do not come as before, even after a second try.
pub fn replace(
    dora: &Dora,
    id: &str,
    page: &Page,
    definition: &Value,
    done: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let (node, file) = (definition["id"].as_str().unwrap_or_default(), definition_file(definition)?);
    let before = page.nodes()?;
    let notice = page.figures()?.notices.last().map_or(0, |notice| notice.id);
    let start = Instant::now();
    let mut watcher = Watcher::of(page.clone());
    let usual = watcher.usual(start, Instant::now());
    dora.replace_node(id, node, file.path())?;
    done()?;
    let mut swap = Swap { page, before: &before, node, notice, watcher, usual };
    if swap.outcome() != Outcome::AsBefore {
        // Now and then (dora 1.1.0) the new process and its neighbours do not find each other, or not on all edges.
        println!("pictures do not come as before: {node} is replaced once more");
        dora.replace_node(id, node, file.path())?;
        match swap.outcome() {
            Outcome::AsBefore => {}
            // A new one that is slower, or a machine that has more to do than before.
            Outcome::Slower => {
                println!("pictures come more slowly than before; if they should not: mirror rewire --all");
            }
            Outcome::Nothing => bail!("{node} was replaced, and no pictures come: mirror rewire --all"),
        }
    }
    match swap.watcher.pause() {
        Some(pause) => println!("{node} is replaced: {pause}"),
        None => println!("{node} is replaced"),
    }
    Ok(())
}

/// What has come of a replacement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// Pictures come through the new process as they did before.
    AsBefore,
    /// They come by far not as often.
    Slower,
    /// None come.
    Nothing,
}

/// A replacement that is waited for.
struct Swap<'a> {
    page: &'a Page,
    /// The nodes before it.
    before: &'a Nodes,
    node: &'a str,
    /// The last notice before it.
    notice: u64,
    watcher: Watcher,
    /// Between two pictures before it, if there were any.
    usual: Option<Duration>,
}

impl Swap<'_> {
    fn is_new(&self) -> bool {
        let process = |nodes: &Nodes| nodes.process(self.node).map(|process| process.pid);
        self.page.nodes().is_ok_and(|now| process(&now).is_some_and(|pid| Some(pid) != process(self.before)))
    }

    /// A node says what it has opened when it is ready.
    fn is_ready(&self) -> bool {
        let is_its = |notice: &Notice| notice.origin == self.node && notice.id > self.notice;
        self.page.figures().is_ok_and(|figures| figures.notices.iter().any(is_its))
    }

    /// Waits until pictures come through the new process as before, as long as there is hope.
    fn outcome(&mut self) -> Outcome {
        let begin = Instant::now();
        let (mut settled, mut ready, mut came) = (None, None, false);
        loop {
            if begin.elapsed() > PATIENCE || ready.is_some_and(|ready: Instant| ready.elapsed() > SLOW) {
                return if came { Outcome::Slower } else { Outcome::Nothing };
            }
            thread::sleep(Duration::from_millis(50));
            if ready.is_none() && self.is_ready() {
                ready = Some(Instant::now());
            }
            if settled.is_none() && self.is_new() {
                settled = Some(Instant::now() + SETTLED);
            }
            let Some(settled) = settled.filter(|settled| self.watcher.has_seen(BACK, *settled)) else { continue };
            came = true;
            let now = self.watcher.usual(settled, Instant::now());
            let limit = self.usual.map(|usual| SLOWER * usual + Duration::from_millis(100));
            if now.zip(limit).is_none_or(|(now, limit)| now < limit) {
                return Outcome::AsBefore;
            }
        }
    }
}

/// The dora that a mirror runs on, and the number of its run. `None`: none of that name runs.
///
/// # Errors
/// dora cannot be asked.
pub fn found(root: &Path, which: &Which) -> Result<Option<(Dora, String)>> {
    let dora = Dora::find(root)?.on(which.ports(root)?);
    let id = if dora.is_up()? { dora.id_of(&which.name)? } else { None };
    Ok(id.map(|id| (dora, id)))
}

/// The same of a mirror that has to run.
///
/// # Errors
/// None of that name runs.
pub fn running(root: &Path, which: &Which) -> Result<(Dora, String)> {
    let name = &which.name;
    found(root, which)?.ok_or_else(|| eyre!("no mirror called {name} runs here: start one with \"make run\""))
}

/// What became of the other nodes, in one line.
#[must_use]
pub fn others(before: &Nodes, now: &Nodes, changed: &str) -> String {
    let others: Vec<&str> =
        before.nodes.iter().filter(|node| node.process.is_some() && node.id != changed).map(|node| &*node.id).collect();
    let pid = |nodes: &Nodes, node: &str| nodes.process(node).map(|process| process.pid);
    let ended: Vec<&str> = others.iter().filter(|node| pid(before, node) != pid(now, node)).copied().collect();
    match ended.as_slice() {
        [] => format!("all {} others run on", others.len()),
        _ => format!("these were started again too: {}", ended.join(", ")),
    }
}

/// The node's definition, with the settings of the command line.
fn definition(house: &House, here: &Path, arguments: &Arguments) -> Result<Value> {
    let node = &arguments.node;
    let mut definition = match &arguments.yaml {
        Some(path) => read(&here.join(path))?,
        None => of_dataflow(&house.dataflow, node)?,
    };
    if definition["id"].as_str() != Some(node) {
        bail!("the definition is of the node {}, not of {node}", definition["id"].as_str().unwrap_or("without a name"));
    }
    let path = definition["path"].as_str().ok_or_else(|| eyre!("{node} has no program (path)"))?;
    if path == "dynamic" {
        bail!("{node} is started by people, not by dora: end it and start it again");
    }
    if !house.root.join(path).is_file() {
        bail!("{path} is not there: run \"make build\"");
    }
    let pairs = arguments.env.iter().map(|text| overrides::key(text)).collect::<Result<BTreeMap<_, _>>>()?;
    if !pairs.is_empty() {
        let entry = definition.as_mapping_mut().ok_or_else(|| eyre!("the definition of {node} is no mapping"))?;
        let environment = entry.entry("env".into()).or_insert_with(|| Value::Mapping(Default::default()));
        let environment = environment.as_mapping_mut().ok_or_else(|| eyre!("the env of {node} is no mapping"))?;
        environment.extend(pairs.into_iter().map(|(key, value)| (key.into(), value.into())));
    }
    Ok(definition)
}

/// A file that holds one node: its entry alone, or a list with that entry, as in a dataflow file.
fn read(path: &Path) -> Result<Value> {
    let (shown, mut value) = (path.display(), contract::graph(path)?);
    match value.as_sequence_mut() {
        Some(list) if list.len() == 1 => Ok(list.remove(0)),
        Some(list) => bail!("{shown} holds {} nodes, and one is replaced", list.len()),
        None => Ok(value),
    }
}

fn of_dataflow(path: &Path, node: &str) -> Result<Value> {
    let (shown, graph) = (path.display(), contract::graph(path)?);
    let nodes = graph["nodes"].as_sequence().map(Vec::as_slice).unwrap_or_default();
    let names = || nodes.iter().filter_map(|one| one["id"].as_str()).collect::<Vec<_>>().join(", ");
    let own = nodes.iter().find(|one| one["id"] == *node);
    own.cloned().ok_or_else(|| eyre!("{shown} has no node {node}; it has {}", names()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nodes::{Node, Process};
    use clap::Parser;
    use std::fs;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    const GRAPH: &str = "
nodes:
  - { id: camera, path: target/release/camera, env: { CAMERA_FPS: 30 } }
  - { id: web, path: target/release/web }
  - { id: chat, path: dynamic }
";

    fn definition(line: &str) -> Result<Value> {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path(DATAFLOW), GRAPH).unwrap();
        fs::create_dir_all(path("target/release")).unwrap();
        fs::write(path("target/release/camera"), "").unwrap();
        fs::write(path("one.yml"), "- { id: camera, path: target/release/camera, args: x }").unwrap();
        fs::write(path("two.yml"), "[{ id: a }, { id: b }]").unwrap();
        let house = House::find(folder.path(), Path::new(DATAFLOW)).unwrap();
        let arguments = Line::parse_from(std::iter::once("swap").chain(line.split(' '))).arguments;
        super::definition(&house, folder.path(), &arguments)
    }

    #[test]
    fn a_node_is_replaced_by_its_definition_with_the_settings_of_the_command_line() {
        let camera = definition("camera --env CAMERA_FPS=15 --env CAMERA_STREAM=a=b").unwrap();
        assert_eq!((&camera["env"]["CAMERA_FPS"], &camera["env"]["CAMERA_STREAM"]), (&"15".into(), &"a=b".into()));
        assert_eq!(definition("camera").unwrap()["env"]["CAMERA_FPS"], 30);
    }

    #[test]
    fn a_definition_may_come_from_a_file_of_its_own() {
        assert_eq!(definition("camera --yaml one.yml").unwrap()["args"], "x");
        let message = |line| definition(line).unwrap_err().to_string();
        assert_eq!(message("web --yaml one.yml"), "the definition is of the node camera, not of web");
        assert!(message("a --yaml two.yml").ends_with("two.yml holds 2 nodes, and one is replaced"));
    }

    #[test]
    fn what_cannot_be_replaced_is_named_with_the_remedy() {
        let message = |line| definition(line).unwrap_err().to_string();
        assert!(message("painter").ends_with("has no node painter; it has camera, web, chat"));
        assert_eq!(message("web"), "target/release/web is not there: run \"make build\"");
        assert!(message("chat").starts_with("chat is started by people"));
    }

    #[test]
    fn the_others_are_counted_and_those_that_ended_are_named() {
        let node = |id: &str, pid| Node {
            id: id.to_owned(),
            process: Some(Process { pid, ..Process::default() }),
            ..Node::default()
        };
        let before = Nodes { nodes: vec![node("camera", 1), node("web", 2), node("diffusion", 3)], ..Nodes::default() };
        let now = Nodes { nodes: vec![node("camera", 1), node("web", 2), node("diffusion", 9)], ..Nodes::default() };
        assert_eq!(others(&before, &now, "diffusion"), "all 2 others run on");
        let now = Nodes { nodes: vec![node("camera", 1), node("web", 8)], ..Nodes::default() };
        assert_eq!(others(&before, &now, "diffusion"), "these were started again too: web");
    }
}
