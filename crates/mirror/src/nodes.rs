//! The nodes of the graph, as the page knows them.

use mirror_kit::figures::Spread;
use serde::Deserialize;

/// The nodes of the graph, and who is connected.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Nodes {
    /// The name of the machine that the page is on.
    pub machine: String,
    /// dora's number of this run of the graph.
    pub dataflow: String,
    /// The name of the node that serves the page.
    pub page: String,
    /// The nodes in the order of the dataflow file.
    pub nodes: Vec<Node>,
    /// How many get pictures.
    pub watching: usize,
    /// How many get events.
    pub listening: usize,
    /// How many of each there may be.
    pub clients_max: usize,
    /// Who has brought a camera.
    pub visitors: Vec<Visitor>,
}

impl Nodes {
    /// The process of that node, if it runs on the page's machine.
    #[must_use]
    pub fn process(&self, node: &str) -> Option<&Process> {
        self.nodes.iter().find(|one| one.id == node)?.process.as_ref()
    }
}

/// A visitor.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Visitor {
    /// Its stream's name; empty: the page says names to its own machine alone.
    pub name: String,
    /// The protocol that it came through: `web`, `realtime`.
    pub origin: String,
    /// It is connected; who has lost the connection may come back.
    pub is_live: bool,
    /// Its pictures that are shown a second.
    pub fps: f64,
    /// How many watch it besides itself.
    pub viewers: usize,
}

impl Visitor {
    /// What it is called in so many characters, and how it is: `anna 8.3/s`, or `anna away` where nobody is connected.
    #[must_use]
    pub fn label(&self, longest: usize) -> String {
        let called = if self.name.is_empty() { &self.origin } else { &self.name };
        let mut label: String = called.chars().take(longest).collect();
        if called.chars().nth(longest).is_some() {
            label.pop();
            label.push('…');
        }
        if self.is_live { format!("{label} {:.1}/s", self.fps) } else { format!("{label} away") }
    }
}

/// A node of the graph.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Node {
    /// Its name.
    pub id: String,
    /// Where its inputs come from.
    pub inputs: Vec<Edge>,
    /// `running`, `gone`, `elsewhere`, `by_hand`.
    pub state: String,
    /// Its process, if it runs on the page's machine.
    pub process: Option<Process>,
}

/// An edge into a node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Edge {
    /// The input.
    pub port: String,
    /// Where it comes from: `decoder/picture`.
    pub from: String,
}

/// The process of a node.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Process {
    /// Its number.
    pub pid: i32,
    /// What it uses of one core, in percent.
    pub cpu_percent: f64,
    /// Memory in use, in bytes.
    pub memory_bytes: u64,
    /// How long it runs, in seconds.
    pub up_s: f64,
    /// How many times dora has started it again.
    pub restarts: u32,
    /// What comes to it and goes from it; nothing where it is no node of this kind.
    pub work: Option<Work>,
}

/// What comes to a node and goes from it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Work {
    /// Messages that come a second: pictures alone where it works on pictures.
    pub in_per_s: f64,
    /// Messages that it has sent, but for notices.
    pub went: u64,
    /// Those a second.
    pub out_per_s: f64,
    /// How old what it shows is.
    pub age_ms: Option<Spread>,
}
