//! What of a transcript is words, and what nobody said.

use crate::hear::Heard;
use eyre::{Result, WrapErr};
use std::collections::HashSet;
use std::path::Path;

/// What whisper writes when nobody speaks, one sentence a line.
const REFUSED: &str = include_str!("../refused.txt");
/// A phrase of at most so many words that comes so often in a row is a loop of the model's, not speech.
const LOOP_WORDS: usize = 6;
const LOOP_TIMES: usize = 4;
/// No prompt is longer, in characters: the contract takes 2,000.
const LONGEST: usize = 1000;

/// From where on nothing was said.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gates {
    /// The greatest probability that nobody speaks.
    pub no_speech: f32,
    /// The least mean log-probability of the tokens; `None` is as the model writes.
    pub log_probability: Option<f32>,
}

/// Below it a whisper model has guessed: `logprob_threshold` of whisper's `transcribe.py`.
const GUESSED: f32 = -1.0;
/// Below it one that writes letter by letter has. Measured with a starter model that wrote nothing but letters: of what its voices ask
/// for in noise a tenth less was painted right, and four tenths less wrong.
const GUESSED_SPELLED: f32 = -0.25;

impl Gates {
    /// Whether somebody spoke, and was not understood.
    #[must_use]
    pub fn is_guess(&self, heard: &Heard) -> bool {
        // Whatever is no number is no certainty.
        heard.no_speech <= self.no_speech
            && (heard.log_probability.is_nan() || heard.log_probability < self.least(heard))
    }

    fn least(&self, heard: &Heard) -> f32 {
        self.log_probability.unwrap_or(if heard.is_spelled() { GUESSED_SPELLED } else { GUESSED })
    }
}

/// Sentences that nobody said.
#[derive(Debug, Clone)]
pub struct Refused(HashSet<String>);

impl Default for Refused {
    /// The node's own list.
    fn default() -> Self {
        Self::of(REFUSED)
    }
}

impl Refused {
    /// Reads a list: one sentence a line, lines with `#` are remarks.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn open(path: &Path) -> Result<Self> {
        Ok(Self::of(&std::fs::read_to_string(path).wrap_err("the list cannot be read")?))
    }

    fn of(text: &str) -> Self {
        let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
        Self(lines.map(plain).filter(|line| !line.is_empty()).collect())
    }
}

/// The words of what was heard.
///
/// # Errors
/// Nothing was said: why, for the log.
pub fn words(heard: &Heard, gates: Gates, refused: &Refused) -> Result<String, String> {
    let text = clean(&heard.text);
    let sentence = plain(&text);
    if sentence.is_empty() {
        return Err("no words".to_owned());
    }
    if heard.no_speech > gates.no_speech {
        return Err(format!("probably nobody spoke ({:.2}): \"{text}\"", heard.no_speech));
    }
    if gates.is_guess(heard) {
        let least = gates.least(heard);
        return Err(format!("guessed ({:.2}, STT_LOG_PROBABILITY is {least}): \"{text}\"", heard.log_probability));
    }
    if refused.0.contains(&sentence) {
        return Err(format!("what whisper writes when nobody speaks: \"{text}\""));
    }
    if is_loop(&sentence) {
        return Err(format!("the same again and again: \"{}\"", text.chars().take(60).collect::<String>()));
    }
    Ok(text.chars().take(LONGEST).collect())
}

/// The text without what is no speech, `[BLANK_AUDIO]`, `(music)`, `*coughs*`, `♪`, and without leading dashes; one line.
fn clean(text: &str) -> String {
    let mut out = String::new();
    let mut closing: Option<char> = None;
    for letter in text.chars() {
        match (closing, letter) {
            (Some(end), letter) if letter == end => closing = None,
            (Some(_), _) => {}
            (None, '[') => closing = Some(']'),
            (None, '(') => closing = Some(')'),
            (None, '*') => closing = Some('*'),
            (None, '♪' | '♫' | '\u{fffd}') => {}
            (None, letter) => out.push(if letter.is_control() { ' ' } else { letter }),
        }
    }
    let line = out.split_whitespace().collect::<Vec<_>>().join(" ");
    line.trim_start_matches(['-', '–', '>', ' ', '.', ',']).to_owned()
}

/// Letters and digits in lower case, with single spaces: what is compared.
fn plain(text: &str) -> String {
    let letters = text.chars().map(|letter| if letter.is_alphanumeric() || letter == '\'' { letter } else { ' ' });
    let lower: String = letters.flat_map(char::to_lowercase).filter(|letter| *letter != '\'').collect();
    lower.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a phrase comes again and again, at any place.
fn is_loop(sentence: &str) -> bool {
    let words: Vec<&str> = sentence.split(' ').collect();
    (1..=LOOP_WORDS).any(|len| {
        let mut same = 0;
        (len..words.len()).any(|at| {
            same = if words[at] == words[at - len] { same + 1 } else { 0 };
            same >= len * (LOOP_TIMES - 1)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GATES: Gates = Gates { no_speech: 0.6, log_probability: None };

    fn said(text: &str) -> Result<String, String> {
        let heard = Heard { text: text.to_owned(), no_speech: 0.1, log_probability: -0.3, tokens: 1 };
        words(&heard, GATES, &Refused::default())
    }

    #[test]
    fn words_are_handed_on_in_one_line_as_they_were_said() {
        assert_eq!(said(" Make me look like\n a comic book.").as_deref(), Ok("Make me look like a comic book."));
        assert_eq!(said("- Neon lights (laughs), please! ♪").as_deref(), Ok("Neon lights , please!"));
        assert_eq!(said("Ein Ölgemälde, bitte.").as_deref(), Ok("Ein Ölgemälde, bitte."));
    }

    #[test]
    fn what_is_no_speech_is_no_prompt() {
        for text in ["", " ", "[BLANK_AUDIO]", "(music playing)", "*sighs*", "...", "♪♪♪", "[", "- "] {
            assert_eq!(said(text), Err("no words".to_owned()), "{text:?}");
        }
    }

    #[test]
    fn what_whisper_writes_when_nobody_speaks_is_refused_whatever_its_case_and_marks() {
        for text in
            ["Thank you.", "thanks for watching!", " you", "Thanks for watching, and don't forget to subscribe."]
        {
            assert!(said(text).is_err_and(|why| why.starts_with("what whisper writes")), "{text:?}");
        }
        assert!(said("Thank you, now make it a thank you card").is_ok());
    }

    #[test]
    fn a_loop_is_refused_and_a_word_that_is_said_twice_is_not() {
        assert!(said("blue blue blue blue").is_err_and(|why| why.starts_with("the same")));
        assert!(said(&"in the sky ".repeat(5)).is_err_and(|why| why.starts_with("the same")));
        assert!(said(&format!("a boat {}", "and a cat ".repeat(9))).is_err());
        assert!(said("very very blue, blue like the sea").is_ok());
        assert!(said("no no no, make it red").is_ok());
    }

    #[test]
    fn silence_and_guesses_are_refused() {
        let heard = |no_speech, log_probability| {
            let heard = Heard { text: "neon".to_owned(), no_speech, log_probability, tokens: 1 };
            words(&heard, GATES, &Refused::default())
        };
        assert!(heard(0.6, -1.0).is_ok());
        assert!(heard(0.7, -0.1).is_err_and(|why| why.contains("nobody spoke")));
        assert!(heard(0.0, -1.1).is_err_and(|why| why.contains("guessed")));
        assert!(heard(0.0, f32::NAN).is_err_and(|why| why.contains("guessed")));
    }

    #[test]
    fn who_writes_letter_by_letter_must_be_surer_unless_a_limit_is_given() {
        let spelled = Heard { text: "neon blue ".to_owned(), no_speech: 0.0, log_probability: -0.3, tokens: 8 };
        assert!(words(&spelled, GATES, &Refused::default()).is_err_and(|why| why.contains("-0.25")));
        assert!(words(&Heard { log_probability: -0.2, ..spelled.clone() }, GATES, &Refused::default()).is_ok());
        let given = Gates { log_probability: Some(-1.0), ..GATES };
        assert!(words(&spelled, given, &Refused::default()).is_ok());
        // Two tokens of a model that knows words.
        assert!(words(&Heard { tokens: 2, ..spelled }, GATES, &Refused::default()).is_ok());
    }

    #[test]
    fn a_list_of_ones_own_replaces_the_nodes() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "# mine\nGood night!\n\n").expect("it can be written");
        let refused = Refused::open(file.path()).expect("it can be read");
        let heard = |text: &str| Heard { text: text.to_owned(), ..Heard::default() };
        assert!(words(&heard("good night"), GATES, &refused).is_err());
        assert!(words(&heard("Thank you."), GATES, &refused).is_ok());
        assert!(words(&heard("# mine"), GATES, &refused).is_ok());
    }

    proptest! {
        #[test]
        fn any_text_is_one_line_of_a_bounded_length_or_refused(text in ".*") {
            if let Ok(text) = said(&text) {
                prop_assert!(!text.contains('\n') && !text.is_empty() && text.chars().count() <= LONGEST);
            }
        }
    }
}
