//! The node as the graph sees it.

use crate::figures::Spread;
use crate::input::{Input, Next, Woken};
use crate::lull::Lull;
use crate::members::Member;
use crate::pulse::Teller;
use crate::turn::{Turn, Word};
use dora_node_api::dora_core::config::{DataId, NodeId};
use dora_node_api::{DoraArray, DoraNode, Event, EventStream, MetadataParameters, Parameter, TryRecvError};
use eyre::{Result, WrapErr, eyre};
use futures::future::{Either, select};
use mirror_contract::{Frame, Header, Level, Message, Notice, StageTime, Stamp, Taken, Trace, VISITOR, keys, now_ns};
use std::collections::BTreeSet;
use std::pin::pin;
use std::time::Duration;

/// The output that carries a node's notices, where it has one.
pub const NOTICE: &str = "notice";
/// The word of the next stage that it has taken up a picture: its output, and the input of the stage before it.
pub const TAKEN: &str = "taken";
/// The same of a stage that is done with a picture; whatever else it sends of it will do, since only the stamp is read.
pub const FINISHED: &str = "finished";
/// The input that a timer drives.
pub const TICK: &str = "tick";

/// A node's end of the graph.
pub struct Node {
    dora: DoraNode,
    events: EventStream,
    name: String,
    drops: i64,
    refused: u64,
    has_notice: bool,
    /// The outputs that an input of the dataflow file is connected to; `None` if the file cannot be read.
    heard: Option<Vec<String>>,
    pace: Option<Pace>,
    lull: Lull,
    /// A word that is not said yet: that this picture was taken up.
    owed: Option<Stamp>,
    hears_all: bool,
    /// The parameters that are on.
    on: BTreeSet<String>,
    pulse: Teller,
}

/// The inputs that wait for their turn, the output whose sending ends it.
struct Pace {
    inputs: &'static [&'static str],
    output: &'static str,
    turn: Turn<Input>,
}

fn stream_of(input: &Input) -> &str {
    Stamp::stream_of(&input.parameters)
}

/// The picture that a message is about: its stream and its number.
fn picture_of(parameters: &MetadataParameters) -> (&str, i64) {
    let frame_id = match parameters.get(keys::FRAME_ID) {
        Some(Parameter::Integer(frame_id)) => *frame_id,
        _ => 0,
    };
    (Stamp::stream_of(parameters), frame_id)
}

impl Node {
    /// Joins the dataflow that started this process.
    ///
    /// Join before loading anything large: dora settles the fast paths between nodes in the first moments, and a node
    /// that answers late keeps its inputs on the slow one.
    ///
    /// # Errors
    /// A process that dora did not start.
    pub fn join() -> Result<Self> {
        let (dora, events) = DoraNode::init_from_env()
            .wrap_err("this program is a node of a dataflow: start it with \"dora start dataflow.yml\", not by hand")?;
        Ok(Self::of(dora, events))
    }

    /// Joins the dataflow that runs on this machine, as its `dynamic` node of that name: for programs that people start
    /// by hand. `DORA_DAEMON_LOCAL_LISTEN_PORT` names the daemon's port if it is not the usual one.
    ///
    /// # Errors
    /// No daemon, no dataflow with such a node, or more than one; a name that no node can have.
    pub fn join_as(name: &str) -> Result<Self> {
        let id: NodeId = name.parse().map_err(|error| eyre!("{name:?} cannot be a node: {error}"))?;
        let (dora, events) = DoraNode::init_from_node_id(id).wrap_err_with(|| {
            format!("no running mirror has a place for \"{name}\": start one with \"make run\" (or \"dora up\" and \"dora start dataflow.yml\")")
        })?;
        Ok(Self::of(dora, events))
    }

    fn of(dora: DoraNode, events: EventStream) -> Self {
        let name = dora.id().to_string();
        let has_notice = dora.node_config().outputs.contains(&DataId::from(NOTICE.to_owned()));
        let members = crate::members::of(&dora);
        let hears_all = crate::locked::check(&dora, &members);
        let own = format!("{name}/");
        let sources = members.iter().flat_map(|member| &member.inputs).map(|(_, source)| source);
        let outputs = sources.filter_map(|source| source.strip_prefix(&own)).map(ToOwned::to_owned).collect();
        let heard = (!members.is_empty()).then_some(outputs);
        let pulse = Teller::of(members.iter().find(|member| member.id == name).map(Member::work).unwrap_or_default());
        let (pace, lull, owed, on) = (None, Lull::default(), None, BTreeSet::new());
        Self { dora, events, name, drops: 0, refused: 0, has_notice, heard, pace, lull, owed, hears_all, on, pulse }
    }

    /// Lets pictures wait for their turn: of those that come to `inputs` only the newest of each stream is handed out, one
    /// stream after the other, and only when the next stage has taken up what was sent last on `output`. The next stage's word
    /// is the input [`TAKEN`], or [`FINISHED`] instead ([`Word`] says what comes of that); a graph that connects neither makes every
    /// picture's turn come at once.
    #[must_use]
    pub fn paced(mut self, inputs: &'static [&'static str], output: &'static str) -> Self {
        self.pace = Some(Pace { inputs, output, turn: Turn::new(self.word(), stream_of) });
        self
    }

    /// As [`paced`](Self::paced) in a graph that connects the next stage's word; in any other every picture is handed out as it
    /// comes, and none is left out for a newer one.
    #[must_use]
    pub fn paced_where_asked(self, inputs: &'static [&'static str], output: &'static str) -> Self {
        if self.word() == Word::Nothing { self } else { self.paced(inputs, output) }
    }

    /// The next stage's word that the graph connects.
    fn word(&self) -> Word {
        let connects = |port: &str| self.dora.node_config().inputs.contains_key(&DataId::from(port.to_owned()));
        if connects(FINISHED) {
            Word::Finished
        } else if connects(TAKEN) {
            Word::Taken
        } else {
            Word::Nothing
        }
    }

    /// Says upstream that this picture was taken up.
    ///
    /// # Errors
    /// dora cannot send.
    pub fn take(&mut self, stamp: &Stamp) -> Result<()> {
        self.say(TAKEN, stamp)
    }

    /// As [`take`](Self::take), when the next picture needs it: at once, or, where none is expected before this one is
    /// [`done`](Self::done), then.
    ///
    /// # Errors
    /// dora cannot send.
    pub fn take_in_time(&mut self, stamp: &Stamp) -> Result<()> {
        if self.lull.take(stamp.captured_ns, now_ns()) {
            self.owed = Some(stamp.clone());
            return Ok(());
        }
        self.take(stamp)
    }

    /// Says upstream that this picture is finished, and what is still to be said of it.
    ///
    /// # Errors
    /// dora cannot send.
    pub fn done(&mut self, stamp: &Stamp) -> Result<()> {
        self.lull.done(now_ns());
        if let Some(stamp) = self.owed.take() {
            self.take(&stamp)?;
        }
        self.say(FINISHED, stamp)
    }

    /// Says how far this picture has come, if the dataflow has a place for that and somebody who listens: a word to nobody
    /// would cost two processes a wake-up for each picture.
    ///
    /// # Errors
    /// dora cannot send.
    pub fn say(&mut self, port: &str, stamp: &Stamp) -> Result<()> {
        let is_heard = self.heard.as_ref().is_none_or(|outputs| outputs.iter().any(|output| output == port));
        if is_heard && self.declares(port) { self.send(port, Taken { stamp: stamp.clone() }) } else { Ok(()) }
    }

    /// Whether this process may lock all the memory that is shared with it. One that may not misses messages.
    #[must_use]
    pub fn hears_all(&self) -> bool {
        self.hears_all
    }

    /// Whether somebody has switched that parameter of this node on since it started (`dora param set NODE KEY true`).
    #[must_use]
    pub fn is_on(&self, parameter: &str) -> bool {
        self.on.contains(parameter)
    }

    /// The node's name in the dataflow.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the dataflow file declares that output: dora drops what is sent on any other.
    #[must_use]
    pub fn declares(&self, port: &str) -> bool {
        self.dora.node_config().outputs.contains(&DataId::from(port.to_owned()))
    }

    /// The number that dora has given this run of the dataflow.
    #[must_use]
    pub fn dataflow(&self) -> String {
        self.dora.dataflow_id().to_string()
    }

    /// All nodes of the dataflow file; none if it cannot be read.
    #[must_use]
    pub fn members(&self) -> Vec<Member> {
        crate::members::of(&self.dora)
    }

    /// The inputs that the dataflow file connects.
    #[must_use]
    pub fn connected(&self) -> Vec<String> {
        self.dora.node_config().inputs.keys().map(ToString::to_string).collect()
    }

    /// How many times dora has started this node again in this run of the dataflow.
    #[must_use]
    pub fn restarts(&self) -> u32 {
        self.dora.restart_count()
    }

    /// Where an input comes from, as the dataflow file has it: `camera/frame`.
    #[must_use]
    pub fn source_of(&self, port: &str) -> Option<String> {
        self.dora.node_config().inputs.get(&DataId::from(port.to_owned())).map(|input| input.mapping.to_string())
    }

    /// Waits for the next message. `None`: the mirror stops.
    #[expect(clippy::should_implement_trait, reason = "a node is no iterator: it can also be asked without waiting")]
    pub fn next(&mut self) -> Option<Input> {
        loop {
            match self.poll() {
                Next::Input(input) => return Some(input),
                Next::Stop => return None,
                Next::Nothing => {}
            }
            let event = self.events.recv()?;
            match self.sort(event) {
                Next::Input(input) => {
                    if let Some(input) = self.wait_for_turn(input) {
                        self.pulse.begin();
                        return Some(input);
                    }
                }
                Next::Nothing => {}
                Next::Stop => return None,
            }
        }
    }

    /// Keeps what must wait, and takes the next stage's word; everything else is given back.
    fn wait_for_turn(&mut self, input: Input) -> Option<Input> {
        let Some(pace) = &mut self.pace else { return Some(input) };
        if [TAKEN, FINISHED].contains(&input.port.as_str()) {
            pace.turn.said(picture_of(&input.parameters), input.received_ns);
        } else if pace.inputs.contains(&input.port.as_str()) {
            if pace.turn.come(input).is_some() {
                self.count_drops(1);
            }
        } else {
            return Some(input);
        }
        None
    }

    /// Waits for the next message, but not longer than that.
    pub fn next_within(&mut self, patience: Duration) -> Next {
        self.pulse.rest();
        match self.events.recv_timeout(patience) {
            Some(event) => self.hand_out(event),
            None => Next::Stop,
        }
    }

    /// Waits for the next message or for something else, whichever is there first; the other thing wins a draw, so that
    /// a busy graph cannot keep people waiting. Neither loses anything when the other one wins: `other` must be safe to
    /// drop, as the `recv` of a channel is.
    pub fn next_or<T>(&mut self, other: impl Future<Output = T>) -> Woken<T> {
        self.pulse.rest();
        let event = match futures::executor::block_on(select(pin!(other), pin!(self.events.recv_async()))) {
            Either::Left((other, _)) => return Woken::Other(other),
            Either::Right((event, _)) => event,
        };
        Woken::Graph(event.map_or(Next::Stop, |event| self.hand_out(event)))
    }

    /// What an event is to a node that no picture's turn is waited for in.
    fn hand_out(&mut self, event: Event) -> Next {
        let next = self.sort(event);
        if matches!(next, Next::Input(_)) {
            self.pulse.begin();
        }
        next
    }

    /// Looks for a message without waiting. Pictures that wait for their turn are looked at last: whatever has come by now is
    /// known when it is decided whose turn it is.
    pub fn poll(&mut self) -> Next {
        let next = self.look();
        match next {
            Next::Input(_) => self.pulse.begin(),
            Next::Nothing => self.pulse.rest(),
            Next::Stop => {}
        }
        next
    }

    fn look(&mut self) -> Next {
        loop {
            match self.events.try_recv() {
                Ok(event) => match self.sort(event) {
                    Next::Input(input) => {
                        if let Some(input) = self.wait_for_turn(input) {
                            return Next::Input(input);
                        }
                    }
                    Next::Nothing if self.pace.is_none() => return Next::Nothing,
                    Next::Nothing => {}
                    Next::Stop => return Next::Stop,
                },
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Closed) => return Next::Stop,
            }
        }
        let now = now_ns();
        let turn = self.pace.as_mut().and_then(|pace| pace.turn.next(now));
        // Waiting is no work of this stage: its time starts now.
        turn.map_or(Next::Nothing, |input| Next::Input(Input { received_ns: now, ..input }))
    }

    fn sort(&mut self, event: Event) -> Next {
        match event {
            Event::Input { id, metadata, data } => {
                let parameters = metadata.parameters;
                if id.as_str() != TICK {
                    self.pulse.came(id.as_str());
                }
                Next::Input(Input { port: id.to_string(), data, parameters, received_ns: now_ns() })
            }
            Event::Stop(_) => Next::Stop,
            Event::Error(error) if error.contains("timed out") || error.contains("timeout") => Next::Nothing,
            Event::Error(error) => {
                tracing::warn!("dora: {error}");
                Next::Nothing
            }
            Event::ParamUpdate { key, value } => {
                if value.as_bool() == Some(true) {
                    self.on.insert(key);
                } else {
                    self.on.remove(&key);
                }
                Next::Nothing
            }
            Event::ParamDeleted { key } => {
                self.on.remove(&key);
                Next::Nothing
            }
            Event::InputClosed { id } => {
                tracing::debug!("input {id} has closed");
                Next::Nothing
            }
            other => {
                tracing::debug!("event {other:?}");
                Next::Nothing
            }
        }
    }

    /// Reads a message; one that breaks the contract is counted and named in the log, and the node goes on.
    pub fn accept<M: Message>(&mut self, input: &Input) -> Option<M> {
        match input.decode() {
            Ok(message) => Some(message),
            Err(error) => {
                self.refuse(&input.port, &error);
                None
            }
        }
    }

    /// Counts a message that cannot be used. The 1st, 2nd, 4th, 8th … one is logged, so that a flood stays readable.
    pub fn refuse(&mut self, port: &str, reason: &dyn std::fmt::Display) {
        self.refused += 1;
        if self.refused.is_power_of_two() {
            let count = self.refused;
            self.notice(Level::Warning, &format!("input {port} refused ({count} so far): {reason}"));
        }
    }

    /// Sends a message. Its buffers are copied once, into the shared memory.
    ///
    /// # Errors
    /// dora cannot send.
    pub fn send<M: Message>(&mut self, port: &str, message: M) -> Result<()> {
        let (parameters, data) = message.encode();
        self.note_sent(port, &parameters);
        self.dora
            .send_output(DataId::from(port.to_owned()), parameters, data)
            .wrap_err_with(|| format!("output {port} could not be sent"))
    }

    /// What is sent counts; a turn ends when what was made of its picture is sent on.
    fn note_sent(&mut self, port: &str, parameters: &MetadataParameters) {
        if port != NOTICE {
            self.pulse.went();
        }
        if let Some(pace) = self.pace.as_mut().filter(|pace| pace.output == port) {
            pace.turn.sent(picture_of(parameters), now_ns());
        }
    }

    /// Sends a message of whatever type as it is: one that was recorded.
    ///
    /// # Errors
    /// dora cannot send.
    pub fn forward(&mut self, port: &str, parameters: MetadataParameters, data: DoraArray) -> Result<()> {
        self.pulse.went();
        self.dora
            .send_output(DataId::from(port.to_owned()), parameters, data)
            .wrap_err_with(|| format!("output {port} could not be sent"))
    }

    /// Sends a picture whose pixels `fill` writes in place, into the shared memory: `height × width × 3` bytes.
    ///
    /// # Errors
    /// dora cannot send.
    pub fn send_frame(
        &mut self,
        port: &str,
        header: &Header,
        [height, width]: [usize; 2],
        fill: impl FnOnce(&mut [u8]),
    ) -> Result<()> {
        let parameters = Frame::parameters(header, height, width);
        self.note_sent(port, &parameters);
        let len = height * width * Frame::CHANNELS;
        self.dora
            .send_output_raw(DataId::from(port.to_owned()), parameters, len, fill)
            .wrap_err_with(|| format!("output {port} could not be sent"))
    }

    /// Adds this node's part to a frame's trace: call it just before sending.
    pub fn sign(&mut self, header: &mut Header, received_ns: i64) {
        self.sign_trace(&mut header.trace, received_ns);
    }

    /// As [`sign`](Self::sign), for what was made from no picture: sound and words.
    pub fn sign_trace(&mut self, trace: &mut Trace, received_ns: i64) {
        let (stage, drops) = (self.name.clone(), self.drops());
        trace.0.push(StageTime { stage, received_ns, sent_ns: now_ns(), drops });
    }

    /// How many messages the node has dropped since it started, because a newer one came. Ticks do not count.
    pub fn drops(&mut self) -> i64 {
        for (port, count) in self.events.drain_drop_counts() {
            if port.as_str() != TICK {
                self.drops += i64::try_from(count).unwrap_or(i64::MAX);
            }
        }
        self.drops
    }

    /// Counts messages that the node has dropped itself, before they came to an input: a camera's overtaken pictures.
    pub fn count_drops(&mut self, count: i64) {
        self.drops = self.drops.saturating_add(count);
    }

    /// Tells whoever looks at this process how old what the node shows is (milliseconds): [`pulse`](crate::pulse).
    pub fn tell_age(&mut self, age_ms: Spread) {
        self.pulse.shows([age_ms.p50, age_ms.p99]);
    }

    /// Says something to people: in the log, and on the `notice` output if the dataflow has one.
    pub fn notice(&mut self, level: Level, text: &str) {
        self.notice_of("", level, text);
    }

    /// As [`notice`](Self::notice), about one stream. What is about a visitor is shown to that visitor alone; what is about a
    /// camera of the mirror is for all.
    pub fn notice_of(&mut self, stream: &str, level: Level, text: &str) {
        let stream = if stream.starts_with(VISITOR) { stream } else { "" };
        match level {
            Level::Info => tracing::info!("{text}"),
            Level::Warning => tracing::warn!("{text}"),
            Level::Error => tracing::error!("{text}"),
        }
        if self.has_notice {
            let (stream, origin) = (stream.to_owned(), self.name.clone());
            let notice = Notice { stream, origin, level, text: text.to_owned() };
            if let Err(error) = self.send(NOTICE, notice) {
                tracing::warn!("{error:#}");
            }
        }
    }
}
