//! Options of Real-Time LCM that mean nothing here. They are taken all the same, so that its command line can be pasted, and
//! each is named.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

/// Those without a value. The last three and the two below are of the edition with NDI and Syphon.
const SWITCHES: &[&str] = &[
    "reload",
    "safety-checker",
    "torch-compile",
    "taesd",
    "no-taesd",
    "debug",
    "compel",
    "sfast",
    "onediff",
    "ndi-send",
    "syphon-send",
    "syphon-flip-vertical",
];
/// Those with a value.
const NAMES: &[&str] = &["ndi-name", "syphon-name"];

/// Those that the command line has.
#[derive(Debug, Clone, Default)]
pub struct Idle(Vec<&'static str>);

impl Idle {
    /// What people are to be told of them; `None`: there are none.
    #[must_use]
    pub fn notice(&self) -> Option<String> {
        let flags: Vec<String> = self.0.iter().map(|flag| format!("--{flag}")).collect();
        (!flags.is_empty()).then(|| format!("of Real-Time LCM's options these mean nothing here: {}", flags.join(", ")))
    }
}

impl Args for Idle {
    fn augment_args(command: Command) -> Command {
        let switch = |flag: &&'static str| Arg::new(*flag).long(*flag).hide(true).action(ArgAction::SetTrue);
        let name = |flag: &&'static str| Arg::new(*flag).long(*flag).hide(true).action(ArgAction::Set);
        command.args(SWITCHES.iter().map(switch)).args(NAMES.iter().map(name))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Idle {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let switches = SWITCHES.iter().filter(|flag| matches.get_flag(flag));
        let names = NAMES.iter().filter(|flag| matches.contains_id(flag));
        Ok(Self(switches.chain(names).copied().collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
