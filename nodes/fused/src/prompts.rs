//! The prompts as the UNet reads them: of each pack, and in it of each stream.

use diffusion::condition::Words;
use diffusion::fade::Faded;
use mirror_contract::{Embedding, HOUSE};
use std::collections::HashMap;

/// All embeddings that have come.
#[derive(Debug, Default)]
pub struct Prompts(HashMap<String, HashMap<String, Faded>>);

impl Prompts {
    /// Takes one in, on a way of `fade_ms` from the one before; those of packs that are not `held` any more go.
    pub fn take(&mut self, embedding: Embedding, now_ns: i64, fade_ms: i64, held: impl Fn(&str) -> bool) {
        self.0.retain(|pack, _| held(pack));
        Faded::take(self.0.entry(embedding.pack.clone()).or_default(), embedding, now_ns, fade_ms);
    }

    /// What a stream is painted as with that pack: its own prompt, else the house's. `None`: none has come yet.
    pub fn of(&mut self, stream: &str, pack: &str, now_ns: i64) -> Option<Words<'_>> {
        let of_pack = self.0.get_mut(pack)?;
        let whose = if of_pack.contains_key(stream) { stream } else { HOUSE };
        Some(of_pack.get_mut(whose)?.words(now_ns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn embedding(stream: &str, pack: &str, prompt: &str) -> Embedding {
        Embedding {
            stream: stream.to_owned(),
            version: 0,
            pack: pack.to_owned(),
            prompt: prompt.to_owned(),
            negative_prompt: String::new(),
            shape: [2, 1, 2],
            values: vec![1.0, 0.0, 0.0, 1.0].into(),
            pooled: None,
        }
    }

    #[test]
    fn a_stream_without_a_prompt_of_its_own_is_painted_as_the_house() {
        let mut prompts = Prompts::default();
        assert!(prompts.of("house", "starter", 0).is_none());
        prompts.take(embedding("house", "starter", "neon"), 0, 0, |_| true);
        prompts.take(embedding("guest", "starter", "pencil"), 0, 0, |_| true);
        let mut prompt = |stream| prompts.of(stream, "starter", 1).map(|words| words.embedding.prompt.clone());
        assert_eq!(prompt("garden").as_deref(), Some("neon"));
        assert_eq!(prompt("guest").as_deref(), Some("pencil"));
    }

    #[test]
    fn prompts_of_a_pack_that_is_not_open_any_more_are_forgotten() {
        let mut prompts = Prompts::default();
        prompts.take(embedding("house", "starter", "neon"), 0, 0, |_| true);
        prompts.take(embedding("house", "sd15", "neon"), 0, 0, |pack| pack == "sd15");
        assert!(prompts.of("house", "starter", 1).is_none() && prompts.of("house", "sd15", 1).is_some());
    }
}
