//! The running graph: started with dora, stopped with all that belongs to it.

use crate::dora::{Background, Dora};
use crate::house::House;
use crate::journal::{Journal, Line};
use crate::overrides::{self, Overrides};
use crate::remains::{self, Remains};
use crate::signals;
use eyre::{Result, bail};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

/// The graph's name for `dora list`, `dora stop` and `dora logs`.
const NAME: &str = "mirror";

/// How long nodes that dora says are stopped may take to be gone.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the nodes of a daemon that was not started here would not know: it has its own environment.
const INHERITED: [&str; 6] =
    ["DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR", "ORT_DYLIB_PATH", "MIRROR_LOG"];

/// dora, ready to start the graph.
#[derive(Debug)]
pub struct Prepared<'a> {
    dora: &'a Dora,
    /// Coordinator and daemon were there already: they stay.
    was_up: bool,
}

/// The running graph.
#[derive(Debug)]
pub struct Graph<'a> {
    dora: &'a Dora,
    id: String,
    journal: Journal,
    before: Remains,
    /// Coordinator and daemon, if they were started here: they go with the graph.
    background: Option<Background>,
    stopped: bool,
}

impl<'a> Graph<'a> {
    /// Looks whether dora is there, and whether a mirror runs on it already.
    ///
    /// # Errors
    /// One does.
    pub fn prepare(dora: &'a Dora) -> Result<Prepared<'a>> {
        let was_up = dora.is_up()?;
        if was_up && dora.runs(NAME)? {
            bail!("a mirror is running already: stop it there with Ctrl-C, or with \".venv/bin/dora stop {NAME}\"");
        }
        Ok(Prepared { dora, was_up })
    }

    /// Whether dora still runs it.
    ///
    /// # Errors
    /// dora cannot be asked.
    pub fn runs(&self) -> Result<bool> {
        self.dora.runs(&self.id)
    }

    /// What the nodes have said since the last call.
    pub fn news(&mut self) -> Vec<Line> {
        self.journal.news()
    }

    /// The nodes that run.
    #[must_use]
    pub fn nodes(&self) -> BTreeSet<String> {
        remains::nodes(&self.id).into_iter().map(|(_, node)| node).collect()
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
        let id = self.dora.start(&house.dataflow, NAME, &environment)?;
        let journal = Journal::of(&house.root, &id);
        Ok(Graph { dora: self.dora, id, journal, before, background, stopped: false })
    }
}
