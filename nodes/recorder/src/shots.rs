//! For each prompt a picture and what it was painted from.

use mirror_contract::Frame;
use mirror_imaging::Image;
use std::collections::VecDeque;

/// How many of the newest sources are kept: as many as frames can be under way between encoder and recorder.
const SOURCES: usize = 8;
/// A prompt's shot is taken again after this time: later ones have settled.
const AGAIN_NS: i64 = 500_000_000;

/// What the mirror saw and what it showed: the same frame.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shot {
    /// What it saw.
    pub input: Image,
    /// What it showed.
    pub output: Image,
    /// When it was taken: nanoseconds of the caller's clock.
    pub taken_ns: i64,
}

/// Keeps the newest sources, and for each prompt the newest picture whose source was among them.
#[derive(Debug, Default)]
pub struct Shots {
    sources: VecDeque<(i64, Image)>,
    shots: Vec<Option<Shot>>,
}

impl Shots {
    /// Room for a shot of each of so many prompts.
    #[must_use]
    pub fn new(prompts: usize) -> Self {
        Self { sources: VecDeque::with_capacity(SOURCES), shots: vec![None; prompts] }
    }

    /// Room for one prompt more.
    pub fn more(&mut self) {
        self.shots.push(None);
    }

    /// Something to paint from has come. It is copied: a recorder must not hold on to the sender's memory.
    pub fn source(&mut self, frame: &Frame) {
        let mut image = if self.sources.len() < SOURCES {
            Image::default()
        } else {
            self.sources.pop_front().map(|(_, image)| image).unwrap_or_default()
        };
        copy(frame, &mut image);
        self.sources.push_back((frame.header.stamp.frame_id, image));
    }

    /// A picture of that prompt has come.
    pub fn picture(&mut self, frame: &Frame, prompt: usize, now_ns: i64) {
        let Some(slot) = self.shots.get_mut(prompt) else { return };
        if slot.as_ref().is_some_and(|shot| now_ns - shot.taken_ns < AGAIN_NS) {
            return;
        }
        let id = frame.header.stamp.frame_id;
        let Some((_, input)) = self.sources.iter().rev().find(|(source, _)| *source == id) else { return };
        let shot = slot.get_or_insert_default();
        shot.input.clone_from(input);
        copy(frame, &mut shot.output);
        shot.taken_ns = now_ns;
    }

    /// The shot of each prompt; `None`: no picture of it was shown.
    #[must_use]
    pub fn shots(&self) -> &[Option<Shot>] {
        &self.shots
    }
}

/// Takes over a frame's pixels, in the buffer that is there.
pub fn copy(frame: &Frame, image: &mut Image) {
    image.height = frame.height;
    image.width = frame.width;
    image.pixels.clear();
    image.pixels.extend_from_slice(&frame.pixels);
}

#[cfg(test)]
mod tests {
    use super::*;
    use mirror_contract::{Header, Stamp};

    fn frame(frame_id: i64, value: u8) -> Frame {
        let stamp = Stamp { stream: "house".to_owned(), frame_id, captured_ns: frame_id };
        let header = Header::of(stamp);
        Frame { header, height: 2, width: 2, pixels: vec![value; 12].into() }
    }

    #[test]
    fn a_shot_is_of_one_frame() {
        let mut shots = Shots::new(1);
        for id in 0..5 {
            shots.source(&frame(id, 10 + id as u8));
        }
        shots.picture(&frame(2, 200), 0, 0);
        let shot = shots.shots()[0].as_ref().expect("a shot");
        assert_eq!((shot.input.pixels[0], shot.output.pixels[0]), (12, 200));
    }

    #[test]
    fn a_picture_whose_source_is_gone_makes_no_shot() {
        let mut shots = Shots::new(1);
        for id in 0..20 {
            shots.source(&frame(id, 0));
        }
        shots.picture(&frame(11, 0), 0, 0);
        assert_eq!(shots.shots(), [None]);
        shots.picture(&frame(12, 0), 0, 0);
        assert!(shots.shots()[0].is_some());
    }

    #[test]
    fn a_later_shot_replaces_an_earlier_one_but_not_at_once() {
        let mut shots = Shots::new(2);
        let mut shown = |id: i64, now_ns| {
            shots.source(&frame(id, 0));
            shots.picture(&frame(id, id as u8), 1, now_ns);
            shots.shots()[1].as_ref().map(|shot| shot.output.pixels[0])
        };
        assert_eq!(shown(1, 0), Some(1));
        assert_eq!(shown(2, AGAIN_NS - 1), Some(1));
        assert_eq!(shown(3, AGAIN_NS), Some(3));
        assert_eq!(shots.shots()[0], None);
    }

    #[test]
    fn a_prompt_that_is_not_on_the_list_is_nobodys() {
        let mut shots = Shots::new(1);
        shots.source(&frame(0, 0));
        shots.picture(&frame(0, 0), 7, 0);
        assert_eq!(shots.shots(), [None]);
    }
}
