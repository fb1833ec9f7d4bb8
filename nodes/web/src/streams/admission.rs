//! Who may send the next picture into the graph.
//!
//! The graph's queues are shared and keep one picture, so a picture goes in only when the one before has been taken up: at
//! most one of all streams stands at the graph's door. Streams have their turn one after the other. Of a stream at most two
//! pictures are in the graph, and one waits: the newest.
//!
//! A picture that is lost in the graph is not its stream's fault: the stream has its turn again, before all others, and once
//! until one of its pictures has come back. So losses cost nobody his share, and a stream that is never painted gets no more.
//!
//! A picture that is sent long before its turn is old when it is painted. So a stream is *granted* a picture only when it
//! will soon be its turn, and adapters tell their clients then; one that sends without a grant replaces its own older one.
//!
//! Pure: no clock, no thread, no picture is looked into. Times are nanoseconds of whatever clock.

use super::tally::Tally;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Pictures of one stream that may be in the graph at once: one is painted while the next one is at the door.
pub const IN_FLIGHT: usize = 2;
/// How long before its turn a stream is granted a picture, in nanoseconds: the way to a client on a slow network and back.
const LEAD_NS: i64 = 300_000_000;
/// Streams that are granted a picture ahead, however slow the graph is …
const AHEAD_LEAST: usize = 2;
/// … or however fast.
const AHEAD_MOST: usize = 16;
/// A stream that has been granted a picture and sends none holds up no other for longer than this, in nanoseconds.
const SILENCE_NS: i64 = 500_000_000;
/// A picture that has not come out of the graph after so many times of what a picture takes lately is lost …
const LOST_TIMES: i64 = 4;
/// … but not before this, in nanoseconds: a stage that is swapped or started again is away for half a second …
const LOST_LEAST_NS: i64 = 600_000_000;
/// … and as long as nothing is known of the graph, after this.
const LOST_NS: i64 = 1_500_000_000;
/// Pictures leave the graph nearly in the order in which they came in. One that so many later ones have overtaken is lost.
const OVERTAKEN: u64 = 4;
/// Pictures that were given up and may come all the same: they are known again, so that a slow graph is known to be slow.
const LATE: usize = 64;

/// A stream's name.
pub type Name = Arc<str>;

/// A picture that goes in now.
#[derive(Debug, PartialEq, Eq)]
pub struct Admitted<F> {
    /// Whose.
    pub stream: Name,
    /// Counts the pictures of the stream from 0.
    pub number: i64,
    /// The picture.
    pub picture: F,
}

#[derive(Debug)]
struct Lane<F> {
    /// Tells it from one of the same name that has ended.
    life: u64,
    waiting: Option<(i64, F)>,
    /// When the stream was told that it may send.
    granted_ns: Option<i64>,
    in_flight: usize,
    next_number: i64,
    has_had_turn: bool,
    /// A picture has come back since the stream was given a turn again for one that was lost.
    may_have_again: bool,
    /// The newest picture that came back.
    painted: Option<i64>,
    tally: Tally,
}

impl<F> Lane<F> {
    /// It has what it was asked for, and may be asked for another one.
    fn is_free(&self) -> bool {
        self.waiting.is_none() && self.granted_ns.is_none() && self.in_flight < IN_FLIGHT
    }
}

/// A picture in the graph.
#[derive(Debug, Clone)]
struct Flight {
    stream: Name,
    life: u64,
    number: i64,
    /// Counts the pictures of all streams.
    serial: u64,
    sent_ns: i64,
}

/// The lanes of all streams.
#[derive(Debug)]
pub struct Admission<F> {
    /// The graph says when it has taken a picture up. Without that word one picture at a time is in the graph.
    hears: bool,
    lanes: HashMap<Name, Lane<F>>,
    /// All streams; the one whose turn was longest ago is first.
    turns: VecDeque<Name>,
    /// In the order in which they went in.
    flights: VecDeque<Flight>,
    /// Those that were given up last.
    late: VecDeque<Flight>,
    /// The picture that has been sent and not taken up yet.
    door: Option<u64>,
    serial: u64,
    lives: u64,
    /// From one turn to the next while pictures waited, lately.
    interval_ns: i64,
    turned_ns: Option<i64>,
    /// What a picture takes through the graph: the longest lately.
    way_ns: i64,
    /// What streams did that have ended.
    ended: Tally,
}

impl<F> Admission<F> {
    /// Without streams. `hears`: the graph says when it has taken a picture up.
    #[must_use]
    pub fn new(hears: bool) -> Self {
        Self {
            hears,
            lanes: HashMap::new(),
            turns: VecDeque::new(),
            flights: VecDeque::new(),
            late: VecDeque::new(),
            door: None,
            serial: 0,
            lives: 0,
            interval_ns: 0,
            turned_ns: None,
            way_ns: 0,
            ended: Tally::default(),
        }
    }

    /// A stream begins; one that is there already goes on.
    pub fn open(&mut self, stream: &Name) {
        if self.lanes.contains_key(stream) {
            return;
        }
        self.lives += 1;
        let (life, tally) = (self.lives, Tally::default());
        let lane = Lane {
            life,
            waiting: None,
            granted_ns: None,
            in_flight: 0,
            next_number: 0,
            has_had_turn: false,
            may_have_again: true,
            painted: None,
            tally,
        };
        self.lanes.insert(stream.clone(), lane);
        // Before all that have had a turn, behind those that have not.
        let had = |name: &Name| self.lanes.get(name).is_none_or(|lane| lane.has_had_turn);
        let at = self.turns.iter().position(had).unwrap_or(self.turns.len());
        self.turns.insert(at, stream.clone());
    }

    /// A stream ends. What it has in the graph still keeps its place there.
    pub fn close(&mut self, stream: &str) {
        self.lanes.remove(stream).into_iter().for_each(|lane| self.ended += lane.tally);
        self.turns.retain(|name| &**name != stream);
    }

    /// A stream's client is gone for a while: its grant and what it has waiting are void.
    pub fn pause(&mut self, stream: &str) {
        if let Some(lane) = self.lanes.get_mut(stream) {
            lane.granted_ns = None;
            lane.tally.replaced += u64::from(lane.waiting.take().is_some());
        }
    }

    /// A picture of a stream has come: its number. A picture of the stream that still waits makes way. `None`: there is no such
    /// stream.
    pub fn offer(&mut self, stream: &str, picture: F) -> Option<i64> {
        let lane = self.lanes.get_mut(stream)?;
        let number = lane.next_number;
        lane.next_number += 1;
        lane.granted_ns = None;
        lane.tally.offered += 1;
        lane.tally.replaced += u64::from(lane.waiting.replace((number, picture)).is_some());
        Some(number)
    }

    /// The picture to be sent now, if the graph is ready for one and one waits.
    pub fn next(&mut self, now_ns: i64) -> Option<Admitted<F>> {
        let busy = if self.hears { self.door.is_some() } else { !self.flights.is_empty() };
        if busy {
            return None;
        }
        let lanes = &self.lanes;
        let may =
            |name: &Name| lanes.get(name).is_some_and(|lane| lane.waiting.is_some() && lane.in_flight < IN_FLIGHT);
        let at = self.turns.iter().position(may)?;
        let stream = self.turns.remove(at)?;
        self.turns.push_back(stream.clone());
        let lane = self.lanes.get_mut(&stream)?;
        let (number, picture) = lane.waiting.take()?;
        lane.in_flight += 1;
        lane.has_had_turn = true;
        self.serial += 1;
        self.door = Some(self.serial);
        let (life, serial) = (lane.life, self.serial);
        self.flights.push_back(Flight { stream: stream.clone(), life, number, serial, sent_ns: now_ns });
        self.measure(now_ns);
        Some(Admitted { stream, number, picture })
    }

    /// How long a turn takes counts only while somebody waits for one.
    fn measure(&mut self, now_ns: i64) {
        if let Some(before_ns) = self.turned_ns {
            let interval_ns = now_ns - before_ns;
            self.interval_ns =
                if self.interval_ns == 0 { interval_ns } else { (7 * self.interval_ns + interval_ns) / 8 };
        }
        let waits = self.lanes.values().any(|lane| lane.waiting.is_some());
        self.turned_ns = waits.then_some(now_ns);
    }

    /// The streams that may send a picture from now on: those whose turn is near and that have none waiting. Each is named
    /// once.
    pub fn grant(&mut self, now_ns: i64) -> Vec<Name> {
        let fresh = |lane: &Lane<F>| lane.granted_ns.is_some_and(|since_ns| now_ns - since_ns < SILENCE_NS);
        let mut coming = self.lanes.values().filter(|lane| lane.waiting.is_some() || fresh(lane)).count();
        let ahead = usize::try_from(LEAD_NS / self.interval_ns.max(1)).unwrap_or(AHEAD_MOST);
        let ahead = if self.interval_ns == 0 { AHEAD_MOST } else { ahead.clamp(AHEAD_LEAST, AHEAD_MOST) };
        let mut granted = Vec::new();
        for name in &self.turns {
            if coming >= ahead {
                break;
            }
            if let Some(lane) = self.lanes.get_mut(name).filter(|lane| lane.is_free()) {
                lane.granted_ns = Some(now_ns);
                granted.push(name.clone());
                coming += 1;
            }
        }
        granted
    }

    /// Whether a stream has been granted a picture that it has not sent yet.
    #[must_use]
    pub fn is_granted(&self, stream: &str) -> bool {
        self.lanes.get(stream).is_some_and(|lane| lane.granted_ns.is_some())
    }

    /// The graph has taken up a picture.
    pub fn taken(&mut self, stream: &str, number: i64) {
        let serial = self.flights.iter().find(|it| it.number == number && &*it.stream == stream).map(|it| it.serial);
        // Whoever stands behind it at the door has not been taken up.
        if serial.is_some() && self.door.is_some_and(|door| serial >= Some(door)) {
            self.door = None;
        }
    }

    /// A picture has come out of the graph, and with it what it has overtaken is given up. `false`: it is not to be shown: its
    /// stream has ended, or has shown a newer one.
    pub fn painted(&mut self, stream: &str, number: i64, now_ns: i64) -> bool {
        let is_it = |it: &Flight| it.number == number && &*it.stream == stream;
        if let Some(lane) = self.lanes.get_mut(stream) {
            lane.may_have_again = true;
        }
        if let Some(flight) = self.flights.iter().position(is_it).and_then(|at| self.flights.remove(at)) {
            self.way_ns = (now_ns - flight.sent_ns).max(self.way_ns - self.way_ns / 8);
            let is_awaited = self.land(&flight, |tally| &mut tally.painted) && self.is_newest(stream, number);
            while let Some(lost) = self.flights.pop_front_if(|it| it.serial + OVERTAKEN <= flight.serial) {
                self.give_up(lost);
            }
            return is_awaited;
        }
        // Given up too early: the graph is slow.
        let Some(flight) = self.late.iter().position(is_it).and_then(|at| self.late.remove(at)) else { return false };
        self.way_ns = self.way_ns.max(now_ns - flight.sent_ns);
        let lane = self.lanes.get_mut(stream).filter(|lane| lane.life == flight.life);
        let Some(lane) = lane else { return false };
        lane.tally.lost -= 1;
        lane.tally.painted += 1;
        self.is_newest(stream, number)
    }

    /// Notes that a picture came back; `false`: a newer one did before.
    fn is_newest(&mut self, stream: &str, number: i64) -> bool {
        let Some(lane) = self.lanes.get_mut(stream) else { return false };
        let is_newest = lane.painted.is_none_or(|before| before < number);
        if is_newest {
            lane.painted = Some(number);
        }
        is_newest
    }

    fn give_up(&mut self, flight: Flight) {
        if self.land(&flight, |tally| &mut tally.lost) {
            self.have_again(&flight.stream);
            if self.late.len() == LATE {
                self.late.pop_front();
            }
            self.late.push_back(flight);
        }
    }

    /// The next turn is this stream's, unless it has had one again already and nothing has come of it.
    fn have_again(&mut self, stream: &Name) {
        let lane = self.lanes.get_mut(stream).filter(|lane| lane.may_have_again);
        let at = self.turns.iter().position(|name| name == stream);
        if let (Some(lane), Some(at)) = (lane, at) {
            lane.may_have_again = false;
            self.turns.remove(at).into_iter().for_each(|name| self.turns.push_front(name));
        }
    }

    /// A picture that was to be sent cannot be: it is broken.
    pub fn broken(&mut self, stream: &str, number: i64) {
        let at = self.flights.iter().position(|it| it.number == number && &*it.stream == stream);
        if let Some(flight) = at.and_then(|at| self.flights.remove(at)) {
            self.land(&flight, |tally| &mut tally.broken);
        }
    }

    /// Gives up what has been in the graph for too long: how many pictures.
    pub fn expire(&mut self, now_ns: i64) -> usize {
        let known_ns = (LOST_TIMES * self.way_ns).max(LOST_LEAST_NS);
        let patience_ns = if self.way_ns == 0 { LOST_NS } else { known_ns };
        let before = self.flights.len();
        while let Some(lost) = self.flights.pop_front_if(|it| now_ns - it.sent_ns > patience_ns) {
            self.give_up(lost);
        }
        before - self.flights.len()
    }

    /// A picture is no longer in the graph, and not at its door. `false`: its stream has ended, though another one may have its
    /// name by now.
    fn land(&mut self, flight: &Flight, count: impl FnOnce(&mut Tally) -> &mut u64) -> bool {
        if self.door.is_some_and(|door| door <= flight.serial) {
            self.door = None;
        }
        let Some(lane) = self.lanes.get_mut(&flight.stream).filter(|lane| lane.life == flight.life) else {
            return false;
        };
        lane.in_flight = lane.in_flight.saturating_sub(1);
        *count(&mut lane.tally) += 1;
        true
    }

    /// Whether pictures are in the graph or wait: then time alone may change something.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        !self.flights.is_empty() || self.lanes.values().any(|lane| lane.waiting.is_some() || lane.granted_ns.is_some())
    }

    /// Whether that picture is in the graph or at its door.
    #[must_use]
    pub fn is_in_flight(&self, stream: &str, number: i64) -> bool {
        self.flights.iter().any(|it| it.number == number && &*it.stream == stream)
    }

    /// How many pictures of a stream have gone in, whatever became of them; one that waits has not.
    #[must_use]
    pub fn sent(&self, stream: &str) -> u64 {
        let waits = |lane: &Lane<F>| u64::from(lane.waiting.is_some());
        self.lanes.get(stream).map_or(0, |lane| lane.tally.offered - lane.tally.replaced - waits(lane))
    }

    /// What all streams have done so far, those too that have ended.
    #[must_use]
    pub fn totals(&self) -> Tally {
        let mut totals = self.ended;
        self.lanes.values().for_each(|lane| totals += lane.tally);
        totals
    }

    /// What a stream has done so far.
    #[must_use]
    pub fn tally(&self, stream: &str) -> Option<Tally> {
        self.lanes.get(stream).map(|lane| lane.tally)
    }
}
