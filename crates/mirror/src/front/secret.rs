//! The access token, in a file of its own.

use crate::house::House;
use crate::overrides::Overrides;
use eyre::{Result, WrapErr};
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use uuid::Uuid;

/// The key that says where the token lies.
pub const KEY: &str = "WEB_TOKEN_FILE";
/// Where the token lies, so that it is in no list of processes.
pub const PATH: &str = ".mirror/token";

/// The token of the mirror that runs in that house: for programs of this machine that ask its page.
#[must_use]
pub fn token(house: &House, overrides: &Overrides) -> Option<String> {
    let said = overrides.get("WEB_TOKEN").cloned().or_else(|| std::env::var("WEB_TOKEN").ok());
    // A mirror that was not told of it does not ask for it either.
    let path = || house.value(overrides, KEY).unwrap_or_else(|| PATH.to_owned());
    let said = said.or_else(|| fs::read_to_string(house.root.join(path())).ok());
    said.map(|token| token.trim().to_owned()).filter(|token| !token.is_empty())
}

/// The token in a file of one's own; `None`: there is none.
///
/// # Errors
/// It cannot be read.
pub fn own(house: &House, overrides: &Overrides) -> Result<Option<String>> {
    let Some(path) = overrides.get(KEY).filter(|path| !path.trim().is_empty()) else { return Ok(None) };
    let text = fs::read_to_string(house.root.join(path.trim())).wrap_err_with(|| format!("{KEY}={path}"))?;
    Ok(Some(text.trim().to_owned()).filter(|token| !token.is_empty()))
}

/// The token of the last time, or a new one.
///
/// # Errors
/// The one of the last time cannot be read.
pub fn kept(house: &House) -> Result<String> {
    let path = house.root.join(PATH);
    if !path.is_file() {
        return Ok(Uuid::new_v4().simple().to_string());
    }
    let text = fs::read_to_string(&path).wrap_err_with(|| path.display().to_string())?;
    Ok(text.trim().to_owned())
}

/// Keeps the token where only this user reads it.
///
/// # Errors
/// It cannot be written.
pub fn keep(house: &House, token: &str) -> Result<()> {
    let path = house.root.join(PATH);
    let write = || {
        fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        let _ = fs::remove_file(&path);
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        writeln!(file, "{token}")
    };
    write().wrap_err_with(|| format!("the access token cannot be kept in {}", path.display()))
}
