//! THE table of options: one beside each key of the page's node. A key's name, default and text are the node's own, so nothing
//! of it is said twice.

use super::kind::Kind;
use clap::{Arg, ArgAction};
use eyre::{Result, eyre};
use mirror_kit::Key;
use web::config::KEYS;

/// Where `--help` lists them.
const HEADING: &str = "The page and other systems' clients (also in the environment and in .env)";
/// What all keys of the page's node begin with: an unknown one is misspelt.
pub const PREFIX: &str = "WEB_";
/// Where the page is: both halves of it.
pub const ADDRESS: &str = "WEB_ADDRESS";

/// An option and its key.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Its name, without the dashes.
    pub flag: &'static str,
    /// What its value is called in the help.
    value: &'static str,
    /// The key that it sets.
    pub key: &'static str,
    /// What its value is.
    pub kind: Kind,
    /// Its other name.
    alias: Option<&'static str>,
    /// Its value when none is given.
    missing: Option<&'static str>,
    /// The option that contradicts it.
    against: Option<&'static str>,
    /// What Real-Time LCM calls it.
    theirs: Theirs,
    words: Words,
}

/// What Real-Time LCM's own configuration calls the same thing.
#[derive(Debug, Clone, Copy)]
enum Theirs {
    Nothing,
    // HOST and PORT in a process's environment are somebody else's: many shells call their machine so, and whatever starts
    // services tells them a port. PIPELINE is no name of its environment, and as general.
    InFile(&'static str),
    Anywhere(&'static str),
}

/// What the help says.
#[derive(Debug, Clone, Copy)]
enum Words {
    /// The key's text.
    Own,
    /// The key's text, and what only the option can do.
    And(&'static str),
    /// Something else: the key's text is of more than this option.
    Instead(&'static str),
}

/// All options, in the order of the node's keys.
pub const ROWS: &[Row] = &[
    row("host", "ADDRESS", ADDRESS, Kind::Host).in_file("HOST").instead(
        "Where all listeners are: 127.0.0.1 for this machine only, 0.0.0.0 for the network. WEB_ADDRESS has the page's port behind it.",
    ),
    row("port", "PORT", ADDRESS, Kind::Port).instead("The page's port. Clients of other systems have ports of their own."),
    row("stream", "NAME", "WEB_STREAM", Kind::Text),
    row("jpeg-quality", "QUALITY", "WEB_JPEG_QUALITY", Kind::Count("percent")),
    row("clients-max", "WATCHERS", "WEB_CLIENTS_MAX", Kind::Count("watchers")),
    row("streams-max", "STREAMS", "WEB_STREAMS_MAX", Kind::Count("streams")),
    row("streams-per-address", "STREAMS", "WEB_STREAMS_PER_ADDRESS", Kind::Count("streams")),
    row("silence-max", "SECONDS", "WEB_SILENCE_MAX", Kind::Seconds),
    row("realtime", "PORT", "WEB_REALTIME", Kind::Listener).in_file("PORT"),
    row("live", "PORT", "WEB_LIVE", Kind::Listener),
    row("dream", "PORT", "WEB_DREAM", Kind::Listener),
    row("token", "TOKEN", "WEB_TOKEN", Kind::Text).missing("").and("Without a value one is made up, kept and shown."),
    row("token-file", "FILE", "WEB_TOKEN_FILE", Kind::File).against("token"),
    row("open", "", "WEB_OPEN", Kind::Switch).against("token"),
    row("origins", "SITES", "WEB_ORIGINS", Kind::Text),
    row("tls", "HOW", "WEB_TLS", Kind::Text).missing("self-signed").and("Without a value: self-signed."),
    row("ssl-certfile", "FILE", "WEB_TLS_CERTIFICATE", Kind::File).alias("tls-certificate"),
    row("ssl-keyfile", "FILE", "WEB_TLS_KEY", Kind::File).alias("tls-key"),
    row("max-queue-size", "VISITORS", "WEB_QUEUE_MAX", Kind::Count("visitors")).anywhere("MAX_QUEUE_SIZE"),
    row("timeout", "SECONDS", "WEB_SESSION_MAX", Kind::Seconds).anywhere("TIMEOUT"),
    row("pipeline", "NAME", "WEB_REALTIME_MODE", Kind::Pipeline)
        .in_file("PIPELINE")
        .and("Names of its pipelines do as well: txt2img and its like are text, all others image."),
    row("message-max", "MIB", "WEB_MESSAGE_MAX", Kind::Mebibytes),
    row("messages-max", "MESSAGES", "WEB_MESSAGES_MAX", Kind::Count("messages")),
    row("requests-max", "REQUESTS", "WEB_REQUESTS_MAX", Kind::Count("requests")),
    row("idle-max", "SECONDS", "WEB_IDLE_MAX", Kind::Seconds),
];

/// All keys that have an option.
pub fn keys() -> impl Iterator<Item = &'static Key> {
    KEYS.iter().filter(|key| key.name.starts_with(PREFIX))
}

/// The node's own words on a key.
#[must_use]
pub fn key(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

const fn row(flag: &'static str, value: &'static str, key: &'static str, kind: Kind) -> Row {
    let (alias, missing, against) = (None, None, None);
    Row { flag, value, key, kind, alias, missing, against, theirs: Theirs::Nothing, words: Words::Own }
}

impl Row {
    const fn alias(self, flag: &'static str) -> Self {
        Self { alias: Some(flag), ..self }
    }

    const fn missing(self, value: &'static str) -> Self {
        Self { missing: Some(value), ..self }
    }

    const fn against(self, flag: &'static str) -> Self {
        Self { against: Some(flag), ..self }
    }

    const fn in_file(self, name: &'static str) -> Self {
        Self { theirs: Theirs::InFile(name), ..self }
    }

    const fn anywhere(self, name: &'static str) -> Self {
        Self { theirs: Theirs::Anywhere(name), ..self }
    }

    const fn and(self, more: &'static str) -> Self {
        Self { words: Words::And(more), ..self }
    }

    const fn instead(self, text: &'static str) -> Self {
        Self { words: Words::Instead(text), ..self }
    }

    /// Whether Real-Time LCM's own `.env` has it under that name.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        matches!(self.theirs, Theirs::InFile(theirs) | Theirs::Anywhere(theirs) if theirs == name)
    }

    /// What the environment says of it under Real-Time LCM's name.
    ///
    /// # Errors
    /// It is no value: named as it is called there.
    pub fn theirs(&self, environment: impl Fn(&str) -> Option<String>) -> Result<Option<String>> {
        let Theirs::Anywhere(name) = self.theirs else { return Ok(None) };
        let Some(text) = environment(name).filter(|text| !text.trim().is_empty()) else { return Ok(None) };
        self.kind.read(&text).map(Some).map_err(|wrong| eyre!("{name}=\"{text}\" is {wrong}"))
    }

    /// As an option of the command line.
    #[must_use]
    pub fn arg(&self, key: &Key) -> Arg {
        let mut arg = Arg::new(self.flag).long(self.flag).help_heading(HEADING).help(self.help(key));
        if let Some(alias) = self.alias {
            arg = arg.alias(alias);
        }
        if let Some(other) = self.against {
            arg = arg.conflicts_with(other);
        }
        if self.kind == Kind::Switch {
            return arg.action(ArgAction::SetTrue);
        }
        let kind = self.kind;
        arg = arg.value_name(self.value).value_parser(move |text: &str| kind.read(text));
        if let Some(value) = self.missing {
            arg = arg.num_args(0..=1).default_missing_value(value);
        }
        arg
    }

    /// Text, names and default.
    fn help(&self, key: &Key) -> String {
        let text = match self.words {
            Words::Own => key.text.to_owned(),
            Words::And(more) => format!("{} {more}", key.text),
            Words::Instead(text) => text.to_owned(),
        };
        let theirs = match self.theirs {
            Theirs::Nothing => String::new(),
            Theirs::InFile(name) => format!(" [.env: {name}]"),
            Theirs::Anywhere(name) => format!(" [env: {name}]"),
        };
        let default = match (self.kind, key.default.rsplit_once(':')) {
            (Kind::Host, Some((host, _))) => host,
            (Kind::Port, Some((_, port))) => port,
            _ if key.default.is_empty() => "none",
            _ => key.default,
        };
        // The key's text is Markdown.
        format!("{}\n[env: {}]{theirs} [default: {default}]", text.replace('`', ""), key.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn help(flag: &str) -> String {
        let row = ROWS.iter().find(|row| row.flag == flag).expect("an option");
        row.help(key(row.key).expect("a key"))
    }

    #[test]
    fn every_key_of_the_page_has_an_option_and_every_option_a_key() {
        for key in keys() {
            assert!(ROWS.iter().any(|row| row.key == key.name), "{} has no option", key.name);
        }
        for row in ROWS {
            assert!(keys().any(|key| key.name == row.key), "--{} is of no key", row.flag);
        }
    }

    #[test]
    fn the_help_of_each_has_its_text_its_name_in_the_environment_and_its_default() {
        for row in ROWS {
            let (key, help) = (key(row.key).expect("a key"), help(row.flag));
            assert!(help.contains(&format!("\n[env: {}]", key.name)) && help.contains(" [default: "), "{help}");
            assert!(!help.contains('`') && !help.starts_with('\n'), "{help}");
        }
        assert_eq!(help("live"), "The same for clients of Live Diffusion.\n[env: WEB_LIVE] [default: 8000]");
        assert!(help("host").ends_with("\n[env: WEB_ADDRESS] [.env: HOST] [default: 127.0.0.1]"));
        assert!(help("port").ends_with("\n[env: WEB_ADDRESS] [default: 8080]"));
        assert!(help("timeout").ends_with("\n[env: WEB_SESSION_MAX] [env: TIMEOUT] [default: 0s]"));
        assert!(help("origins").ends_with(" [default: none]"));
    }
}
