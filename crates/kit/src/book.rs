//! The newest settings of each stream.

use mirror_contract::{HOUSE, Settings};
use std::collections::HashMap;

/// Settings by stream. A stream that has none of its own has those of the house; before those come, the defaults.
#[derive(Debug, Default)]
pub struct Book {
    pages: HashMap<String, Settings>,
    defaults: Settings,
}

impl Book {
    /// Takes settings in. Older ones than those in the book change nothing.
    pub fn write(&mut self, settings: Settings) {
        let newest = self.pages.get(&settings.stream).is_none_or(|page| page.version <= settings.version);
        if newest {
            self.pages.insert(settings.stream.clone(), settings);
        }
    }

    /// The settings of a stream.
    #[must_use]
    pub fn of(&self, stream: &str) -> &Settings {
        self.pages.get(stream).or_else(|| self.pages.get(HOUSE)).unwrap_or(&self.defaults)
    }

    /// All streams that have settings.
    pub fn pages(&self) -> impl Iterator<Item = &Settings> {
        self.pages.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_version_does_not_replace_a_newer_one() {
        let mut book = Book::default();
        let settings = |version, seed| Settings { version, seed, ..Settings::of("house") };
        book.write(settings(2, 20));
        book.write(settings(1, 10));
        assert_eq!(book.of("house").seed, 20);
    }

    #[test]
    fn a_stream_without_settings_of_its_own_follows_the_house() {
        let mut book = Book::default();
        book.write(Settings { seed: 7, ..Settings::of(HOUSE) });
        assert_eq!(book.of("garden").seed, 7);
        book.write(Settings { seed: 8, ..Settings::of("garden") });
        assert_eq!((book.of("garden").seed, book.of(HOUSE).seed), (8, 7));
    }

    #[test]
    fn streams_do_not_see_each_others_settings() {
        let mut book = Book::default();
        book.write(Settings { seed: 5, ..Settings::of("guest") });
        assert_eq!(book.of("house").seed, Settings::default().seed);
    }
}
