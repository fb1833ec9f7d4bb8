//! One picture laid over another.

use crate::error::{ImagingError, check};

/// Opacity in steps of 1/256: sums of two products with a byte then fit 16 bits, twice as many lanes as 32.
const OPAQUE: f32 = 256.0;

/// Lays `over` upon `under`: `into = over × opacity + under × (1 − opacity)`, rounded, byte by byte.
///
/// `opacity` is in `[0, 1]`; what lies outside is taken as the nearer end, NaN as 0. At 0 and 1 the result is exactly
/// one of the two.
///
/// # Errors
/// Buffers of different lengths.
pub fn blend(over: &[u8], under: &[u8], opacity: f32, into: &mut [u8]) -> Result<(), ImagingError> {
    check("the picture below", under.len(), over.len())?;
    check("the blended picture", into.len(), over.len())?;
    // A float to integer cast saturates and takes NaN to 0.
    let weight = ((opacity * OPAQUE).round() as u16).min(OPAQUE as u16);
    let rest = OPAQUE as u16 - weight;
    for ((into, over), under) in into.iter_mut().zip(over).zip(under) {
        *into = ((u16::from(*over) * weight + u16::from(*under) * rest + 128) >> 8) as u8;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blended(over: u8, under: u8, opacity: f32) -> u8 {
        let mut into = [0];
        blend(&[over], &[under], opacity, &mut into).expect("lengths agree");
        into[0]
    }

    #[test]
    fn the_ends_are_exactly_one_of_the_two() {
        for value in 0..=255 {
            assert_eq!(blended(value, 255 - value, 1.0), value);
            assert_eq!(blended(255 - value, value, 0.0), value);
        }
    }

    #[test]
    fn half_is_the_mean() {
        assert_eq!(blended(200, 100, 0.5), 150);
    }

    #[test]
    fn an_opacity_out_of_range_is_taken_as_the_nearer_end_and_nan_as_0() {
        assert_eq!(blended(200, 100, 7.0), 200);
        assert_eq!(blended(200, 100, -1.0), 100);
        assert_eq!(blended(200, 100, f32::INFINITY), 200);
        assert_eq!(blended(200, 100, f32::NAN), 100);
    }

    #[test]
    fn buffers_of_different_lengths_are_refused_by_name() {
        let error = blend(&[1, 2], &[1], 0.5, &mut [0, 0]).expect_err("lengths differ");
        assert_eq!(error.to_string(), "the picture below must hold 2 values, it holds 1");
        assert!(blend(&[1, 2], &[1, 2], 0.5, &mut [0]).is_err());
    }
}
