//! No sound, as long as there is no microphone.

use super::{Feed, Step, Stretch};
use eyre::Result;
use mirror_contract::Level;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How often a microphone is looked for. Rarely: not all of ALSA's plugins are clean after a failed opening.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// A microphone that has been found, and what it is.
pub type Found = (Box<dyn Feed>, String);

/// Brings nothing; if it is told how to look, it looks now and then for a microphone, and brings its sound from then on.
pub struct Nothing {
    look: Option<Box<dyn FnMut() -> Option<Found>>>,
    next: Instant,
    found: Option<Box<dyn Feed>>,
}

impl Nothing {
    /// Nothing for ever.
    #[must_use]
    pub fn for_ever() -> Self {
        Self { look: None, next: Instant::now(), found: None }
    }

    /// Nothing until `look` finds something.
    #[must_use]
    pub fn until(look: impl FnMut() -> Option<Found> + 'static) -> Self {
        Self { look: Some(Box::new(look)), next: Instant::now() + LOOK_AGAIN, found: None }
    }
}

impl Feed for Nothing {
    fn bring(&mut self, into: &mut Stretch) -> Result<Step> {
        if let Some(found) = &mut self.found {
            return found.bring(into);
        }
        if let Some(look) = &mut self.look
            && Instant::now() >= self.next
        {
            self.next = Instant::now() + LOOK_AGAIN;
            if let Some((feed, text)) = look() {
                self.found = Some(feed);
                return Ok(Step::Remark(Level::Info, text));
            }
        }
        sleep(Duration::from_millis(50));
        Ok(Step::Nothing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct One;
    impl Feed for One {
        fn bring(&mut self, into: &mut Stretch) -> Result<Step> {
            into.samples.push(1.0);
            Ok(Step::Live(7))
        }
    }

    #[test]
    fn a_microphone_that_is_plugged_in_later_is_found() {
        let mut tries = 0;
        let mut nothing = Nothing::until(move || {
            tries += 1;
            (tries == 2).then(|| (Box::new(One) as Box<dyn Feed>, "a microphone".to_owned()))
        });
        let mut stretch = Stretch::default();
        for _ in 0..2 {
            assert!(matches!(nothing.bring(&mut stretch), Ok(Step::Nothing)));
            // As if that time had passed.
            nothing.next = Instant::now();
        }
        assert!(matches!(nothing.bring(&mut stretch), Ok(Step::Remark(Level::Info, text)) if text == "a microphone"));
        assert!(matches!(nothing.bring(&mut stretch), Ok(Step::Live(7))));
        assert_eq!(stretch.samples, [1.0]);
    }
}
