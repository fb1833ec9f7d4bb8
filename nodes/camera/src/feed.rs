//! What brings one picture after another.

pub mod film;
pub mod live;
pub mod stand_in;
pub mod stills;
pub mod test_card;

use crate::open::Opened;
use crate::picture::Picture;
use eyre::Result;
use std::time::Duration;

/// What a feed has brought.
#[derive(Debug)]
pub enum Step {
    /// A picture that is there now: its time of capture in nanoseconds since the Unix epoch.
    Live(i64),
    /// A picture that is to be shown at that time after the first one.
    Due(Duration),
    /// A picture that is passed over, because there are more of them than asked for.
    Passed,
    /// No picture, but something that people should know.
    Remark(String),
    /// No picture: this source takes the place of this feed, from here on.
    Instead(Opened),
    /// There are no more.
    End,
}

/// Brings one picture after another. It may block: it runs in a thread of its own.
pub trait Feed: Send {
    /// Brings the next picture into `into`, whose buffer it uses again.
    ///
    /// # Errors
    /// The source has vanished: why. It is then opened anew.
    fn bring(&mut self, into: &mut Picture) -> Result<Step>;
}
