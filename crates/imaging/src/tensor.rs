//! Picture to tensor and back.

use crate::CHANNELS;
use crate::error::{ImagingError, check};

/// Half of a byte's range: a byte `x` is `x / HALF − 1` in a tensor, as image models expect.
const HALF: f32 = 127.5;

/// Pixels that are turned from planes into bytes, or back, in one go: their colours are converted in vectors, and interleaved while
/// they are in the cache.
const BLOCK: usize = 64;

/// 1.5 × 2²³: added to a small float, it leaves the float's nearest integer in the lowest bits. Rounding and conversion
/// in one addition, which every vector unit has.
const ROUND: f32 = 12_582_912.0;

/// The integer nearest to `value`, which lies in `[0, 255.5)`.
#[inline(always)]
pub(crate) fn nearest(value: f32) -> u8 {
    (value + ROUND).to_bits() as u8
}

/// Picture to tensor: `[h, w, 3]` u8 HWC to `[3, h, w]` f32 CHW in `[-1, 1]`, `x / 127.5 − 1`.
///
/// # Errors
/// A picture that is not made of whole pixels, or a tensor of another length.
pub fn normalise(picture: &[u8], tensor: &mut [f32]) -> Result<(), ImagingError> {
    let (pixels, rest) = picture.as_chunks::<CHANNELS>();
    check("the picture", picture.len(), picture.len() - rest.len())?;
    check("the tensor", tensor.len(), picture.len())?;
    let (red, others) = tensor.split_at_mut(pixels.len());
    let (green, blue) = others.split_at_mut(pixels.len());
    fill(pixels, false, [red, green, blue]);
    Ok(())
}

/// Writes a row of pixels to planes of its length, as [`normalise`] does, from its end on where it is `reversed`.
pub(crate) fn fill(pixels: &[[u8; CHANNELS]], reversed: bool, planes: [&mut [f32]; CHANNELS]) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2, as was just asked.
        unsafe { separate_avx2(pixels, reversed, planes) };
        return;
    }
    separate(pixels, reversed, planes);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn separate_avx2(pixels: &[[u8; CHANNELS]], reversed: bool, planes: [&mut [f32]; CHANNELS]) {
    separate(pixels, reversed, planes);
}

/// Pixels to planes.
#[inline(always)]
fn separate(pixels: &[[u8; CHANNELS]], reversed: bool, mut planes: [&mut [f32]; CHANNELS]) {
    let mut bytes = [[0u8; BLOCK]; CHANNELS];
    for (number, pixels) in pixels.chunks(BLOCK).enumerate() {
        let [red, green, blue] = &mut bytes;
        for (((pixel, red), green), blue) in pixels.iter().zip(red).zip(green).zip(blue) {
            [*red, *green, *blue] = *pixel;
        }
        for (bytes, plane) in bytes.iter_mut().zip(&mut planes) {
            let bytes = &mut bytes[..pixels.len()];
            let from = if reversed {
                bytes.reverse();
                plane.len() - number * BLOCK - pixels.len()
            } else {
                number * BLOCK
            };
            let into = &mut plane[from..][..pixels.len()];
            into.iter_mut().zip(bytes).for_each(|(into, byte)| *into = f32::from(*byte) / HALF - 1.0);
        }
    }
}

/// Tensor to picture: `[3, h, w]` f32 CHW to `[h, w, 3]` u8 HWC, `(x + 1) × 127.5`, rounded.
///
/// What lies outside `[-1, 1]` is taken as the nearer end; NaN becomes 0.
///
/// # Errors
/// A picture that is not made of whole pixels, or a tensor of another length.
pub fn denormalise(tensor: &[f32], picture: &mut [u8]) -> Result<(), ImagingError> {
    let len = picture.len();
    let (pixels, rest) = picture.as_chunks_mut::<CHANNELS>();
    check("the picture", len, len - rest.len())?;
    check("the tensor", tensor.len(), len)?;
    let (red, others) = tensor.split_at(pixels.len());
    let (green, blue) = others.split_at(pixels.len());
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2, which is all that the function asks for.
        unsafe { interleave_avx2([red, green, blue], pixels) };
        return Ok(());
    }
    interleave([red, green, blue], pixels);
    Ok(())
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn interleave_avx2(planes: [&[f32]; CHANNELS], pixels: &mut [[u8; CHANNELS]]) {
    interleave(planes, pixels);
}

/// Planes of one length to pixels.
// Always inlined: the body takes on the vector width of its caller, and gives the same bytes in every width.
#[inline(always)]
fn interleave(planes: [&[f32]; CHANNELS], pixels: &mut [[u8; CHANNELS]]) {
    let mut bytes = [[0u8; BLOCK]; CHANNELS];
    for (number, pixels) in pixels.chunks_mut(BLOCK).enumerate() {
        for (bytes, plane) in bytes.iter_mut().zip(planes) {
            let values = &plane[number * BLOCK..][..pixels.len()];
            bytes.iter_mut().zip(values).for_each(|(into, value)| *into = byte(*value));
        }
        let [red, green, blue] = &bytes;
        for (((pixel, red), green), blue) in pixels.iter_mut().zip(red).zip(green).zip(blue) {
            *pixel = [*red, *green, *blue];
        }
    }
}

/// A tensor's value as a byte.
#[inline(always)]
fn byte(value: f32) -> u8 {
    let value = (value + 1.0) * HALF;
    // A comparison with NaN is false: NaN takes the 0, in one instruction.
    let value = if value > 0.0 { value } else { 0.0 };
    nearest(if value < 255.0 { value } else { 255.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tensor_holds_one_plane_a_colour() {
        let mut tensor = [9.0; 6];
        normalise(&[0, 255, 0, 255, 0, 255], &mut tensor).expect("lengths agree");
        assert_eq!(tensor, [-1.0, 1.0, 1.0, -1.0, -1.0, 1.0]);
    }

    #[test]
    fn every_byte_comes_back() {
        let picture: Vec<u8> = (0..=255).flat_map(|value| [value; 3]).collect();
        let mut tensor = vec![0.0; picture.len()];
        let mut back = vec![0; picture.len()];
        normalise(&picture, &mut tensor).expect("lengths agree");
        denormalise(&tensor, &mut back).expect("lengths agree");
        assert_eq!(back, picture);
    }

    #[test]
    fn a_byte_is_what_it_is_wherever_it_stands() {
        // More than one block, and a part of one.
        let len = 2 * BLOCK + 5;
        let picture: Vec<u8> = (0..len * CHANNELS).map(|at| (at * 89 % 256) as u8).collect();
        let mut tensor = vec![0.0; picture.len()];
        normalise(&picture, &mut tensor).expect("lengths agree");
        for (at, value) in picture.iter().enumerate() {
            let expected = f32::from(*value) / HALF - 1.0;
            assert_eq!(tensor[at % CHANNELS * len + at / CHANNELS].to_bits(), expected.to_bits());
        }
        let mut back = vec![0; picture.len()];
        denormalise(&tensor, &mut back).expect("lengths agree");
        assert_eq!(back, picture);
    }

    #[test]
    fn what_is_no_colour_has_a_defined_byte() {
        let mut picture = [7; 6];
        let tensor = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1.01, -1.01, 0.0];
        denormalise(&tensor, &mut picture).expect("lengths agree");
        assert_eq!(picture, [0, 0, 0, 255, 255, 128]);
    }

    #[test]
    fn lengths_that_do_not_agree_are_refused_by_name() {
        let error = normalise(&[0; 4], &mut [0.0; 4]).expect_err("4 bytes are not whole pixels");
        assert_eq!(error.to_string(), "the picture must hold 3 values, it holds 4");
        let error = normalise(&[0; 3], &mut [0.0; 6]).expect_err("another length");
        assert_eq!(error.to_string(), "the tensor must hold 3 values, it holds 6");
        assert!(denormalise(&[0.0; 6], &mut [0; 3]).is_err());
        assert!(denormalise(&[0.0; 4], &mut [0; 4]).is_err());
    }
}
