//! What the value of an option is: what may be typed, and the form in which dora takes it.

use std::net::IpAddr;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The first half of the page's address.
    Host,
    /// The second half of it.
    Port,
    /// A port, an address, or `off`.
    Listener,
    /// Words.
    Text,
    /// A path, seen from where the command line is typed.
    File,
    /// On or off.
    Switch,
    /// The name of one of Real-Time LCM's pipelines.
    Pipeline,
    /// A whole number of such things.
    Count(&'static str),
    /// A time.
    Seconds,
    /// A size.
    Mebibytes,
}

impl Kind {
    /// Whether it is but half of the key's value.
    #[must_use]
    pub fn is_half(self) -> bool {
        matches!(self, Self::Host | Self::Port)
    }

    /// A value that somebody typed, if it can be one; what it means in the end is for the node to say.
    ///
    /// # Errors
    /// It cannot: "not …".
    pub fn read(self, text: &str) -> Result<String, &'static str> {
        let text = text.trim();
        let is_number = |text: &str| text.trim().parse::<f64>().is_ok_and(f64::is_finite);
        let is_whole = |text: &str| text.split(' ').next().is_some_and(|number| number.parse::<u32>().is_ok());
        let wrong = match self {
            Self::Host if text.parse::<IpAddr>().is_err() => Some("not an address like 127.0.0.1"),
            Self::Port if text.parse::<u16>().is_err() => Some("not a port from 0 to 65535"),
            Self::Count(_) if !is_whole(text) => Some("not a whole number"),
            Self::Seconds if !is_number(text.trim_end_matches('s')) => Some("not a number of seconds"),
            Self::Mebibytes if !is_number(text.trim_end_matches("MiB")) => Some("not a number of MiB"),
            _ => None,
        };
        wrong.map_or_else(|| Ok(text.to_owned()), Err)
    }

    /// dora takes no value that looks like a number: a port gets a colon before it, a count a word behind it, a time its
    /// unit. A value that has them already stays as it is.
    #[must_use]
    pub fn for_dora(self, value: &str) -> String {
        let value = value.trim();
        if self == Self::Pipeline {
            return mode(value).to_owned();
        }
        if value.parse::<f64>().is_err() {
            return value.to_owned();
        }
        match self {
            Self::Listener => format!(":{value}"),
            Self::Seconds => format!("{value}s"),
            Self::Mebibytes => format!("{value}MiB"),
            Self::Count(things) => format!("{value} {things}"),
            Self::Switch => if value == "0" { "off" } else { "on" }.to_owned(),
            // A token of digits goes into a file; no other text is meant to be a number.
            Self::Host | Self::Port | Self::Text | Self::File | Self::Pipeline => value.to_owned(),
        }
    }
}

/// Real-Time LCM's pipelines have names of their own: those of text begin alike.
fn mode(pipeline: &str) -> &'static str {
    let is_text = pipeline == "text" || pipeline.starts_with("txt2img");
    if is_text { "text" } else { "image" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_dora_gets_looks_like_a_number_and_saying_it_twice_changes_nothing() {
        for (kind, value, expected) in [
            (Kind::Listener, "7861", ":7861"),
            (Kind::Listener, "off", "off"),
            (Kind::Seconds, " 2.5", "2.5s"),
            (Kind::Mebibytes, "4", "4MiB"),
            (Kind::Count("visitors"), "8", "8 visitors"),
            (Kind::Switch, "1", "on"),
            (Kind::Pipeline, "txt2imgLora", "text"),
            (Kind::Pipeline, "controlnet", "image"),
            (Kind::Text, "house", "house"),
        ] {
            let told = kind.for_dora(value);
            assert_eq!(told, expected);
            assert!(told.parse::<f64>().is_err(), "{told}");
            assert_eq!(kind.for_dora(&told), told);
        }
    }

    #[test]
    fn a_value_may_have_its_unit_and_is_refused_where_it_is_no_number() {
        for (kind, good, bad) in [
            (Kind::Host, "::1", "localhost"),
            (Kind::Port, "8090", "80900"),
            (Kind::Count("visitors"), "8 visitors", "some visitors"),
            (Kind::Count("percent"), "85", "85%"),
            (Kind::Seconds, "2.5 s", "soon"),
            (Kind::Mebibytes, "4MiB", "inf"),
        ] {
            assert_eq!(kind.read(good), Ok(good.to_owned()));
            assert!(kind.read(bad).unwrap_err().starts_with("not a"), "{bad}");
        }
    }
}
