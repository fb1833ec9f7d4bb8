//! A source that may vanish and come back: a camera, a microphone.

use crate::backoff::Backoff;
use eyre::{Report, Result};
use mirror_contract::Level;
use std::fmt;
use std::time::{Duration, Instant};

/// A source that works.
pub struct Opened<F> {
    /// What brings its pictures or its sound.
    pub feed: F,
    /// What it is, for people.
    pub text: String,
    /// A warning if it is not what was asked for.
    pub level: Level,
}

/// Without the feed, which is a driver's or a decoder's.
impl<F> fmt::Debug for Opened<F> {
    fn fmt(&self, to: &mut fmt::Formatter) -> fmt::Result {
        to.debug_struct("Opened").field("text", &self.text).field("level", &self.level).finish_non_exhaustive()
    }
}

/// What it means that a source cannot be opened at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Something is wrong with what was asked for: an error.
    First,
    /// It has worked in an earlier life of this node ([`Mark`](crate::mark::Mark)): it is away, and waited for.
    Again,
}

/// How a feed's time was over.
#[derive(Debug)]
pub enum Over<F> {
    /// The mirror stops.
    Stopped,
    /// There is no more of it.
    Ended,
    /// The source has vanished: why.
    Vanished(Report),
    /// Another one takes its place, and is open already.
    Replaced(Opened<F>),
}

/// Opens a source, plays it, and opens it again whenever it has vanished, with waits that double ([`Backoff`]). What
/// happens to the source is said to people; a long outage ever more rarely.
///
/// `pause` sleeps that long, and answers `false` at once when the mirror stops.
///
/// # Errors
/// A source that cannot be opened at the first start: then something is wrong with what was asked for.
pub fn keep_open<F>(
    start: Start,
    mut open: impl FnMut() -> Result<Opened<F>>,
    mut play: impl FnMut(&mut F) -> Over<F>,
    mut say: impl FnMut(Level, String),
    mut pause: impl FnMut(Duration) -> bool,
) -> Result<()> {
    let mut backoff = Backoff::default();
    let opened = match open() {
        Err(error) if start == Start::Again => {
            let wait = backoff.failed();
            let seconds = wait.as_secs_f32();
            say(Level::Warning, format!("{error:#}: it has worked before, trying again in {seconds} s"));
            reopen(&mut backoff, wait, &mut open, &mut say, &mut pause)
        }
        opened => Some(opened?),
    };
    let Some(Opened { mut feed, mut text, level }) = opened else { return Ok(()) };
    say(level, text.clone());
    loop {
        let begin = Instant::now();
        let reason = match play(&mut feed) {
            Over::Stopped | Over::Ended => return Ok(()),
            Over::Vanished(reason) => reason,
            Over::Replaced(opened) => {
                (feed, text) = (opened.feed, opened.text);
                say(opened.level, text.clone());
                continue;
            }
        };
        // The old handle goes first: a device can be open once only.
        drop(feed);
        backoff.worked(begin.elapsed());
        let wait = backoff.failed();
        say(Level::Warning, format!("{text} has vanished ({reason:#}): trying again in {} s", wait.as_secs_f32()));
        let Some(opened) = reopen(&mut backoff, wait, &mut open, &mut say, &mut pause) else { return Ok(()) };
        (feed, text) = (opened.feed, opened.text);
        say(opened.level, format!("back: {text}"));
    }
}

/// Waits and tries until it opens. `None`: the mirror stops.
fn reopen<F>(
    backoff: &mut Backoff,
    mut wait: Duration,
    open: &mut impl FnMut() -> Result<Opened<F>>,
    say: &mut impl FnMut(Level, String),
    pause: &mut impl FnMut(Duration) -> bool,
) -> Option<Opened<F>> {
    while pause(wait) {
        match open() {
            Ok(opened) => return Some(opened),
            Err(error) => {
                wait = backoff.failed();
                if backoff.worth_saying() {
                    let (tries, wait) = (backoff.failures(), wait.as_secs_f32());
                    say(Level::Warning, format!("{error:#} ({tries} tries): trying again in {wait} s"));
                }
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use eyre::eyre;

    /// Runs a source whose openings answer as told (`true`: it opens), until they are used up: what was said, and the
    /// waits in seconds.
    fn run(start: Start, answers: &[bool]) -> (Result<()>, Vec<String>, Vec<f32>) {
        let (mut answers, mut said, mut waits) = (answers.iter(), Vec::new(), Vec::new());
        let mut left = answers.len();
        let open = || match answers.next() {
            Some(true) => Ok(Opened { feed: (), text: "the thing".to_owned(), level: Level::Info }),
            _ => Err(eyre!("it is not there")),
        };
        let play = |(): &mut ()| Over::Vanished(eyre!("unplugged"));
        let result = keep_open(
            start,
            open,
            play,
            |_, text| said.push(text),
            |wait| {
                waits.push(wait.as_secs_f32());
                left -= 1;
                left > 0
            },
        );
        (result, said, waits)
    }

    #[test]
    fn a_source_that_is_not_there_at_the_start_is_an_error() {
        let (result, said, _) = run(Start::First, &[false]);
        assert_eq!(result.expect_err("it is not there").to_string(), "it is not there");
        assert_eq!(said, [""; 0]);
    }

    #[test]
    fn a_source_that_has_worked_before_is_waited_for_at_the_start() {
        let (result, said, waits) = run(Start::Again, &[false, false, true]);
        assert!(result.is_ok());
        assert_eq!(waits, [0.5, 1.0, 2.0]);
        let expected = [
            "it is not there: it has worked before, trying again in 0.5 s",
            "it is not there (2 tries): trying again in 1 s",
            "the thing",
            "the thing has vanished (unplugged): trying again in 2 s",
        ];
        assert_eq!(said, expected);
    }

    #[test]
    fn a_source_that_vanishes_is_opened_again_with_waits_that_double() {
        let (result, said, waits) = run(Start::First, &[true, false, false, true]);
        assert!(result.is_ok());
        assert_eq!(waits, [0.5, 1.0, 2.0, 4.0]);
        let expected = [
            "the thing",
            "the thing has vanished (unplugged): trying again in 0.5 s",
            "it is not there (2 tries): trying again in 1 s",
            "back: the thing",
            "the thing has vanished (unplugged): trying again in 4 s",
        ];
        assert_eq!(said, expected);
    }

    #[test]
    fn a_source_that_takes_the_place_of_another_is_said_and_not_waited_for() {
        let opened = |feed, text: &str| Opened { feed, text: text.to_owned(), level: Level::Info };
        let (mut played, mut said) = (Vec::new(), Vec::new());
        let play = |feed: &mut u8| {
            played.push(*feed);
            if *feed == 1 { Over::Replaced(opened(2, "a camera")) } else { Over::Ended }
        };
        let open = || Ok(opened(1, "a clip"));
        let result = keep_open(Start::First, open, play, |_, text| said.push(text), |_| panic!("nothing to wait for"));
        assert!(result.is_ok());
        assert_eq!(played, [1, 2]);
        assert_eq!(said, ["a clip", "a camera"]);
    }

    #[test]
    fn a_source_that_has_ended_ends_without_a_word() {
        let open = || Ok(Opened { feed: (), text: "a film".to_owned(), level: Level::Info });
        let mut said = 0;
        let result =
            keep_open(Start::First, open, |()| Over::Ended, |_, _| said += 1, |_| panic!("nothing to wait for"));
        assert!(result.is_ok());
        assert_eq!(said, 1);
    }
}
