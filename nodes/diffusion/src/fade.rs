//! From one prompt to the next: an embedding that is on its way.
//!
//! Embeddings of different prompts point in different directions, and the straight line between two of them passes where
//! no prompt's embedding lies. So each token's vector is turned instead: spherical interpolation (Shoemake 1985).

use crate::condition::{Between, Words};
use mirror_contract::{Embedding, VISITOR};
use std::collections::HashMap;

/// Below this sine of the angle two vectors are parallel as far as can be computed: the straight line is as good.
const PARALLEL: f32 = 1e-3;

/// A visitor's prompt that has not been said again for this long, in nanoseconds, is forgotten: `control` says those of all
/// streams again within a few seconds, until they end.
const FORGET_NS: i64 = 60_000_000_000;

/// The embedding of a prompt, and the way to it from the one before.
#[derive(Debug, Clone)]
pub struct Faded {
    embedding: Embedding,
    /// When it was said last.
    said_ns: i64,
    fade: Option<Fade>,
}

/// A way that has not been gone to its end.
#[derive(Debug, Clone)]
struct Fade {
    from: Between,
    /// What is painted: computed for every frame in the same memory.
    now: Between,
    begun_ns: i64,
    length_ns: i64,
}

impl Faded {
    /// An embedding with none before it.
    #[must_use]
    pub fn of(embedding: Embedding) -> Self {
        Self { embedding, said_ns: 0, fade: None }
    }

    /// Takes an embedding in among those of all streams: see [`change`](Self::change). Those of visitors who are gone go.
    pub fn take(all: &mut HashMap<String, Self>, embedding: Embedding, now_ns: i64, length_ms: i64) {
        if let Some(faded) = all.get_mut(&embedding.stream) {
            faded.change(embedding, now_ns, length_ms);
        } else {
            all.retain(|stream, faded| !stream.starts_with(VISITOR) || now_ns - faded.said_ns < FORGET_NS);
            all.insert(embedding.stream.clone(), Self { said_ns: now_ns, ..Self::of(embedding) });
        }
    }

    /// Another embedding takes its place at `now_ns`, on a way of `length_ms` milliseconds. One of the same prompts comes again
    /// every second, and changes nothing; one of another shape takes its place at once.
    pub fn change(&mut self, embedding: Embedding, now_ns: i64, length_ms: i64) {
        let texts = |of: &Embedding| [of.prompt.clone(), of.negative_prompt.clone()];
        let pooled = |of: &Embedding| of.pooled.as_ref().map(|pooled| pooled.shape);
        let alike = (embedding.shape, pooled(&embedding)) == (self.embedding.shape, pooled(&self.embedding));
        if texts(&embedding) != texts(&self.embedding) || !alike {
            self.fade = (alike && length_ms > 0).then(|| {
                // From where it is now: a prompt that changes on the way does not jump.
                let from = self.words(now_ns).between.cloned().unwrap_or_else(|| Between::of(&self.embedding));
                Fade { now: from.clone(), from, begun_ns: now_ns, length_ns: length_ms.saturating_mul(1_000_000) }
            });
        }
        self.embedding = embedding;
        self.said_ns = now_ns;
    }

    /// What is painted at that time.
    pub fn words(&mut self, now_ns: i64) -> Words<'_> {
        if self.fade.as_ref().is_some_and(|fade| now_ns.saturating_sub(fade.begun_ns) >= fade.length_ns) {
            self.fade = None;
        }
        let embedding = &self.embedding;
        if let Some(Fade { from, now, begun_ns, length_ns }) = &mut self.fade {
            let share = ((now_ns - *begun_ns).max(0) as f64 / *length_ns as f64) as f32;
            turn(&from.values, &embedding.values, share, embedding.shape[2], &mut now.values);
            if let Some(pooled) = &embedding.pooled {
                turn(&from.pooled, &pooled.values, share, pooled.shape[1], &mut now.pooled);
            }
        }
        Words { embedding, between: self.fade.as_ref().map(|fade| &fade.now) }
    }
}

/// Turns each vector of `width` values from `from` to `to` by that share of the angle between them, 0 to 1.
fn turn(from: &[f32], to: &[f32], share: f32, width: usize, into: &mut [f32]) {
    let vectors = from.chunks_exact(width).zip(to.chunks_exact(width)).zip(into.chunks_exact_mut(width));
    for ((from, to), into) in vectors {
        let (mut product, mut a, mut b) = (0.0_f64, 0.0_f64, 0.0_f64);
        for (from, to) in from.iter().zip(to) {
            let (from, to) = (f64::from(*from), f64::from(*to));
            product += from * to;
            a += from * from;
            b += to * to;
        }
        let cosine = (product / (a * b).sqrt()).clamp(-1.0, 1.0) as f32;
        let angle = cosine.acos();
        let sine = angle.sin();
        // A vector without a length has no direction; nor have opposite ones a way between them.
        let [before, after] = if sine.is_finite() && sine > PARALLEL {
            [((1.0 - share) * angle).sin() / sine, (share * angle).sin() / sine]
        } else {
            [1.0 - share, share]
        };
        for ((into, from), to) in into.iter_mut().zip(from).zip(to) {
            *into = before * from + after * to;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mirror_contract::Pooled;

    const MS: i64 = 1_000_000;

    /// `[2, 1, 2]`: a vector for the prompt and one for the negative prompt.
    fn embedding(prompt: &str, values: [f32; 4]) -> Embedding {
        let text = |text: &str| text.to_owned();
        Embedding {
            stream: text("house"),
            version: 1,
            prompt: text(prompt),
            negative_prompt: text(""),
            pack: text("starter"),
            shape: [2, 1, 2],
            values: values.to_vec().into(),
            pooled: None,
        }
    }

    fn values(faded: &mut Faded, now_ns: i64) -> Vec<f32> {
        let Words { embedding, between } = faded.words(now_ns);
        between.map_or_else(|| embedding.values.to_vec(), |between| between.values.clone())
    }

    fn close(is: &[f32], should: &[f32]) -> bool {
        is.len() == should.len() && is.iter().zip(should).all(|(is, should)| (is - should).abs() < 1e-5)
    }

    #[test]
    fn half_of_the_way_is_half_of_the_angle_and_as_long_as_both() {
        let mut faded = Faded::of(embedding("one", [1.0, 0.0, 3.0, 0.0]));
        faded.change(embedding("two", [0.0, 1.0, 3.0, 0.0]), 0, 1000);
        let half = 0.5_f32.sqrt();
        assert!(close(&values(&mut faded, 500 * MS), &[half, half, 3.0, 0.0]));
        let third = values(&mut faded, 1000 * MS / 3);
        assert!(close(&third[..2], &[0.75_f32.sqrt(), 0.5]), "{third:?}");
    }

    #[test]
    fn it_begins_where_it_was_and_ends_where_it_should_and_then_costs_nothing() {
        let (one, two) = ([1.0, 2.0, -1.0, 0.5], [-2.0, 0.3, 0.4, 1.0]);
        let mut faded = Faded::of(embedding("one", one));
        assert!(faded.words(0).between.is_none());
        faded.change(embedding("two", two), 7 * MS, 300);
        assert!(close(&values(&mut faded, 7 * MS), &one));
        assert!(close(&values(&mut faded, 307 * MS - 1), &two));
        assert!(faded.words(307 * MS).between.is_none());
        assert_eq!(values(&mut faded, 308 * MS), two);
    }

    #[test]
    fn the_same_prompt_again_does_not_begin_anew_and_no_length_changes_at_once() {
        let mut faded = Faded::of(embedding("one", [1.0, 0.0, 1.0, 0.0]));
        faded.change(embedding("two", [0.0, 1.0, 1.0, 0.0]), 0, 1000);
        let before = values(&mut faded, 500 * MS);
        faded.change(Embedding { version: 2, ..embedding("two", [0.0, 1.0, 1.0, 0.0]) }, 500 * MS, 1000);
        assert_eq!(values(&mut faded, 500 * MS), before);
        faded.change(embedding("three", [5.0, 0.0, 1.0, 0.0]), 600 * MS, 0);
        assert_eq!(values(&mut faded, 600 * MS), [5.0, 0.0, 1.0, 0.0]);
    }

    #[test]
    fn a_prompt_that_changes_on_the_way_does_not_jump() {
        let mut faded = Faded::of(embedding("one", [1.0, 0.0, 1.0, 0.0]));
        faded.change(embedding("two", [0.0, 1.0, 1.0, 0.0]), 0, 1000);
        let there = values(&mut faded, 400 * MS);
        faded.change(embedding("three", [-1.0, 0.0, 0.0, 1.0]), 400 * MS, 1000);
        assert!(close(&values(&mut faded, 400 * MS), &there));
        assert!(close(&values(&mut faded, 1400 * MS - 1), &[-1.0, 0.0, 0.0, 1.0]));
    }

    #[test]
    fn prompts_of_visitors_who_are_gone_are_forgotten_and_those_of_cameras_are_not() {
        let mut all = HashMap::new();
        let mut say = |stream: &str, now_ns| {
            let embedding = Embedding { stream: stream.to_owned(), ..embedding("one", [1.0, 0.0, 1.0, 0.0]) };
            Faded::take(&mut all, embedding, now_ns, 0);
        };
        for stream in ["house", "garden", "visitor/anna", "visitor/bert"] {
            say(stream, 0);
        }
        say("visitor/anna", FORGET_NS - 1);
        say("visitor/carla", FORGET_NS);
        let mut left: Vec<&str> = all.keys().map(String::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["garden", "house", "visitor/anna", "visitor/carla"]);
    }

    #[test]
    fn vectors_without_a_length_and_opposite_ones_stay_numbers() {
        let mut faded = Faded::of(embedding("one", [0.0, 0.0, 1.0, 0.0]));
        faded.change(embedding("two", [0.0, 2.0, -1.0, 0.0]), 0, 1000);
        let half = values(&mut faded, 500 * MS);
        assert!(half.iter().all(|value| value.is_finite()) && half[1] == 1.0, "{half:?}");
    }

    #[test]
    fn the_pooled_part_goes_along_and_another_shape_takes_its_place_at_once() {
        let pooled = |values: [f32; 4]| Some(Pooled { shape: [2, 2], values: values.to_vec().into() });
        let with = |prompt, values, extra| Embedding { pooled: pooled(extra), ..embedding(prompt, values) };
        let mut faded = Faded::of(with("one", [1.0, 0.0, 1.0, 0.0], [1.0, 0.0, 1.0, 0.0]));
        faded.change(with("two", [1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 1.0, 0.0]), 0, 1000);
        let half = 0.5_f32.sqrt();
        let between = faded.words(500 * MS).between.expect("on its way").clone();
        assert!(close(&between.pooled, &[half, half, 1.0, 0.0]), "{between:?}");
        faded.change(embedding("three", [1.0, 0.0, 1.0, 0.0]), 600 * MS, 1000);
        assert!(faded.words(600 * MS).between.is_none());
    }
}
