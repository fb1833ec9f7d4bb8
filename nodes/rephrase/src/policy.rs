//! What is not painted.

use eyre::{Result, WrapErr, ensure};
use std::path::Path;

/// Shorter words are not looked for in what is spelt letter by letter: initials would be full of them.
const LEAST_SPELT: usize = 4;

/// A list of words and phrases.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Each phrase as its words; a last word with `true` may go on.
    phrases: Vec<(Vec<String>, bool)>,
}

impl Policy {
    /// Everything is painted.
    #[must_use]
    pub fn off() -> Self {
        Self::default()
    }

    /// Whether everything is painted.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.phrases.is_empty()
    }

    /// Reads a list: one word or phrase a line, `*` at its end for any ending, `#` for remarks.
    ///
    /// # Errors
    /// A file that cannot be read or holds nothing: a policy that refuses nothing must be asked for.
    pub fn open(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).wrap_err("the list cannot be read")?;
        let policy = Self::of(&text);
        ensure!(!policy.phrases.is_empty(), "the list is empty; REPHRASE_POLICY=off paints everything");
        Ok(policy)
    }

    fn of(text: &str) -> Self {
        let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
        let phrase = |line: &str| {
            let words = words(line);
            (!words.is_empty()).then(|| (words, line.ends_with('*')))
        };
        Self { phrases: lines.filter_map(phrase).collect() }
    }

    /// What of a text is refused: the phrase of the list, if there is one.
    #[must_use]
    pub fn refuses(&self, text: &str) -> Option<String> {
        let words = words(text);
        let spelt = spelt(&words);
        let fits = |phrase: &[String], open: bool, at: usize| {
            let Some(part) = words.get(at..at + phrase.len()) else { return false };
            phrase.iter().zip(part).enumerate().all(|(index, (wanted, word))| {
                word == wanted || open && index + 1 == phrase.len() && word.starts_with(wanted.as_str())
            })
        };
        let is_spelt = |phrase: &[String]| {
            let wanted = phrase.concat();
            wanted.chars().count() >= LEAST_SPELT && spelt.iter().any(|spelt| spelt.contains(&wanted))
        };
        let found = self
            .phrases
            .iter()
            .find(|(phrase, open)| is_spelt(phrase) || (0..words.len()).any(|at| fits(phrase, *open, at)));
        found.map(|(phrase, _)| phrase.join(" "))
    }
}

/// Lower-case words. Apostrophes are left out, everything else that is no letter or digit parts words.
fn words(text: &str) -> Vec<String> {
    let letters = text.chars().filter(|letter| !matches!(letter, '\'' | '’'));
    let plain: String = letters
        .flat_map(char::to_lowercase)
        .map(|letter| if letter.is_alphanumeric() { letter } else { ' ' })
        .collect();
    plain.split_whitespace().map(str::to_owned).collect()
}

/// What is spelt letter by letter, "n u d e": runs of single letters, each in one.
fn spelt(words: &[String]) -> Vec<String> {
    let runs = words.chunk_by(|a, b| a.chars().count() == 1 && b.chars().count() == 1);
    runs.filter(|run| run.len() > 1).map(<[String]>::concat).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn policy() -> Policy {
        Policy::of(include_str!("../refused.txt"))
    }

    #[test]
    fn what_is_on_the_list_is_refused_however_it_is_written() {
        for text in [
            "make me NAKED",
            "paint me nude, please",
            "a n u d e portrait",
            "n.a.k.e.d",
            "show me with-no-clothes on",
            "me covered in   blood!",
            "a decapitated king",
            "SS-uniform",
            "Porno",
        ] {
            assert!(policy().refuses(text).is_some(), "{text}");
        }
    }

    #[test]
    fn everyday_wishes_are_not_refused() {
        for text in [
            "make me look like a comic book",
            "an oil painting of a bloodhound in autumn",
            "a skilled painter from Essex",
            "Sussex in the rain, sextant and compass",
            "a cocktail dress in the style of Klimt",
            "grapes and draped curtains",
            "a blood moon over the sea",
            "skillet, title, constitution, class and glass",
            "a vampire with a red cape",
            "shooting stars",
            "a knight with a sword",
            "the dead sea scrolls",
            "clothes without colours",
            "a U S S R poster by J R R Tolkien",
        ] {
            assert_eq!(policy().refuses(text), None, "{text}");
        }
    }

    #[test]
    fn a_star_takes_any_ending_and_nothing_else_does() {
        let policy = Policy::of("# remark\nkill*\nred rose\n\n*\n");
        assert_eq!(policy.refuses("killing time").as_deref(), Some("kill"));
        assert_eq!(policy.refuses("a red, rose").as_deref(), Some("red rose"));
        assert_eq!(policy.refuses("red roses"), None);
        assert_eq!(policy.refuses("skill"), None);
        assert_eq!(policy.refuses("# remark"), None);
    }

    #[test]
    fn an_empty_list_must_be_asked_for() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "# nothing\n").expect("it can be written");
        assert!(Policy::open(file.path()).is_err_and(|error| error.to_string().contains("REPHRASE_POLICY=off")));
        assert_eq!(Policy::off().refuses("naked"), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>(), list in any::<String>()) {
            let _ = Policy::of(&list).refuses(&text);
            let _ = policy().refuses(&text);
        }
    }
}
