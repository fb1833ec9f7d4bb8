//! How long the picture pauses: the page's own stream, watched while something is changed.

use crate::page::Page;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Pictures that are watched before anything is changed, and how long they are waited for: what is usual is measured in them.
const BEFORE: (usize, Duration) = (20, Duration::from_secs(3));
/// How often a page that is gone is asked for again.
const AGAIN: Duration = Duration::from_millis(20);

/// A picture that has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    at: Instant,
    frame_id: i64,
}

/// Somebody who watches the page's pictures.
#[derive(Debug)]
pub struct Watcher {
    pictures: Receiver<Seen>,
    seen: Vec<Seen>,
}

/// What was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pause {
    /// Between two pictures as a rule: the median.
    pub usual: Duration,
    /// The longest time without one.
    pub longest: Duration,
    /// Pictures of the camera that were not shown in it. 0 where they are counted anew: the camera was started again.
    pub lost: i64,
}

impl Watcher {
    /// Watches that page from now on; when it goes away, until it is there again. Returns when it has seen what is usual.
    #[must_use]
    pub fn of(page: Page) -> Self {
        let (sender, pictures) = channel();
        // The thread ends with the first picture after nobody wants them any more.
        thread::spawn(move || {
            loop {
                let ended = page.pictures(|frame_id| sender.send(Seen { at: Instant::now(), frame_id }).is_ok());
                if ended {
                    return;
                }
                thread::sleep(AGAIN);
            }
        });
        let mut watcher = Self { pictures, seen: Vec::new() };
        let (begin, (count, patience)) = (Instant::now(), BEFORE);
        // A mirror that stands still may be what somebody is about to repair.
        while !watcher.has_seen(count, begin) && begin.elapsed() < patience {
            thread::sleep(AGAIN);
        }
        watcher
    }

    /// Whether so many pictures have come since that time.
    pub fn has_seen(&mut self, count: usize, since: Instant) -> bool {
        self.seen.extend(self.pictures.try_iter());
        self.seen.iter().rev().take_while(|seen| seen.at > since).count() >= count
    }

    /// Between two pictures of that time, as a rule: the median. `None`: fewer than three.
    pub fn usual(&mut self, from: Instant, to: Instant) -> Option<Duration> {
        self.seen.extend(self.pictures.try_iter());
        let seen: Vec<Seen> = self.seen.iter().filter(|seen| seen.at > from && seen.at < to).copied().collect();
        pause(&seen).map(|pause| pause.usual)
    }

    /// What has been seen up to now. `None`: fewer than three pictures.
    pub fn pause(&mut self) -> Option<Pause> {
        self.seen.extend(self.pictures.try_iter());
        pause(&self.seen)
    }
}

fn pause(seen: &[Seen]) -> Option<Pause> {
    let mut gaps: Vec<(Duration, i64)> = seen
        .windows(2)
        .map(|pair| (pair[1].at.duration_since(pair[0].at), (pair[1].frame_id - pair[0].frame_id - 1).max(0)))
        .collect();
    gaps.sort_unstable();
    let (longest, lost) = *gaps.last()?;
    (gaps.len() >= 2).then(|| Pause { usual: gaps[gaps.len() / 2].0, longest, lost })
}

impl std::fmt::Display for Pause {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { usual, longest, lost } = self;
        write!(
            to,
            "the picture paused for {:.2} s (a new one every {} ms otherwise",
            longest.as_secs_f64(),
            usual.as_millis()
        )?;
        if *lost > 0 {
            write!(to, "; {lost} of the camera's were not shown")?;
        }
        write!(to, ")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_is_the_longest_time_between_two_pictures() {
        let begin = Instant::now();
        let seen = |ms, frame_id| Seen { at: begin + Duration::from_millis(ms), frame_id };
        let pictures = [seen(0, 1), seen(50, 2), seen(100, 4), seen(1200, 40), seen(1250, 41)];
        let pause = pause(&pictures).unwrap();
        let ms = Duration::from_millis;
        assert_eq!(pause, Pause { usual: ms(50), longest: ms(1100), lost: 35 });
        let said = "the picture paused for 1.10 s (a new one every 50 ms otherwise; 35 of the camera's were not shown)";
        assert_eq!(pause.to_string(), said);
    }

    #[test]
    fn a_camera_that_counts_anew_has_lost_nothing_that_is_known() {
        let begin = Instant::now();
        let seen = |ms, frame_id| Seen { at: begin + Duration::from_millis(ms), frame_id };
        assert_eq!(pause(&[seen(0, 900), seen(50, 901), seen(3000, 0)]).unwrap().lost, 0);
        assert_eq!(pause(&[seen(0, 900), seen(50, 901)]), None);
    }
}
