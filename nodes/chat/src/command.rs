//! A line → what it asks for.

use mirror_contract::Settings;
use mirror_contract::parameters::{Kind, PARAMETERS, Parameter};
use serde_json::Value;
use std::fmt::Write;

/// What a line asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// A new value.
    Set(&'static Parameter, Value),
    /// The value that is in force, and its range.
    Ask(&'static Parameter),
    /// All settings.
    Show,
    /// The commands.
    Help,
    /// To leave.
    Quit,
    /// An empty line.
    Nothing,
}

/// Reads a line: `/command value`, or a prompt.
///
/// # Errors
/// No such command, or a value that its parameter does not allow: what is wrong and what would be right.
pub fn parse(line: &str) -> Result<Command, String> {
    let line = line.trim();
    let Some(command) = line.strip_prefix('/') else {
        // A plain line is a prompt, without the slash.
        return if line.is_empty() { Ok(Command::Nothing) } else { set(&PARAMETERS[0], line) };
    };
    let (name, value) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
    match name {
        "show" => return Ok(Command::Show),
        "help" | "?" => return Ok(Command::Help),
        "quit" | "exit" | "q" => return Ok(Command::Quit),
        _ => {}
    }
    let parameter = PARAMETERS.iter().find(|parameter| parameter.command == name || parameter.name == name);
    let parameter = parameter.ok_or_else(|| {
        let name: String = name.chars().take(32).collect();
        format!("there is no command /{name}; /help lists them")
    })?;
    match value.trim() {
        "" => Ok(Command::Ask(parameter)),
        value => set(parameter, value),
    }
}

fn set(parameter: &'static Parameter, text: &str) -> Result<Command, String> {
    let is_text = matches!(parameter.kind, Kind::Text { .. });
    // Two quotes are the only way to type an empty text.
    let text = if is_text && text == "\"\"" { "" } else { text };
    match parameter.parse(text) {
        Ok(value) if parameter.allows(&value) => Ok(Command::Set(parameter, value)),
        _ => {
            let shown: String = text.chars().take(32).collect();
            Err(format!("/{} takes {}, not {shown}", parameter.command, parameter.range()))
        }
    }
}

/// A value as people type it.
#[must_use]
pub fn typed(value: &Value) -> String {
    match value {
        Value::Bool(true) => "on".to_owned(),
        Value::Bool(false) => "off".to_owned(),
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The commands, one a line.
#[must_use]
pub fn help() -> String {
    let mut help = "Type a prompt, or:\n".to_owned();
    for parameter in PARAMETERS {
        let _ = writeln!(help, "  /{:<12} {} ({})", parameter.command, parameter.text, parameter.range());
    }
    help += "  /show         All settings.\n  /help         This.\n  /quit         Leaves; the mirror goes on.\n";
    help += "A command without a value says the one in force. \"\" is an empty text.";
    help
}

/// All settings, one a line, each as it would be typed.
#[must_use]
pub fn show(settings: &Settings) -> String {
    let values = settings.values();
    let line = |parameter: &Parameter| {
        let value = values.get(parameter.name).map(typed).unwrap_or_default();
        format!("/{} {value}", parameter.command)
    };
    PARAMETERS.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// One setting and its range.
#[must_use]
pub fn answer(parameter: &Parameter, settings: &Settings) -> String {
    let value = settings.values().get(parameter.name).map(typed).unwrap_or_default();
    format!("/{} {value} ({})", parameter.command, parameter.range())
}
