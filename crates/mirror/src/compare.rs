//! `mirror compare`: every processor on one picture.

use crate::apply::spare;
use crate::still::{Common, Studio, manner};
use clap::Args;
use eyre::{Result, bail, eyre};
use indicatif::{ProgressBar, ProgressStyle};
use mirror_imaging::Image;
use mirror_imaging::sheet::{Column, compose};
use mirror_kit::figures::Spread;
use mirror_models::Processor;
use mirror_pipeline::{Format, Painted, Pipeline, Request, codec};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Runs of each processor that count, after one that warms up.
const RUNS: usize = 5;
/// No more runs of a processor are begun after that.
const PATIENCE: Duration = Duration::from_secs(30);
/// Pictures side by side on the sheet.
const ACROSS: usize = 4;

/// Paints one picture with every processor that is installed, each with its own steps and guidance, and writes one sheet:
/// the picture first, captions with pack, steps, guidance and time. The times are also printed.
///
/// Example: mirror compare --image me.jpg --prompt "Oil painting in autumn colours"
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    common: Common,
    /// Where the sheet goes: .png, or .jpg
    #[arg(long, value_name = "FILE", default_value = "out/compare.png")]
    out: PathBuf,
}

/// What came of one processor.
struct Entry {
    processor: Processor,
    /// How it paints, and on what: `1 step`, `starter on CPU`.
    manner: String,
    pack: String,
    outcome: Result<Measured>,
}

struct Measured {
    painted: Painted,
    times: Spread,
    runs: usize,
}

/// Runs the subcommand.
///
/// # Errors
/// Something is missing, wrong or out of range; no processor could paint the picture.
pub fn run(arguments: &Arguments) -> Result<()> {
    let Arguments { common, out } = arguments;
    Format::of(out)?;
    let Some(picture) = common.picture()? else { bail!("name a picture with --image") };
    let image = common.image.clone().unwrap_or_default();
    spare(&image, out)?;
    let studio = Studio::open(common)?;
    for remark in studio.installed.remarks() {
        eprintln!("{remark}");
    }
    let processors = studio.installed.processors();
    // What is out of range is so for all of them: said before anything is painted.
    let requests: Vec<Request> =
        processors.iter().map(|processor| common.request(processor, &[])).collect::<Result<_>>()?;

    let style = ProgressStyle::with_template("{msg:32} {bar:30} {pos}/{len}")?;
    let bar = ProgressBar::new(processors.len() as u64).with_style(style);
    // One pack at a time: together they may be larger than the memory.
    let none = || eyre!("no pack is open");
    let mut open: Result<Pipeline> = Err(none());
    let mut entries = Vec::new();
    for (index, (processor, request)) in processors.iter().zip(&requests).enumerate() {
        bar.set_message(processor.name.clone());
        if index == 0 || processors[index - 1].pack != processor.pack {
            drop(std::mem::replace(&mut open, Err(none())));
            open = Pipeline::open(&studio.runtime, &studio.installed, processor, &studio.options);
        }
        entries.push(entry(&mut open, processor, request, &picture));
        bar.inc(1);
    }
    bar.finish_and_clear();

    let source = entries.iter().find_map(|entry| entry.outcome.as_ref().ok()?.painted.source.clone());
    println!("{}", table(&entries));
    let Some(source) = source else { bail!("no processor could paint {}", image.display()) };
    let name = image.file_name().unwrap_or_default().to_string_lossy();
    let source = (&source, format!("source\n{name}, {} × {}", picture.width, picture.height));
    codec::write(out, &sheet(source, &entries))?;
    println!("{}", out.display());
    Ok(())
}

fn entry(open: &mut Result<Pipeline>, processor: &Processor, request: &Request, picture: &Image) -> Entry {
    let mut pack = processor.pack.clone();
    let outcome = match open {
        Ok(pipeline) => {
            pack = format!("{pack} on {}", pipeline.provider());
            measure(pipeline, picture, request)
        }
        Err(error) => Err(eyre!("{error:#}")),
    };
    Entry { processor: processor.clone(), manner: manner(request), pack, outcome }
}

fn measure(pipeline: &mut Pipeline, picture: &Image, request: &Request) -> Result<Measured> {
    let start = Instant::now();
    let mut painted = pipeline.apply(picture, request)?;
    let mut times = Vec::with_capacity(RUNS);
    while times.len() < RUNS && (times.is_empty() || start.elapsed() < PATIENCE) {
        painted = pipeline.apply(picture, request)?;
        times.push(painted.times.total().as_nanos() as i64);
    }
    Ok(Measured { painted, runs: times.len(), times: Spread::of(&mut times) })
}

/// The figures for people: a row for each processor.
fn table(entries: &[Entry]) -> String {
    let width = |length: fn(&Entry) -> usize, least| entries.iter().map(length).max().unwrap_or(0).max(least);
    let name = width(|entry| entry.processor.name.chars().count(), 9);
    let pack = width(|entry| entry.pack.chars().count(), 4);
    let manner = width(|entry| entry.manner.chars().count(), 5);
    let mut lines = vec![format!("{:name$}  {:pack$}  {:manner$}  time", "processor", "pack", "steps")];
    for Entry { processor, manner: steps, pack: on, outcome } in entries {
        let time = match outcome {
            Ok(Measured { times, runs, .. }) => format!("{:.1} ms (p50 of {runs})", times.p50),
            Err(error) => format!("{error:#}"),
        };
        lines.push(format!("{:name$}  {on:pack$}  {steps:manner$}  {time}", processor.name));
    }
    lines.join("\n")
}

/// The source, then what every processor made of it.
fn sheet((source, caption): (&Image, String), entries: &[Entry]) -> Image {
    let mut columns = vec![Column { pictures: vec![Some(source)], caption }];
    for Entry { processor, manner, pack, outcome } in entries {
        let (picture, time) = match outcome {
            Ok(Measured { painted, times, runs }) => {
                (Some(&painted.picture), format!("{:.1} ms (p50 of {runs})", times.p50))
            }
            Err(error) => (None, format!("{error:#}")),
        };
        let caption = format!("{}\n{pack}, {manner}\n{time}", processor.name);
        columns.push(Column { pictures: vec![picture], caption });
    }
    compose(&columns, ACROSS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mirror_pipeline::Times;

    fn entry(name: &str, outcome: Result<Measured>) -> Entry {
        let (name, text) = (name.to_owned(), String::new());
        let (pack, steps_allowed) = ("sd15".to_owned(), Vec::new());
        let processor =
            Processor { name, pack: pack.clone(), steps: 4, steps_allowed, guidance_scale: 1.0, strength: 1.0, text };
        Entry { processor, manner: "4 steps".to_owned(), pack: "sd15 on CPU".to_owned(), outcome }
    }

    fn measured(colour: [u8; 3]) -> Measured {
        let picture = Image::plain([200, 300], colour);
        let painted = Painted { picture, source: None, times: Times::default() };
        Measured { painted, times: Spread { p50: 12.34, p99: 20.0 }, runs: 5 }
    }

    #[test]
    fn the_table_has_a_row_for_each_processor_also_for_one_that_failed() {
        let entries = [entry("turbo", Ok(measured([0; 3]))), entry("broken", Err(eyre!("unet is missing")))];
        let table = table(&entries);
        assert_eq!(table.lines().count(), 3);
        assert!(table.contains("turbo      sd15 on CPU  4 steps  12.3 ms (p50 of 5)"), "{table}");
        assert!(table.contains("broken     sd15 on CPU  4 steps  unet is missing"), "{table}");
    }

    #[test]
    fn the_source_is_the_first_picture_of_the_sheet_and_one_that_failed_keeps_its_place() {
        let entries = [entry("turbo", Ok(measured([200, 0, 0]))), entry("broken", Err(eyre!("no")))];
        let source = Image::plain([200, 300], [0, 200, 0]);
        let sheet = sheet((&source, "source".to_owned()), &entries);
        let pixel = |row: usize, column: usize| &sheet.pixels[3 * (row * sheet.width + column)..][..3];
        assert_eq!(sheet.width, 12 + 3 * 312);
        assert_eq!(pixel(100, 150), [0, 200, 0]);
        assert_eq!(pixel(100, 312 + 150), [200, 0, 0]);
        assert_eq!(pixel(100, 2 * 312 + 150), [56, 56, 56]);
    }
}
