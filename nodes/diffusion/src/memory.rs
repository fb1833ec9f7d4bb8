//! What is the same from frame to frame is computed once.

use mirror_diffusion::{Noise, Plan, PlanError, Scheduler, Strength};

/// The plan of the last steps and strength.
#[derive(Debug, Default)]
pub struct Plans(Option<(usize, Strength, Plan)>);

impl Plans {
    /// The plan for so many steps at that strength.
    ///
    /// # Errors
    /// As [`Scheduler::plan`].
    pub fn of(&mut self, scheduler: &Scheduler, steps: usize, strength: Strength) -> Result<&Plan, PlanError> {
        let plan = match self.0.take() {
            Some((of_steps, of_strength, plan)) if (of_steps, of_strength) == (steps, strength) => plan,
            _ => scheduler.plan(steps, strength)?,
        };
        Ok(&self.0.insert((steps, strength, plan)).2)
    }
}

/// The noise of the last seed: one tensor to start with, and one for each step that asks for more, all out of one
/// generator in that order, as diffusers draws them.
#[derive(Default)]
pub struct Noises {
    seed: u32,
    len: usize,
    generator: Option<Noise>,
    tensors: Vec<Vec<f32>>,
    fixed: bool,
}

impl Noises {
    /// Starts with that tensor from now on, whatever the seed.
    pub fn fix(&mut self, tensor: Vec<f32>) {
        self.tensors = vec![tensor];
        self.fixed = true;
    }

    /// Makes `count` tensors of `len` values ready for that seed.
    pub fn prepare(&mut self, seed: u32, len: usize, count: usize) {
        if self.fixed {
            return;
        }
        if self.seed != seed || self.len != len || self.generator.is_none() {
            (self.seed, self.len) = (seed, len);
            self.generator = Some(Noise::new(seed));
            // Their memory is kept for the next seed of the same length.
            self.tensors.retain(|tensor| tensor.len() == len);
            let Some(generator) = &mut self.generator else { return };
            self.tensors.iter_mut().for_each(|tensor| generator.fill(tensor));
        }
        let Some(generator) = &mut self.generator else { return };
        while self.tensors.len() < count {
            let mut tensor = vec![0.0; len];
            generator.fill(&mut tensor);
            self.tensors.push(tensor);
        }
    }

    /// The tensor of that place: 0 to start with, `1 + step` for a step.
    #[must_use]
    pub fn tensor(&self, place: usize) -> &[f32] {
        self.tensors.get(place).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_noise_again() {
        let mut noises = Noises::default();
        noises.prepare(1, 32, 1);
        let first = noises.tensor(0).to_vec();
        noises.prepare(2, 32, 2);
        assert_ne!(noises.tensor(0), first);
        assert_ne!(noises.tensor(0), noises.tensor(1));
        noises.prepare(1, 32, 1);
        assert_eq!(noises.tensor(0), first);
    }

    #[test]
    fn a_tensor_that_comes_later_is_the_one_that_would_have_come_at_once() {
        let (mut late, mut early) = (Noises::default(), Noises::default());
        late.prepare(3, 48, 1);
        late.prepare(3, 48, 3);
        early.prepare(3, 48, 3);
        assert_eq!(late.tensor(2), early.tensor(2));
    }

    #[test]
    fn another_size_gives_noise_of_that_size() {
        let mut noises = Noises::default();
        noises.prepare(3, 48, 2);
        noises.prepare(3, 64, 1);
        assert_eq!(noises.tensor(0).len(), 64);
    }
}
