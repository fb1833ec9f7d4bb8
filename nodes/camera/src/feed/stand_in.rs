//! The clip that stands in for a camera, until there is one.

use super::{Feed, Step};
use crate::open::Opened;
use crate::picture::Picture;
use eyre::{Result, WrapErr};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Brings the pictures of a clip, and a camera in its place as soon as one is found.
pub struct StandIn {
    clip: Box<dyn Feed>,
    found: Receiver<Opened>,
    /// Goes with this feed: nobody looks any longer then.
    _wanted: Sender<()>,
}

impl StandIn {
    /// The clip, until `look` finds something; it looks again and again, so long after the look before, and is told how long the
    /// clip has been standing in. A thread of its own looks: a driver may take seconds, and the clip keeps its pace.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub fn until(
        clip: Box<dyn Feed>,
        every: Duration,
        mut look: impl FnMut(Duration) -> Option<Opened> + Send + 'static,
    ) -> Result<Self> {
        let (finds, found) = channel();
        let (wanted, is_wanted) = channel::<()>();
        let start = Instant::now();
        let search = move || {
            while is_wanted.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                if let Some(opened) = look(start.elapsed()) {
                    // If nobody wants it any longer, it is closed here.
                    let _ = finds.send(opened);
                    return;
                }
            }
        };
        thread::Builder::new().name("look".to_owned()).spawn(search).wrap_err("no thread to look for cameras")?;
        Ok(Self { clip, found, _wanted: wanted })
    }
}

impl Feed for StandIn {
    fn bring(&mut self, into: &mut Picture) -> Result<Step> {
        match self.found.try_recv() {
            Ok(camera) => Ok(Step::Instead(camera)),
            Err(_) => self.clip.bring(into),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::test_card::TestCard;
    use mirror_contract::Level;
    use std::sync::mpsc::sync_channel;

    const SOON: Duration = Duration::from_millis(5);

    fn card() -> Box<dyn Feed> {
        Box::new(TestCard::new([4, 4], 10.0))
    }

    #[test]
    fn a_look_that_takes_long_does_not_stop_the_clip_and_what_it_finds_takes_its_place() {
        let (open, is_open) = sync_channel(0);
        let look = move |_| {
            is_open.recv().ok().map(|()| Opened { feed: card(), text: "a camera".to_owned(), level: Level::Info })
        };
        let (mut feed, mut picture) = (StandIn::until(card(), SOON, look).expect("a thread"), Picture::default());
        for number in 0..50 {
            let due = Duration::from_millis(100 * number);
            assert!(matches!(feed.bring(&mut picture), Ok(Step::Due(time)) if time == due), "picture {number}");
        }
        open.send(()).expect("somebody looks");
        let start = Instant::now();
        let found = loop {
            if let Ok(Step::Instead(camera)) = feed.bring(&mut picture) {
                break camera;
            }
            assert!(start.elapsed() < Duration::from_secs(30), "what was found does not come");
            thread::sleep(SOON);
        };
        assert_eq!(found.text, "a camera");
    }

    #[test]
    fn nobody_looks_any_longer_once_the_clip_is_not_shown() {
        let (looks, looked) = sync_channel(1);
        let look = move |_| {
            let _ = looks.send(());
            None
        };
        let feed = StandIn::until(card(), SOON, look).expect("a thread");
        looked.recv().expect("it looks");
        drop(feed);
        // The thread has gone, and what it looked with.
        let mut answers = (0..9).map(|_| looked.recv_timeout(Duration::from_secs(30)));
        assert!(answers.any(|answer| answer == Err(RecvTimeoutError::Disconnected)));
    }
}
