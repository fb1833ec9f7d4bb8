//! Noise that is the same for the same seed on every machine.
//!
//! The generator is PyTorch's on the CPU, so that a seed means the noise that it means in diffusers: MT19937 seeded
//! with the seed's low 32 bits, 24-bit uniforms, and the Box-Muller transform in blocks of 16
//! (`aten/src/ATen/native/cpu/DistributionTemplates.h`, `normal_fill`; fewer than 16 values go another way there,
//! and latents are never that small).

use rand_mt::Mt;

/// Values that one Box-Muller block makes.
const BLOCK: usize = 16;
/// 2⁻²⁴: the step between two uniform values.
const STEP: f32 = 1.0 / 16_777_216.0;

/// A source of N(0, 1) values.
pub struct Noise {
    generator: Mt,
}

impl Noise {
    /// The generator of that seed.
    #[must_use]
    pub fn new(seed: u32) -> Self {
        Self { generator: Mt::new(seed) }
    }

    /// Fills the slice with N(0, 1): what `torch.randn` gives for that many values next. Slices of fewer than 16
    /// values are filled with the first ones of a block.
    pub fn fill(&mut self, values: &mut [f32]) {
        if values.len() < BLOCK {
            let mut block = [0.0; BLOCK];
            self.fill(&mut block);
            values.copy_from_slice(&block[..values.len()]);
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

    #[test]
    fn a_small_slice_is_filled_too() {
        let mut values = [0.0; 3];
        Noise::new(1).fill(&mut values);
        assert!(values.iter().all(|value| *value != 0.0 && value.is_finite()));
    }
}
