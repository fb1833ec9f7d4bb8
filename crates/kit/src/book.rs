//! The newest settings of each stream.

use mirror_contract::{HOUSE, Settings, VISITOR};
use std::collections::HashMap;

/// Visitors whose settings are kept: more than `control` keeps, which says those of all streams again and again. The one of
/// which it has said nothing for longest goes.
const VISITORS: usize = 160;

/// Settings by stream. A stream that has none of its own has those of the house; before those come, the defaults.
#[derive(Debug, Default)]
pub struct Book {
    pages: HashMap<String, Settings>,
    /// The last settings of a stream with another pack than now.
    before: HashMap<String, Settings>,
    /// Visitors that have settings, and when these were said last.
    visitors: HashMap<String, u64>,
    /// Counts what was said.
    clock: u64,
    defaults: Settings,
}

impl Book {
    /// Takes settings in. Older ones than those in the book change nothing.
    pub fn write(&mut self, settings: Settings) {
        let newest = self.pages.get(&settings.stream).is_none_or(|page| page.version <= settings.version);
        if !newest {
            return;
        }
        if settings.stream.starts_with(VISITOR) {
            self.welcome(&settings.stream);
        }
        let pack = settings.pack.clone();
        let old = self.pages.insert(settings.stream.clone(), settings);
        if let Some(old) = old.filter(|old| old.pack != pack) {
            self.before.insert(old.stream.clone(), old);
        }
    }

    /// Notes that a visitor's settings were said, and forgets somebody else's if there are too many.
    fn welcome(&mut self, stream: &str) {
        self.clock += 1;
        self.visitors.insert(stream.to_owned(), self.clock);
        if self.visitors.len() > VISITORS
            && let Some(gone) = self.visitors.iter().min_by_key(|(_, said)| **said).map(|(stream, _)| stream.clone())
        {
            self.visitors.remove(&gone);
            self.pages.remove(&gone);
            self.before.remove(&gone);
        }
    }

    /// The settings of a stream.
    #[must_use]
    pub fn of(&self, stream: &str) -> &Settings {
        self.pages.get(stream).or_else(|| self.pages.get(HOUSE)).unwrap_or(&self.defaults)
    }

    /// The settings that a stream has with that pack, or last had with it. Settings that name no pack go with any.
    #[must_use]
    pub fn of_pack(&self, stream: &str, pack: &str) -> Option<&Settings> {
        let before = self.before.get(stream).or_else(|| self.before.get(HOUSE));
        let fits = |settings: &&Settings| settings.pack.is_empty() || settings.pack == pack;
        Some(self.of(stream)).filter(fits).or_else(|| before.filter(fits))
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
    fn what_was_begun_with_one_pack_is_finished_with_its_settings() {
        let mut book = Book::default();
        assert!(book.of_pack(HOUSE, "starter").is_some(), "a graph without control has one pack");
        let settings = |version, pack: &str, steps| {
            let (pack, stream) = (pack.to_owned(), HOUSE.to_owned());
            Settings { version, pack, steps, stream, ..Settings::default() }
        };
        book.write(settings(1, "starter", 1));
        book.write(settings(2, "starter", 2));
        book.write(settings(3, "sd15", 25));
        book.write(settings(4, "sd15", 20));
        assert_eq!(book.of_pack(HOUSE, "starter").map(|page| page.steps), Some(2));
        assert_eq!(book.of_pack("garden", "sd15").map(|page| page.steps), Some(20));
        assert_eq!(book.of_pack(HOUSE, "sdxl"), None);
    }

    #[test]
    fn visitors_come_and_go_and_do_not_fill_the_memory_and_cameras_stay() {
        let mut book = Book::default();
        let mut say = |stream: &str, seed| book.write(Settings { seed, ..Settings::of(stream) });
        say(HOUSE, 1);
        say("garden", 2);
        for visitor in 0..10_000 {
            say(&format!("{VISITOR}{visitor}"), visitor);
            say(&format!("{VISITOR}0"), 7);
        }
        assert_eq!(book.pages().count(), 2 + VISITORS);
        let seed = |stream: &str| book.of(stream).seed;
        assert_eq!((seed(HOUSE), seed("garden"), seed(&format!("{VISITOR}0"))), (1, 2, 7));
        assert_eq!((seed(&format!("{VISITOR}9999")), seed(&format!("{VISITOR}1"))), (9999, 1));
    }

    #[test]
    fn streams_do_not_see_each_others_settings() {
        let mut book = Book::default();
        book.write(Settings { seed: 5, ..Settings::of("guest") });
        assert_eq!(book.of("house").seed, Settings::default().seed);
    }
}
