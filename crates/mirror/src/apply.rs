//! `mirror apply`: paints one picture.

use crate::still::{Common, Studio, manner, ms};
use clap::Args;
use eyre::{Result, bail, eyre};
use mirror_pipeline::{Format, Pipeline, codec};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Paints one picture, without a camera and without dora: the same pack, settings and seed as in the mirror give the same
/// painting. It keeps its own ratio unless --fit says otherwise.
///
/// Example: mirror apply --image me.jpg --prompt "a pencil drawing" --out drawing.png
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    common: Common,
    /// The pack and way of painting, by name; an unknown name lists those that are there
    #[arg(long, value_name = "NAME")]
    processor: Option<String>,
    /// How many times the UNet looks at the picture, 1 to 50
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    steps: Option<String>,
    /// How hard the prompt pulls, 0 to 20; above 1 each step costs two
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    guidance: Option<String>,
    /// Paints the prompt alone, from noise; takes no --image, and a pack that was trained for it
    #[arg(long, conflicts_with = "image")]
    text_to_image: bool,
    /// Where the painting goes: .png, or .jpg
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Runs the subcommand.
///
/// # Errors
/// Something is missing, wrong or out of range: named, with the remedy.
pub fn run(arguments: &Arguments) -> Result<()> {
    let Arguments { common, out, .. } = arguments;
    Format::of(out)?;
    if let Some(image) = &common.image {
        spare(image, out)?;
    }
    let picture = common.picture()?;
    if picture.is_none() && !arguments.text_to_image {
        bail!("name a picture with --image, or paint the prompt alone with --text-to-image");
    }
    let studio = Studio::open(common)?;
    let processor = studio.processor(arguments.processor.as_deref())?;
    let more = [("steps", arguments.steps.as_ref()), ("guidance_scale", arguments.guidance.as_ref())];
    let request = common.request(processor, &more)?;

    let start = Instant::now();
    let mut pipeline = Pipeline::open(&studio.runtime, &studio.installed, processor, &studio.options)?;
    let opened = start.elapsed();
    let painted = match &picture {
        Some(picture) => pipeline.apply(picture, &request)?,
        None => pipeline.imagine(&request)?,
    };
    codec::write(out, &painted.picture)?;

    let settings = &request.settings;
    let from = match (&common.image, &picture) {
        (Some(path), Some(picture)) => format!("{}, {} × {}", path.display(), picture.width, picture.height),
        _ => "the prompt alone".to_owned(),
    };
    println!("picture    {from} → {} × {}", painted.picture.width, painted.picture.height);
    let strength = if picture.is_some() { settings.strength } else { 1.0 };
    println!("processor  {}: {}, strength {strength}, seed {}", processor.name, manner(&request), settings.seed);
    println!("pack       {} on {}", pipeline.pack().name, pipeline.provider());
    let times = painted.times;
    let [encode, embed, paint, decode] = [times.encode, times.embed, times.paint, times.decode].map(ms);
    println!("times      {} in all: encode {encode}, embed {embed}, paint {paint}, decode {decode}", ms(times.total()));
    println!("           (a first run; opening the pack took {})", ms(opened));
    if !settings.negative_prompt.is_empty() && settings.guidance_scale <= 1.0 {
        println!("note       the negative prompt did not count: it does with a guidance above 1");
    }
    println!("{}", out.display());
    Ok(())
}

/// The picture that is painted from is not written over.
///
/// # Errors
/// Both names are one file.
pub fn spare(image: &Path, out: &Path) -> Result<()> {
    match (image.canonicalize(), out.canonicalize()) {
        (Ok(one), Ok(other)) if one == other => {
            Err(eyre!("{} is the picture that is painted from: name another file in --out", out.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn the_picture_is_not_written_over_whatever_it_is_called() {
        let folder = tempfile::tempdir().unwrap();
        let [image, link, other] = ["a.png", "b.png", "c.png"].map(|name| folder.path().join(name));
        fs::write(&image, "").unwrap();
        symlink(&image, &link).unwrap();
        assert!(spare(&image, &link).unwrap_err().to_string().ends_with("name another file in --out"));
        assert!(spare(&image, &folder.path().join(".").join("a.png")).is_err());
        assert!(spare(&image, &other).is_ok());
        fs::write(&other, "").unwrap();
        assert!(spare(&image, &other).is_ok(), "an older painting may go");
    }
}
