//! The film, encoded in a thread of its own: it may fall behind, the pictures may not.

use crate::pace::{FPS, Pace};
use eyre::{Result, WrapErr, bail, eyre};
use mirror_imaging::Image;
use mirror_kit::disk::Room;
use opencv::core::{Mat, Size, Vec3b};
use opencv::prelude::*;
use opencv::{imgproc, videoio};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::thread::JoinHandle;

/// Pictures that may wait for the encoder; one that comes when they do is left out and counted.
const QUEUE: usize = 16;

/// What OpenCV's FFmpeg writer passes on to the encoder. x264's default takes both cores of a small machine from the
/// mirror; this takes a small part of one.
const ENCODER_OPTIONS: (&str, &str) = ("OPENCV_FFMPEG_WRITER_OPTIONS", "preset;ultrafast|threads;1");

/// The disk is looked at again after so many pictures: once a second.
const LOOK: i64 = FPS as i64;

/// H.264 plays everywhere; MPEG-4 is what every build of FFmpeg can write.
const CODECS: [&str; 2] = ["avc1", "mp4v"];

/// What became of the film.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Film {
    /// Its file name; empty if there is none.
    pub file: String,
    /// `avc1` is H.264, `mp4v` MPEG-4.
    pub codec: String,
    /// Its rate.
    pub fps: u32,
    /// How many pictures long it is, repeated ones included.
    pub frames: i64,
    /// Pictures that it left out because the encoder was behind.
    pub dropped: u64,
    /// Why there is none, why it ends early, or why it is not H.264.
    pub note: Option<String>,
}

struct Job {
    image: Image,
    captured_ns: i64,
}

/// A film being made.
pub struct Video {
    jobs: SyncSender<Job>,
    spare: Receiver<Image>,
    thread: JoinHandle<Result<Film>>,
    dropped: u64,
}

impl Video {
    /// Starts the encoder's thread. The file is there when [`finish`](Self::finish) has returned.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(path: &Path, room: Room) -> Result<Self> {
        let (jobs, queue) = sync_channel(QUEUE);
        let (give_back, spare) = channel();
        let path = path.to_owned();
        let thread = std::thread::Builder::new()
            .name("film".to_owned())
            .spawn(move || encode(&path, &room, &queue, &give_back))
            .wrap_err("no thread for the film")?;
        Ok(Self { jobs, spare, thread, dropped: 0 })
    }

    /// Takes a picture in, `[height, width, 3]` u8, RGB, taken at that time; never waits.
    pub fn push(&mut self, pixels: &[u8], [height, width]: [usize; 2], captured_ns: i64) {
        let mut image = self.spare.try_recv().unwrap_or_default();
        (image.height, image.width) = (height, width);
        image.pixels.clear();
        image.pixels.extend_from_slice(pixels);
        match self.jobs.try_send(Job { image, captured_ns }) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => self.dropped += 1,
            // The thread has ended with an error, which `finish` tells.
            Err(TrySendError::Disconnected(_)) => {}
        }
    }

    /// Whether it has ended by itself: the disk is as good as full, or it cannot be written.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.thread.is_finished()
    }

    /// Encodes what is still waiting, and closes the file. A film that could not be made is a note, not an error:
    /// the rest of the recording is worth having.
    #[must_use]
    pub fn finish(self) -> Film {
        let Self { jobs, thread, dropped, .. } = self;
        drop(jobs);
        let film = thread.join().unwrap_or_else(|_| Err(eyre!("the film's thread panicked")));
        let film = film.unwrap_or_else(|error| Film { note: Some(format!("{error:#}")), ..Film::default() });
        Film { dropped, ..film }
    }
}

/// The open file.
struct Writer {
    file: videoio::VideoWriter,
    codec: &'static str,
    size: Size,
    part: PathBuf,
    bgr: Mat,
    scaled: Mat,
}

impl Writer {
    /// Opens a film of that size with the first codec that works.
    fn open(path: &Path, height: usize, width: usize) -> Result<Self> {
        // H.264 halves the colours' size: even sides only.
        let [height, width] = [height, width].map(|side| i32::try_from(side & !1).unwrap_or(0));
        let size = Size::new(width, height);
        // The container is chosen by the ending. The name tells an unfinished film from a whole one.
        let part = path.with_extension("part.mp4");
        for codec in CODECS {
            let [a, b, c, d] = std::array::from_fn(|index| char::from(codec.as_bytes()[index]));
            let fourcc = videoio::VideoWriter::fourcc(a, b, c, d)?;
            let file = videoio::VideoWriter::new(&part, fourcc, f64::from(FPS), size, true)?;
            if file.is_opened()? {
                return Ok(Self { file, codec, size, part, bgr: Mat::default(), scaled: Mat::default() });
            }
        }
        bail!("{}: OpenCV can write neither H.264 nor MPEG-4 here", part.display())
    }

    /// Brings a picture into the film's colours and size.
    fn load(&mut self, image: &Image) -> Result<()> {
        let [rows, columns] = [image.height, image.width].map(|side| i32::try_from(side).unwrap_or(0));
        let rgb = Mat::new_rows_cols_with_bytes::<Vec3b>(rows, columns, &image.pixels)?;
        if rgb.size()? == self.size {
            imgproc::cvt_color_def(&rgb, &mut self.bgr, imgproc::COLOR_RGB2BGR)?;
        } else {
            imgproc::resize_def(&rgb, &mut self.scaled, self.size)?;
            imgproc::cvt_color_def(&self.scaled, &mut self.bgr, imgproc::COLOR_RGB2BGR)?;
        }
        Ok(())
    }
}

/// The thread: writes each picture at its place until no more come.
fn encode(path: &Path, room: &Room, queue: &Receiver<Job>, give_back: &Sender<Image>) -> Result<Film> {
    room.check(path)?;
    let (mut pace, mut looked, mut full) = (Pace::default(), 0, None);
    let mut writer: Option<Writer> = None;
    for Job { image, captured_ns } in queue {
        if image.pixels.is_empty() {
            continue;
        }
        if let Some(repeats) = pace.place(captured_ns) {
            let writer = match &mut writer {
                Some(writer) => writer,
                none => none.insert(Writer::open(path, image.height, image.width)?),
            };
            for _ in 0..repeats {
                writer.file.write(&writer.bgr)?;
            }
            writer.load(&image)?;
            writer.file.write(&writer.bgr)?;
        }
        // Nobody takes it back once the recording is over.
        let _ = give_back.send(image);
        if pace.written() >= looked + LOOK {
            looked = pace.written();
            // What is there is made a whole film while there is room for its end.
            full = room.check(path).err().map(|error| format!("the film ends here: {error:#}"));
            if full.is_some() {
                break;
            }
        }
    }
    let Some(mut writer) = writer else { bail!("no picture came, so there is no film") };
    writer.file.release()?;
    // FFmpeg's writer says nothing of a disk that took no more.
    let whole = videoio::VideoCapture::from_file(&writer.part, videoio::CAP_ANY)?.is_opened()?;
    if !whole {
        bail!("{} cannot be played: the disk may have been full", writer.part.display());
    }
    std::fs::rename(&writer.part, path).wrap_err_with(|| format!("{} could not be written", path.display()))?;
    let other = (writer.codec != CODECS[0]).then(|| "OpenCV cannot write H.264 here; the film is MPEG-4".to_owned());
    let note = full.or(other);
    let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(Film { file, codec: writer.codec.to_owned(), fps: FPS, frames: pace.written(), dropped: 0, note })
}

/// Tells FFmpeg's encoder to be quick. Only before the process has threads.
pub fn choose_encoder_options() {
    let (name, value) = ENCODER_OPTIONS;
    if std::env::var_os(name).is_none() {
        // SAFETY: called first thing in `run`, when the process has one thread: nobody reads the environment meanwhile.
        unsafe { std::env::set_var(name, value) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fifteen pictures a second, first red, then blue.
    fn push(video: &mut Video, frame_id: i64, side: usize) {
        let colour = if frame_id < 15 { [250, 10, 10] } else { [10, 10, 250] };
        video.push(&colour.repeat(side * side), [side, side], frame_id * 1_000_000_000 / 15);
    }

    #[test]
    fn a_film_plays_in_real_time_with_its_colours() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("mirror.mp4");
        let mut video = Video::start(&path, Room::of(0)).expect("a thread");
        for id in 0..30 {
            // A change of size on the way must not end the film.
            push(&mut video, id, if id == 20 { 96 } else { 128 });
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let film = video.finish();
        assert_eq!((film.file.as_str(), film.fps, film.frames, film.dropped), ("mirror.mp4", 30, 59, 0), "{film:?}");
        let mut reader = videoio::VideoCapture::from_file(&path, videoio::CAP_ANY).expect("a film");
        assert_eq!(reader.get(videoio::CAP_PROP_FPS).expect("a rate"), 30.0);
        let (mut count, mut image) = (0, Mat::default());
        while reader.read(&mut image).expect("a picture") {
            let [blue, _, red] = image.at_2d::<Vec3b>(64, 64).expect("a pixel").0;
            let is_red = red > 150 && blue < 100;
            let is_blue = blue > 150 && red < 100;
            assert!(if count < 28 { is_red } else { is_red || is_blue }, "picture {count}: red {red}, blue {blue}");
            count += 1;
        }
        assert_eq!(count, 59);
    }

    #[test]
    fn a_film_of_nothing_says_so() {
        let directory = tempfile::tempdir().expect("a directory");
        let film = Video::start(&directory.path().join("mirror.mp4"), Room::of(0)).expect("a thread").finish();
        assert_eq!(film.note.as_deref(), Some("no picture came, so there is no film"));
    }

    #[test]
    fn a_film_that_cannot_be_written_is_a_note() {
        let room = Room::told(0, |_| Ok(1));
        let mut video = Video::start(Path::new("/nowhere/mirror.mp4"), room).expect("a thread");
        for id in 0..3 {
            push(&mut video, id, 64);
        }
        let film = video.finish();
        assert!(film.file.is_empty() && film.note.is_some(), "{film:?}");
    }

    #[test]
    fn a_film_ends_whole_when_the_disk_fills_up_and_says_why() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("mirror.mp4");
        // After four seconds of film there is too little.
        let room = Room::for_looks(4);
        let mut video = Video::start(&path, room).expect("a thread");
        let mut id = 0;
        while !video.is_over() {
            push(&mut video, id, 64);
            id += 1;
            assert!(id < 10_000, "it does not end");
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        let film = video.finish();
        let note = film.note.unwrap_or_default();
        assert!(note.starts_with("the film ends here: ") && note.ends_with("10 MiB: make room"), "{note}");
        assert_eq!(film.file, "mirror.mp4");
        let reader = videoio::VideoCapture::from_file(&path, videoio::CAP_ANY).expect("a film");
        assert_eq!(reader.get(videoio::CAP_PROP_FRAME_COUNT).expect("a length") as i64, film.frames);
        assert!((119..=123).contains(&film.frames), "{} pictures", film.frames);
    }

    #[test]
    fn a_disk_that_is_full_from_the_start_is_a_note() {
        let directory = tempfile::tempdir().expect("a directory");
        let room = Room::of(u64::MAX);
        let film = Video::start(&directory.path().join("mirror.mp4"), room).expect("a thread").finish();
        assert!(film.note.is_some_and(|note| note.ends_with("make room")) && film.file.is_empty());
    }
}
