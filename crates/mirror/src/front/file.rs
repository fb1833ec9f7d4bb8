//! The file `.env` beside the dataflow file.

use super::kind::Kind;
use super::table::{self, PREFIX, ROWS};
use eyre::{Result, WrapErr, bail, eyre};
use std::collections::BTreeMap;
use std::path::Path;

/// Its name.
pub const NAME: &str = ".env";
/// Where all listeners are, Real-Time LCM's `HOST`: a half of `WEB_ADDRESS`, and no key of a node.
pub const HOST: &str = "--host";

/// The pairs of that file, Real-Time LCM's names as ours; none where there is no file.
///
/// # Errors
/// It cannot be read, or a key under the page's prefix is none.
pub fn read(path: &Path) -> Result<BTreeMap<String, String>> {
    if !path.is_file() {
        return Ok(BTreeMap::new());
    }
    let name = path.display();
    let mut pairs = BTreeMap::new();
    for pair in dotenvy::from_path_iter(path).wrap_err_with(|| name.to_string())? {
        let (key, value) = pair.map_err(|error| eyre!("{name}: {error}"))?;
        let key = match ROWS.iter().find(|row| row.is_called(&key)) {
            Some(row) if row.kind == Kind::Host => HOST.to_owned(),
            Some(row) => row.key.to_owned(),
            None => key,
        };
        if key.starts_with(PREFIX) && table::keys().all(|known| known.name != key) {
            let known: Vec<&str> = table::keys().map(|known| known.name).collect();
            bail!("{name}: {key} is not a setting; there are {}", known.join(", "));
        }
        pairs.insert(key, value);
    }
    Ok(pairs)
}
