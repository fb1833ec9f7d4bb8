//! Pictures as people have them: PNG and JPEG, in files, in memory, as base64.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use eyre::{Result, WrapErr, bail, eyre};
use mirror_imaging::Image;
use opencv::core::{Mat, MatTraitConst, MatTraitConstManual, Vec3b, Vector, VectorToVec};
use opencv::{imgcodecs, imgproc};
use std::fs;
use std::path::Path;

/// JPEG's quality, of 100: no difference to be seen, at a fifth of PNG's size.
const QUALITY: i32 = 92;

/// With or without `=` at the end: both are in use.
const BASE64: GeneralPurpose = {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(&STANDARD, config)
};

/// How a picture is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Without loss.
    Png,
    /// With a loss that is not seen, several times smaller.
    Jpeg,
}

impl Format {
    /// The format that a file's name asks for: `.png`, `.jpg` or `.jpeg`.
    ///
    /// # Errors
    /// Another ending, or none.
    pub fn of(path: &Path) -> Result<Self> {
        match path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).as_deref() {
            Some("png") => Ok(Self::Png),
            Some("jpg" | "jpeg") => Ok(Self::Jpeg),
            _ => bail!("{} ends neither in .png nor in .jpg: its ending says how it is written", path.display()),
        }
    }
}

/// The picture in those bytes: any format that OpenCV reads (PNG, JPEG, WebP, BMP, TIFF …), turned as its EXIF says,
/// without transparency, 8 bits a colour.
///
/// # Errors
/// Bytes that are no picture.
pub fn decode(bytes: &[u8]) -> Result<Image> {
    if bytes.is_empty() {
        bail!("there is nothing in it");
    }
    let none = || eyre!("not a picture that can be read (PNG, JPEG, WebP, BMP, TIFF)");
    let bgr = imgcodecs::imdecode(&bytes, imgcodecs::IMREAD_COLOR).map_err(|_| none())?;
    if bgr.empty() {
        return Err(none());
    }
    let mut rgb = Mat::default();
    imgproc::cvt_color_def(&bgr, &mut rgb, imgproc::COLOR_BGR2RGB)?;
    let shape = [rgb.rows(), rgb.cols()].map(|side| usize::try_from(side).unwrap_or(0));
    Ok(Image::new(shape, rgb.data_bytes()?.to_vec())?)
}

/// A picture as the bytes of a file.
///
/// # Errors
/// A picture without pixels, or whose pixels are not those of its shape.
pub fn encode(picture: &Image, format: Format) -> Result<Vec<u8>> {
    // Checked here, because OpenCV would read beyond the end.
    let Image { height, width, pixels } = picture;
    if pixels.is_empty() || pixels.len() != height * width * 3 {
        bail!("a picture of {height} rows and {width} columns cannot have {} bytes", pixels.len());
    }
    let rgb = Mat::new_rows_cols_with_bytes::<Vec3b>(i32::try_from(*height)?, i32::try_from(*width)?, pixels)?;
    let mut bgr = Mat::default();
    imgproc::cvt_color_def(&rgb, &mut bgr, imgproc::COLOR_RGB2BGR)?;
    let (ending, options) = match format {
        Format::Png => (".png", Vector::new()),
        Format::Jpeg => (".jpg", Vector::from_slice(&[imgcodecs::IMWRITE_JPEG_QUALITY, QUALITY])),
    };
    let mut bytes = Vector::new();
    if !imgcodecs::imencode(ending, &bgr, &mut bytes, &options)? {
        bail!("OpenCV cannot write {ending} here");
    }
    Ok(bytes.to_vec())
}

/// The bytes that a base64 text stands for. It may be broken into lines, and may be a `data:` address.
///
/// # Errors
/// A text that is not base64.
pub fn from_base64(text: &str) -> Result<Vec<u8>> {
    let text = match text.trim_start().strip_prefix("data:").and_then(|rest| rest.split_once(',')) {
        Some((_, data)) => data,
        None => text,
    };
    let text: String = text.chars().filter(|character| !character.is_whitespace()).collect();
    BASE64.decode(text).wrap_err("not base64")
}

/// Bytes as base64.
#[must_use]
pub fn to_base64(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

/// The picture in a file.
///
/// # Errors
/// No such file, one that may not be read, or that is no picture: the error names it.
pub fn read(path: &Path) -> Result<Image> {
    let shown = path.display();
    if !path.exists() {
        bail!("there is no file {shown}");
    }
    let bytes = fs::read(path).wrap_err_with(|| format!("{shown} cannot be read"))?;
    decode(&bytes).wrap_err_with(|| shown.to_string())
}

/// Writes a picture into a file, in the format that its ending says. The folder is made if it is not there; the file is
/// seen whole or not at all.
///
/// # Errors
/// Another ending; a file that cannot be written.
pub fn write(path: &Path, picture: &Image) -> Result<()> {
    let bytes = encode(picture, Format::of(path)?)?;
    let failed = || format!("{} cannot be written", path.display());
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).wrap_err_with(failed)?;
    }
    let part = path.with_extension("part");
    fs::write(&part, bytes).wrap_err_with(failed)?;
    fs::rename(&part, path).wrap_err_with(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture() -> Image {
        let pixels = (0..40 * 30).flat_map(|at| [(at % 40 * 6) as u8, (at / 40 * 8) as u8, 40]).collect();
        Image::new([30, 40], pixels).expect("as many as the shape has")
    }

    #[test]
    fn png_comes_back_bit_for_bit_and_jpeg_nearly() {
        let picture = picture();
        assert_eq!(decode(&encode(&picture, Format::Png).expect("it is written")).expect("it is read"), picture);
        let back = decode(&encode(&picture, Format::Jpeg).expect("it is written")).expect("it is read");
        let worst = back.pixels.iter().zip(&picture.pixels).map(|(one, other)| one.abs_diff(*other)).max();
        assert!(worst <= Some(20), "{worst:?}");
    }

    #[test]
    fn base64_comes_back_with_lines_without_padding_and_out_of_an_address() {
        let text = to_base64(b"mirror!");
        assert_eq!(text, "bWlycm9yIQ==");
        for text in ["bWlycm9yIQ==", "bWly\ncm9y\r\nIQ", "data:image/png;base64,bWlycm9yIQ==", " bWlycm9yIQ= ="] {
            assert_eq!(from_base64(text).expect(text), b"mirror!");
        }
        assert!(from_base64("neon lights!").expect_err("words").to_string().contains("not base64"));
    }

    #[test]
    fn bytes_that_are_no_picture_are_refused() {
        for bytes in [&b""[..], b"neon", &[0xff; 4000], b"\x89PNG\r\n\x1a\n"] {
            assert!(decode(bytes).is_err(), "{:?}", bytes.get(..4));
        }
    }

    #[test]
    fn a_picture_that_is_none_is_not_written() {
        for picture in [Image::default(), Image { height: 4, width: 4, pixels: vec![0; 7] }] {
            assert!(encode(&picture, Format::Png).is_err());
        }
    }

    #[test]
    fn the_ending_of_a_file_says_its_format() {
        assert_eq!(Format::of("a.PNG".as_ref()).expect("png"), Format::Png);
        assert_eq!(Format::of("a/b.jpeg".as_ref()).expect("jpeg"), Format::Jpeg);
        assert!(Format::of("a.gif".as_ref()).is_err() && Format::of("png".as_ref()).is_err());
    }

    #[test]
    fn files_are_named_in_every_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let message = |path: &Path| format!("{:#}", read(path).expect_err("no picture"));
        assert!(message(&folder.path().join("none.png")).starts_with("there is no file "));
        let text = folder.path().join("text.png");
        fs::write(&text, "neon").expect("it is written");
        assert!(message(&text).contains("text.png: not a picture"), "{}", message(&text));
        assert!(message(folder.path()).contains("cannot be read"), "{}", message(folder.path()));
    }

    #[test]
    fn a_file_is_written_with_its_folder_and_nothing_beside_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("new/a.png");
        write(&path, &picture()).expect("it is written");
        assert_eq!(read(&path).expect("it is read"), picture());
        assert_eq!(fs::read_dir(folder.path().join("new")).expect("the folder").count(), 1);
    }
}
