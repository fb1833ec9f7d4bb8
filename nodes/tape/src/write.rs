//! The thread that writes, and how far it is.

use crate::backlog::Backlog;
use crate::config::Config;
use eyre::{Result, WrapErr};
use mirror_contract::{DoraArray, MetadataParameters};
use mirror_kit::start::one_line;
use mirror_tape::reel::{Fault, Written};
use mirror_tape::{Payload, Reel, Taped};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

/// A recording with its thread.
pub struct Recording {
    backlog: Arc<Backlog>,
    progress: Arc<Mutex<Progress>>,
    thread: Option<JoinHandle<()>>,
}

/// How far a recording is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// What has been written.
    pub written: Written,
    /// Messages that the disk was too slow for.
    pub dropped: u64,
    /// Messages that cannot be recorded, and what is wrong with the last one.
    pub refused: (u64, String),
    /// Why the recording is over, if the disk ended it.
    pub fault: Option<String>,
}

impl Progress {
    /// For people: `12.3 MiB, 340 messages, 0 dropped`.
    #[must_use]
    pub fn line(&self) -> String {
        let Self { written: Written { messages, bytes, files }, dropped, .. } = self;
        let files = if *files > 1 { format!(" in {files} files") } else { String::new() };
        format!("{:.1} MiB{files}, {messages} messages, {dropped} dropped", *bytes as f64 / 1_048_576.0)
    }
}

impl Recording {
    /// Begins a recording.
    ///
    /// # Errors
    /// The file exists or cannot be made; the disk is as good as full.
    pub fn start(path: &Path, config: &Config) -> Result<Self> {
        Self::of(Reel::create(path, config.pictures, config.limits)?, config.backlog_bytes)
    }

    fn of(reel: Reel, backlog_bytes: usize) -> Result<Self> {
        let backlog = Arc::new(Backlog::new(backlog_bytes));
        let progress = Arc::new(Mutex::new(Progress::default()));
        let (waiting, shown) = (Arc::clone(&backlog), Arc::clone(&progress));
        let thread = thread::Builder::new().name("tape".to_owned()).spawn(move || write(reel, &waiting, &shown));
        Ok(Self { backlog, progress, thread: Some(thread.wrap_err("no thread to write with")?) })
    }

    /// Takes a message in, if there is room for it.
    pub fn take(&self, topic: &str, log_ns: i64, parameters: &MetadataParameters, data: &DoraArray) {
        if !self.backlog.has_room(Payload::size_of(data)) {
            return;
        }
        match Taped::of(topic, log_ns, parameters, data) {
            Ok(taped) => self.backlog.push(taped),
            Err(error) => refuse(&mut lock(&self.progress), &error.wrap_err(topic.to_owned())),
        }
    }

    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        Progress { dropped: self.backlog.dropped(), ..lock(&self.progress).clone() }
    }

    /// Writes what waits, and the end.
    pub fn finish(mut self) -> Progress {
        self.backlog.close();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            lock(&self.progress).fault.get_or_insert("the thread that writes has panicked".to_owned());
        }
        self.progress()
    }
}

fn lock(progress: &Mutex<Progress>) -> MutexGuard<'_, Progress> {
    // Plain figures: a thread that panicked has left nothing half done.
    progress.lock().unwrap_or_else(PoisonError::into_inner)
}

fn refuse(progress: &mut Progress, error: &eyre::Report) {
    progress.refused = (progress.refused.0 + 1, one_line(error));
}

fn write(mut reel: Reel, backlog: &Backlog, progress: &Mutex<Progress>) {
    let mut fault = None;
    while let Some(taped) = backlog.pop() {
        let written = reel.write(&taped);
        let mut progress = lock(progress);
        progress.written = reel.written();
        match written {
            Ok(()) => {}
            Err(Fault::Message(error)) => refuse(&mut progress, &error.wrap_err(taped.topic)),
            Err(Fault::Disk(error)) => {
                fault = Some(error);
                break;
            }
        }
    }
    if fault.is_some() {
        backlog.give_up();
    }
    let reason = fault.as_ref().map_or("stopped", |_| "the disk was full");
    let ended = reel.finish(reason, backlog.dropped()).map(drop);
    let fault = fault.or(ended.err());
    lock(progress).fault = fault.as_ref().map(one_line);
}

#[cfg(test)]
mod tests {
    use super::*;
    use mirror_contract::{Frame, Header, Message, Stamp};
    use mirror_kit::disk::Room;
    use mirror_tape::{Pictures, Reader};
    use std::time::{Duration, Instant};

    #[test]
    fn a_disk_that_fills_up_ends_the_recording_with_the_reason_and_what_comes_then_is_counted() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.mcap");
        // The second look, after eight megabytes, is one too many.
        let room = Room::for_looks(1);
        let reel = Reel::within(&path, Pictures::Raw, 0, room).expect("it begins");
        let recording = Recording::of(reel, 1 << 30).expect("a thread");
        let begin = Instant::now();
        for frame_id in 0.. {
            let stamp = Stamp { stream: "house".to_owned(), frame_id, captured_ns: frame_id };
            let pixels = vec![frame_id as u8; 1000 * 1000 * 3];
            let frame = Frame { header: Header::of(stamp), height: 1000, width: 1000, pixels: pixels.into() };
            let (parameters, data) = frame.encode();
            recording.take("camera/frame", frame_id, &parameters, &data);
            if recording.progress().dropped > 0 {
                break;
            }
            assert!(begin.elapsed() < Duration::from_secs(60), "it does not end");
            thread::sleep(Duration::from_millis(20));
        }
        let progress = recording.finish();
        let fault = progress.fault.unwrap_or_default();
        assert!(fault.ends_with("has 10 MiB free, and a recording leaves 10 MiB: make room"), "{fault}");
        assert_eq!((progress.written.messages, progress.written.files), (3, 1));
        let mut reader = Reader::open(&path).expect("it is there");
        assert_eq!(reader.by_ref().filter(Result::is_ok).count(), 3);
        assert_eq!(reader.remark(), None);
    }
}
