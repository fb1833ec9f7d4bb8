//! The table as options of the command line.

use super::kind::Kind;
use super::table::{self, ROWS};
use clap::{ArgMatches, Args, Command, FromArgMatches};
use std::collections::BTreeMap;

/// What the command line says: values by their options' names.
#[derive(Debug, Clone, Default)]
pub struct Options(BTreeMap<&'static str, String>);

impl Options {
    /// The value of that option, if it was given.
    #[must_use]
    pub fn get(&self, flag: &str) -> Option<&str> {
        self.0.get(flag).map(String::as_str)
    }
}

impl Args for Options {
    fn augment_args(command: Command) -> Command {
        command.args(ROWS.iter().filter_map(|row| Some(row.arg(table::key(row.key)?))))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Options {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let said = ROWS.iter().filter_map(|row| {
            let value = match row.kind {
                Kind::Switch => matches.get_flag(row.flag).then(|| "on".to_owned()),
                _ => matches.get_one::<String>(row.flag).cloned(),
            };
            Some((row.flag, value?))
        });
        Ok(Self(said.collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
