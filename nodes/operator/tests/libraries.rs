//! Real libraries in this process. They lie where the whole workspace is built to: `cargo build --release --workspace`.

use arrow::array::{Array, ArrayRef, UInt8Array};
use eyre::Result;
use mirror_imaging::{Preprocess, postprocess};
use mirror_operator::{Context, Settings};
use operator::host::Runs;
use operator::instance::Instance;
use operator::library::Library;
use operator::sample::Sample;
use operator::worker::Worker;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(30);

fn path(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/release");
    let path = folder.join(format!("lib{name}.so"));
    assert!(path.is_file(), "{} is not there: cargo build --release --workspace", path.display());
    path
}

fn pixels(len: usize, factor: usize) -> Vec<u8> {
    (0..len).map(|index| (index * factor) as u8).collect()
}

fn sample(height: usize, width: usize, settings: Settings) -> Sample {
    let array = |factor| -> ArrayRef { Arc::new(UInt8Array::from(pixels(height * width * 3, factor))) };
    let context = Context { height, width, frame_id: 7, captured_ns: 1, settings, stream: "house" };
    Sample { picture: array(1), source: Some(array(5)), shape: [height, width], context: context.to_string() }
}

fn picture(height: usize, width: usize) -> Sample {
    Sample { source: None, ..sample(height, width, Settings::default()) }
}

#[test]
fn an_operator_is_handed_the_very_bytes_and_its_own_are_handed_back() -> Result<()> {
    let picture = picture(4, 8);
    let mut instance = Instance::new(Library::load(&path("operator_address"))?)?;
    let painted = instance.run(&picture)?.pixels;
    let own = picture.picture.to_data().buffers()[0].as_ptr();
    assert_eq!(painted[..8], (own as usize).to_ne_bytes());
    assert_ne!(painted.as_ptr(), own);
    Ok(())
}

#[test]
fn what_an_operator_has_painted_outlives_it() -> Result<()> {
    let picture = picture(4, 8);
    let mut instance = Instance::new(Library::load(&path("operator_tires"))?)?;
    let painted = instance.run(&picture)?.pixels;
    drop(instance);
    assert!(painted.iter().all(|value| *value == 7));
    Ok(())
}

#[test]
fn two_libraries_with_the_same_symbols_do_not_meet() -> Result<()> {
    let picture = picture(8, 8);
    let mut grade = Instance::new(Library::load(&path("grade"))?)?;
    let mut kaleidoscope = Instance::new(Library::load(&path("kaleidoscope"))?)?;
    let one = grade.run(&picture)?;
    let other = kaleidoscope.run(&picture)?;
    assert_ne!(one, other);
    assert_eq!(one, grade.run(&picture)?);
    Ok(())
}

#[test]
fn preprocess_as_a_library_makes_the_very_picture_that_the_encoder_makes_of_it() -> Result<()> {
    let mut instance = Instance::new(Library::load(&path("preprocess"))?)?;
    for ([height, width], size, mirror) in
        [([48, 64], 32, true), ([48, 64], 32, false), ([64, 48], 128, true), ([128, 128], 128, false)]
    {
        let made = instance.run(&sample(height, width, Settings { size, mirror, ..Settings::default() }))?;
        let mut expected = vec![0; size * size * 3];
        let source = pixels(height * width * 3, 1);
        Preprocess::default().apply(&source, [height, width], size, mirror, &mut expected)?;
        assert_eq!(made.shape, [size, size]);
        assert!(made.pixels[..] == expected, "{height} × {width} to {size}, mirror {mirror}");
    }
    Ok(())
}

#[test]
fn postprocess_as_a_library_makes_the_very_picture_that_the_decoder_makes_of_it() -> Result<()> {
    let mut instance = Instance::new(Library::load(&path("postprocess"))?)?;
    let [painted, source] = [1, 5].map(|factor| pixels(33 * 65 * 3, factor));
    for (opacity, passthrough) in [(1.0, false), (0.5, false), (0.123_456_78, false), (0.0, false), (0.7, true)] {
        let settings = Settings { opacity, passthrough, ..Settings::default() };
        let whole = sample(33, 65, settings);
        let alone = Sample { source: None, ..whole.clone() };
        for (sample, source) in [(whole, Some(&source[..])), (alone, None)] {
            let mut expected = vec![0; painted.len()];
            postprocess::apply(&painted, source, opacity, passthrough, &mut expected)?;
            let made = instance.run(&sample)?;
            assert!(made.pixels[..] == expected && made.shape == [33, 65], "{settings:?}");
        }
    }
    Ok(())
}

#[test]
fn an_operator_that_panics_returns_an_error_and_the_thread_goes_on() -> Result<()> {
    let picture = picture(4, 8);
    let mut worker = Worker::start(path("operator_panics"), PATIENCE)?;
    for _ in 0..2 {
        let error = worker.run(&picture).expect_err("it panics").to_string();
        assert_eq!(error, "operator on_event panicked: no picture of 4 rows pleases me");
    }
    Ok(())
}

#[test]
fn an_operator_that_never_answers_is_left_behind() -> Result<()> {
    let picture = picture(4, 8);
    let mut worker = Worker::start(path("operator_hangs"), Duration::from_secs(5))?;
    let begin = Instant::now();
    let error = worker.run(&picture).expect_err("it hangs").to_string();
    assert_eq!(error, "it has not answered within 5000 ms");
    assert!(begin.elapsed() < PATIENCE);
    Ok(())
}

#[test]
fn a_picture_that_is_no_picture_is_refused_by_the_operator_in_words() -> Result<()> {
    let picture = picture(4, 8);
    let mut worker = Worker::start(path("grade"), PATIENCE)?;
    let named = |context: Context| Sample { context: context.to_string(), ..picture.clone() };
    let one = named(Context { height: 1, width: 1, ..Context::default() });
    let error = worker.run(&one).expect_err("too long").to_string();
    assert_eq!(error, "a picture of 1 × 1 does not have 96 bytes");
    let error = worker.run(&Sample { context: String::new(), ..picture }).expect_err("no context").to_string();
    assert!(error.starts_with("the metadata \"\" is not"), "{error}");
    Ok(())
}

#[test]
fn a_library_without_a_version_or_a_function_is_refused_and_named() {
    for (name, words) in [
        ("operator_bare", "it is no operator of the mirror: it lacks the symbol dora_init_operator"),
        ("operator_stale", "it was built for \"dora-operator-api 0.3.0, Arrow 52, mirror 0\""),
    ] {
        let error = format!("{:#}", Library::load(&path(name)).expect_err(name));
        assert!(error.starts_with(words), "{error}");
    }
    let error = format!("{:#}", Library::load(Path::new("/nowhere/liboperator.so")).expect_err("no file"));
    assert!(error.starts_with("it cannot be loaded: "), "{error}");
}
