//! Fitting a text into a number of columns.

/// Breaks a text into lines of at most `columns` characters, between words where it can. Line breaks in it stay.
#[must_use]
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        let mut used = 0;
        for word in paragraph.split_whitespace() {
            let mut word: Vec<char> = word.chars().collect();
            if used > 0 && used + 1 + word.len() > columns {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            // A word longer than a line is cut.
            while word.len() > columns {
                lines.push(word.drain(..columns).collect());
            }
            if used > 0 {
                line.push(' ');
                used += 1;
            }
            used += word.len();
            line.extend(word);
        }
        lines.push(line);
    }
    lines
}

/// A text cut to `columns` characters; the last one is `…` if something is missing.
#[must_use]
pub fn shorten(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(columns.saturating_sub(1)).collect();
    if columns > 0 {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_and_long_words_are_cut() {
        assert_eq!(wrap("a pencil drawing of a cat", 10), ["a pencil", "drawing of", "a cat"]);
        assert_eq!(wrap("abcdefghij klm", 4), ["abcd", "efgh", "ij", "klm"]);
        assert_eq!(wrap("one\ntwo", 10), ["one", "two"]);
        assert_eq!(wrap("añb", 0), ["a", "ñ", "b"]);
        assert!(wrap("", 10).is_empty());
    }

    #[test]
    fn a_shortened_text_says_that_something_is_missing() {
        assert_eq!(shorten("neon lights", 11), "neon lights");
        assert_eq!(shorten("neon lights", 6), "neon …");
        assert_eq!(shorten("neon", 0), "");
    }
}
