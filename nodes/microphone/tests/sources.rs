//! What comes out of files, and what is said about those that cannot be played.

use eyre::Result;
use hound::{SampleFormat, WavSpec, WavWriter};
use microphone::config::{Config, KEYS};
use microphone::feed::{Step, Stretch};
use microphone::open::{Opened, open};
use mirror_kit::Environment;
use std::f32::consts::TAU;
use std::fs;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

fn opened(source: &Path, pairs: &[(&str, &str)]) -> Result<Opened> {
    let source = source.to_string_lossy().into_owned();
    let own = [("MICROPHONE_SOURCE", source.as_str()), ("MICROPHONE_PAUSE_SECONDS", "0.1")];
    let pairs = own.iter().chain(pairs).copied();
    open(&Config::of(&Environment::given(KEYS, pairs)?)?)
}

fn refused(source: &Path) -> String {
    let error = opened(source, &[]).err().unwrap_or_else(|| panic!("{} should be refused", source.display()));
    mirror_kit::start::one_line(&error)
}

/// A tone of that many seconds, half as loud in every further channel.
fn write(path: &Path, spec: WavSpec, seconds: f32) {
    let mut writer = WavWriter::create(path, spec).expect("it can be written");
    for at in 0..(spec.sample_rate as f32 * seconds) as usize {
        let mut sample = 0.5 * (TAU * 300.0 * at as f32 / spec.sample_rate as f32).sin();
        for _ in 0..spec.channels {
            match spec.sample_format {
                SampleFormat::Float => writer.write_sample(sample).expect("it can be written"),
                SampleFormat::Int => {
                    let full = ((1_u64 << (spec.bits_per_sample - 1)) - 1) as f32;
                    writer.write_sample((sample * full) as i32).expect("it can be written");
                }
            }
            sample /= 2.0;
        }
    }
    writer.finalize().expect("it can be written");
}

fn spec(channels: u16, sample_rate: u32, bits_per_sample: u16) -> WavSpec {
    let sample_format = if bits_per_sample == 32 { SampleFormat::Float } else { SampleFormat::Int };
    WavSpec { channels, sample_rate, bits_per_sample, sample_format }
}

/// What a feed brings until that time: seconds of sound that is not silent, its loudness, what was said.
fn brought(opened: &mut Opened, until: f64) -> (f64, f32, Vec<String>) {
    let (mut stretch, mut loud, mut squares, mut count, mut said) = (Stretch::default(), 0.0, 0.0, 0, Vec::new());
    let mut last = Duration::ZERO;
    loop {
        match opened.feed.bring(&mut stretch).expect("a file does not vanish") {
            Step::Due(time) => {
                assert!(time > last, "time goes on");
                last = time;
                let sum = stretch.samples.iter().map(|sample| sample * sample).sum::<f32>();
                if sum > 0.0 {
                    loud += stretch.samples.len() as f64 / f64::from(stretch.rate_hz);
                    (squares, count) = (squares + sum, count + stretch.samples.len());
                }
                if time.as_secs_f64() >= until {
                    return (loud, (squares / count.max(1) as f32).sqrt(), said);
                }
            }
            Step::Remark(_, text) => said.push(text),
            step => panic!("{step:?}"),
        }
    }
}

#[test]
fn every_rate_width_and_count_of_channels_is_heard_as_long_and_as_loud_as_it_is() {
    let folder = TempDir::new().expect("a folder");
    for (channels, rate, bits) in [
        (1, 8_000, 8),
        (1, 16_000, 16),
        (2, 22_050, 16),
        (2, 44_100, 24),
        (6, 48_000, 16),
        (1, 96_000, 32),
        (2, 192_000, 32),
    ] {
        let path = folder.path().join("tone.wav");
        write(&path, spec(channels, rate, bits), 0.7);
        let mut opened = opened(&path, &[]).unwrap_or_else(|error| panic!("{channels} × {rate} Hz: {error:#}"));
        assert!(opened.text.contains(&format!("{rate} Hz, {channels} channels, 0.7 s")), "{}", opened.text);
        let (seconds, loudness, said) = brought(&mut opened, 2.0);
        assert!((seconds - 0.7).abs() < 0.021, "{channels} × {rate} Hz: {seconds} s");
        // The mean of the channels.
        let wanted = 0.125_f32.sqrt() * (2.0 - 0.5_f32.powi(i32::from(channels) - 1)) / f32::from(channels);
        assert!(
            (loudness / wanted - 1.0).abs() < 0.04,
            "{channels} × {rate} Hz, {bits} bits: {loudness}, not {wanted}"
        );
        assert_eq!(said, ["the sound has ended: silence from now on"]);
    }
}

#[test]
fn a_file_can_start_again() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("tone.wav");
    write(&path, spec(1, 16_000, 16), 0.4);
    let (seconds, _, said) = brought(&mut opened(&path, &[("MICROPHONE_LOOP", "on")]).expect("it is right"), 5.0);
    assert!((3.8..4.2).contains(&seconds), "{seconds} s of 5 s, with 0.1 s of silence between");
    assert_eq!(said, [""; 0]);
}

#[test]
fn a_folder_is_played_in_the_order_of_its_names_and_what_is_broken_is_passed_over() {
    let folder = TempDir::new().expect("a folder");
    write(&folder.path().join("1.wav"), spec(1, 8_000, 16), 0.2);
    fs::write(folder.path().join("2.wav"), b"RIFF").expect("it can be written");
    write(&folder.path().join("3.WAV"), spec(2, 48_000, 16), 0.3);
    fs::write(folder.path().join("notes.txt"), "hello").expect("it can be written");
    let mut opened = opened(folder.path(), &[]).expect("two are right");
    assert!(opened.text.ends_with("3 files"), "{}", opened.text);
    let (seconds, _, said) = brought(&mut opened, 2.0);
    assert!((seconds - 0.5).abs() < 0.041, "{seconds} s");
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].starts_with("2.wav is ") && said[0].ends_with("; it is passed over"), "{said:?}");
}

#[test]
fn what_cannot_be_played_is_refused_with_its_name_and_a_remedy() {
    let folder = TempDir::new().expect("a folder");
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("it can be written");
        path
    };
    let whole = folder.path().join("whole.wav");
    write(&whole, spec(2, 48_000, 16), 0.5);
    let bytes = fs::read(&whole).expect("it was written");
    let half = refused(&file("half.wav", &bytes[..bytes.len() / 2]));
    assert!(half.contains("half.wav is cut short: it has") && half.contains("copy it again"), "{half}");
    let silent = empty();
    for (name, bytes, reason) in [
        ("empty.wav", &b""[..], "empty.wav is empty (0 bytes): copy it again"),
        ("head.wav", &bytes[..20], "head.wav is cut short within its head"),
        ("song.wav", b"ID3\x04 this is an MP3 file under a wrong name", "song.wav is not a WAV file"),
        ("silent.wav", &silent, "silent.wav holds no sound"),
    ] {
        let line = refused(&file(name, bytes));
        assert!(line.starts_with("MICROPHONE_SOURCE=") && line.contains(reason), "{line}");
        assert!(!line.contains('\n'), "{line}");
    }
    let mut strange = bytes.clone();
    // The format's number: 2 is ADPCM.
    strange[20] = 2;
    let line = refused(&file("adpcm.wav", &strange));
    assert!(line.contains("adpcm.wav") && line.contains("ffmpeg"), "{line}");
    let line = refused(&folder.path().join("nowhere.wav"));
    assert!(line.contains("there is no such file or folder; it can be auto, default,"), "{line}");
    fs::create_dir(folder.path().join("bare")).expect("it can be made");
    let line = refused(&folder.path().join("bare"));
    assert!(line.contains("it holds no WAV files"), "{line}");
}

/// A WAV file without a sample.
fn empty() -> Vec<u8> {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("silent.wav");
    write(&path, spec(1, 16_000, 16), 0.0);
    fs::read(path).expect("it was written")
}

#[test]
fn no_file_of_random_bytes_panics() {
    let folder = TempDir::new().expect("a folder");
    let whole = folder.path().join("whole.wav");
    write(&whole, spec(2, 48_000, 16), 0.01);
    let bytes = fs::read(&whole).expect("it was written");
    let path = folder.path().join("broken.wav");
    // Each byte of the head in turn, set to each of these.
    for at in 0..44.min(bytes.len()) {
        for value in [0, 1, 7, 127, 128, 255] {
            let mut broken = bytes.clone();
            broken[at] = value;
            fs::write(&path, &broken).expect("it can be written");
            if let Ok(mut opened) = opened(&path, &[]) {
                let mut stretch = Stretch::default();
                (0..20).for_each(|_| drop(opened.feed.bring(&mut stretch)));
            }
        }
    }
}

#[test]
fn a_microphone_that_is_not_there_is_refused_with_those_that_are() {
    let line = refused(Path::new("no such microphone"));
    let expected = "MICROPHONE_SOURCE=no such microphone: there is no such microphone; microphones here: ";
    assert!(line.starts_with(expected), "{line}");
}
