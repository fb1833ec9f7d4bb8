//! Noise that is the same for the same seed on every machine.
//!
//! The generator is PyTorch's on the CPU, so that a seed means the noise that it means in diffusers: MT19937 seeded with
//! the seed's low 32 bits, and the Box-Muller transform, for 16 values and more in f32 by blocks of 16 and for fewer in
//! f64 by pairs (`aten/src/ATen/native/cpu/DistributionTemplates.h`, `normal_fill`, and
//! `aten/src/ATen/core/DistributionsHelper.h`, `normal_distribution`).
//!
//! For a batch diffusers draws all its noise at once: fill one slice that holds all samples. Where it is given a generator
//! for each sample, fill each sample from its own.

use rand_mt::Mt;

/// Values that one Box-Muller block makes.
const BLOCK: usize = 16;
/// 2⁻²⁴: the step between two uniform values of f32.
const STEP: f32 = 1.0 / 16_777_216.0;
/// 2⁻⁵³: the same of f64.
const FINE_STEP: f64 = 1.0 / 9_007_199_254_740_992.0;

/// A source of N(0, 1) values.
pub struct Noise {
    generator: Mt,
    /// The second value of a pair of which only the first was asked for.
    left: Option<f64>,
}

impl Noise {
    /// The generator of that seed. As in PyTorch only its low 32 bits count, and −1 is the largest of them.
    #[must_use]
    pub fn new(seed: impl Into<i128>) -> Self {
        Self { generator: Mt::new(seed.into() as u32), left: None }
    }

    /// Fills the slice with N(0, 1): what `torch.randn` gives for that many values next.
    pub fn fill(&mut self, values: &mut [f32]) {
        if values.len() < BLOCK {
            values.iter_mut().for_each(|value| *value = self.single());
            return;
        }
        for value in values.iter_mut() {
            *value = self.uniform();
        }
        let whole = values.len() - values.len() % BLOCK;
        values[..whole].chunks_exact_mut(BLOCK).for_each(box_muller);
        if whole < values.len() {
            // The last block overlaps the one before, with uniforms of its own.
            let start = values.len() - BLOCK;
            for value in &mut values[start..] {
                *value = self.uniform();
            }
            box_muller(&mut values[start..]);
        }
    }

    /// One value, out of a pair.
    fn single(&mut self) -> f32 {
        if let Some(left) = self.left.take() {
            return left as f32;
        }
        let (angle, radius) = (self.fine_uniform(), self.fine_uniform());
        let (angle, radius) = (2.0 * std::f64::consts::PI * angle, (-2.0 * (-radius).ln_1p()).sqrt());
        self.left = Some(radius * angle.sin());
        (radius * angle.cos()) as f32
    }

    /// A value of [0, 1) in steps of 2⁻⁵³.
    fn fine_uniform(&mut self) -> f64 {
        let (high, low) = (u64::from(self.generator.next_u32()), u64::from(self.generator.next_u32()));
        (((high << 32) | low) & ((1 << 53) - 1)) as f64 * FINE_STEP
    }

    /// A value of [0, 1) in steps of 2⁻²⁴.
    fn uniform(&mut self) -> f32 {
        (self.generator.next_u32() & 0x00FF_FFFF) as f32 * STEP
    }
}

/// Turns 16 uniform values into normal ones: value `i` and value `i + 8` make a pair.
fn box_muller(block: &mut [f32]) {
    let (cosines, sines) = block.split_at_mut(BLOCK / 2);
    for (one, other) in cosines.iter_mut().zip(sines) {
        let radius = (-2.0 * (1.0 - *one).ln()).sqrt();
        let angle = 2.0 * std::f32::consts::PI * *other;
        *one = radius * angle.cos();
        *other = radius * angle.sin();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `torch.manual_seed(0); torch.randn(19)`, PyTorch 2.15 on the CPU.
    const TORCH_SEED_0: [f32; 19] = [
        -1.125_839_8,
        -1.152_360_2,
        -0.250_578_6,
        0.793_508_35,
        0.598_839_46,
        -1.555_095_1,
        -0.341_360_4,
        1.853_006_1,
        0.468_096_4,
        -0.157_712_44,
        1.443_660_1,
        0.183_477_94,
        1.389_366_2,
        1.586_334_2,
        0.946_298_36,
        -0.843_676_75,
        0.931_826_6,
        1.259_009_2,
        2.004_980_6,
    ];

    #[test]
    fn a_seed_means_the_noise_that_it_means_in_pytorch() {
        let mut values = [0.0; 19];
        Noise::new(0).fill(&mut values);
        for (value, torch) in values.iter().zip(TORCH_SEED_0) {
            assert!((value - torch).abs() < 2e-6, "{value} {torch}");
        }
    }

    #[test]
    fn noise_has_mean_zero_and_deviation_one() {
        let mut values = vec![0.0; 100_000];
        Noise::new(7).fill(&mut values);
        let mean = values.iter().sum::<f32>() / 1e5;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / 1e5;
        assert!(mean.abs() < 0.01 && (variance - 1.0).abs() < 0.02, "{mean} {variance}");
        assert!(values.iter().all(|value| value.is_finite()));
    }

    /// `torch.randn(n)` for n = 3, 20, 2 and 1 from one generator of seed 7; of the 20 the first 3.
    const TORCH_SEED_7: [&[f32]; 4] = [
        &[-0.146_795_1, 0.786_141_3, 0.946_821_63],
        &[-0.176_437_93, 1.750_172_4, 1.930_016_9],
        &[-1.114_344, -0.457_818_9],
        &[-0.724_473_3],
    ];

    #[test]
    fn few_values_are_those_of_pytorch_too_also_between_many() {
        let mut noise = Noise::new(7);
        for (torch, len) in TORCH_SEED_7.iter().zip([3, 20, 2, 1]) {
            let mut values = vec![0.0; len];
            noise.fill(&mut values);
            for (value, torch) in values.iter().zip(*torch) {
                assert!((value - torch).abs() < 2e-6, "{len}: {value} {torch}");
            }
        }
    }

    #[test]
    fn a_seed_of_64_bits_is_taken_as_pytorch_takes_it() {
        // torch.Generator().manual_seed(2**63 + 5) and manual_seed(5) give the same, as do −1 and 2**32 − 1.
        let first = |seed: i128| {
            let mut values = [0.0; 4];
            Noise::new(seed).fill(&mut values);
            values
        };
        assert_eq!(first((1 << 63) + 5), first(5));
        assert_eq!(first(-1), first(i128::from(u32::MAX)));
        for (value, torch) in first(-1).iter().zip([1.2198, -0.3930, 1.0231, -0.3734]) {
            assert!((value - torch).abs() < 1e-4, "{value} {torch}");
        }
    }

    #[test]
    fn no_values_are_no_error() {
        Noise::new(1).fill(&mut []);
    }
}
