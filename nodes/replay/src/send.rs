//! Sending what is due, and listening meanwhile.

use crate::config::Pace;
use crate::play::{Due, Player};
use crate::ports::{FINISHED, SETTINGS};
use crate::stamp::{Times, renew};
use eyre::{Result, bail};
use mirror_contract::{Level, Settings, Stamp, Taken, now_ns};
use mirror_kit::{Input, Next, Node};
use std::time::{Duration, Instant};

/// The first picture is sent again so often, until the models are open and it is painted.
const AGAIN: Duration = Duration::from_secs(1);
/// A picture that is lost on the way, with a stage that crashed, is sent once more after so long.
const LOST: Duration = Duration::from_secs(5);
/// Without an answer for so long the mirror does not paint at all.
const HOPELESS: Duration = Duration::from_secs(120);

/// Sends what is due.
pub struct Sender {
    pace: Pace,
    /// Settings come from elsewhere, and go through.
    passes: bool,
    /// The graph says when a picture is painted.
    asks: bool,
    /// The picture that was painted last.
    painted: Option<Stamp>,
    /// The mirror has painted, or will not: from here on the recording's time runs.
    begun: bool,
    clock: mirror_kit::pace::Pace,
    start: Instant,
    times: Times,
    /// The version of the settings that were to be passed on, and are not.
    unused: Option<i64>,
}

impl Sender {
    /// A sender of what that player plays in the graph of that node.
    #[must_use]
    pub fn new(node: &Node, pace: Pace, player: &Player) -> Self {
        let asks = player.is_painted() && node.connected().iter().any(|port| port == FINISHED);
        let (clock, start, times) = (mirror_kit::pace::Pace::default(), Instant::now(), Times::default());
        let passes = !player.has_settings();
        Self { pace, passes, asks, painted: None, begun: !asks, clock, start, times, unused: None }
    }

    /// Sends a message when it is due. `false`: the mirror stops.
    ///
    /// # Errors
    /// dora cannot send; a mirror that does not paint.
    pub fn send(&mut self, node: &mut Node, due: &Due) -> Result<bool> {
        if self.pace == Pace::Recorded && self.begun {
            let wait = self.clock.wait(due.at, self.start.elapsed());
            if !self.listen(node, wait)? {
                return Ok(false);
            }
        }
        self.forward(node, due)?;
        if !due.settle.is_zero() && !self.listen(node, due.settle)? {
            return Ok(false);
        }
        if !due.is_painted || !self.asks || (self.begun && self.pace == Pace::Recorded) {
            return Ok(true);
        }
        self.until_painted(node, due)
    }

    fn until_painted(&mut self, node: &mut Node, due: &Due) -> Result<bool> {
        let (mut last, begin) = (Instant::now(), Instant::now());
        while self.painted.as_ref().map(|stamp| stamp.frame_id) != due.taped.frame_id() {
            if begin.elapsed() > HOPELESS {
                bail!("nothing was painted for {} s: the reason is in the log of another stage", HOPELESS.as_secs());
            }
            if last.elapsed() > if self.begun { LOST } else { AGAIN } {
                last = Instant::now();
                self.forward(node, due)?;
            }
            if !self.hear(node, Duration::from_millis(200))? {
                return Ok(false);
            }
        }
        self.painted = None;
        self.begun = true;
        Ok(true)
    }

    fn forward(&mut self, node: &mut Node, due: &Due) -> Result<()> {
        let (mut parameters, now_ns) = (due.taped.parameters.clone(), now_ns());
        renew(&mut parameters, node.name(), self.times.captured_ns(&due.taped, now_ns), now_ns);
        node.forward(due.taped.port(), parameters, due.taped.payload.clone().into_array())
    }

    /// Listens for so long. `false`: the mirror stops.
    ///
    /// # Errors
    /// dora cannot send.
    pub fn listen(&mut self, node: &mut Node, time: Duration) -> Result<bool> {
        let until = Instant::now() + time;
        loop {
            let rest = until.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return Ok(true);
            }
            if !self.hear(node, rest)? {
                return Ok(false);
            }
        }
    }

    fn hear(&mut self, node: &mut Node, patience: Duration) -> Result<bool> {
        match node.next_within(patience) {
            Next::Stop => return Ok(false),
            Next::Nothing => {}
            Next::Input(input) => match input.port.as_str() {
                FINISHED => {
                    self.painted = node.accept::<Taken>(&input).map(|taken| taken.stamp).or(self.painted.take());
                }
                SETTINGS => self.pass(node, input)?,
                port => node.refuse(port, &"this node has no such input"),
            },
        }
        Ok(true)
    }

    fn pass(&mut self, node: &mut Node, input: Input) -> Result<()> {
        if self.passes {
            return if node.declares(SETTINGS) { node.forward(SETTINGS, input.parameters, input.data) } else { Ok(()) };
        }
        let Some(Settings { version, .. }) = node.accept(&input) else { return Ok(()) };
        let before = self.unused.replace(version);
        if before.is_some_and(|before| before != version) {
            let remedy = "to choose others, replay without them: --topics camera/frame";
            node.notice(Level::Warning, &format!("the settings are those of the recording; {remedy}"));
        }
        Ok(())
    }
}
