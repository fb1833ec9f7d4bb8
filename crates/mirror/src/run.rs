//! `mirror run`: the mirror, until somebody stops it.

use crate::failures::{Failures, Verdict};
use crate::front::{Entrance, Front};
use crate::graph::{Graph, NAME, Turn};
use crate::house::House;
use crate::opening::{Common, Opening};
use crate::overrides::{self, Overrides};
use crate::page::{Figures, Notice, Page, new_notices};
use crate::screen::Screen;
use crate::which::Which;
use crate::{remains, runs, signals};
use clap::Args;
use eyre::{Result, bail};
use mirror_kit::beside;
use serde_json::{Value, json};
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

/// How long the page may take to come up.
const START: Duration = Duration::from_secs(60);
/// How long `mirror rewire` may take: a minute until the new graph paints, and the old one is started again if it does not.
const REWIRE: Duration = Duration::from_secs(180);
/// Where the settings of the last time are kept.
const STATE: &str = "CONTROL_STATE";
/// How the notice begins with which a replay is over, and the mirror with it.
pub const REPLAYED: &str = "replay finished";
/// How often the figures are asked for.
const PERIOD: Duration = Duration::from_millis(500);
/// How long the page may be silent before dora is asked whether the graph still runs.
const SILENCE: Duration = Duration::from_secs(5);

/// Runs the mirror until Ctrl-C: starts dora if it is not there, then the graph; shows the page's address and the
/// figures; stops it all again.
///
/// Type a line, and it becomes the prompt.
///
/// Each option of the page can also be said in the environment, or in the file .env beside the dataflow file: WEB_LIVE=off. The
/// command line comes first, then the environment, then .env.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) front: Front,
    #[command(flatten)]
    pub(crate) which: Which,
    /// Who is listened to: a microphone by its name, default, a WAV file, a folder of them, none, auto
    #[arg(long, visible_alias = "microphone", value_name = "MICROPHONE")]
    pub(crate) mic: Option<String>,
    /// What the picture is painted as
    #[arg(long)]
    pub(crate) prompt: Option<String>,
    /// Side of the square picture in pixels, 128 to 1024 in steps of 64
    #[arg(long)]
    pub(crate) size: Option<i64>,
    /// Any other setting to start with, as often as you like: strength=0.6, seed=7, mirror=off
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub(crate) settings: Vec<String>,
    /// The graph
    #[arg(long, value_name = "FILE", default_value = "dataflow.yml")]
    pub(crate) dataflow: PathBuf,
    /// Opens no window; the picture is on the page
    #[arg(long)]
    pub(crate) no_window: bool,
    /// Starts with clean settings, and not with those of the last time
    #[arg(long)]
    pub(crate) fresh: bool,
    /// The mirror ends with the notice that begins like this.
    #[arg(skip)]
    pub(crate) end: Option<&'static str>,
}

impl Arguments {
    /// What the nodes are told, over the dataflow file's own words.
    fn overrides(&self, house: &House, here: &Path) -> Result<(Overrides, Entrance)> {
        let mut overrides = self.common.overrides(house, here)?;
        let entrance = self.front.add(&mut overrides, house, here)?;
        if self.no_window {
            overrides.insert("DISPLAY_WINDOW".to_owned(), "off".to_owned());
        }
        if let Some(mic) = &self.mic {
            let source = overrides::microphone(mic, here)?;
            // A graph without ears would say nothing of it.
            if source != "none" && house.numbers("microphone").next().is_none() {
                bail!(
                    "{} has no microphone: leave --mic out, or choose a graph that listens",
                    house.dataflow.display()
                );
            }
            overrides.insert("MICROPHONE_SOURCE".to_owned(), source);
        }
        self.which.separate(house, &mut overrides);
        let mut changes: Vec<(&str, Value)> = Vec::new();
        changes.extend(self.prompt.as_ref().map(|prompt| ("prompt", json!(prompt))));
        changes.extend(self.size.map(|size| ("size", json!(size))));
        for text in &self.settings {
            changes.push(overrides::setting(text)?);
        }
        if !changes.is_empty() {
            let base = house.value(&overrides, "CONTROL_SETTINGS").unwrap_or_default();
            overrides.insert("CONTROL_SETTINGS".to_owned(), overrides::settings(&base, &changes)?);
        }
        Ok((overrides, entrance))
    }
}

/// Runs the subcommand.
///
/// # Errors
/// Something is missing, wrong or taken; a node cannot go on.
pub fn run(arguments: &Arguments) -> Result<()> {
    let mut entrance = Entrance::default();
    let Opening { house, overrides, dora } = Opening::find(&arguments.dataflow, |house, here| {
        let (overrides, found) = arguments.overrides(house, here)?;
        entrance = found;
        Ok(overrides)
    })?;

    let ports = arguments.which.choose()?;
    let dora = dora.on(ports.clone());
    if let Some(state) = house.value(&overrides, STATE).filter(|path| arguments.fresh && !path.is_empty()) {
        for number in house.numbers("control") {
            // Not there is as good.
            let _ = std::fs::remove_file(house.root.join(beside(&state, number)));
        }
    }
    let mut screen = Screen::new();
    let begin = Instant::now();
    for line in remains::end_orphans(&house.programs()).into_iter().chain(runs::tidy(&house.root)) {
        screen.say(&line);
    }
    if let Some(line) = arguments.front.notice() {
        screen.say(&line);
    }
    let graph = Graph::prepare(&dora, &arguments.which.name)?;
    let page = house.page(&overrides)?;
    screen.say(&format!("starting {} …", arguments.dataflow.display()));
    let mut graph = graph.start(&house, &overrides)?;
    let _found = arguments.which.leave(&house.root, &ports)?;
    if arguments.which.name != NAME {
        let ports: Vec<String> = ports.environment().map(|(key, port)| format!("{key}={port}")).collect();
        screen.say(&format!("its dora, for the chat and dora's own commands: {}", ports.join(" ")));
    }
    let page = Page::at(page).with(entrance.token.clone());
    let watch = Watch { page, entrance, begin, screen: &mut screen, end: arguments.end };
    let watched = watch.until_the_end(&mut graph);
    screen.clear();
    if watched.is_ok() {
        screen.say("stopping …");
    }
    let cleared = graph.stop();
    for line in &cleared {
        screen.say(line);
    }
    watched?;
    screen.say("stopped; nothing of it is left running");
    Ok(())
}

struct Watch<'a> {
    page: Page,
    entrance: Entrance,
    begin: Instant,
    screen: &'a mut Screen,
    end: Option<&'static str>,
}

impl Watch<'_> {
    fn until_the_end(mut self, graph: &mut Graph) -> Result<()> {
        let mut failures = Failures::default();
        if !self.until_the_page_answers(graph, &mut failures)? {
            return Ok(());
        }
        let (mut address, seconds) = (self.page.address().to_owned(), self.begin.elapsed().as_secs_f64());
        if self.entrance.is_safe {
            // Programs of this machine are answered without TLS; browsers are not to learn it.
            address = address.replacen("http://", "https://", 1);
        }
        let hint = if self.screen.typing() { "type a prompt here or there; " } else { "" };
        let links: String = self.entrance.invitations().map(|link| format!("\n  from elsewhere    {link}")).collect();
        self.screen.say(&format!("\n  The mirror is on  {address}{links}\n\n  {hint}Ctrl-C stops it\n"));
        let typed = self.screen.typing().then(lines);
        let (mut figures, mut answered) = (Figures::default(), Instant::now());
        let mut seen: Vec<Notice> = Vec::new();
        let mut painted = false;
        let mut between: Option<Instant> = None;
        while !signals::stop() {
            match graph.follow() {
                Turn::Same => {}
                // Nodes that end now have not failed.
                Turn::Between if between.get_or_insert_with(Instant::now).elapsed() < REWIRE => {
                    self.screen.show("rewiring …");
                    rest(PERIOD);
                    continue;
                }
                Turn::Between => bail!("the graph was stopped to be rewired, and no other one was started"),
                Turn::New => {
                    self.screen.say("rewired: another graph runs now");
                    (failures, answered, between) = (Failures::default(), Instant::now(), None);
                }
            }
            self.type_in(typed.as_ref());
            match self.page.figures() {
                Ok(now) => (figures, answered) = (now, Instant::now()),
                Err(_) if answered.elapsed() > SILENCE => {
                    match graph.runs() {
                        Ok(true) => self.screen.show(&format!("{address} does not answer")),
                        Ok(false) => bail!("the graph has ended; its log is in {}", graph.log().display()),
                        // A machine so busy that dora does not answer either may still paint.
                        Err(error) => self.screen.show(&format!("{address} does not answer, nor does dora: {error:#}")),
                    }
                    answered = Instant::now();
                }
                Err(_) => {}
            }
            if figures.frames > 0 && !painted {
                painted = true;
                self.screen.say(&format!(
                    "page after {seconds:.1} s, first picture after {:.1} s",
                    self.begin.elapsed().as_secs_f64()
                ));
            }
            let closed = self.tell(&seen, &figures.notices);
            seen.clone_from(&figures.notices);
            if closed {
                return Ok(());
            }
            self.check(graph, &mut failures, figures.frames)?;
            self.screen.show(&figures.line());
            rest(PERIOD);
        }
        Ok(())
    }

    /// `false`: somebody did not want to wait for it.
    fn until_the_page_answers(&mut self, graph: &mut Graph, failures: &mut Failures) -> Result<bool> {
        while !self.page.answers() {
            if signals::stop() {
                return Ok(false);
            }
            self.check(graph, failures, 0)?;
            if self.begin.elapsed() > START {
                let (address, seconds) = (self.page.address(), START.as_secs());
                bail!("{address} did not answer in {seconds} s; the nodes' log is in {}", graph.log().display());
            }
            rest(Duration::from_millis(100));
        }
        Ok(true)
    }

    /// Tells new notices. `true`: the window was closed, and with it the mirror ends.
    fn tell(&mut self, before: &[Notice], now: &[Notice]) -> bool {
        let mut closed = false;
        for notice in new_notices(before, now) {
            self.screen.say(&format!("{:<7} {}: {}", notice.level, notice.origin, notice.text));
            closed |= notice.text == mirror_contract::Notice::WINDOW_CLOSED;
            closed |= self.end.is_some_and(|end| notice.text.starts_with(end));
        }
        closed
    }

    fn check(&mut self, graph: &mut Graph, failures: &mut Failures, shown: u64) -> Result<()> {
        let now = Instant::now();
        for line in graph.news() {
            if let Some(Verdict::Hopeless(text)) = failures.note(&line, shown, now) {
                bail!(text);
            }
        }
        for verdict in failures.settle(now, || graph.nodes()) {
            match verdict {
                Verdict::Hopeless(text) => bail!(text),
                Verdict::StartedAgain(text) => self.screen.say(&format!("{text}; it was started again")),
            }
        }
        Ok(())
    }

    fn type_in(&mut self, typed: Option<&Receiver<String>>) {
        for line in typed.into_iter().flat_map(Receiver::try_iter) {
            self.screen.entered();
            // Enter alone is no prompt: it would take the one that is there away.
            if line.trim().is_empty() {
                continue;
            }
            let said = match self.page.set_prompt(line.trim()) {
                Ok(()) => format!("prompt: \"{}\"", line.trim()),
                Err(error) => format!("{error:#}"),
            };
            self.screen.say(&said);
        }
    }
}

/// The lines that somebody types.
fn lines() -> Receiver<String> {
    let (sender, receiver) = channel();
    // The thread ends with the program: reading a terminal cannot be interrupted.
    thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// Sleeps, but not through a signal.
fn rest(time: Duration) {
    let end = Instant::now() + time;
    while !signals::stop() && Instant::now() < end {
        thread::sleep(Duration::from_millis(20));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use std::fs;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn overrides(line: &str) -> Result<Overrides> {
        overrides_of("", line)
    }

    /// The same of a graph with that node.
    fn overrides_of(node: &str, line: &str) -> Result<Overrides> {
        let folder = tempfile::tempdir().unwrap();
        let graph = format!("{{ env: {{ CONTROL_SETTINGS: '{{\"seed\": 7}}' }}, nodes: [{node}] }}");
        fs::write(folder.path().join("dataflow.yml"), graph).unwrap();
        let house = House::find(folder.path(), Path::new("dataflow.yml")).unwrap();
        let line = Line::parse_from(std::iter::once("run").chain(line.split(' ').filter(|word| !word.is_empty())));
        line.arguments.overrides(&house, Path::new("/home/me")).map(|(overrides, _)| overrides)
    }

    #[test]
    fn without_arguments_the_dataflow_file_has_the_say() {
        assert!(overrides("").unwrap().is_empty());
    }

    #[test]
    fn arguments_become_the_environment_of_the_nodes() {
        let overrides =
            overrides("--source 0 --prompt neon --size 256 --set strength=0.5 --pack sd --no-window --env A=b=c")
                .unwrap();
        assert_eq!(overrides["CAMERA_SOURCE"], "/dev/video0");
        assert_eq!(overrides["MIRROR_PACK"], "/home/me/sd");
        assert_eq!(overrides["DISPLAY_WINDOW"], "off");
        assert_eq!(overrides["A"], "b=c");
        let settings: Value = serde_json::from_str(&overrides["CONTROL_SETTINGS"]).unwrap();
        assert_eq!(settings, json!({"seed": 7, "prompt": "neon", "size": 256, "strength": 0.5}));
    }

    #[test]
    fn the_microphone_is_named_on_the_command_line_where_the_graph_has_one() {
        let node = "{ id: microphone, path: target/release/microphone }";
        let told = |line| overrides_of(node, line).unwrap()["MICROPHONE_SOURCE"].clone();
        assert_eq!(told("--mic spoken.wav"), "/home/me/spoken.wav");
        assert_eq!(told("--microphone webcam"), "webcam");
        assert_eq!(told("--env MICROPHONE_SOURCE=auto --mic none"), "none");
        let error = overrides("--mic default").unwrap_err().to_string();
        assert!(error.contains("dataflow.yml has no microphone: leave --mic out"), "{error}");
        assert_eq!(overrides("--mic none").unwrap()["MICROPHONE_SOURCE"], "none");
    }

    #[test]
    fn a_setting_that_the_table_does_not_allow_is_refused_before_anything_starts() {
        let message = |line| overrides(line).unwrap_err().to_string();
        assert!(message("--size 100").starts_with("size must be a whole number from 128 to 1024"));
        assert!(message("--set strength=2").starts_with("strength must be a number from 0 to 1"));
        assert!(message("--set brightness=2").starts_with("there is no setting \"brightness\""));
    }
}
