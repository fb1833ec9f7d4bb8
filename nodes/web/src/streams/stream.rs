//! One stream: what is shown of it, who owns it, who watches.

use super::admission::Name;
use super::{Opening, lock};
use crate::board::{Board, Status};
use crate::press::Easel;
use mirror_contract::{Notice, Prompt, Settings, now_ns};
use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

/// Pictures in the graph whose settings are remembered: more than there may be.
const REMEMBERED: usize = 4;

/// Where a stream comes from.
#[derive(Debug)]
pub(super) enum Kind {
    /// A camera of the installation.
    Camera,
    /// A visitor.
    Visitor { key: String, origin: &'static str, address: Option<IpAddr> },
}

/// One stream.
pub(super) struct Stream {
    name: String,
    graph_name: Name,
    kind: Kind,
    opened_ns: i64,
    easel: Arc<Easel>,
    board: Mutex<Board>,
    settings: Mutex<Arc<Settings>>,
    /// The settings of pictures that are in the graph, by number.
    sent: Mutex<VecDeque<(i64, Arc<Settings>)>>,
    status: watch::Sender<Arc<Status>>,
    /// Counts what the stream has been granted.
    grants: watch::Sender<u64>,
    /// What was wrong with the last picture that could not be read; counted, so that the same one twice is news.
    troubles: watch::Sender<(u64, String)>,
    /// The stream is over.
    ended: watch::Sender<bool>,
    tenure: Mutex<Tenure>,
    viewers: AtomicUsize,
    comparers: AtomicUsize,
    sounds: AtomicI64,
}

/// Who owns it.
#[derive(Debug, Default)]
struct Tenure {
    /// Counts the owners: the last one has it.
    owners: u64,
    /// Since when nobody does.
    away_ns: Option<i64>,
}

impl Stream {
    pub fn new(name: &str, graph_name: &Name, kind: Kind, settings: Settings, easel: Arc<Easel>) -> Self {
        let settings = Arc::new(settings);
        let mut board = Board::of(graph_name);
        board.settings(settings.clone());
        let status = watch::Sender::new(Arc::new(board.status(easel.figures(now_ns()))));
        Self {
            name: name.to_owned(),
            graph_name: graph_name.clone(),
            kind,
            opened_ns: now_ns(),
            easel,
            board: Mutex::new(board),
            settings: Mutex::new(settings),
            sent: Mutex::default(),
            status,
            grants: watch::Sender::new(0),
            troubles: watch::Sender::new((0, String::new())),
            ended: watch::Sender::new(false),
            tenure: Mutex::default(),
            viewers: AtomicUsize::new(0),
            comparers: AtomicUsize::new(0),
            sounds: AtomicI64::new(0),
        }
    }

    /// The name by which it is watched.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn graph_name(&self) -> &Name {
        &self.graph_name
    }

    pub fn opened_ns(&self) -> i64 {
        self.opened_ns
    }

    pub fn easel(&self) -> &Arc<Easel> {
        &self.easel
    }

    pub fn is_visitor(&self) -> bool {
        matches!(self.kind, Kind::Visitor { .. })
    }

    /// Whether it is a visitor's who came through that protocol with that key. The key alone will not do: that of a protocol
    /// without secrets is the name, which others know.
    pub fn is_opened_by(&self, opening: &Opening) -> bool {
        let with = opening.key;
        // Compared byte by byte whatever comes, so that time tells nothing of the key.
        let same = |key: &str| {
            key.len() == with.len() && key.bytes().zip(with.bytes()).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
        };
        matches!(&self.kind, Kind::Visitor { key, origin, .. } if *origin == opening.origin && same(key))
    }

    pub fn origin(&self) -> &'static str {
        match self.kind {
            Kind::Camera => "",
            Kind::Visitor { origin, .. } => origin,
        }
    }

    pub fn address(&self) -> Option<IpAddr> {
        match self.kind {
            Kind::Camera => None,
            Kind::Visitor { address, .. } => address,
        }
    }

    /// A new owner, and its number: those before own it no longer.
    pub fn move_in(&self) -> u64 {
        let mut tenure = lock(&self.tenure);
        tenure.owners += 1;
        tenure.away_ns = None;
        self.grants.send_modify(|_| {});
        tenure.owners
    }

    pub fn is_owned_by(&self, owner: u64) -> bool {
        lock(&self.tenure).owners == owner && !*self.ended.borrow()
    }

    /// That owner is gone; `false`: it was not the owner any more.
    pub fn move_out(&self, owner: u64) -> bool {
        let mut tenure = lock(&self.tenure);
        let is_it = tenure.owners == owner;
        if is_it {
            tenure.away_ns = Some(now_ns());
        }
        is_it
    }

    /// How long nobody has owned it.
    pub fn away_ns(&self, now_ns: i64) -> Option<i64> {
        lock(&self.tenure).away_ns.map(|since| now_ns - since)
    }

    pub fn is_live(&self) -> bool {
        lock(&self.tenure).away_ns.is_none()
    }

    pub fn end(&self) {
        self.ended.send_replace(true);
    }

    pub fn ended(&self) -> watch::Receiver<bool> {
        self.ended.subscribe()
    }

    /// It may send a picture.
    pub fn grant(&self) {
        self.grants.send_modify(|count| *count += 1);
    }

    pub fn grants(&self) -> watch::Receiver<u64> {
        self.grants.subscribe()
    }

    /// A picture of it could not be read.
    pub fn trouble(&self, text: String) {
        self.troubles.send_modify(|(count, last)| (*count, *last) = (*count + 1, text));
    }

    pub fn troubles(&self) -> watch::Receiver<(u64, String)> {
        self.troubles.subscribe()
    }

    pub fn settings(&self) -> Arc<Settings> {
        lock(&self.settings).clone()
    }

    /// The settings in force, its own or those that it follows.
    pub fn set(&self, settings: &Settings) {
        let old = self.settings();
        let is_same = Settings { stream: settings.stream.clone(), ..(*old).clone() } == *settings;
        if !is_same {
            let settings = Arc::new(Settings { stream: self.graph_name.to_string(), ..settings.clone() });
            *lock(&self.settings) = settings.clone();
            lock(&self.board).settings(settings);
            self.refresh();
        }
    }

    /// A picture has gone into the graph, with those settings in force.
    pub fn sent(&self, number: i64, settings: Arc<Settings>) {
        let mut sent = lock(&self.sent);
        if sent.len() == REMEMBERED {
            sent.pop_front();
        }
        sent.push_back((number, settings));
    }

    /// The settings with which a picture went into the graph; of a camera's, those in force.
    pub fn settings_of(&self, number: i64) -> Arc<Settings> {
        let sent = lock(&self.sent);
        let found = sent.iter().find(|(of, _)| *of == number).map(|(_, settings)| settings.clone());
        drop(sent);
        found.unwrap_or_else(|| self.settings())
    }

    /// Changes what is written on its board; what `change` calls news is said at once.
    pub fn write(&self, change: impl FnOnce(&mut Board) -> bool) {
        if change(&mut lock(&self.board)) {
            self.refresh();
        }
    }

    /// Writes a notice down. One for this stream alone is said at once. One for all comes with the next figures: else each line of a
    /// flood would make the summary of every stream that somebody listens to, on the thread that takes pictures in.
    pub fn notice(&self, notice: &Notice, at_ms: i64) {
        let is_for_all = notice.stream.is_empty();
        self.write(|board| board.notice(notice, at_ms) && !is_for_all);
    }

    pub fn heard(&self, prompt: &Prompt) {
        self.write(|board| {
            board.heard(&prompt.text, prompt.stamp.captured_ns / 1_000_000);
            true
        });
    }

    /// Says what is on the board, if anybody listens.
    pub fn refresh(&self) {
        if self.status.receiver_count() > 0 {
            let figures = self.easel.figures(now_ns());
            let status = Arc::new(lock(&self.board).status(figures));
            self.status.send_replace(status);
        }
    }

    pub fn status(&self) -> watch::Receiver<Arc<Status>> {
        let receiver = self.status.subscribe();
        self.refresh();
        receiver
    }

    /// Somebody begins (+1) or ceases (−1) to watch.
    pub fn watched(&self, by: isize) {
        self.viewers.fetch_add(by.cast_unsigned(), Ordering::Relaxed);
    }

    pub fn viewers(&self) -> usize {
        self.viewers.load(Ordering::Relaxed)
    }

    /// Somebody begins (+1) or ceases (−1) to compare.
    pub fn compared(&self, by: isize) {
        self.comparers.fetch_add(by.cast_unsigned(), Ordering::Relaxed);
    }

    pub fn is_compared(&self) -> bool {
        self.comparers.load(Ordering::Relaxed) > 0
    }

    /// The number of the next stretch of sound.
    pub fn next_sound(&self) -> i64 {
        self.sounds.fetch_add(1, Ordering::Relaxed)
    }
}
