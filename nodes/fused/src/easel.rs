//! A thread that paints while the one before is shown and the next one is encoded.

use crate::repaint::{Encoded, Painted, paint};
use diffusion::condition::{Between, Words};
use diffusion::paint::Painter;
use eyre::{Result, WrapErr, eyre};
use mirror_contract::Embedding;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

/// What is to be painted, and by which painter.
struct Job {
    painter: Painter,
    encoded: Encoded,
    embedding: Embedding,
    between: Option<Between>,
}

/// A picture that has been painted, or why not; the pack that it is of, and its painter.
pub struct Finished {
    /// The picture.
    pub painted: Result<Painted>,
    /// Of which pack the painter is.
    pub pack: String,
    /// The painter that was lent.
    pub painter: Painter,
}

/// The thread, from outside. It ends when this is dropped.
pub struct Easel {
    jobs: Sender<Job>,
    finished: Receiver<Finished>,
    busy: bool,
}

impl Easel {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub fn start() -> Result<Self> {
        let ((jobs, orders), (sender, finished)) = (channel::<Job>(), channel());
        let work = move || {
            for Job { mut painter, encoded, embedding, between } in orders {
                let pack = encoded.pack().to_owned();
                let words = Words { embedding: &embedding, between: between.as_ref() };
                let painted = paint(&mut painter, encoded, words);
                // Nobody waits for it: the node stops.
                if sender.send(Finished { painted, pack, painter }).is_err() {
                    return;
                }
            }
        };
        thread::Builder::new().name("paint".to_owned()).spawn(work).wrap_err("no thread to paint in")?;
        Ok(Self { jobs, finished, busy: false })
    }

    /// Whether something is being painted.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.busy
    }

    /// Begins to paint. The words are those of now.
    ///
    /// # Errors
    /// The thread has failed.
    pub fn begin(&mut self, painter: Painter, encoded: Encoded, words: Words) -> Result<()> {
        let (embedding, between) = (words.embedding.clone(), words.between.cloned());
        self.busy = true;
        self.jobs.send(Job { painter, encoded, embedding, between }).map_err(|_| failed())
    }

    /// What has been painted, waited for that long at most; for ever without a patience.
    ///
    /// # Errors
    /// The thread has failed.
    pub fn wait(&mut self, patience: Option<Duration>) -> Result<Option<Finished>> {
        let finished = match patience {
            None => self.finished.recv().map_err(|_| failed())?,
            Some(patience) => match self.finished.recv_timeout(patience) {
                Ok(finished) => finished,
                Err(RecvTimeoutError::Timeout) => return Ok(None),
                Err(RecvTimeoutError::Disconnected) => return Err(failed()),
            },
        };
        self.busy = false;
        Ok(Some(finished))
    }
}

fn failed() -> eyre::Report {
    eyre!("the painting thread has failed: see the lines above")
}
