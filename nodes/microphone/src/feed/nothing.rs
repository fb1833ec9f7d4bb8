//! No sound, as long as there is no microphone.

use super::{Feed, Step, Stretch};
use crate::open::Opened;
use eyre::Result;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How often a microphone is looked for. Rarely: not all of ALSA's plugins are clean after a failed opening.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Brings nothing; if it is told how to look, it looks now and then for a microphone, which then takes its place.
pub struct Nothing {
    look: Option<Box<dyn FnMut() -> Option<Opened>>>,
    next: Instant,
}

impl Nothing {
    /// Nothing for ever.
    #[must_use]
    pub fn for_ever() -> Self {
        Self { look: None, next: Instant::now() }
    }

    /// Nothing until `look` finds something.
    #[must_use]
    pub fn until(look: impl FnMut() -> Option<Opened> + 'static) -> Self {
        Self { look: Some(Box::new(look)), next: Instant::now() + LOOK_AGAIN }
    }
}

impl Feed for Nothing {
    fn bring(&mut self, _: &mut Stretch) -> Result<Step> {
        if let Some(look) = &mut self.look
            && Instant::now() >= self.next
        {
            self.next = Instant::now() + LOOK_AGAIN;
            if let Some(opened) = look() {
                return Ok(Step::Instead(opened));
            }
        }
        sleep(Duration::from_millis(50));
        Ok(Step::Nothing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mirror_contract::Level;

    #[test]
    fn a_microphone_that_is_plugged_in_later_is_found() {
        let mut tries = 0;
        let mut nothing = Nothing::until(move || {
            tries += 1;
            let feed = Box::new(Nothing::for_ever());
            (tries == 2).then(|| Opened { feed, text: "a microphone".to_owned(), level: Level::Info })
        });
        let mut stretch = Stretch::default();
        for _ in 0..2 {
            assert!(matches!(nothing.bring(&mut stretch), Ok(Step::Nothing)));
            // As if that time had passed.
            nothing.next = Instant::now();
        }
        assert!(matches!(nothing.bring(&mut stretch), Ok(Step::Instead(found)) if found.text == "a microphone"));
    }
}
