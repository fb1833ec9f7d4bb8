//! The streams: the installation's cameras, and the cameras of visitors.
//!
//! A visitor's camera is a stream like any other: its pictures go into the graph, come back painted with settings of its own,
//! and are seen by those who watch that stream. Every protocol (our own socket, those of other systems) is an adapter that
//! opens streams, offers pictures, and watches; what is fair and what is allowed is decided here, once for all of them.
//!
//! ```no_run
//! # async fn adapter(streams: web::streams::Streams, jpeg: bytes::Bytes) -> Result<(), Box<dyn std::error::Error>> {
//! use web::streams::{Opening, Photo};
//! let owner = streams.open(&Opening { name: "anna", key: "her secret", origin: "web", address: None })?;
//! let (mut credits, mut viewer) = (owner.credits(), owner.watch());
//! while credits.next().await {
//!     let number = owner.offer(Photo::File(jpeg.clone()), mirror_contract::now_ns())?;
//!     let Some(picture) = viewer.next().await else { break };
//!     println!("picture {number} is on its way, {} is painted", picture.stamp.frame_id);
//! }
//! # Ok(()) }
//! ```
//!
//! | module | holds |
//! |---|---|
//! | [`admission`] | who may send the next picture into the graph. Pure |
//! | [`tally`] | what became of pictures |
//! | [`photo`] | a visitor's picture: checked when it comes, decoded when it is its turn |
//! | [`stream`] | one stream: what is shown of it, who owns it, who watches |
//! | [`owner`], [`viewer`] | an adapter's ends of a stream |
//! | [`compare`] | before and after: source pictures of cameras, while somebody looks at them |
//! | [`feed`] | the thread that lets pictures into the graph |
//! | [`graph`] | the graph's end: what comes from it |
//! | [`limits`], [`errors`], [`list`] | what is allowed; why something is not; the list of all |

pub mod admission;
pub mod compare;
pub mod errors;
pub mod feed;
pub mod graph;
pub mod limits;
pub mod list;
pub mod owner;
pub mod photo;
pub mod stream;
pub mod tally;
pub mod viewer;

pub use compare::Comparing;
pub use errors::{ChangeError, OpenError, WatchError};
pub use limits::{Limits, limits};
pub use list::Entry;
pub use owner::{Credits, Owner, SoundError};
pub use photo::{Photo, PhotoError};
pub use viewer::Viewer;

use crate::board::Status;
use crate::check;
use crate::config::Config;
use crate::ports::ORIGIN;
use crate::press::Press;
use admission::{Admission, Name};
use eyre::Result;
use feed::{Gate, Ready};
use mirror_contract::{Audio, Settings, VISITOR, Wanted};
use mirror_kit::{Book, Sources};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use stream::{Kind, Stream};
use tokio::sync::{Semaphore, mpsc, watch};

/// Orders that may wait for the graph. More than people can type; a flood is turned away.
pub const ORDERS: usize = 64;
/// Longest name of a visitor's stream, in characters: with what comes before it in the graph, `control` takes it.
pub const NAME_MAX: usize = 48;
/// How long a stream is kept for a visitor whose connection is gone.
pub const LINGER_NS: i64 = 15_000_000_000;
/// Cameras of the installation that are shown, besides the one that the page is for.
const CAMERAS_MAX: usize = 8;

/// What the graph is to be told.
#[derive(Debug)]
pub enum Order {
    /// Somebody wants settings changed; they have been checked.
    Change {
        /// The stream, as the graph calls it.
        stream: String,
        /// Who asks: `web`.
        origin: String,
        /// Names and values; none: the stream is alive.
        values: Map<String, Value>,
    },
    /// A visitor's picture.
    Frame(Ready),
    /// A visitor's voice.
    Sound(Audio),
    /// Somebody compares a camera's paintings with what they are made from.
    Wanted(Wanted),
}

/// Orders on their way to the graph.
pub type Orders = mpsc::Receiver<Order>;

/// Who wants to open which stream.
#[derive(Debug, Clone, Copy)]
pub struct Opening<'a> {
    /// Its name among visitors: 1 to 48 letters, digits and `-_.~`, of all protocols but the page's own `:` and `@` as well. Who
    /// knows it may watch.
    pub name: &'a str,
    /// Whoever comes through the same protocol with the same key owns it: after a connection was lost, or beside one that has
    /// not noticed yet. Adapters whose protocol has no secret give the name.
    pub key: &'a str,
    /// The protocol: `web`, `rtlcm`.
    pub origin: &'static str,
    /// Where from, as far as it is known.
    pub address: Option<IpAddr>,
}

/// All streams. Cheap to clone.
#[derive(Clone)]
pub struct Streams(Arc<Shared>);

struct Shared {
    limits: Limits,
    /// The stream that the page is for.
    house: Arc<Stream>,
    processors: Vec<String>,
    /// By the graph's names.
    streams: Mutex<BTreeMap<Name, Arc<Stream>>>,
    gate: Gate,
    book: Mutex<Book>,
    /// What cameras' paintings are made from, while somebody compares.
    sources: Mutex<Sources>,
    orders: mpsc::Sender<Order>,
    press: Arc<Press>,
    watchers: Arc<Semaphore>,
    /// When `control` was told last which streams are alive.
    said_ns: AtomicI64,
}

/// A thread that panicked has left nothing half done here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the graph calls a visitor's stream.
fn visitor(name: &str) -> String {
    format!("{VISITOR}{name}")
}

/// `:` and `@` are for names that adapters make up (`rt:<number>`, `ds:<name>`): visitors of the page, who choose the whole name,
/// must not stand in their way.
fn is_name(name: &str, origin: &str) -> bool {
    let marks: &[u8] = if origin == ORIGIN { b"-_.~" } else { b"-_.~:@" };
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || marks.contains(&byte);
    (1..=NAME_MAX).contains(&name.len()) && name.bytes().all(fits)
}

impl Streams {
    /// The streams of a graph: so far the one that the page is for. Starts the thread that lets pictures in.
    ///
    /// # Errors
    /// There is no thread; the JPEG library does not start.
    pub fn start(config: &Config, limits: Limits, press: Arc<Press>) -> Result<(Self, Orders)> {
        let (orders, receiver) = mpsc::channel(ORDERS);
        let watchers = Arc::new(Semaphore::new(limits.watchers));
        let name = Name::from(config.stream.as_str());
        let house = Arc::new(Stream::new(&name, &name, Kind::Camera, Settings::of(&name), press.easel()));
        let streams = Self(Arc::new(Shared {
            gate: Gate::new(Admission::new(limits.is_told)),
            limits,
            processors: config.processors.clone(),
            streams: Mutex::new(BTreeMap::from([(name, house.clone())])),
            house,
            book: Mutex::default(),
            sources: Mutex::default(),
            orders,
            press,
            watchers,
            said_ns: AtomicI64::new(0),
        }));
        feed::start(&streams)?;
        Ok((streams, receiver))
    }

    /// Opens a visitor's stream, or comes back to it.
    ///
    /// # Errors
    /// The name is none or is taken; there is no place; the graph takes no visitors.
    pub fn open(&self, opening: &Opening) -> Result<Owner, OpenError> {
        let Limits { streams: most, per_address, sees, .. } = self.0.limits;
        let Opening { name, origin, address, .. } = *opening;
        let mut streams = lock(&self.0.streams);
        if !is_name(name, origin) || streams.get(name).is_some() {
            return Err(OpenError::Name);
        }
        if !sees {
            return Err(OpenError::Closed);
        }
        let graph_name: Name = visitor(name).into();
        let stream = if let Some(stream) = streams.get(&graph_name) {
            if !stream.is_opened_by(opening) {
                return Err(OpenError::Taken);
            }
            stream.clone()
        } else {
            let visitors = || streams.values().filter(|stream| stream.is_visitor());
            if visitors().count() >= most {
                return Err(OpenError::Full(most));
            }
            let counted = address.filter(|address| !address.is_loopback());
            if counted.is_some() && visitors().filter(|stream| stream.address() == counted).count() >= per_address {
                return Err(OpenError::Crowded(per_address));
            }
            let settings = Settings { stream: graph_name.to_string(), ..lock(&self.0.book).of(&graph_name).clone() };
            let kind = Kind::Visitor { key: opening.key.to_owned(), origin, address };
            let stream = Arc::new(Stream::new(name, &graph_name, kind, settings, self.0.press.new_easel()));
            streams.insert(graph_name.clone(), stream.clone());
            stream
        };
        let tenure = stream.move_in();
        self.0.gate.change(|admission| {
            admission.open(&graph_name);
            // What was granted to a connection that is gone has never reached anybody.
            admission.pause(&graph_name);
        });
        drop(streams);
        Ok(Owner::new(self.clone(), stream, tenure))
    }

    /// Watches a stream: a camera of the mirror, or a visitor's.
    ///
    /// # Errors
    /// There is none of that name, or no place.
    pub fn watch(&self, name: &str) -> Result<Viewer, WatchError> {
        let stream = self.find(name).ok_or(WatchError::Unknown)?;
        let seat = self.0.watchers.clone().try_acquire_owned().map_err(|_| WatchError::Full)?;
        Ok(Viewer::new(self, stream, Some(seat)))
    }

    /// The settings in force of a stream; of one that is not there, those of the house.
    #[must_use]
    pub fn settings(&self, name: &str) -> Arc<Settings> {
        let unknown = || Arc::new(lock(&self.0.book).of("").clone());
        self.find(name).map_or_else(unknown, |stream| stream.settings())
    }

    /// Wants settings of a stream changed: all of them, or none. `origin` is whom refusals of `control` are addressed to.
    /// Answers what goes to `control`.
    ///
    /// # Errors
    /// What the parameter table does not allow; no such stream; too many changes at once.
    pub fn change(
        &self,
        name: &str,
        origin: &str,
        values: Map<String, Value>,
    ) -> Result<Map<String, Value>, ChangeError> {
        check::values(&values, &self.0.processors).map_err(ChangeError::Refused)?;
        let stream = self.find(name).ok_or(ChangeError::Unknown)?;
        if !values.is_empty() {
            let (stream, origin) = (stream.graph_name().to_string(), origin.to_owned());
            let order = Order::Change { stream, origin, values: values.clone() };
            self.0.orders.try_send(order).map_err(|_| ChangeError::Busy)?;
        }
        Ok(values)
    }

    /// How many visitors are here.
    #[must_use]
    pub fn visitors(&self) -> usize {
        lock(&self.0.streams).values().filter(|stream| stream.is_visitor()).count()
    }

    /// What is allowed, and what the graph can do.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// How many watch.
    #[must_use]
    pub fn watching(&self) -> usize {
        self.0.limits.watchers.saturating_sub(self.0.watchers.available_permits())
    }

    fn find(&self, name: &str) -> Option<Arc<Stream>> {
        let streams = lock(&self.0.streams);
        streams.get(name).filter(|stream| !stream.is_visitor()).or_else(|| streams.get(&*visitor(name))).cloned()
    }

    fn by_graph_name(&self, name: &str) -> Option<Arc<Stream>> {
        lock(&self.0.streams).get(name).cloned()
    }

    /// What is shown of the stream that the page is for, besides its pictures.
    #[must_use]
    pub fn house(&self) -> watch::Receiver<Arc<Status>> {
        self.0.house.status()
    }

    /// Watches a stream for a moment, without a place.
    ///
    /// # Errors
    /// There is none of that name.
    pub(crate) fn glance(&self, name: &str) -> Result<Viewer, WatchError> {
        Ok(Viewer::new(self, self.find(name).ok_or(WatchError::Unknown)?, None))
    }

    /// A camera of the installation; `None`: there are too many.
    fn camera(&self, name: &str) -> Option<Arc<Stream>> {
        let mut streams = lock(&self.0.streams);
        if let Some(stream) = streams.get(name) {
            return Some(stream.clone());
        }
        if streams.values().filter(|stream| !stream.is_visitor()).count() > CAMERAS_MAX {
            return None;
        }
        let graph_name: Name = name.into();
        let settings = Settings { stream: name.to_owned(), ..lock(&self.0.book).of(name).clone() };
        let stream = Arc::new(Stream::new(name, &graph_name, Kind::Camera, settings, self.0.press.new_easel()));
        streams.insert(graph_name, stream.clone());
        Some(stream)
    }

    /// A stream ends: its place is free, and those who watch it are told.
    fn end(&self, stream: &Stream) {
        let mut streams = lock(&self.0.streams);
        let is_it = streams.get(stream.graph_name()).is_some_and(|it| std::ptr::eq(&**it, stream));
        if is_it {
            streams.remove(stream.graph_name());
            self.0.gate.change(|admission| admission.close(stream.graph_name()));
        }
        drop(streams);
        stream.end();
    }

    /// Ends the streams whose owners have been gone for too long, and says that the others are alive if `says`.
    fn tend(&self, now_ns: i64, says: bool) {
        let streams: Vec<Arc<Stream>> = lock(&self.0.streams).values().cloned().collect();
        for stream in streams.iter().filter(|stream| stream.is_visitor()) {
            if stream.away_ns(now_ns).is_some_and(|away| away > LINGER_NS) {
                self.end(stream);
            } else if says {
                let (stream, origin) = (stream.graph_name().to_string(), stream.origin().to_owned());
                // The next time will do if the graph is behind.
                let _ = self.0.orders.try_send(Order::Change { stream, origin, values: Map::new() });
            }
        }
    }
}
