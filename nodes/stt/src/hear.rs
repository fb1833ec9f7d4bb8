//! What a transcriber does, whichever it is.

use eyre::Result;

/// Samples a second of everything that is heard.
pub const RATE_HZ: usize = 16_000;
/// Whisper's positions a second: one for 20 ms.
pub const POSITIONS_A_SECOND: usize = 50;
/// Silence that is heard after an utterance: whisper ends a sentence in it.
const AFTER: usize = RATE_HZ / 2;
/// Positions go in steps, so that few different sizes are computed.
const POSITIONS_STEP: usize = 16;
/// Less is never heard: whisper takes a second at least.
const LEAST: usize = RATE_HZ + RATE_HZ / 20;

/// What was heard in one utterance.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Heard {
    /// The words, as they came.
    pub text: String,
    /// Probability that nobody speaks, 0 to 1.
    pub no_speech: f32,
    /// Mean natural logarithm of the tokens' probabilities, the end among them: 0 is sure, −1 is doubtful.
    pub log_probability: f32,
    /// Tokens of the text: words and parts of words.
    pub tokens: usize,
}

impl Heard {
    /// Whether it is written letter by letter, as the starter's model writes words that it does not know: a model is surer of a letter than of a
    /// word.
    #[must_use]
    pub fn is_spelled(&self) -> bool {
        let letters = self.text.chars().filter(|letter| !letter.is_whitespace());
        self.text.is_ascii() && letters.count() == self.tokens
    }
}

/// Something that writes down what it hears.
pub trait Transcriber {
    /// What it is, for people: model and what it runs on.
    fn text(&self) -> String;

    /// Writes down an utterance: 16 kHz, −1 to 1.
    ///
    /// # Errors
    /// It does not run.
    fn hear(&mut self, samples: &[f32]) -> Result<Heard>;
}

/// A piece of an utterance, as the model gets it: padded with silence.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// 16 kHz.
    pub samples: Vec<f32>,
    /// The positions that the encoder works on: the piece's length, and not 30 s.
    pub positions: usize,
}

/// Cuts an utterance into pieces that fit into `positions`, the model's own length. Most are one piece.
#[must_use]
pub fn pieces(samples: &[f32], positions: usize) -> Vec<Piece> {
    let window = (positions * RATE_HZ / POSITIONS_A_SECOND).saturating_sub(AFTER).max(RATE_HZ / 2);
    let count = samples.len().div_ceil(window).max(1);
    let even = samples.len().div_ceil(count).max(1);
    let piece = |samples: &[f32]| {
        let mut samples = samples.to_vec();
        samples.resize((samples.len() + AFTER).max(LEAST), 0.0);
        let needed = (samples.len() * POSITIONS_A_SECOND).div_ceil(RATE_HZ).next_multiple_of(POSITIONS_STEP);
        Piece { samples, positions: needed.min(positions) }
    };
    samples.chunks(even).map(piece).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoder_works_on_the_utterance_and_not_on_thirty_seconds() {
        let pieces = pieces(&vec![0.1; 2 * RATE_HZ], 1500);
        assert_eq!(pieces.len(), 1);
        assert_eq!((pieces[0].samples.len(), pieces[0].positions), (40_000, 128));
    }

    #[test]
    fn a_single_word_is_padded_to_what_whisper_takes() {
        let pieces = pieces(&vec![0.1; RATE_HZ / 4], 1500);
        assert_eq!((pieces[0].samples.len(), pieces[0].positions), (LEAST, 64));
    }

    #[test]
    fn a_minute_is_heard_in_pieces_that_fit_and_nothing_is_left_out() {
        for positions in [200, 512, 1500] {
            let samples: Vec<f32> = (0..60 * RATE_HZ).map(|at| at as f32).collect();
            let pieces = pieces(&samples, positions);
            let heard: Vec<f32> =
                pieces.iter().flat_map(|piece| &piece.samples[..piece.samples.len() - AFTER]).copied().collect();
            assert_eq!(heard, samples);
            for piece in &pieces {
                assert!(piece.positions <= positions);
                assert!(piece.samples.len() * POSITIONS_A_SECOND <= positions * RATE_HZ, "{}", piece.samples.len());
            }
        }
    }

    #[test]
    fn nothing_at_all_is_nothing() {
        assert_eq!(pieces(&[], 1500), []);
    }
}
