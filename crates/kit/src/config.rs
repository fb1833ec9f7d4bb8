//! Configuration from the environment, which the dataflow file sets.
//!
//! A node lists its keys once ([`Key`]); its README's table and its errors come from that list. A key under the node's
//! prefix that is not in the list is refused: a misspelt key never passes silently.

use eyre::{Result, bail, eyre};
use std::collections::BTreeMap;
use std::str::FromStr;

/// One key of a node's configuration.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its name with the node's prefix: `CAMERA_SOURCE`. Units are suffixed: `VAD_SILENCE_MS`.
    pub name: &'static str,
    /// Its value when it is not set.
    pub default: &'static str,
    /// What it does, for people.
    pub text: &'static str,
}

/// Where the pack lies, for every node that has to do with packs.
pub const PACK: Key = Key { name: "MIRROR_PACK", default: "models/starter", text: "Directory of the model pack" };

/// Where other packs lie.
pub const PACKS: Key = Key {
    name: "MIRROR_PACKS",
    default: "",
    text: "Other packs: their directories, or directories that hold packs, with `:` between. Empty: beside the model pack",
};

/// How much memory packs may take.
pub const PACKS_OPEN: Key = Key {
    name: "MIRROR_PACKS_OPEN",
    default: "2",
    text: "How many packs may be open at once, 1 to 16. With 1 the pack is never changed while it runs",
};

/// The values of a node's keys.
#[derive(Debug, Clone)]
pub struct Environment {
    prefix: &'static str,
    keys: &'static [Key],
    values: BTreeMap<String, String>,
}

impl Environment {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// A key that starts with the node's prefix (up to the first `_` of its first key) and is not listed.
    pub fn read(keys: &'static [Key]) -> Result<Self> {
        // Values that are not Unicode cannot be ours; they are looked at only if they are under our prefix.
        let pairs = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())));
        Self::of(keys, pairs)
    }

    /// Reads the given pairs and nothing else: for tests.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn given<'a>(keys: &'static [Key], pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self> {
        Self::of(keys, pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())))
    }

    /// Reads the given pairs.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn of(keys: &'static [Key], pairs: impl IntoIterator<Item = (String, String)>) -> Result<Self> {
        let prefix = keys.first().and_then(|key| key.name.split_inclusive('_').next()).unwrap_or("_");
        let mut values = BTreeMap::new();
        for (name, value) in pairs {
            if keys.iter().any(|key| key.name == name) {
                values.insert(name, value);
            } else if name.starts_with(prefix) {
                let known = keys.iter().map(|key| key.name).collect::<Vec<_>>().join(", ");
                bail!("{name} is not a setting of this node; its settings are {known}");
            }
        }
        Ok(Self { prefix, keys, values })
    }

    /// The node's prefix with its `_`: `CAMERA_`.
    #[must_use]
    pub fn prefix(&self) -> &'static str {
        self.prefix
    }

    /// The value of a listed key, or its default.
    ///
    /// # Panics
    /// If the key is not listed: a fault of the program, which its first test finds.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        let key = self.keys.iter().find(|key| key.name == name);
        let key = key.unwrap_or_else(|| panic!("{name} is not listed among the node's keys"));
        self.values.get(name).map_or(key.default, String::as_str)
    }

    /// The value as a `T`; `expected` says in the error what it should have been: `a number from 1 to 240`.
    ///
    /// # Errors
    /// A value that does not parse.
    pub fn parse<T: FromStr>(&self, name: &str, expected: &str) -> Result<T> {
        let text = self.text(name);
        text.trim().parse().map_err(|_| eyre!("{name}=\"{text}\" is not {expected}"))
    }

    /// The value as a number within a range.
    ///
    /// # Errors
    /// A value that does not parse or lies outside.
    pub fn within<T: FromStr + PartialOrd + Copy + std::fmt::Display>(&self, name: &str, min: T, max: T) -> Result<T> {
        let expected = format!("a number from {min} to {max}");
        let value: T = self.parse(name, &expected)?;
        if value >= min && value <= max { Ok(value) } else { bail!("{name}=\"{}\" is not {expected}", self.text(name)) }
    }

    /// The value as a number of a unit, which may stand behind it or not: `20` or `20s`. dora's command line takes no value
    /// that looks like a number.
    ///
    /// # Errors
    /// A value that does not parse or lies outside.
    pub fn quantity(&self, name: &str, unit: Unit, [min, max]: [f64; 2]) -> Result<f64> {
        let (text, Unit { short, long }) = (self.text(name).trim(), unit);
        match text.strip_suffix(short).unwrap_or(text).trim().parse::<f64>() {
            Ok(value) if (min..=max).contains(&value) => Ok(value),
            _ => bail!("{name}=\"{text}\" is not a number of {long} from {min} to {max}: 20 or 20{short}"),
        }
    }

    /// The value as a switch: on/off, true/false, yes/no, 1/0.
    ///
    /// # Errors
    /// Any other value.
    pub fn switch(&self, name: &str) -> Result<bool> {
        match self.text(name).trim().to_ascii_lowercase().as_str() {
            "on" | "true" | "yes" | "1" => Ok(true),
            "off" | "false" | "no" | "0" => Ok(false),
            _ => bail!("{name}=\"{}\" is neither on nor off", self.text(name)),
        }
    }
}

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    short: &'static str,
    long: &'static str,
}

impl Unit {
    /// `20s`.
    pub const SECONDS: Self = Self { short: "s", long: "seconds" };
    /// `20MiB`.
    pub const MIB: Self = Self { short: "MiB", long: "MiB" };
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: &[Key] = &[
        Key { name: "CAMERA_SOURCE", default: "auto", text: "" },
        Key { name: "CAMERA_FPS", default: "30", text: "" },
        Key { name: "MIRROR_PACK", default: "models/starter", text: "" },
    ];

    fn environment(pairs: &[(&str, &str)]) -> Result<Environment> {
        Environment::given(KEYS, pairs.iter().copied())
    }

    #[test]
    fn a_key_that_is_not_set_has_its_default() {
        let environment = environment(&[("PATH", "/bin")]).expect("nothing is wrong");
        assert_eq!(environment.text("CAMERA_SOURCE"), "auto");
        assert_eq!(environment.within("CAMERA_FPS", 1, 240).expect("30 is fine"), 30);
    }

    #[test]
    fn an_unknown_key_under_the_prefix_is_refused_with_the_known_ones() {
        let error = environment(&[("CAMERA_SORCE", "0")]).expect_err("misspelt").to_string();
        let expected =
            "CAMERA_SORCE is not a setting of this node; its settings are CAMERA_SOURCE, CAMERA_FPS, MIRROR_PACK";
        assert_eq!(error, expected);
    }

    #[test]
    fn an_unknown_key_under_another_prefix_is_not_ours() {
        assert!(environment(&[("MIRROR_OTHER", "0"), ("VAD_X", "1")]).is_ok());
    }

    #[test]
    fn a_value_that_does_not_parse_names_its_key() {
        let environment = environment(&[("CAMERA_FPS", "fast")]).expect("the key is known");
        let error = environment.within("CAMERA_FPS", 1, 240).expect_err("not a number").to_string();
        assert_eq!(error, "CAMERA_FPS=\"fast\" is not a number from 1 to 240");
    }

    #[test]
    fn a_value_out_of_range_names_its_range() {
        let environment = environment(&[("CAMERA_FPS", "0")]).expect("the key is known");
        let error = environment.within("CAMERA_FPS", 1, 240).expect_err("out of range").to_string();
        assert_eq!(error, "CAMERA_FPS=\"0\" is not a number from 1 to 240");
    }
}
