//! The thread that an operator lives in: made, run and ended there, and left behind if it never answers.

use crate::host::Runs;
use crate::instance::Instance;
use crate::library::Library;
use crate::sample::{Painted, Sample};
use eyre::{Result, WrapErr, bail, eyre};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

/// An operator in its thread, from outside. Dropping it ends the operator, in its own time.
#[derive(Debug)]
pub struct Worker {
    name: String,
    patience: Duration,
    jobs: Sender<Sample>,
    painted: Receiver<Result<Painted>>,
}

impl Worker {
    /// Loads the library and makes its operator, in a thread of its own. Neither making it nor any picture may take longer
    /// than `patience`.
    ///
    /// # Errors
    /// The library is refused, or its operator cannot be made, or not in time.
    pub fn start(path: PathBuf, patience: Duration) -> Result<Self> {
        let (jobs, waiting) = channel::<Sample>();
        let (answers, painted) = channel();
        let (ready, is_ready) = channel();
        let live = move || {
            let made = Library::load(&path).and_then(|library| Ok((library.name.clone(), Instance::new(library)?)));
            match made {
                Ok((name, mut instance)) => {
                    // An answer that nobody waits for any longer goes nowhere.
                    let _ = ready.send(Ok(name));
                    while let Ok(sample) = waiting.recv() {
                        let answer = instance.run(&sample);
                        // Let go of the sender's memory before the answer is out.
                        drop(sample);
                        let _ = answers.send(answer);
                    }
                }
                Err(error) => drop(ready.send(Err(error))),
            }
        };
        thread::Builder::new().name("operator".to_owned()).spawn(live).wrap_err("no thread for the operator")?;
        let name = is_ready.recv_timeout(patience).map_err(|fault| late(fault, patience))??;
        Ok(Self { name, patience, jobs, painted })
    }
}

impl Runs for Worker {
    fn name(&self) -> &str {
        &self.name
    }

    fn run(&mut self, sample: &Sample) -> Result<Painted> {
        if self.jobs.send(sample.clone()).is_err() {
            bail!("its thread has ended");
        }
        self.painted.recv_timeout(self.patience).map_err(|fault| late(fault, self.patience))?
    }
}

fn late(fault: RecvTimeoutError, patience: Duration) -> eyre::Report {
    match fault {
        RecvTimeoutError::Timeout => eyre!("it has not answered within {} ms", patience.as_millis()),
        RecvTimeoutError::Disconnected => eyre!("its thread has ended"),
    }
}
