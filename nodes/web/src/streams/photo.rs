//! A visitor's picture: checked when it comes, decoded when it is its turn.

use bytes::Bytes;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::{DynamicImage, ImageDecoder, Limits};
use std::io::Cursor;
use turbojpeg::{Decompressor, Image, PixelFormat, ScalingFactor};

/// Longest file, in bytes: a picture of 2048 × 2048 at a high quality.
pub const BYTES_MAX: usize = 2 * 1024 * 1024;
/// Longest side, in pixels.
pub const SIDE_MAX: usize = 4096;
/// Most pixels: those of a phone's camera.
pub const PIXELS_MAX: usize = 13_000_000;
/// Shortest side, in pixels.
const SIDE_MIN: usize = 8;

/// A picture as a client sends it.
#[derive(Debug, Clone)]
pub enum Photo {
    /// A JPEG, WebP or PNG file.
    File(Bytes),
    /// Rows of red, green and blue, `height × width × 3` bytes.
    Pixels {
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
        /// `height × width × 3` bytes.
        rgb: Bytes,
    },
}

/// A picture that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PhotoError {
    /// It has no bytes.
    #[error("the picture is empty")]
    Empty,
    /// It is too long.
    #[error("the picture has {0} bytes, more than {BYTES_MAX}: send it smaller, or with a lower quality")]
    TooLong(usize),
    /// It is none of the formats.
    #[error("the picture is neither JPEG nor WebP nor PNG")]
    UnknownFormat,
    /// It has too few or too many pixels.
    #[error("the picture has {0} × {1} pixels; sides are {SIDE_MIN} to {SIDE_MAX}, and {PIXELS_MAX} pixels the most")]
    WrongSize(usize, usize),
    /// It is damaged.
    #[error("the picture cannot be read: {0}")]
    Damaged(String),
    /// Its stream has ended.
    #[error("the stream has ended")]
    Ended,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Jpeg,
    Png,
    WebP,
}

/// By the first bytes: the markers of JPEG (ITU T.81), PNG (ISO 15948) and RIFF's WebP.
fn format(file: &[u8]) -> Option<Format> {
    match file {
        [0xFF, 0xD8, 0xFF, ..] => Some(Format::Jpeg),
        [0x89, b'P', b'N', b'G', ..] => Some(Format::Png),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Format::WebP),
        _ => None,
    }
}

fn check(width: usize, height: usize) -> Result<(), PhotoError> {
    let sides = SIDE_MIN..=SIDE_MAX;
    let fits = sides.contains(&width) && sides.contains(&height) && width * height <= PIXELS_MAX;
    if fits { Ok(()) } else { Err(PhotoError::WrongSize(width, height)) }
}

fn damaged(error: impl std::fmt::Display) -> PhotoError {
    PhotoError::Damaged(error.to_string())
}

impl Photo {
    /// Looks at what can be seen without decoding: length, format, width and height.
    ///
    /// # Errors
    /// It cannot be used.
    pub fn check(&self) -> Result<(), PhotoError> {
        let file = match self {
            Self::File(file) => file,
            Self::Pixels { height, width, rgb } => {
                check(*width, *height)?;
                let expected = height * width * 3;
                let text = || format!("{width} × {height} pixels are {expected} bytes, not {}", rgb.len());
                return if rgb.len() == expected { Ok(()) } else { Err(PhotoError::Damaged(text())) };
            }
        };
        match file.len() {
            0 => return Err(PhotoError::Empty),
            1..=BYTES_MAX => {}
            len => return Err(PhotoError::TooLong(len)),
        }
        let (width, height) = match format(file).ok_or(PhotoError::UnknownFormat)? {
            Format::Jpeg => {
                let header = turbojpeg::read_header(file).map_err(damaged)?;
                (header.width, header.height)
            }
            Format::Png => sides(&PngDecoder::new(Cursor::new(file)).map_err(damaged)?),
            Format::WebP => sides(&WebPDecoder::new(Cursor::new(file)).map_err(damaged)?),
        };
        check(width, height)
    }
}

fn sides(decoder: &impl ImageDecoder) -> (usize, usize) {
    let (width, height) = decoder.dimensions();
    (width as usize, height as usize)
}

/// A decoded picture: rows of red, green and blue.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Pixels {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// `height × width × 3` bytes.
    pub rgb: Bytes,
}

/// Decodes pictures, one after the other.
pub struct Darkroom {
    jpeg: Decompressor,
}

impl Darkroom {
    /// A darkroom.
    ///
    /// # Errors
    /// The JPEG library does not start.
    pub fn open() -> eyre::Result<Self> {
        Ok(Self { jpeg: Decompressor::new()? })
    }

    /// Decodes a picture. Of a JPEG whose shorter side is at least twice `enough` only every second, fourth or eighth row is
    /// made: the encoder would throw the others away.
    ///
    /// # Errors
    /// It cannot be used.
    pub fn develop(&mut self, photo: Photo, enough: usize) -> Result<Pixels, PhotoError> {
        photo.check()?;
        let file = match photo {
            Photo::Pixels { height, width, rgb } => return Ok(Pixels { height, width, rgb }),
            Photo::File(file) => file,
        };
        match format(&file).ok_or(PhotoError::UnknownFormat)? {
            Format::Jpeg => self.jpeg(&file, enough),
            Format::Png => {
                let mut decoder = PngDecoder::new(Cursor::new(&file)).map_err(damaged)?;
                decoder.set_limits(limits()).map_err(damaged)?;
                any(decoder)
            }
            Format::WebP => {
                let mut decoder = WebPDecoder::new(Cursor::new(&file)).map_err(damaged)?;
                decoder.set_limits(limits()).map_err(damaged)?;
                any(decoder)
            }
        }
    }

    fn jpeg(&mut self, file: &[u8], enough: usize) -> Result<Pixels, PhotoError> {
        let header = self.jpeg.read_header(file).map_err(damaged)?;
        let shorter = header.width.min(header.height);
        let factors = [ScalingFactor::ONE_EIGHTH, ScalingFactor::ONE_QUARTER, ScalingFactor::ONE_HALF];
        let factor = factors.into_iter().find(|factor| factor.scale(shorter) >= enough.max(1));
        let factor = factor.filter(|_| !header.is_lossless).unwrap_or(ScalingFactor::ONE);
        self.jpeg.set_scaling_factor(factor).map_err(damaged)?;
        let header = header.scaled(factor);
        let (width, height) = (header.width, header.height);
        let mut rgb = vec![0; height * width * 3];
        let image = Image { pixels: &mut rgb[..], width, pitch: width * 3, height, format: PixelFormat::RGB };
        self.jpeg.decompress(file, image).map_err(damaged)?;
        Ok(Pixels { height, width, rgb: rgb.into() })
    }
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(SIDE_MAX as u32), Some(SIDE_MAX as u32));
    // Two copies of eight bytes a pixel.
    limits.max_alloc = Some(16 * PIXELS_MAX as u64);
    limits
}

fn any(decoder: impl ImageDecoder) -> Result<Pixels, PhotoError> {
    let picture = DynamicImage::from_decoder(decoder).map_err(damaged)?.into_rgb8();
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    Ok(Pixels { height, width, rgb: picture.into_raw().into() })
}
