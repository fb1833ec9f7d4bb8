//! `mirror rewire`: the running mirror becomes the one that the edited dataflow file describes.
//!
//! dora can replace nodes of a running dataflow, but not its edges. So: where only programs or settings of nodes have
//! changed, those nodes are replaced and all others run on; where edges have, the whole graph is stopped and started, and
//! `mirror run`, the page in the browser and the streams follow it by themselves.

use crate::contract;
use crate::dora::Dora;
use crate::failures::{Failures, Verdict};
use crate::graph;
use crate::house::{DATAFLOW, House};
use crate::journal::Journal;
use crate::kept::{self, Kept, Next};
use crate::overrides;
use crate::page::Page;
use crate::pause::Watcher;
use crate::swap::{replace, running};
use crate::variant::Variant;
use crate::which::Which;
use clap::Args;
use eyre::{Result, WrapErr, bail};
use mirror_kit::processes;
use serde_yaml_ng::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// How long pictures may take to come back.
const PATIENCE: Duration = Duration::from_secs(60);
/// After that no picture of the nodes that were replaced is under way any more.
const SETTLED: Duration = Duration::from_secs(1);
/// Pictures after which it counts as back.
const BACK: usize = 5;

/// Makes the running mirror what the edited dataflow file says: checks the file, then starts again only what it must.
///
/// A file that does not fit together is refused, and nothing changes. Where edges have changed, the whole graph is started
/// again; if the new one does not paint, the old one comes back.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The dataflow file, edited or another one: dataflow.fused.yml
    #[arg(default_value = DATAFLOW)]
    dataflow: PathBuf,
    /// Starts the whole graph again, whatever has changed
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    which: Which,
}

/// What there is to do.
#[derive(Debug, Clone, PartialEq)]
enum Change {
    Nothing,
    /// These definitions are new, with the same edges.
    Nodes(Vec<Value>),
    /// Edges, nodes or what all nodes are told: the text says which.
    Graph(String),
}

/// Runs the subcommand.
///
/// # Errors
/// No mirror runs; the file does not fit together; pictures do not come back.
pub fn run(arguments: &Arguments) -> Result<()> {
    let here = std::env::current_dir().wrap_err("the current folder cannot be found")?;
    let house = House::find(&here, &arguments.dataflow)?;
    let (dora, id) = running(&house.root, &arguments.which)?;
    let kept = Kept::read(&house.root, &id)?;
    let new = check(&house, &dora, &kept)?;
    let page = Page::of_house(&house, &kept.overrides)?;
    let before = House::with(&house.root, &kept.dataflow, &kept.graph)?;
    if page.address() != Page::of_house(&before, &kept.overrides)?.address() {
        bail!(
            "WEB_ADDRESS has changed, and who watches would not find the page again: end the mirror and start it anew"
        );
    }
    let change = match change(&kept.graph, &new.graph)? {
        Change::Nothing | Change::Nodes(_) if arguments.all => Change::Graph("as you wish".to_owned()),
        change => change,
    };
    let why = match change {
        Change::Nothing => {
            println!("nothing has changed: all nodes run on");
            return Ok(());
        }
        Change::Nodes(definitions) => {
            let mut kept = Kept { dataflow: new.dataflow, ..kept };
            for definition in definitions {
                replace(&dora, &id, &page, &definition, || {
                    kept.replace(&definition);
                    kept.write(&house.root, &id)
                })?;
            }
            println!("all others run on");
            return Ok(());
        }
        Change::Graph(why) => why,
    };
    println!("{why}: the whole graph is started again");
    let mut watcher = Watcher::of(page);
    restart(&house, &dora, (&arguments.which.name, &id), [&kept, &new], &mut watcher)?;
    if let Some(pause) = watcher.pause() {
        println!("{pause}");
    }
    Ok(())
}

/// Checks the file as dora does, as our own contract says, and whether all that it starts is there.
fn check(house: &House, dora: &Dora, kept: &Kept) -> Result<Kept> {
    let shown = house.dataflow.display();
    dora.validate(&house.dataflow).wrap_err_with(|| format!("{shown} is refused, and the mirror runs on"))?;
    let new = Kept::of(house, &kept.overrides)?;
    let faults = contract::faults(&house.root, &new.graph).wrap_err_with(|| shown.to_string())?;
    if !faults.is_empty() {
        bail!("{shown} is refused, and the mirror runs on: {}", faults.join("; "));
    }
    house.check_built()?;
    house.check_models(&kept.overrides)?;
    Ok(new)
}

/// What has to be done to come from one graph to another.
fn change(before: &Value, after: &Value) -> Result<Change> {
    if before["env"] != after["env"] {
        return Ok(Change::Graph("what all nodes are told has changed (env)".to_owned()));
    }
    let (old, new) = (contract::nodes(before)?, contract::nodes(after)?);
    if let Some(node) = new.keys().find(|node| !old.contains_key(*node)) {
        return Ok(Change::Graph(format!("{node} is new")));
    }
    if let Some(node) = old.keys().find(|node| !new.contains_key(*node)) {
        return Ok(Change::Graph(format!("{node} is gone")));
    }
    let mut changed = Vec::new();
    for (id, node) in &new {
        let edges = |of: &Value| ["inputs", "outputs"].map(|side| of[side].clone());
        if edges(&old[id]) != edges(node) {
            return Ok(Change::Graph(format!("the edges of {id} have changed")));
        }
        // Nobody but people starts a dynamic one.
        if old[id] != *node && node["path"] != "dynamic" {
            changed.push(node.clone());
        }
    }
    Ok(if changed.is_empty() { Change::Nothing } else { Change::Nodes(changed) })
}

/// A file for `dora node replace`; it goes with the value.
///
/// # Errors
/// It cannot be written.
pub fn definition_file(definition: &Value) -> Result<tempfile::NamedTempFile> {
    let mut file = tempfile::Builder::new().suffix(".yml").tempfile().wrap_err("no file for the definition")?;
    file.write_all(serde_yaml_ng::to_string(definition)?.as_bytes()).wrap_err("the definition cannot be written")?;
    Ok(file)
}

/// Stops the whole graph and starts the new one; if that cannot be started or paints nothing, the old one again. Whoever watches
/// the mirror learns which of the two it is when that is settled: a node of the new one that fails meanwhile must not end the
/// mirror.
fn restart(
    house: &House,
    dora: &Dora,
    (name, id): (&str, &str),
    [old, new]: [&Kept; 2],
    watcher: &mut Watcher,
) -> Result<()> {
    let root = &house.root;
    let environment = overrides::arguments(&old.overrides)?;
    kept::announce(root, id, &Next::Coming)?;
    if let Err(error) = graph::end(dora, id) {
        kept::announce(root, id, &Next::Nothing)?;
        return Err(error);
    }
    let fault = match dora.start(&house.dataflow, name, &environment) {
        Ok(now) => {
            new.write(root, &now)?;
            match paints(root, &now, watcher) {
                Ok(()) => return kept::announce(root, id, &Next::Run(now)),
                Err(fault) => graph::end(dora, &now).map(|()| fault)?,
            }
        }
        Err(fault) => fault,
    };
    let file = Variant::write(root, &old.graph).wrap_err("the old graph")?;
    let now = dora.start(file.path(), name, &environment)?;
    old.write(root, &now)?;
    kept::announce(root, id, &Next::Run(now))?;
    Err(fault.wrap_err("the new graph does not work, and the old one runs again"))
}

/// Waits until pictures come through that run of a graph.
///
/// # Errors
/// A node of it cannot go on, in its own words; no pictures come.
fn paints(root: &Path, id: &str, watcher: &mut Watcher) -> Result<()> {
    let (mut journal, mut failures, begin) = (Journal::of(root, id), Failures::default(), Instant::now());
    while !watcher.has_seen(BACK, begin + SETTLED) {
        let now = Instant::now();
        let mut verdicts: Vec<Verdict> = journal.news().iter().filter_map(|line| failures.note(line, 0, now)).collect();
        verdicts.extend(failures.settle(now, || processes::names(id)));
        let hopeless = verdicts.into_iter().find(|verdict| matches!(verdict, Verdict::Hopeless(_)));
        if let Some(Verdict::Hopeless(text)) = hopeless {
            bail!(text);
        }
        if begin.elapsed() > PATIENCE {
            bail!("in {} s no picture has come: .venv/bin/dora logs --all-nodes", PATIENCE.as_secs());
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRAPH: &str = "
env: { A: x }
nodes:
  - { id: camera, path: camera, outputs: [frame] }
  - { id: web, path: web, inputs: { frame: { source: camera/frame, queue_size: 1 } } }
  - { id: chat, path: dynamic }
";

    fn change(from: &str, to: &str) -> Change {
        assert!(GRAPH.contains(from));
        let graph = |text: &str| serde_yaml_ng::from_str(text).unwrap();
        super::change(&graph(GRAPH), &graph(&GRAPH.replacen(from, to, 1))).unwrap()
    }

    #[test]
    fn a_node_with_other_settings_or_another_program_is_replaced_alone() {
        for to in ["path: camera, env: { B: y }", "path: other"] {
            let Change::Nodes(nodes) = change("path: camera", to) else { panic!("{to}") };
            assert_eq!(nodes.len(), 1);
            assert_eq!(nodes[0]["id"], "camera");
        }
    }

    #[test]
    fn another_edge_another_node_or_another_word_to_all_starts_the_whole_graph_again() {
        for (from, to, why) in [
            ("queue_size: 1", "queue_size: 2", "the edges of web have changed"),
            ("[frame]", "[frame, notice]", "the edges of camera have changed"),
            ("A: x", "A: y", "what all nodes are told has changed (env)"),
            ("id: chat", "id: talk", "talk is new"),
            ("  - { id: chat, path: dynamic }\n", "", "chat is gone"),
        ] {
            assert_eq!(change(from, to), Change::Graph(why.to_owned()));
        }
    }

    #[test]
    fn a_comment_changes_nothing() {
        assert_eq!(change("nodes:", "nodes: # of which there are three"), Change::Nothing);
        assert_eq!(change("path: dynamic", "path: dynamic, description: talk"), Change::Nothing);
    }
}
