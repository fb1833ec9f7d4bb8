//! Where the grabbing thread leaves the newest picture, and what it has to say.

use crate::picture::Picture;
use mirror_kit::handover::{Found, Handover};
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

/// A picture that has been taken.
#[derive(Default)]
pub struct Taken {
    /// The picture.
    pub picture: Picture,
    /// Counts the pictures from 0; a gap is a picture that a newer one has overtaken.
    pub frame_id: i64,
    /// When it was there: nanoseconds since the Unix epoch.
    pub captured_ns: i64,
    /// What it comes from, for people.
    pub source: Arc<str>,
}

/// What the event loop finds: a picture lies in the [`Taken`] that was lent.
pub type Happening = Found<()>;

/// One place for one picture: a newer one takes it, whoever was there.
#[derive(Default)]
pub struct Newest(Handover<Place>);

/// What lies there.
#[derive(Default)]
pub struct Place {
    waiting: bool,
    taken: Taken,
    source: Arc<str>,
    frames: i64,
    overtaken: i64,
}

impl Newest {
    /// Says what the pictures come from, from here on.
    pub fn opened(&self, source: &str) {
        self.0.change(|place| place.source = source.into());
    }

    /// Leaves a picture, and takes back the buffer of an older one.
    pub fn put(&self, picture: &mut Picture, captured_ns: i64) {
        self.0.change(|place| {
            if place.waiting {
                place.overtaken += 1;
            }
            std::mem::swap(&mut place.taken.picture, picture);
            place.taken.captured_ns = captured_ns;
            place.taken.source = Arc::clone(&place.source);
            place.taken.frame_id = place.frames;
            place.frames += 1;
            place.waiting = true;
        });
    }

    /// Waits for something to happen, but not longer than that. A picture is swapped into `taken`, whose buffer goes
    /// back to the thread. What was said comes before the picture after it, and both before the end.
    pub fn next(&self, patience: Duration, taken: &mut Taken) -> Happening {
        self.0.next(patience, |place| {
            let waiting = std::mem::take(&mut place.waiting);
            waiting.then(|| std::mem::swap(&mut place.taken, taken))
        })
    }

    /// How many pictures a newer one has overtaken since this was last asked.
    pub fn overtaken(&self) -> i64 {
        self.0.change(|place| std::mem::take(&mut place.overtaken))
    }
}

/// Lines for people, the end and the wish to stop are as everywhere.
impl Deref for Newest {
    type Target = Handover<Place>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mirror_contract::Level;
    use std::time::Instant;

    const SOON: Duration = Duration::from_millis(5);

    fn put(newest: &Newest, number: u64) {
        newest.put(&mut Picture::Pattern { number, shape: [4, 4] }, 1000 + i64::try_from(number).expect("small"));
    }

    #[test]
    fn only_the_newest_picture_waits_and_the_others_are_counted() {
        let (newest, mut taken) = (Newest::default(), Taken::default());
        (0..3).for_each(|number| put(&newest, number));
        assert!(matches!(newest.next(SOON, &mut taken), Happening::Brought(())));
        assert!(matches!(taken.picture, Picture::Pattern { number: 2, .. }));
        assert_eq!((taken.frame_id, taken.captured_ns, newest.overtaken()), (2, 1002, 2));
        assert!(matches!(newest.next(SOON, &mut taken), Happening::Nothing));
        put(&newest, 3);
        assert!(matches!(newest.next(SOON, &mut taken), Happening::Brought(())));
        assert_eq!((taken.frame_id, newest.overtaken()), (3, 0));
    }

    #[test]
    fn lines_come_first_and_the_end_last() {
        let (newest, mut taken) = (Newest::default(), Taken::default());
        newest.end(Ok(()));
        put(&newest, 0);
        newest.say(Level::Info, "one".to_owned());
        newest.say(Level::Info, "two".to_owned());
        assert!(matches!(newest.next(SOON, &mut taken), Happening::Say(_, text) if text == "one"));
        assert!(matches!(newest.next(SOON, &mut taken), Happening::Say(_, text) if text == "two"));
        assert!(matches!(newest.next(SOON, &mut taken), Happening::Brought(())));
        assert!(matches!(newest.next(SOON, &mut taken), Happening::End(Ok(()))));
    }

    #[test]
    fn a_pause_ends_at_once_when_the_mirror_stops() {
        let newest = Arc::new(Newest::default());
        assert!(newest.pause(SOON));
        let (pausing, start) = (Arc::clone(&newest), Instant::now());
        let thread = std::thread::spawn(move || pausing.pause(Duration::from_secs(60)));
        newest.stop();
        assert!(!thread.join().expect("no panic"));
        assert!(start.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn a_pause_is_not_cut_short_by_pictures_that_are_taken() {
        let newest = Newest::default();
        std::thread::scope(|scope| {
            scope.spawn(|| (0..5).for_each(|number| put(&newest, number)));
            let start = Instant::now();
            assert!(newest.pause(Duration::from_millis(30)));
            assert!(start.elapsed() >= Duration::from_millis(30));
        });
    }
}
