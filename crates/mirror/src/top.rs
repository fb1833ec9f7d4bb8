//! `mirror top`: the graph as it runs.

mod layout;
mod rows;

use crate::graph::NAME;
use crate::house::{DATAFLOW, House};
use crate::nodes::Nodes;
use crate::page::{Figures, Page};
use crate::signals;
use crate::which::Which;
use clap::Args;
use eyre::{Result, WrapErr, bail};
use layout::Screen;
use mirror_kit::start::one_line;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::thread;
use std::time::Duration;

/// How often the page is asked.
const PERIOD: Duration = Duration::from_secs(1);
/// How long a key may wait.
const KEYS: Duration = Duration::from_millis(100);
/// The screen that `--once` prints, in columns and rows: that of an old terminal.
const PLAIN: (u16, u16) = (80, 24);

/// Shows the running graph: pictures a second, times, age, drops, processor and memory of each node; who watches and visits.
///
/// It asks the mirror's page, so it works from any machine that reaches it. q or Ctrl-C ends it.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The mirror's page, http://tower:8080; without it that of the mirror that runs here
    #[arg(long)]
    url: Option<String>,
    /// Prints the screen once, as plain text, and ends
    #[arg(long)]
    once: bool,
    /// The dataflow file whose page is asked, whatever runs here
    #[arg(long, value_name = "FILE")]
    dataflow: Option<PathBuf>,
    #[command(flatten)]
    which: Which,
}

impl Arguments {
    fn page(&self) -> Result<Page> {
        if let Some(url) = &self.url {
            return Ok(Page::of(url)?.with(std::env::var("WEB_TOKEN").ok()));
        }
        let here = std::env::current_dir().wrap_err("the current folder cannot be found")?;
        let house = House::find(&here, self.dataflow.as_deref().unwrap_or(Path::new(DATAFLOW)))?;
        let named = || Page::of_house(&house, &house.inherited());
        if self.dataflow.is_some() {
            return named();
        }
        match Page::of_mirror(&house.root, &self.which) {
            // One without a name may have been started by dora's own command line.
            Err(_) if self.which.name == NAME => named(),
            page => page,
        }
    }
}

/// What the page has said, or why it has not.
type Answer = Result<(Figures, Nodes)>;

fn ask(page: &Page) -> Answer {
    let nodes = page.nodes()?;
    Ok((page.figures()?, nodes))
}

/// Runs the subcommand.
///
/// # Errors
/// No page there; no terminal.
pub fn run(arguments: &Arguments) -> Result<()> {
    let page = arguments.page()?;
    let mut screen = Screen::of(page.address());
    if arguments.once {
        screen.tell(ask(&page).wrap_err_with(|| format!("no mirror answers on {}", page.address()))?);
        let text = screen.plain(PLAIN);
        return io::stdout().write_all(text.as_bytes()).wrap_err("standard output is closed");
    }
    if !io::stdout().is_terminal() {
        bail!("this is no terminal: mirror top --once prints plain text");
    }
    signals::listen()?;
    let answers = answers(page);
    // It gives the terminal back when the program panics, too.
    let mut terminal = ratatui::try_init().wrap_err("the terminal cannot be drawn on")?;
    let result = show(&mut terminal, &mut screen, &answers);
    ratatui::restore();
    result
}

/// Asks the page, again and again, in a thread of its own: a page that is slow must not hold back the keys.
fn answers(page: Page) -> Receiver<Answer> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        while sender.send(ask(&page)).is_ok() {
            thread::sleep(PERIOD);
        }
    });
    receiver
}

fn show(terminal: &mut ratatui::DefaultTerminal, screen: &mut Screen, answers: &Receiver<Answer>) -> Result<()> {
    while !signals::stop() {
        terminal.draw(|frame| screen.draw(frame)).wrap_err("the terminal is gone")?;
        loop {
            match answers.try_recv() {
                Ok(Ok(answer)) => screen.tell(answer),
                Ok(Err(error)) => screen.fail(one_line(&error)),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => bail!("the page is not asked any more"),
            }
        }
        if event::poll(KEYS).wrap_err("the keyboard is gone")?
            && let Event::Key(key) = event::read().wrap_err("the keyboard is gone")?
            && key.kind == KeyEventKind::Press
        {
            // The terminal passes Ctrl-C on as a key while it is drawn on.
            let interrupted = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
            if interrupted || matches!(key.code, KeyCode::Char('q') | KeyCode::Esc) {
                return Ok(());
            }
        }
    }
    Ok(())
}
