//! The table: a row for each node, with the edge that its pictures come in on.

use crate::nodes::{Node, Nodes};
use crate::page::{Figures, Stage};
use mirror_kit::figures::Spread;

/// What is not known from here.
pub const UNKNOWN: &str = "–";
/// Heads of the columns, and how wide they are.
pub const COLUMNS: [(&str, u16); 10] = [
    ("node", 10),
    ("in/s", 5),
    ("wait ms", 9),
    ("out/s", 5),
    ("work ms", 9),
    ("age ms", 9),
    ("drops", 6),
    ("cpu %", 7),
    ("MB", 5),
    ("again", 5),
];

/// How a row stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// As it should be.
    Fine,
    /// It was started again, some time.
    Restarted,
    /// It should run, and does not.
    Gone,
    /// Nothing is known of it.
    Unknown,
}

/// A node's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// A text for each of [`COLUMNS`].
    pub cells: [String; COLUMNS.len()],
    /// How it stands out.
    pub mood: Mood,
}

/// The rows, in the order in which pictures go through the graph, then the nodes that no picture goes through.
#[must_use]
pub fn rows(figures: &Figures, nodes: &Nodes) -> Vec<Row> {
    let place = |node: &&Node| figures.stages.iter().position(|stage| stage.stage == node.id).unwrap_or(usize::MAX);
    let mut order: Vec<&Node> = nodes.nodes.iter().collect();
    order.sort_by_key(place);
    order.into_iter().map(|node| row(figures, &nodes.page, node)).collect()
}

fn row(figures: &Figures, page: &str, node: &Node) -> Row {
    let unknown = || UNKNOWN.to_owned();
    let mut cells = [(); COLUMNS.len()].map(|()| unknown());
    cells[0].clone_from(&node.id);
    let at = figures.stages.iter().position(|stage| stage.stage == node.id);
    if let Some(at) = at {
        let Stage { fps, age_ms, ms, hop_ms, drops, .. } = &figures.stages[at];
        // The stage before it in the graph: with two cameras that is not the row above.
        let from =
            |from: &str| figures.stages[..at].iter().rev().find(|stage| from.split('/').next() == Some(&stage.stage));
        let before = node.inputs.iter().filter_map(|edge| from(&edge.from)).map(|stage| stage.fps).fold(None, larger);
        if let Some(before) = before {
            (cells[1], cells[2]) = (rate(before), times(hop_ms));
        }
        (cells[3], cells[4], cells[5], cells[6]) = (rate(*fps), times(ms), times(age_ms), drops.to_string());
    }
    if at.is_none() && node.id == page {
        // While nobody watches the page does nothing to pictures, and has no part in their traces.
        cells[1] = figures.stages.last().map_or_else(unknown, |stage| rate(stage.fps));
        (cells[3], cells[5]) = (rate(figures.fps), times(&figures.age_ms));
    }
    if let (None, true, Some(work)) = (at, node.id != page, node.process.as_ref().and_then(|it| it.work.as_ref())) {
        // No picture that is shown says anything of it: it tells itself.
        cells[1] = rate(work.in_per_s);
        cells[3] = if work.went > 0 { rate(work.out_per_s) } else { unknown() };
        cells[5] = work.age_ms.as_ref().map_or_else(unknown, times);
    }
    match &node.process {
        Some(process) => {
            cells[7] = format!("{:.0}", process.cpu_percent);
            cells[8] = (process.memory_bytes >> 20).to_string();
            cells[9] = process.restarts.to_string();
        }
        None => cells[7] = node.state.replace('_', " "),
    }
    let mood = match (&node.process, node.state.as_str()) {
        (Some(process), _) if process.restarts > 0 => Mood::Restarted,
        (Some(_), _) => Mood::Fine,
        (None, "gone") => Mood::Gone,
        (None, _) => Mood::Unknown,
    };
    Row { cells, mood }
}

fn larger(one: Option<f64>, other: f64) -> Option<f64> {
    Some(one.map_or(other, |one| one.max(other)))
}

fn rate(rate: f64) -> String {
    format!("{rate:.1}")
}

/// `4.2/9.7`, `41/63`: milliseconds, the middle and the slow end.
fn times(Spread { p50, p99 }: &Spread) -> String {
    if *p99 < 100.0 && *p50 < 10.0 { format!("{p50:.1}/{p99:.1}") } else { format!("{p50:.0}/{p99:.0}") }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::nodes::{Edge, Process, Work};

    fn node(id: &str, from: &str, state: &str) -> Node {
        let inputs = vec![Edge { port: "picture".to_owned(), from: from.to_owned() }];
        let process = (state == "running").then(|| Process {
            pid: 7,
            cpu_percent: 41.6,
            memory_bytes: 120 << 20,
            up_s: 60.0,
            restarts: u32::from(id == "decoder"),
            work: Some(Work { in_per_s: 18.04, went: u64::from(id == "control"), out_per_s: 1.0, age_ms: None }),
        });
        Node { id: id.to_owned(), inputs, state: state.to_owned(), process }
    }

    fn stage(name: &str, fps: f64, drops: i64) -> Stage {
        let spread = |p50, p99| Spread { p50, p99 };
        let (age_ms, ms, hop_ms) = (spread(41.6, 63.2), spread(4.2, 9.7), spread(0.3, 120.0));
        Stage { stage: name.to_owned(), fps, age_ms, ms, hop_ms, drops }
    }

    /// A mirror with a camera, an encoder, a decoder that was started again, a page that is gone and a chat.
    pub fn sample() -> (Figures, Nodes) {
        let figures = Figures {
            frames: 900,
            fps: 18.0,
            stages: vec![stage("camera", 30.0, 0), stage("encoder", 18.5, 58), stage("decoder", 18.0, 2)],
            prompt: "a pencil drawing".to_owned(),
            pack: "starter".to_owned(),
            provider: "CPU".to_owned(),
            source: "film clip.mp4".to_owned(),
            stream: "house".to_owned(),
            age_ms: Spread { p50: 50.0, p99: 71.0 },
            silent_ms: Some(20),
            ..Figures::default()
        };
        let nodes = vec![
            node("control", "web/update", "running"),
            node("camera", "dora/timer/millis/5", "running"),
            node("encoder", "camera/frame", "running"),
            node("decoder", "encoder/latent", "running"),
            node("web", "decoder/picture", "gone"),
            node("chat", "control/settings", "by_hand"),
        ];
        let (machine, dataflow) = ("tower".to_owned(), "01a1".to_owned());
        let page = "web".to_owned();
        let visitors = Vec::new();
        (figures, Nodes { machine, dataflow, page, nodes, watching: 1, listening: 2, clients_max: 32, visitors })
    }

    #[test]
    fn rows_follow_the_pictures_and_a_row_says_what_comes_in_and_what_goes_out() {
        let (figures, nodes) = sample();
        let rows = rows(&figures, &nodes);
        let names: Vec<&str> = rows.iter().map(|row| row.cells[0].as_str()).collect();
        assert_eq!(names, ["camera", "encoder", "decoder", "control", "web", "chat"]);
        let cells = |at: usize| rows[at].cells.join(" ");
        assert_eq!(cells(0), "camera – – 30.0 4.2/9.7 42/63 0 42 120 0");
        assert_eq!(cells(1), "encoder 30.0 0/120 18.5 4.2/9.7 42/63 58 42 120 0");
        assert_eq!(cells(3), "control 18.0 – 1.0 – – – 42 120 0");
        assert_eq!(cells(4), "web 18.0 – 18.0 – 50/71 – gone – –");
    }

    #[test]
    fn a_window_tells_itself_what_it_shows_and_how_old_it_is() {
        let (figures, mut nodes) = sample();
        let mut display = node("display", "decoder/picture", "running");
        let age_ms = Some(Spread { p50: 51.0, p99: 72.4 });
        let work = Some(Work { in_per_s: 18.0, age_ms, ..Work::default() });
        display.process.iter_mut().for_each(|process| process.work.clone_from(&work));
        nodes.nodes.push(display);
        let rows = rows(&figures, &nodes);
        assert_eq!(rows[6].cells.join(" "), "display 18.0 – – – 51/72 – 42 120 0");
    }

    #[test]
    fn a_node_that_is_gone_one_that_came_back_and_one_that_nobody_knows_of_stand_out() {
        let (figures, nodes) = sample();
        let rows = rows(&figures, &nodes);
        let moods: Vec<Mood> = rows.iter().map(|row| row.mood).collect();
        assert_eq!(moods, [Mood::Fine, Mood::Fine, Mood::Restarted, Mood::Fine, Mood::Gone, Mood::Unknown]);
        assert_eq!((rows[4].cells[7].as_str(), rows[5].cells[7].as_str()), ("gone", "by hand"));
    }

    #[test]
    fn every_text_fits_its_column() {
        let (figures, nodes) = sample();
        for row in rows(&figures, &nodes) {
            for (cell, (head, width)) in row.cells.iter().zip(COLUMNS) {
                assert!(cell.chars().count() <= usize::from(width), "{head}: {cell}");
            }
        }
        let wide = COLUMNS.iter().map(|(_, width)| width + 1).sum::<u16>() - 1;
        assert!(wide <= 80, "{wide}");
    }
}
