//! What a language model does, whichever it is, and the bounds of its answer.

use eyre::Result;
use std::time::Instant;

/// Words of an answer, at most.
pub const MOST_WORDS: usize = 60;
/// Tokens of an answer, at most: a model that spells or never stops is stopped there.
pub const MOST_TOKENS: usize = 160;

/// The form of an answer as GBNF, the grammar of llama.cpp: one line of at most [`MOST_WORDS`] words of at most 24
/// letters, digits and ordinary marks, with single spaces between.
#[must_use]
pub fn grammar() -> String {
    let more = MOST_WORDS - 1;
    format!("root ::= \" \"? word (\" \" word){{0,{more}}}\nword ::= [a-zA-Z0-9'’,.;:!?()\\-À-ÖØ-öø-ÿ]{{1,24}}\n")
}

/// What a model has answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// An answer.
    Words(String),
    /// It would have come too late.
    Late,
}

/// A model that follows instructions.
pub trait Model {
    /// What it is, for people.
    fn text(&self) -> String;

    /// Answers what somebody said, by instructions that may be empty. After `until` nobody waits for the answer.
    ///
    /// # Errors
    /// It does not run, or what was said does not fit into it.
    fn answer(&mut self, instructions: &str, said: &str, until: Instant) -> Result<Answer>;

    /// Reads the instructions ahead of the first wish.
    ///
    /// # Errors
    /// It does not run, or they do not fit into it.
    fn prepare(&mut self, instructions: &str) -> Result<()>;
}

/// An answer as a prompt: one line, no quotes around it, at most [`MOST_WORDS`] words. `None`: nothing is left.
#[must_use]
pub fn clean(answer: &str) -> Option<String> {
    let line = answer.trim().lines().next().unwrap_or("");
    let line = line.trim_matches(|letter: char| letter.is_whitespace() || matches!(letter, '"' | '“' | '”' | '`'));
    let words: Vec<&str> = line.split_whitespace().filter(|word| !word.chars().any(char::is_control)).collect();
    let text = words[..words.len().min(MOST_WORDS)].join(" ");
    text.chars().any(char::is_alphanumeric).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_answer_is_its_first_line_without_quotes() {
        assert_eq!(
            clean("  \"comic book style,  bold outlines\"\nVisitor: ").as_deref(),
            Some("comic book style, bold outlines")
        );
        assert_eq!(clean("neon").as_deref(), Some("neon"));
    }

    #[test]
    fn an_answer_without_a_word_is_none() {
        for text in ["", " \n", "\"\"", "...", "\u{7}"] {
            assert_eq!(clean(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_grammar_allows_at_most_that_many_words() {
        assert!(grammar().contains("{0,59}"));
    }

    proptest! {
        #[test]
        fn any_answer_is_one_line_of_at_most_sixty_words(text in any::<String>()) {
            if let Some(text) = clean(&text) {
                prop_assert!(text.lines().count() == 1 && text.split(' ').count() <= MOST_WORDS);
            }
        }
    }
}
