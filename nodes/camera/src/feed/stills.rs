//! One picture, or those of a folder, one after another.

use super::{Feed, Step};
use crate::picture::{Fit, Picture};
use crate::quiet::Hush;
use eyre::{Result, WrapErr, bail, eyre};
use opencv::core::{Mat, Vector};
use opencv::imgcodecs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// No picture is larger in its file than that.
const LARGEST_FILE: u64 = 256 << 20;

/// Names that pictures have, in a folder that may hold other things as well.
const EXTENSIONS: &[&str] =
    &["jpg", "jpeg", "jpe", "jp2", "png", "bmp", "dib", "webp", "tif", "tiff", "ppm", "pgm", "pbm", "pnm"];

/// A picture that has been read: its pixels (RGB) and `[height, width]`.
type Still = (Arc<[u8]>, [usize; 2]);

/// Brings still pictures, each again and again for its time.
pub struct Stills {
    path: PathBuf,
    fit: Fit,
    fps: f64,
    each: Duration,
    looping: bool,
    files: Vec<PathBuf>,
    /// The file that comes next.
    at: usize,
    /// Files of this round that could be read.
    shown: usize,
    current: Option<Still>,
    /// Pictures brought so far, and how many of them the current file is still good for.
    frames: u64,
    left: u64,
}

impl Stills {
    /// Shows the picture, or the pictures of the folder, at `path`: each for the time `each`, `fps` times a second,
    /// none larger than `shape`.
    ///
    /// # Errors
    /// A file that is not a whole picture; a folder without one.
    pub fn new(path: &Path, shape: [usize; 2], fps: f64, each: Duration, looping: bool) -> Result<Self> {
        let mut fit = Fit::new(shape);
        let files = list(path)?;
        // A file that was named must be right; in a folder, one that is right is enough.
        let mut first = Err(eyre!("it holds no pictures ({})", EXTENSIONS.join(", ")));
        for file in &files {
            first = read(file, &mut fit);
            if first.is_ok() {
                break;
            }
        }
        if path.is_dir() && !files.is_empty() {
            let count = files.len();
            first = first.wrap_err_with(|| format!("none of its {count} pictures can be read"));
        }
        first?;
        let path = path.to_owned();
        Ok(Self { path, fit, fps, each, looping, files, at: 0, shown: 0, current: None, frames: 0, left: 0 })
    }

    /// How many pictures there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.files.len()
    }

    /// The next file of this round, or of the next one.
    fn turn(&mut self) -> Result<Option<PathBuf>> {
        if self.at == self.files.len() {
            if !self.looping {
                return Ok(None);
            }
            if self.shown == 0 {
                bail!("none of its pictures can be read any more");
            }
            // What has been put into the folder meanwhile is shown from now on.
            self.files = list(&self.path)?;
            (self.at, self.shown) = (0, 0);
        }
        let file = self.files.get(self.at).cloned();
        self.at += 1;
        file.map(Some).ok_or_else(|| eyre!("it holds no pictures any more"))
    }
}

impl Feed for Stills {
    fn bring(&mut self, into: &mut Picture) -> Result<Step> {
        if self.left == 0 {
            let one_for_ever = self.looping && self.files.len() == 1 && self.current.is_some() && !self.path.is_dir();
            if !one_for_ever {
                let Some(file) = self.turn()? else { return Ok(Step::End) };
                match read(&file, &mut self.fit) {
                    Ok(still) => self.current = Some(still),
                    Err(error) => return Ok(Step::Remark(format!("{error:#}; it is passed over"))),
                }
                self.shown += 1;
            }
            self.left = ((self.each.as_secs_f64() * self.fps).round() as u64).max(1);
        }
        if let Some((pixels, shape)) = &self.current {
            *into = Picture::Still { pixels: Arc::clone(pixels), shape: *shape };
        }
        let due = Duration::from_secs_f64(self.frames as f64 / self.fps);
        (self.frames, self.left) = (self.frames + 1, self.left - 1);
        Ok(Step::Due(due))
    }
}

/// The pictures of a folder in the order of their names; of a file, itself.
fn list(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let is_picture = |file: &PathBuf| {
        let hidden = file.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or("").to_ascii_lowercase();
        !hidden && EXTENSIONS.contains(&extension.as_str())
    };
    let entries = path.read_dir().wrap_err("it cannot be listed")?;
    let mut files = Vec::new();
    for entry in entries {
        let file = entry.wrap_err("it cannot be listed")?.path();
        if is_picture(&file) {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

/// Reads one picture.
fn read(file: &Path, fit: &mut Fit) -> Result<Still> {
    let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
    let len = file.metadata().wrap_err_with(|| format!("{name} cannot be read"))?.len();
    if len > LARGEST_FILE {
        bail!("{name} is too large for a picture: {len} bytes, the most is {LARGEST_FILE}");
    }
    let bytes = std::fs::read(file).wrap_err_with(|| format!("{name} cannot be read"))?;
    if bytes.is_empty() {
        bail!("{name} is empty");
    }
    if !is_whole(&bytes) {
        bail!("{name} is cut short: copy it again");
    }
    let hush = Hush::new();
    let mut mat = imgcodecs::imdecode(&Vector::<u8>::from_slice(&bytes), imgcodecs::IMREAD_COLOR).unwrap_or_default();
    drop(hush);
    fit.reduce(&mut mat)
        .map_err(|_| eyre!("{name} is not a picture that can be read: it is damaged or of an unknown kind"))?;
    still(mat)
}

/// The decoded picture as it is sent.
fn still(mat: Mat) -> Result<Still> {
    let picture = Picture::Bgr(mat);
    let shape = picture.shape();
    let mut pixels = vec![0; shape[0] * shape[1] * 3];
    picture.write(&mut pixels)?;
    Ok((pixels.into(), shape))
}

/// Whether a JPEG or PNG has its end: OpenCV takes half a JPEG for a whole one and paints the rest grey.
fn is_whole(bytes: &[u8]) -> bool {
    let ends_with = |mark: &[u8]| bytes.windows(mark.len()).any(|window| window == mark);
    match bytes {
        [0xFF, 0xD8, ..] => after_scan(bytes).is_some_and(|scan| scan.windows(2).any(|pair| pair == [0xFF, 0xD9])),
        [0x89, b'P', b'N', b'G', ..] => ends_with(b"IEND"),
        _ => true,
    }
}

/// What follows the head of a JPEG: there, the end mark cannot belong to a preview within the head.
fn after_scan(bytes: &[u8]) -> Option<&[u8]> {
    /// Start of scan.
    const SCAN: u8 = 0xDA;
    let mut at = 2;
    loop {
        match bytes.get(at..at + 4)? {
            [0xFF, SCAN, ..] => return bytes.get(at..),
            [0xFF, 0xFF, ..] => at += 1,
            [0xFF, _, high, low] => at += 2 + usize::from(u16::from_be_bytes([*high, *low])),
            _ => return None,
        }
    }
}
