//! The graph's end of the streams: what comes from it.

use super::{Streams, lock};
use crate::discreet::discreet;
use crate::press::Shot;
use mirror_contract::{Frame, HOUSE, Notice, Prompt, Settings, Stamp, VISITOR};
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// How often `control` hears which streams are alive: it keeps the settings of others for ten minutes.
const ALIVE_NS: i64 = 60_000_000_000;

impl Streams {
    /// The encoder has taken up a visitor's picture.
    pub fn taken(&self, stamp: &Stamp) {
        self.0.gate.change(|admission| admission.taken(&stamp.stream, stamp.frame_id));
    }

    /// A picture has come, taken up at `received_ns`, after `drops` others were dropped on the way here.
    pub fn picture(&self, mut frame: Frame, received_ns: i64, drops: i64) {
        if let Cow::Owned(source) = discreet(&frame.header.source) {
            frame.header.source = source;
        }
        let stamp = &frame.header.stamp;
        let stream = if stamp.stream.starts_with(VISITOR) {
            let painted = |admission: &mut super::admission::Admission<_>| {
                admission.painted(&stamp.stream, stamp.frame_id, received_ns)
            };
            // Nobody waits for what was given up, or belongs to a stream that has ended: a newer one may have its name.
            if !self.0.gate.change(painted) {
                return;
            }
            self.by_graph_name(&stamp.stream)
        } else {
            let known = self.by_graph_name(&stamp.stream);
            known.or_else(|| self.camera(&stamp.stream))
        };
        let Some(stream) = stream else { return };
        stream.write(|board| board.picture(&frame.header));
        let settings = stream.settings_of(stamp.frame_id);
        let before = self.source_of(&stream, &frame.header.stamp);
        self.0.press.offer(stream.easel(), Shot { frame, before, settings, received_ns, drops });
    }

    /// Settings of a stream have come.
    pub fn take(&self, settings: Settings) {
        let (is_house, name) = (settings.stream == HOUSE, settings.stream.clone());
        lock(&self.0.book).write(settings);
        // Whoever has no settings of its own follows the house.
        let concerns = |stream: &&Arc<super::Stream>| is_house || **stream.graph_name() == *name;
        let streams: Vec<_> = lock(&self.0.streams).values().filter(concerns).cloned().collect();
        // Not before: who opens a stream holds the streams first, and then the book.
        let book = lock(&self.0.book);
        streams.iter().for_each(|stream| stream.set(book.of(stream.graph_name())));
    }

    /// Somebody has something to say to people: to those of one stream at once, or to all with the next figures.
    pub fn notice(&self, notice: &Notice, at_ms: i64) {
        for stream in lock(&self.0.streams).values() {
            stream.notice(notice, at_ms);
        }
    }

    /// Words were heard.
    pub fn heard(&self, prompt: &Prompt) {
        self.by_graph_name(&prompt.stamp.stream).iter().for_each(|stream| stream.heard(prompt));
    }

    /// Time passes: figures and notices for all are said, streams whose owners are gone end, and now and then `control` hears which are alive.
    pub fn tick(&self, now_ns: i64) {
        let streams: Vec<Arc<super::Stream>> = lock(&self.0.streams).values().cloned().collect();
        streams.iter().for_each(|stream| stream.refresh());
        let says = now_ns - self.0.said_ns.load(Ordering::Relaxed) > ALIVE_NS;
        if says {
            self.0.said_ns.store(now_ns, Ordering::Relaxed);
        }
        self.tend(now_ns, says);
        self.keep_comparing();
    }

    /// The end: no picture goes into the graph any more.
    pub fn close(&self) {
        self.0.gate.close();
        self.0.press.close();
    }
}
