//! One picture through the starter pack.

use eyre::Result;
use mirror_inference::{Choice, Options, Provider, Runtime};
use mirror_models::{Installed, Processor};
use mirror_pipeline::{Fit, Format, Image, Painted, Pipeline, Request, codec};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::load().expect("run \"make setup\" first"))
}

fn installed() -> Installed {
    let starter = root().join("models/starter");
    Installed::find(&starter, &starter.to_string_lossy()).expect("the starter pack is whole")
}

fn turbo(installed: &Installed) -> &Processor {
    installed.processor("turbo").expect("the starter pack has it")
}

fn pipeline() -> Pipeline {
    let (installed, options) = (installed(), Options { provider: Choice::Only(Provider::Cpu), ..Options::default() });
    Pipeline::open(runtime(), &installed, turbo(&installed), &options).expect("it opens")
}

fn request(prompt: &str) -> Request {
    let mut request = Request::of(turbo(&installed()));
    request.settings.prompt = prompt.to_owned();
    request.settings.size = 256;
    request
}

/// A photograph, wider than high.
fn photograph() -> Image {
    codec::read(&root().join("assets/cat.jpg")).expect("it comes with the project")
}

/// Peak signal to noise ratio in decibels.
fn psnr(one: &Image, other: &Image) -> f64 {
    assert_eq!(one.shape(), other.shape());
    let squares =
        one.pixels.iter().zip(&other.pixels).map(|(one, other)| (f64::from(*one) - f64::from(*other)).powi(2));
    let mean = squares.sum::<f64>() / one.pixels.len() as f64;
    10.0 * (255.0f64.powi(2) / mean).log10()
}

/// How far the colours of a picture are from grey: the mean of greatest less least of a pixel.
fn colourfulness(picture: &Image) -> f64 {
    let range = |pixel: &[u8]| f64::from(pixel.iter().max().unwrap_or(&0) - pixel.iter().min().unwrap_or(&0));
    picture.pixels.chunks_exact(3).map(range).sum::<f64>() / (picture.height * picture.width) as f64
}

#[test]
fn a_picture_is_painted_in_its_own_ratio_as_the_prompt_says() -> Result<()> {
    let (mut pipeline, cat) = (pipeline(), photograph());
    let drawing = pipeline.apply(&cat, &request("a pencil drawing"))?;
    let natural = pipeline.apply(&cat, &request(""))?;
    let height = (256.0 * cat.height as f64 / cat.width as f64).round() as usize;
    assert_eq!(drawing.picture.shape(), [height, 256]);
    let source = drawing.source.expect("it was painted from a picture");
    assert!(psnr(&natural.picture, &source) > 22.0, "{}", psnr(&natural.picture, &source));
    assert!(psnr(&drawing.picture, &source) < 16.0, "{}", psnr(&drawing.picture, &source));
    assert!(colourfulness(&drawing.picture) < colourfulness(&source) / 2.0);
    assert!(drawing.times.total() > drawing.times.paint && drawing.times.paint.as_nanos() > 0);
    Ok(())
}

#[test]
fn every_fit_paints_the_shape_that_it_says() -> Result<()> {
    let (mut pipeline, cat) = (pipeline(), photograph());
    let mut shape = |fit| -> Result<[usize; 2]> {
        let request = Request { fit, ..request("neon lights") };
        Ok(pipeline.apply(&cat, &request)?.picture.shape())
    };
    assert_eq!(shape(Fit::Crop)?, [256, 256]);
    assert_eq!(shape(Fit::Stretch)?, [256, 256]);
    assert_eq!(shape(Fit::Pad)?, shape(Fit::Keep)?);
    Ok(())
}

#[test]
fn the_same_seed_gives_the_same_picture_and_another_one_another() -> Result<()> {
    let (mut pipeline, cat) = (pipeline(), photograph());
    let mut paint = |seed| -> Result<Painted> {
        let mut request = request("an oil painting");
        request.settings.seed = seed;
        pipeline.apply(&cat, &request)
    };
    let (first, other, again) = (paint(1)?.picture, paint(2)?.picture, paint(1)?.picture);
    assert_eq!(first, again);
    assert_ne!(first, other);
    Ok(())
}

#[test]
fn opacity_passthrough_and_mirror_mean_what_they_mean_in_the_mirror() -> Result<()> {
    let (mut pipeline, cat) = (pipeline(), photograph());
    let mut clear = request("neon lights");
    clear.settings.opacity = 0.0;
    let painted = pipeline.apply(&cat, &clear)?;
    assert_eq!(Some(&painted.picture), painted.source.as_ref());
    let mut through = request("neon lights");
    (through.settings.passthrough, through.settings.mirror) = (true, true);
    let mirrored = pipeline.apply(&cat, &through)?.picture;
    let first: Vec<&[u8]> = painted.picture.pixels[..256 * 3].chunks(3).collect();
    let last: Vec<&[u8]> = mirrored.pixels[..256 * 3].chunks(3).rev().collect();
    let worst = first.concat().iter().zip(last.concat()).map(|(one, other)| one.abs_diff(other)).max();
    assert!(worst <= Some(1), "{worst:?}");
    Ok(())
}

#[test]
fn files_and_base64_give_the_picture_that_pixels_give() -> Result<()> {
    let (mut pipeline, request) = (pipeline(), request("a blueprint"));
    let bytes = std::fs::read(root().join("assets/cat.jpg"))?;
    let painted = pipeline.apply(&codec::decode(&bytes)?, &request)?.picture;
    let png = pipeline.apply_bytes(&bytes, &request, Format::Png)?;
    assert_eq!(codec::decode(&png)?, painted);
    let text = pipeline.apply_base64(&codec::to_base64(&bytes), &request, Format::Png)?;
    assert_eq!(codec::from_base64(&text)?, png);
    Ok(())
}

#[test]
fn a_prompt_alone_becomes_a_square_that_only_the_seed_changes() -> Result<()> {
    let mut pipeline = pipeline();
    let mut imagine = |seed| -> Result<Image> {
        let mut request = request("neon lights");
        (request.settings.seed, request.settings.steps) = (seed, 2);
        Ok(pipeline.imagine(&request)?.picture)
    };
    let (first, other, again) = (imagine(1)?, imagine(2)?, imagine(1)?);
    assert_eq!(first.shape(), [256, 256]);
    assert_eq!(first, again);
    assert_ne!(first, other);
    Ok(())
}

#[test]
fn what_cannot_be_painted_is_an_error_and_the_next_picture_is_painted() -> Result<()> {
    let (mut pipeline, cat) = (pipeline(), photograph());
    assert!(pipeline.apply(&Image::default(), &request("neon lights")).is_err());
    let mut wrong = request("neon lights");
    wrong.settings.steps = 51;
    let error = pipeline.apply(&cat, &wrong).expect_err("out of range").to_string();
    assert_eq!(error, "steps must be a whole number from 1 to 50, not 51");
    pipeline.apply(&cat, &request("neon lights"))?;
    Ok(())
}
