//! The running graph: started with dora, stopped with all that belongs to it.

use crate::dora::{Background, Dora};
use crate::house::House;
use crate::journal::{Journal, Line};
use crate::kept::{self, Kept, Next};
use crate::overrides::{self, Overrides};
use crate::remains::Remains;
use crate::signals;
use eyre::{Result, bail};
use mirror_kit::processes;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The graph's name for `dora list`, `dora stop` and `dora logs`, unless it was given one.
pub const NAME: &str = "mirror";

/// How long nodes that dora says are stopped may take to be gone.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the nodes of a daemon that was not started here would not know: it has its own environment.
const INHERITED: [&str; 7] = [
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "XDG_RUNTIME_DIR",
    "ORT_DYLIB_PATH",
    "MIRROR_LOG",
    "DORA_OTLP_ENDPOINT",
];

/// dora, ready to start the graph.
#[derive(Debug)]
pub struct Prepared<'a> {
    dora: &'a Dora,
    name: &'a str,
    /// Coordinator and daemon were there already: they stay.
    was_up: bool,
}

/// The running graph.
#[derive(Debug)]
pub struct Graph<'a> {
    dora: &'a Dora,
    root: PathBuf,
    id: String,
    journal: Journal,
    before: Remains,
    /// Coordinator and daemon, if they were started here: they go with the graph.
    background: Option<Background>,
    stopped: bool,
}

/// What became of the graph that is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// It is the one.
    Same,
    /// It is being started again.
    Between,
    /// It is another one now.
    New,
}

/// Stops a run of a graph, and waits until all its nodes are gone.
///
/// # Errors
/// dora's own words, if it still runs.
pub fn end(dora: &Dora, id: &str) -> Result<()> {
    let stopped = dora.stop(id);
    if let Err(error) = stopped
        && dora.runs(id)?
    {
        return Err(error);
    }
    // What it kills and removes is what would be in the way of the next one.
    let _ = Remains::before().clear(id, PATIENCE);
    Ok(())
}

impl<'a> Graph<'a> {
    /// Looks whether dora is there, and whether a mirror runs on it already.
    ///
    /// # Errors
    /// One does.
    pub fn prepare(dora: &'a Dora, name: &'a str) -> Result<Prepared<'a>> {
        let was_up = dora.is_up()?;
        if was_up && dora.runs(name)? {
            let remedy = "stop it there with Ctrl-C; a second one needs a name and a page: --name garden --env WEB_ADDRESS=127.0.0.1:8090";
            bail!("a mirror called {name} is running already: {remedy}");
        }
        Ok(Prepared { dora, name, was_up })
    }

    /// Whether dora still runs it.
    ///
    /// # Errors
    /// dora cannot be asked.
    pub fn runs(&self) -> Result<bool> {
        self.dora.runs(&self.id)
    }

    /// Looks whether `mirror rewire` has put another run in its place, and goes over to that one.
    pub fn follow(&mut self) -> Turn {
        match kept::next(&self.root, &self.id) {
            Next::Nothing => Turn::Same,
            Next::Coming => Turn::Between,
            Next::Run(id) => {
                self.journal = Journal::of(&self.root, &id);
                self.id = id;
                Turn::New
            }
        }
    }

    /// What the nodes have said since the last call.
    pub fn news(&mut self) -> Vec<Line> {
        self.journal.news()
    }

    /// The nodes that run.
    #[must_use]
    pub fn nodes(&self) -> BTreeSet<String> {
        processes::names(&self.id)
    }

    /// Where the nodes' logs are.
    #[must_use]
    pub fn log(&self) -> &Path {
        self.journal.folder()
    }

    /// Stops it, and dora if it was started for it. Says, a line each, what was not as it should be.
    pub fn stop(&mut self) -> Vec<String> {
        if std::mem::replace(&mut self.stopped, true) {
            return Vec::new();
        }
        let mut said = Vec::new();
        // A graph one of whose nodes has failed stops as well, but dora calls that a failure to stop.
        if let Err(error) = self.dora.stop(&self.id)
            && (error.to_string().contains("killed") || self.runs().unwrap_or(true))
        {
            said.push(format!("{error:#}"));
        }
        let patience = if signals::kill() { Duration::ZERO } else { PATIENCE };
        if let Some(mut background) = self.background.take() {
            // Sometimes the coordinator ends before it has answered; what counts is that it ends.
            if let Err(error) = self.dora.down()
                && !background.ends_within(patience)
            {
                said.push(format!("{error:#}; its processes are killed"));
            }
            background.ends_within(patience);
        }
        said.extend(self.before.clear(&self.id, patience));
        said
    }
}

impl Drop for Graph<'_> {
    /// An error on the way does not leave the mirror running.
    fn drop(&mut self) {
        for line in self.stop() {
            eprintln!("{line}");
        }
    }
}

impl<'a> Prepared<'a> {
    /// Starts dora if it is not there, then the graph.
    ///
    /// # Errors
    /// dora's own words.
    pub fn start(self, house: &House, overrides: &Overrides) -> Result<Graph<'a>> {
        let mut overrides = overrides.clone();
        let before = Remains::before();
        if self.was_up {
            for key in INHERITED {
                if let Ok(value) = std::env::var(key) {
                    overrides.entry(key.to_owned()).or_insert(value);
                }
            }
        }
        let environment = overrides::arguments(&overrides)?;
        // On an error from here on, dropping it ends it.
        let background = if self.was_up { None } else { Some(self.dora.up()?) };
        let id = self.dora.start(&house.dataflow, self.name, &environment)?;
        let (root, journal) = (house.root.clone(), Journal::of(&house.root, &id));
        let graph = Graph { dora: self.dora, root, id, journal, before, background, stopped: false };
        Kept::of(house, &overrides)?.write(&house.root, &graph.id)?;
        Ok(graph)
    }
}
