//! How long recordings of speech take to be spoken into the mirror.

use std::fs;
use std::path::{Path, PathBuf};

/// Silence before each file where the graph says nothing of it, in seconds: `MICROPHONE_PAUSE_SECONDS`.
pub const PAUSE: f64 = 1.5;

/// Seconds until the WAV file, or the last one of the folder, has been played, with that silence before each; `None`: there is
/// nothing to be played, and the node `microphone` has the words for it.
#[must_use]
pub fn seconds(source: &Path, pause: f64) -> Option<f64> {
    let lengths: Vec<f64> = files(source).iter().filter_map(|file| length(file)).collect();
    (!lengths.is_empty()).then(|| lengths.iter().map(|length| pause + length).sum())
}

fn files(source: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(source) else { return vec![source.to_owned()] };
    entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
}

fn length(file: &Path) -> Option<f64> {
    let reader = hound::WavReader::open(file).ok()?;
    Some(f64::from(reader.duration()) / f64::from(reader.spec().sample_rate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_is_the_microphones() {
        let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../../nodes/microphone/README.md");
        let row = format!("| `MICROPHONE_PAUSE_SECONDS` | `{PAUSE}` |");
        assert!(fs::read_to_string(readme).unwrap().contains(&row), "{row}");
    }

    #[test]
    fn a_folder_takes_as_long_as_all_its_recordings_and_the_pauses_before_them() {
        let folder = tempfile::tempdir().unwrap();
        let spec = hound::WavSpec {
            channels: 2,
            sample_rate: 8000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        for (name, length) in [("a.wav", 2), ("b.wav", 3)] {
            let mut file = hound::WavWriter::create(folder.path().join(name), spec).unwrap();
            (0..length * 16_000).for_each(|_| file.write_sample(0i16).unwrap());
            file.finalize().unwrap();
        }
        fs::write(folder.path().join("a.txt"), "no sound").unwrap();
        assert_eq!(seconds(&folder.path().join("a.wav"), PAUSE), Some(3.5));
        assert_eq!(seconds(folder.path(), 1.0), Some(7.0));
        assert_eq!(seconds(&folder.path().join("a.txt"), PAUSE), None);
        assert_eq!(seconds(Path::new("webcam"), PAUSE), None);
    }
}
