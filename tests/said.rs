//! Somebody speaks and the picture follows: the whole graph with the packs that ship, and voices that the listener never heard.

use eyre::{Result, WrapErr, ensure, eyre};
use mirror_imaging::{Image, Region};
use mirror_inference::{Options, Runtime};
use mirror_models::Installed;
use mirror_pipeline::{Fit, Pipeline, Request, codec};
use mirror_tests::running::{Running, wait_for};
use mirror_tests::{alone, root};
use serde_json::Value;
use std::fs;

/// What is said (tests/fixtures/speech/README.md), and the look of models/starter/looks.json that the picture is to have then.
/// Voices and wordings are in no training. The listener is a miniature that misses some: these it understands.
const WISHES: [(&str, &str); 3] =
    [("blueprint.wav", "blueprint"), ("thermal.wav", "thermal"), ("stainedglass.wav", "stainedglass")];
/// What is said and is no wish.
const TALK: &str = "report.wav";

/// Side of the pictures.
const SIZE: usize = 256;
/// Pictures are compared by means of so many pixels each way: colours and shapes, and not the grain.
const CELL: usize = 8;
/// What stands before the mirror.
const PHOTOGRAPH: &str = "assets/cat.jpg";
/// The photograph as it is.
const NATURAL: &str = "natural";

/// The photograph in every look that the pack knows, tints and the photograph itself among them, painted without a graph.
fn references() -> Result<Vec<(String, Image)>> {
    let runtime = Runtime::load()?;
    let installed = Installed::find(&root().join("models/starter"), "")?;
    let processor = installed.processor("turbo").ok_or_else(|| eyre!("the starter pack has no turbo"))?;
    let mut pipeline = Pipeline::open(&runtime, &installed, processor, &Options::default())?;
    let photograph = codec::read(&root().join(PHOTOGRAPH))?;
    let mut request = Request::of(processor);
    (request.settings.size, request.fit) = (i64::try_from(SIZE)?, Fit::Crop);
    let table: Value = serde_json::from_str(&fs::read_to_string(root().join("models/starter/looks.json"))?)?;
    let looks = table["looks"].as_array().into_iter().flatten();
    let looks = looks.filter_map(|look| Some((look["name"].as_str()?, look["example"].as_str()?)));
    let mut painted = Vec::new();
    for (name, prompt) in looks.chain([(NATURAL, "")]) {
        prompt.clone_into(&mut request.settings.prompt);
        painted.push((name.to_owned(), pipeline.apply(&photograph, &request)?.picture));
    }
    ensure!(painted.len() > 40, "the pack knows {} looks", painted.len());
    Ok(painted)
}

/// How far two pictures are apart: the mean difference of a colour, of 255.
fn apart(one: &Image, other: &Image) -> Result<f64> {
    let small = |picture: &Image| picture.resized(Region::whole(picture.shape()), [SIZE / CELL; 2], false);
    let (one, other) = (small(one)?, small(other)?);
    let sum: u64 = one.pixels.iter().zip(&other.pixels).map(|(one, other)| u64::from(one.abs_diff(*other))).sum();
    Ok(sum as f64 / one.pixels.len() as f64)
}

/// How far a picture is from each reference, the nearest first.
fn distances(picture: &Image, references: &[(String, Image)]) -> Result<Vec<(f64, String)>> {
    let to = |(name, reference): &(String, Image)| -> Result<(f64, String)> {
        Ok((apart(picture, reference)?, name.clone()))
    };
    let mut distances = references.iter().map(to).collect::<Result<Vec<_>>>()?;
    distances.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    Ok(distances)
}

/// A mirror that sees the photograph and listens to a recording.
fn listening(file: &str) -> Result<Running> {
    let [photograph, recording] = [PHOTOGRAPH.to_owned(), format!("tests/fixtures/speech/{file}")];
    let path = |name: String| root().join(name).to_string_lossy().into_owned();
    let (photograph, recording, size) = (path(photograph), path(recording), SIZE.to_string());
    Running::start(&["--source", &photograph, "--mic", &recording, "--size", &size, "--set", "mirror=off"])
}

/// What the page says is painted now, and its last notices.
fn figures(mirror: &Running) -> Value {
    mirror.get("/api/figures").unwrap_or_default()
}

/// Waits for some more pictures.
fn more_pictures(mirror: &Running) -> Result<()> {
    let before = figures(mirror)["frames"].as_u64().unwrap_or_default();
    wait_for("more pictures", || figures(mirror)["frames"].as_u64() > Some(before + 5))
}

/// The picture on the page.
fn picture(mirror: &Running) -> Result<Image> {
    let bytes = ureq::get(format!("{}/picture.jpg", mirror.page())).call()?.body_mut().read_to_vec()?;
    codec::decode(&bytes)
}

/// Whether one of the last notices begins like this.
fn is_told(figures: &Value, begin: &str) -> bool {
    let mut notices = figures["notices"].as_array().into_iter().flatten();
    notices.any(|notice| notice["text"].as_str().is_some_and(|text| text.starts_with(begin)))
}

#[test]
fn what_a_stranger_asks_for_is_what_the_picture_looks_like() -> Result<()> {
    let _alone = alone();
    let references = references()?;
    for (file, look) in WISHES {
        let mirror = listening(file)?;
        let said = || format!("{file}: {}\n{}", figures(&mirror), mirror.log());
        let is_painted = || figures(&mirror)["prompt"].as_str().is_some_and(|prompt| !prompt.is_empty());
        wait_for("a picture that is painted as was said", is_painted).wrap_err_with(said)?;
        more_pictures(&mirror)?;
        let distances = distances(&picture(&mirror)?, &references)?;
        ensure!(distances[0].1 == look, "{look} was asked for, and the nearest are {:?}\n{}", &distances[..4], said());
        // People see that they were understood.
        let now = figures(&mirror);
        ensure!(is_told(&now, "heard \"") && is_told(&now, "painting \""), "{}", said());
    }
    Ok(())
}

#[test]
fn what_is_no_wish_leaves_the_picture_as_it_is() -> Result<()> {
    let _alone = alone();
    let mirror = listening(TALK)?;
    let said = || format!("{}\n{}", figures(&mirror), mirror.log());
    wait_for("something that was heard", || is_told(&figures(&mirror), "heard \"")).wrap_err_with(said)?;
    let is_let_be = || is_told(&figures(&mirror), "no picture was asked for");
    wait_for("word that it stays as it is", is_let_be).wrap_err_with(said)?;
    more_pictures(&mirror)?;
    ensure!(figures(&mirror)["prompt"] == "", "{}", said());
    let distances = distances(&picture(&mirror)?, &references()?)?;
    ensure!(distances[0].1 == NATURAL, "the nearest are {:?}\n{}", &distances[..4], said());
    Ok(())
}
