//! How much room tensors need.

/// Values and bytes of a block of each kind (`ggml.h`, `ggml-common.h`). Those that llama.cpp 2026 knows for weights.
const BLOCKS: [(u32, u64, u64); 29] = [
    (0, 1, 4),      // F32
    (1, 1, 2),      // F16
    (2, 32, 18),    // Q4_0
    (3, 32, 20),    // Q4_1
    (6, 32, 22),    // Q5_0
    (7, 32, 24),    // Q5_1
    (8, 32, 34),    // Q8_0
    (10, 256, 84),  // Q2_K
    (11, 256, 110), // Q3_K
    (12, 256, 144), // Q4_K
    (13, 256, 176), // Q5_K
    (14, 256, 210), // Q6_K
    (16, 256, 66),  // IQ2_XXS
    (17, 256, 74),  // IQ2_XS
    (18, 256, 98),  // IQ3_XXS
    (19, 256, 50),  // IQ1_S
    (20, 32, 18),   // IQ4_NL
    (21, 256, 110), // IQ3_S
    (22, 256, 82),  // IQ2_S
    (23, 256, 136), // IQ4_XS
    (24, 1, 1),     // I8
    (25, 1, 2),     // I16
    (26, 1, 4),     // I32
    (29, 256, 56),  // IQ1_M
    (30, 1, 2),     // BF16
    (34, 256, 54),  // TQ1_0
    (35, 256, 66),  // TQ2_0
    (39, 32, 17),   // MXFP4
    (28, 1, 8),     // F64
];

/// Bytes of a tensor; `None` for a kind that is unknown, an empty shape, or rows that do not split into blocks.
#[must_use]
pub fn bytes_of(kind: u32, shape: &[u64]) -> Option<u64> {
    let (_, values, bytes) = BLOCKS.iter().find(|(of, ..)| *of == kind)?;
    let count = shape.iter().try_fold(1_u64, |product, axis| product.checked_mul(*axis))?;
    let fits = count > 0 && shape.first()?.is_multiple_of(*values);
    fits.then(|| (count / values).checked_mul(*bytes)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_must_split_into_blocks() {
        assert_eq!(bytes_of(0, &[3, 5]), Some(60));
        assert_eq!(bytes_of(12, &[512, 2]), Some(576));
        assert_eq!(bytes_of(12, &[128, 8]), None);
        assert_eq!(bytes_of(4, &[32]), None);
        assert_eq!(bytes_of(0, &[0, 7]), None);
        assert_eq!(bytes_of(0, &[u64::MAX, 7]), None);
    }
}
