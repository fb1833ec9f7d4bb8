//! The settings over the end of this node: brought back at the start, kept whenever they change.

use crate::keeper::Keeper;
use crate::ledger::Ledger;
use crate::state;
use eyre::{Result, bail};
use mirror_contract::{Level, SettingsUpdate};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// The state file, if there is one.
pub struct Memory {
    keeper: Option<Keeper>,
    run: String,
    /// The version that was kept last.
    kept: i64,
}

impl Memory {
    /// Brings the settings of the last time back, then sets those to `start` with: in a run of the dataflow that has kept
    /// settings already not, because people have made something else of them since, whether this node crashed or was replaced.
    /// Says what is to be said of that. Without a path nothing is kept.
    ///
    /// # Errors
    /// Settings to start with that are not allowed; there is no thread to write with.
    pub fn begin(
        path: Option<&Path>,
        ledger: &mut Ledger,
        start: &SettingsUpdate,
        run: &str,
    ) -> Result<(Self, Vec<(Level, String)>)> {
        let (back, remarks) = path.map_or((None, Vec::new()), |path| bring_back(path, ledger));
        if back.as_deref() != Some(run)
            && let Some(refusal) = ledger.update(start).refusals.first()
        {
            bail!("{} for stream {:?}: {refusal}", start.origin, start.stream);
        }
        let keeper = path.map(|path| Keeper::start(path.to_owned())).transpose()?;
        // What is there by now is kept with the first message, whether it changes anything or not.
        Ok((Self { keeper, run: run.to_owned(), kept: -1 }, remarks))
    }

    /// Keeps the settings if they have changed.
    pub fn keep(&mut self, ledger: &Ledger) {
        if let Some(keeper) = self.keeper.as_ref().filter(|_| self.kept != ledger.version()) {
            keeper.keep(state::write(ledger, &self.run));
            self.kept = ledger.version();
        }
    }

    /// What is wrong with the state file since this was last asked.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        self.keeper.as_ref()?.fault()
    }
}

/// The run whose settings are back, and what is to be said of it.
fn bring_back(path: &Path, ledger: &mut Ledger) -> (Option<String>, Vec<(Level, String)>) {
    let shown = path.display();
    let anew = |fault: String| (None, vec![(Level::Warning, format!("{shown} {fault}: settings start anew"))]);
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return (None, Vec::new()),
        Err(error) => return anew(format!("cannot be read ({error})")),
    };
    let (run, refusals) = match state::read(&text, ledger) {
        Ok(read) => read,
        Err(error) => return anew(format!("is damaged ({error:#})")),
    };
    let mut remarks = vec![(Level::Info, format!("the settings of the last time are back ({shown})"))];
    remarks.extend(refusals.into_iter().map(|refusal| (Level::Warning, refusal)));
    (Some(run), remarks)
}
