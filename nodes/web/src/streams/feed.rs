//! The thread that lets pictures into the graph: one after the other, each when it is its turn.

use super::admission::{Admission, Admitted, Name};
use super::photo::{Darkroom, Photo, Pixels};
use super::{Order, Streams, lock};
use eyre::{Result, WrapErr};
use mirror_contract::{Header, Stamp, now_ns};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How often it is looked whether time alone has changed something.
const LOOK: Duration = Duration::from_millis(100);

/// What visitors' pictures are from, for people.
const SOURCE: &str = "a visitor's camera";

/// A picture that waits for its turn.
#[derive(Debug)]
pub(super) struct Waiting {
    pub photo: Photo,
    pub captured_ns: i64,
    pub received_ns: i64,
}

/// A picture on its way into the graph.
#[derive(Debug)]
pub struct Ready {
    /// Stamp and source.
    pub header: Header,
    /// The picture.
    pub pixels: Pixels,
    /// When the client's picture had come: nanoseconds since the Unix epoch.
    pub received_ns: i64,
}

/// Admission, and the bell that the thread waits for.
pub(super) struct Gate {
    state: Mutex<State>,
    bell: Condvar,
}

struct State {
    admission: Admission<Waiting>,
    is_closed: bool,
}

impl Gate {
    pub fn new(admission: Admission<Waiting>) -> Self {
        Self { state: Mutex::new(State { admission, is_closed: false }), bell: Condvar::new() }
    }

    /// Something happens: the thread looks what may be done now.
    pub fn change<T>(&self, change: impl FnOnce(&mut Admission<Waiting>) -> T) -> T {
        let changed = change(&mut lock(&self.state).admission);
        self.bell.notify_one();
        changed
    }

    pub fn look<T>(&self, look: impl FnOnce(&Admission<Waiting>) -> T) -> T {
        look(&lock(&self.state).admission)
    }

    /// Ends the thread.
    pub fn close(&self) {
        lock(&self.state).is_closed = true;
        self.bell.notify_one();
    }

    /// Waits until there is something to do: the streams that may send a picture, and the picture that goes in. `None`: the end.
    fn next(&self) -> Option<(Vec<Name>, Option<Admitted<Waiting>>)> {
        let mut state = lock(&self.state);
        loop {
            if state.is_closed {
                return None;
            }
            let now = now_ns();
            let admission = &mut state.admission;
            admission.expire(now);
            let admitted = admission.next(now);
            let granted = admission.grant(now);
            if admitted.is_some() || !granted.is_empty() {
                return Some((granted, admitted));
            }
            state = if admission.is_busy() {
                self.bell.wait_timeout(state, LOOK).map_or_else(|error| error.into_inner().0, |(state, _)| state)
            } else {
                self.bell.wait(state).unwrap_or_else(PoisonError::into_inner)
            };
        }
    }
}

/// Starts the thread. It ends when the gate is closed.
pub(super) fn start(streams: &Streams) -> Result<()> {
    let (streams, mut darkroom) = (streams.clone(), Darkroom::open()?);
    let run = move || {
        while let Some((granted, admitted)) = streams.0.gate.next() {
            for name in granted {
                streams.by_graph_name(&name).iter().for_each(|stream| stream.grant());
            }
            if let Some(admitted) = admitted {
                admit(&streams, &mut darkroom, admitted);
            }
        }
    };
    thread::Builder::new().name("feed".to_owned()).spawn(run).wrap_err("no thread for visitors' pictures")?;
    Ok(())
}

fn admit(streams: &Streams, darkroom: &mut Darkroom, admitted: Admitted<Waiting>) {
    let Admitted { stream: name, number, picture } = admitted;
    let Waiting { photo, captured_ns, received_ns } = picture;
    let give_up = || streams.0.gate.change(|admission| admission.broken(&name, number));
    let Some(stream) = streams.by_graph_name(&name) else { return give_up() };
    let settings = stream.settings();
    let pixels = match darkroom.develop(photo, usize::try_from(settings.size).unwrap_or(usize::MAX)) {
        Ok(pixels) => pixels,
        Err(error) => {
            give_up();
            return stream.trouble(error.to_string());
        }
    };
    stream.sent(number, settings);
    let stamp = Stamp { stream: name.to_string(), frame_id: number, captured_ns };
    let header = Header { source: SOURCE.to_owned(), ..Header::of(stamp) };
    // The graph takes orders as long as it runs; at its end it does not matter.
    if streams.0.orders.blocking_send(Order::Frame(Ready { header, pixels, received_ns })).is_err() {
        give_up();
    }
}
