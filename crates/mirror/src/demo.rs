//! `mirror demo`: paints some seconds without a screen, and says what came out.

use crate::house::House;
use crate::opening::{Common, Opening};
use crate::overrides::{self, Overrides};
use crate::recording::Recording;
use crate::remains::Remains;
use crate::report;
use crate::spoken::{self, PAUSE};
use clap::Args;
use eyre::{Result, WrapErr, bail};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What the recorder writes, the report last.
const RESULTS: [&str; 3] = ["report.json", "sheet.png", "mirror.mp4"];

/// Seconds that are recorded where nobody says how many.
const USUAL: u32 = 20;
/// Most seconds that can be recorded.
const LONGEST: i64 = 3600;
/// Seconds after the last recording's end: it is heard, understood and painted, and the painting is looked at.
const LAST: f64 = 3.0;

/// Paints a while without a screen, then ends: writes a report, a sheet of pictures and a film.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    common: Common,
    /// What to paint, one after the other, with semicolons between: "a pencil drawing;neon lights"
    #[arg(long, conflicts_with = "mic")]
    prompts: Option<String>,
    /// Paint what is said instead: a WAV file, a folder of them, or a microphone's name; a column for each wish
    #[arg(long, visible_alias = "microphone", value_name = "MICROPHONE")]
    mic: Option<String>,
    /// How many seconds to record, all prompts together [default: 20, or until all recordings of --mic have been heard]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=LONGEST))]
    seconds: Option<u32>,
    /// Side of the square picture in pixels, 128 to 1024 in steps of 64
    #[arg(long, default_value_t = 256)]
    size: i64,
    /// The folder for report.json, sheet.png, mirror.mp4 and mirror.log
    #[arg(long, value_name = "FOLDER", default_value = "out/demo")]
    out: PathBuf,
    /// The graph; dataflow.demo.yml, or with --mic dataflow.demo-voice.yml
    #[arg(long, value_name = "FILE")]
    dataflow: Option<PathBuf>,
}

impl Arguments {
    fn dataflow(&self) -> &Path {
        let usual = if self.mic.is_some() { "dataflow.demo-voice.yml" } else { "dataflow.demo.yml" };
        self.dataflow.as_deref().unwrap_or(Path::new(usual))
    }

    /// What the nodes are told, over the dataflow file's own words.
    fn overrides(&self, house: &House, here: &Path) -> Result<Overrides> {
        let mut overrides = self.common.overrides(house, here)?;
        if let Some(prompts) = &self.prompts {
            overrides.insert("RECORDER_PROMPTS".to_owned(), overrides::prompts(prompts)?.join(";"));
        }
        if let Some(mic) = &self.mic {
            overrides.insert("MICROPHONE_SOURCE".to_owned(), overrides::microphone(mic, here)?);
        }
        let base = house.value(&overrides, "CONTROL_SETTINGS").unwrap_or_default();
        overrides.insert("CONTROL_SETTINGS".to_owned(), overrides::settings(&base, &[("size", json!(self.size))])?);
        overrides.insert("RECORDER_OUT".to_owned(), overrides::absolute(&self.out.to_string_lossy(), here)?);
        Ok(overrides)
    }

    /// Tells the recorder how many seconds it takes, and answers them.
    fn time(&self, house: &House, overrides: &mut Overrides) -> u32 {
        let seconds = self.seconds.unwrap_or_else(|| self.whole(house, overrides));
        // With its unit: dora does not take what looks like a number.
        overrides.insert("RECORDER_SECONDS".to_owned(), format!("{seconds}s"));
        seconds
    }

    /// Until what is said has been heard to its end.
    fn whole(&self, house: &House, overrides: &Overrides) -> u32 {
        let pause = house.value(overrides, "MICROPHONE_PAUSE_SECONDS").and_then(|text| text.parse().ok());
        let source = overrides.get("MICROPHONE_SOURCE").filter(|_| self.mic.is_some());
        let spoken = source.and_then(|source| spoken::seconds(Path::new(source), pause.unwrap_or(PAUSE)));
        spoken.map_or(USUAL, |spoken| USUAL.max((spoken + LAST).ceil() as u32).min(LONGEST as u32))
    }
}

/// Runs the subcommand.
///
/// # Errors
/// Something is missing or wrong; a node cannot go on; no picture was shown.
pub fn run(arguments: &Arguments) -> Result<()> {
    let Opening { house, mut overrides, dora } =
        Opening::find(arguments.dataflow(), |house, here| arguments.overrides(house, here))?;
    let seconds = arguments.time(&house, &mut overrides);

    let out = &arguments.out;
    clear(out)?;
    let log = out.join("mirror.log");
    let before = Remains::before();
    let child = dora.run(&house.dataflow, &overrides::arguments(&overrides)?)?;
    let mut recording = Recording::of(child, out.join(RESULTS[0]), log.clone());
    let watched = recording.watch(seconds);
    recording.stop();
    if let Some(id) = recording.id() {
        for line in before.clear(id, Duration::from_secs(2)) {
            eprintln!("{line}");
        }
    }
    watched.wrap_err_with(|| format!("the log is {}", log.display())).map_err(reason_first)?;
    conclude(out)
}

/// The reason, then where to read more: `wrap_err` would say it the other way round.
fn reason_first(error: eyre::Report) -> eyre::Report {
    let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
    match causes.split_first() {
        Some((log, reasons)) => eyre::eyre!("{} ({log})", reasons.join(": ")),
        None => error,
    }
}

/// Makes the folder, and removes what an earlier run has left there: an old report must not pass for a new one.
fn clear(out: &Path) -> Result<()> {
    fs::create_dir_all(out).wrap_err_with(|| format!("the folder {} cannot be made", out.display()))?;
    for name in RESULTS.iter().chain(&["mirror.log"]) {
        let path = out.join(name);
        if path.exists() {
            fs::remove_file(&path).wrap_err_with(|| format!("{} cannot be replaced", path.display()))?;
        }
    }
    Ok(())
}

/// Tells what came out.
fn conclude(out: &Path) -> Result<()> {
    let path = out.join(RESULTS[0]);
    let text = fs::read_to_string(&path).wrap_err_with(|| format!("{} cannot be read", path.display()))?;
    let report = serde_json::from_str(&text).wrap_err_with(|| format!("{} is not JSON", path.display()))?;
    println!("{}", report::table(&report));
    for name in RESULTS.iter().map(|name| out.join(name)).filter(|path| path.is_file()) {
        println!("{}", name.display());
    }
    if report::displayed(&report) == 0 {
        let (reason, log) = (report::trouble(&report), out.join("mirror.log"));
        bail!("no picture was shown{reason} (the log is {})", log.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Words {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn overrides(words: &[&str]) -> Result<Overrides> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("dataflow.yml"), "nodes: []").unwrap();
        let house = House::find(folder.path(), Path::new("dataflow.yml")).unwrap();
        let words = Words::parse_from(std::iter::once(&"demo").chain(words));
        let mut overrides = words.arguments.overrides(&house, Path::new("/home/me"))?;
        words.arguments.time(&house, &mut overrides);
        Ok(overrides)
    }

    #[test]
    fn arguments_become_the_environment_of_the_nodes() {
        let overrides =
            overrides(&["--prompts", "neon lights; a map", "--seconds", "6", "--out", "made", "--source", "a.mp4"])
                .unwrap();
        assert_eq!(overrides["RECORDER_PROMPTS"], "neon lights;a map");
        assert_eq!(overrides["RECORDER_SECONDS"], "6s");
        assert_eq!(overrides["RECORDER_OUT"], "/home/me/made");
        assert_eq!(overrides["CAMERA_SOURCE"], "/home/me/a.mp4");
        assert_eq!(overrides["CONTROL_SETTINGS"], r#"{"size":256}"#);
    }

    #[test]
    fn a_recording_is_heard_to_its_end_unless_the_time_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let seconds = |words: &[&str]| overrides(words).unwrap()["RECORDER_SECONDS"].clone();
        let [long, short] = [30, 4].map(|length| {
            let path = folder.path().join(format!("{length}.wav")).to_str().unwrap().to_owned();
            let (channels, sample_rate, bits_per_sample) = (1, 8000, 16);
            let spec =
                hound::WavSpec { channels, sample_rate, bits_per_sample, sample_format: hound::SampleFormat::Int };
            let mut file = hound::WavWriter::create(&path, spec).unwrap();
            (0..length * sample_rate).for_each(|_| file.write_sample(0i16).unwrap());
            file.finalize().unwrap();
            path
        });
        assert_eq!(seconds(&["--mic", &long]), "35s");
        assert_eq!(seconds(&["--mic", &long, "--seconds", "5"]), "5s");
        assert_eq!(seconds(&["--mic", &short]), "20s");
        assert_eq!(seconds(&["--mic", "webcam"]), "20s");
        assert_eq!(seconds(&[]), "20s");
    }

    #[test]
    fn without_a_prompt_nothing_is_started() {
        assert!(overrides(&["--prompts", ";"]).unwrap_err().to_string().starts_with("there is no prompt"));
    }

    #[test]
    fn an_old_report_does_not_pass_for_a_new_one() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("report.json"), "{}").unwrap();
        clear(folder.path()).unwrap();
        assert!(!folder.path().join("report.json").exists());
    }

    #[test]
    fn a_report_without_pictures_is_a_failure_with_its_reason() {
        let folder = tempfile::tempdir().unwrap();
        let notices = r#"[{"level": "warning", "origin": "camera", "text": "a.mp4 is no film"}, {"level": "info", "origin": "control"}]"#;
        let report = format!(r#"{{"frames": {{"captured": 9, "displayed": 0, "dropped": 9}}, "notices": {notices}}}"#);
        fs::write(folder.path().join("report.json"), report).unwrap();
        let error = conclude(folder.path()).unwrap_err().to_string();
        assert!(error.starts_with("no picture was shown; camera: a.mp4 is no film (the log is "), "{error}");
    }

    #[test]
    fn the_reason_comes_before_the_place_of_the_log() {
        let error = Err::<(), _>(eyre::eyre!("camera: no such file")).wrap_err("the log is mirror.log").unwrap_err();
        assert_eq!(reason_first(error).to_string(), "camera: no such file (the log is mirror.log)");
    }
}
