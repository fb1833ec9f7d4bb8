//! Sources of every kind, good and bad, through OpenCV.

use camera::config::{Config, KEYS};
use camera::feed::Step;
use camera::open::{Opened, open};
use camera::pattern;
use camera::picture::Picture;
use mirror_kit::Environment;
use opencv::core::{Mat, Size, Vec3b, Vector};
use opencv::videoio::{self, VideoWriter, VideoWriterTrait, VideoWriterTraitConst};
use opencv::{imgcodecs, imgproc};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

const SHAPE: [usize; 2] = [240, 320];

fn config(pairs: &[(&str, &str)]) -> Config {
    Config::of(&Environment::given(KEYS, pairs.iter().copied()).expect("keys are known")).expect("values are right")
}

fn opened(path: &Path, pairs: &[(&str, &str)]) -> eyre::Result<Opened> {
    let mut all = vec![("CAMERA_SOURCE", path.to_str().expect("the path is Unicode"))];
    all.extend_from_slice(pairs);
    open(&config(&all))
}

/// The whole error, in one line, of a source that must not open.
fn refused(path: &Path) -> String {
    let error = format!("{:#}", opened(path, &[]).map(|opened| opened.text).expect_err("it must not open"));
    assert!(error.contains(&path.display().to_string()), "the error must name the source: {error}");
    assert!(!error.contains('\n'), "the error must be one line: {error}");
    error
}

/// The test picture of that number, as OpenCV has it.
fn bgr(number: u64) -> Mat {
    let mut pixels = vec![0; SHAPE[0] * SHAPE[1] * 3];
    pattern::paint(number, SHAPE, &mut pixels);
    let rgb = Mat::new_rows_cols_with_bytes::<Vec3b>(240, 320, &pixels).expect("a picture");
    let mut bgr = Mat::default();
    imgproc::cvt_color_def(&rgb, &mut bgr, imgproc::COLOR_RGB2BGR).expect("a picture");
    bgr
}

/// A picture file with the test picture of that number.
fn picture(folder: &TempDir, name: &str, number: u64) -> PathBuf {
    let path = folder.path().join(name);
    let written = imgcodecs::imwrite(path.to_str().expect("Unicode"), &bgr(number), &Vector::new());
    assert!(written.expect("it can be written"), "{name}");
    path
}

/// A film of so many test pictures, numbered from 0.
fn film(folder: &TempDir, name: &str, count: u64, fps: f64) -> PathBuf {
    let path = folder.path().join(name);
    let codec = VideoWriter::fourcc('M', 'J', 'P', 'G').expect("four letters");
    let size = Size::new(320, 240);
    let mut writer =
        VideoWriter::new_with_backend(path.as_path(), videoio::CAP_FFMPEG, codec, fps, size, true).expect("a writer");
    assert!(writer.is_opened().expect("it answers"), "{name}");
    (0..count).for_each(|number| writer.write(&bgr(number)).expect("it can be written"));
    writer.release().expect("it can be closed");
    path
}

/// What the first `count` steps bring: the numbers of the pictures with their times, and the remarks.
fn brought(opened: &mut Opened, count: usize) -> (Vec<(u64, Duration)>, Vec<String>) {
    let (mut numbers, mut remarks, mut picture) = (Vec::new(), Vec::new(), Picture::default());
    for _ in 0..count {
        match opened.feed.bring(&mut picture).expect("it has not vanished") {
            Step::Due(time) => {
                let shape = picture.shape();
                let mut pixels = vec![0; shape[0] * shape[1] * 3];
                picture.write(&mut pixels).expect("it fits");
                numbers.push((pattern::number(&pixels, shape).expect("it has a number"), time));
            }
            Step::Remark(text) => remarks.push(text),
            Step::Passed => {}
            Step::End => break,
            Step::Live(_) | Step::Instead(_) => panic!("a file is not live"),
        }
    }
    (numbers, remarks)
}

fn numbers(opened: &mut Opened, count: usize) -> Vec<u64> {
    brought(opened, count).0.into_iter().map(|(number, _)| number).collect()
}

#[test]
fn the_pattern_needs_nothing() {
    let mut opened = open(&config(&[("CAMERA_SOURCE", "pattern"), ("CAMERA_FPS", "10")])).expect("it opens");
    let (brought, _) = brought(&mut opened, 3);
    assert_eq!(brought, [0, 1, 2].map(|number| (number, Duration::from_millis(100 * number))));
}

#[test]
fn a_film_plays_at_its_own_pace_and_starts_again() {
    let folder = TempDir::new().expect("a folder");
    let mut opened = opened(&film(&folder, "film.avi", 5, 20.0), &[]).expect("it opens");
    let (brought, remarks) = brought(&mut opened, 14);
    let expected: Vec<_> = (0..12).map(|at| (at % 5, Duration::from_millis(50 * at))).collect();
    let rounded: Vec<_> = brought
        .iter()
        .map(|(number, time)| (*number, Duration::from_millis((time.as_secs_f64() * 1e3).round() as u64)))
        .collect();
    assert_eq!(rounded, expected);
    assert_eq!(remarks, [""; 0]);
}

#[test]
fn a_film_that_is_not_to_loop_ends() {
    let folder = TempDir::new().expect("a folder");
    let mut opened = opened(&film(&folder, "film.avi", 5, 20.0), &[("CAMERA_LOOP", "off")]).expect("it opens");
    assert_eq!(numbers(&mut opened, 100), [0, 1, 2, 3, 4]);
}

#[test]
fn a_film_that_is_faster_than_asked_keeps_its_speed_and_loses_pictures() {
    let folder = TempDir::new().expect("a folder");
    let mut opened = opened(&film(&folder, "film.avi", 20, 40.0), &[("CAMERA_FPS", "20"), ("CAMERA_LOOP", "off")])
        .expect("it opens");
    assert_eq!(numbers(&mut opened, 100), [0, 2, 4, 6, 8, 10, 12, 14, 16, 18]);
}

#[test]
fn a_film_that_is_cut_short_plays_what_is_left_and_says_what_is_not() {
    let folder = TempDir::new().expect("a folder");
    let whole = film(&folder, "whole.avi", 100, 25.0);
    let bytes = fs::read(whole).expect("it is there");
    let cut = folder.path().join("cut.avi");
    fs::write(&cut, &bytes[..bytes.len() / 2]).expect("it can be written");
    let mut opened = opened(&cut, &[]).expect("half of it can be read");
    let (brought, remarks) = brought(&mut opened, 120);
    assert_eq!(brought[0].0, 0);
    assert_eq!(remarks.len(), 1, "{remarks:?}");
    assert!(remarks[0].contains("of its 100 pictures cannot be read"), "{remarks:?}");
    assert!(brought.iter().filter(|(number, _)| *number == 0).count() > 1, "it starts again");
}

#[test]
fn a_film_that_lost_its_index_is_refused() {
    let folder = TempDir::new().expect("a folder");
    let clip =
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/clip.mp4")).expect("the clip is there");
    let cut = folder.path().join("cut.mp4");
    fs::write(&cut, &clip[..40]).expect("it can be written");
    assert!(refused(&cut).contains("damaged, cut short or of another kind"));
}

#[test]
fn a_picture_is_shown_again_and_again() {
    let folder = TempDir::new().expect("a folder");
    for name in ["a.png", "a.jpg", "a.bmp"] {
        let mut opened = opened(&picture(&folder, name, 77), &[("CAMERA_FPS", "10")]).expect("it opens");
        assert_eq!(numbers(&mut opened, 100), [77; 100], "{name}");
    }
}

#[test]
fn the_pictures_of_a_folder_come_in_order_each_for_its_time() {
    let folder = TempDir::new().expect("a folder");
    picture(&folder, "b.png", 2);
    picture(&folder, "a.png", 1);
    fs::write(folder.path().join("notes.txt"), "not a picture").expect("it can be written");
    let times = [("CAMERA_FPS", "2"), ("CAMERA_IMAGE_SECONDS", "1")];
    let mut looping = opened(folder.path(), &times).expect("it opens");
    assert_eq!(numbers(&mut looping, 6), [1, 1, 2, 2, 1, 1]);
    let mut once = opened(folder.path(), &[times[0], times[1], ("CAMERA_LOOP", "off")]).expect("it opens");
    assert_eq!(numbers(&mut once, 100), [1, 1, 2, 2]);
}

#[test]
fn a_picture_of_a_folder_that_cannot_be_read_is_named_and_passed_over() {
    let folder = TempDir::new().expect("a folder");
    picture(&folder, "a.png", 1);
    fs::write(folder.path().join("b.png"), "not a picture").expect("it can be written");
    let mut opened =
        opened(folder.path(), &[("CAMERA_FPS", "1"), ("CAMERA_IMAGE_SECONDS", "1")]).expect("one is right");
    let (brought, remarks) = brought(&mut opened, 3);
    assert_eq!(brought.len(), 2);
    assert_eq!(remarks.len(), 1);
    assert!(remarks[0].starts_with("b.png is not a picture"), "{remarks:?}");
}

#[test]
fn a_folder_that_is_emptied_has_vanished() {
    let folder = TempDir::new().expect("a folder");
    let path = picture(&folder, "a.png", 1);
    let mut opened = opened(folder.path(), &[("CAMERA_FPS", "1"), ("CAMERA_IMAGE_SECONDS", "1")]).expect("it opens");
    assert_eq!(numbers(&mut opened, 1), [1]);
    fs::remove_file(path).expect("it is there");
    let error = opened.feed.bring(&mut Picture::default()).expect_err("it is empty");
    assert_eq!(error.to_string(), "it holds no pictures any more");
}

#[test]
fn a_picture_that_is_too_large_is_reduced() {
    let folder = TempDir::new().expect("a folder");
    let path = picture(&folder, "a.png", 5);
    let mut opened = opened(&path, &[("CAMERA_WIDTH", "160"), ("CAMERA_HEIGHT", "100")]).expect("it opens");
    let mut picture = Picture::default();
    opened.feed.bring(&mut picture).expect("it has not vanished");
    assert_eq!(picture.shape(), [100, 133]);
}

#[test]
fn a_missing_source_is_refused() {
    assert!(refused(Path::new("/nowhere/film.mp4")).contains("there is no such file or folder; it can be auto"));
}

#[test]
fn an_empty_file_is_refused() {
    let folder = TempDir::new().expect("a folder");
    for name in ["empty.mp4", "empty.jpg"] {
        let path = folder.path().join(name);
        fs::write(&path, "").expect("it can be written");
        assert!(refused(&path).contains("the file is empty (0 bytes)"));
    }
}

#[test]
fn a_file_that_is_neither_a_film_nor_a_picture_is_refused() {
    let folder = TempDir::new().expect("a folder");
    for name in ["notes.txt", "notes.mp4", "notes.jpg", "notes"] {
        let path = folder.path().join(name);
        fs::write(&path, "this is a text, and nothing else\n".repeat(500)).expect("it can be written");
        let error = refused(&path);
        assert!(error.contains("neither a film nor a picture that can be read"), "{error}");
    }
}

#[test]
fn a_picture_that_is_cut_short_is_refused() {
    let folder = TempDir::new().expect("a folder");
    for name in ["a.jpg", "a.png"] {
        let whole = fs::read(picture(&folder, name, 3)).expect("it is there");
        for len in [20, whole.len() / 2, whole.len() - 10] {
            let path = folder.path().join(format!("cut-{name}"));
            fs::write(&path, &whole[..len]).expect("it can be written");
            let error = refused(&path);
            assert!(error.contains("cut short"), "{name} {len}: {error}");
        }
    }
}

#[test]
fn a_picture_that_is_damaged_is_refused() {
    let folder = TempDir::new().expect("a folder");
    let mut bytes = fs::read(picture(&folder, "a.png", 3)).expect("it is there");
    let middle = bytes.len() / 2;
    bytes[16..middle].fill(0);
    let path = folder.path().join("damaged.png");
    fs::write(&path, bytes).expect("it can be written");
    assert!(refused(&path).contains("damaged.png is not a picture that can be read"));
}

#[test]
fn a_folder_without_pictures_is_refused() {
    let folder = TempDir::new().expect("a folder");
    assert!(refused(folder.path()).contains("it holds no pictures (jpg,"));
    fs::write(folder.path().join("a.jpg"), "not a picture").expect("it can be written");
    assert!(refused(folder.path()).contains("none of its 1 pictures can be read: a.jpg is not a picture"));
}

#[test]
fn a_camera_that_is_not_there_is_refused() {
    assert!(refused(Path::new("/dev/video63")).contains("there is no such camera; cameras here: "));
}

#[test]
fn a_device_that_is_no_camera_is_refused() {
    assert!(refused(Path::new("/dev/null")).contains("no camera"));
}

#[test]
fn an_address_where_nobody_answers_is_refused_without_its_password() {
    for address in ["http://me:secret@127.0.0.1:9/a.mjpg", "rtsp://me:secret@127.0.0.1:9/live"] {
        let result = open(&config(&[("CAMERA_SOURCE", address), ("CAMERA_TIMEOUT_SECONDS", "1")]));
        let error = format!("{:#}", result.map(|opened| opened.text).expect_err("nobody is there"));
        assert!(error.contains("@127.0.0.1:9/") && error.contains("check the address"), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }
}
