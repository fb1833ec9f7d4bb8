//! Packs of the SD family in miniature, run as the nodes run them, against what diffusers' own pipelines paint with the
//! same networks (`models/export`): SD 1.5, SD 2.1, SDXS, SDXL and LCM by shape, and the pack that ships; schedulers ×
//! prediction types × steps × strengths × guidance, noise out of a seed.
//!
//! `MIRROR_FIXTURES` names another folder of packs with fixtures: `make parity` compares those that it has just made.

use decoder::decode::Decoder;
use diffusion::paint::{Painter, Request};
use embed::embed::Embedder;
use encoder::encode::Encoder;
use eyre::Result;
use mirror_contract::{Embedding, Header, Latent, Stamp};
use mirror_inference::{Choice, Options, Provider, Runtime};
use mirror_models::Pack;
use mirror_tests::{npy, root};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// How far values may be off, relative to the largest one.
const TOLERANCE: f32 = 1e-4;

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::load().expect("run \"make setup\" first"))
}

fn options() -> Options {
    Options { provider: Choice::Only(Provider::Cpu), threads: 1, ..Options::default() }
}

/// A pack and what is known of it.
struct Case {
    pack: Pack,
    fixtures: PathBuf,
    said: Value,
}

impl Case {
    fn floats(&self, name: &str) -> Vec<f32> {
        npy::floats(&self.fixtures.join(name))
    }

    fn size(&self) -> usize {
        self.said["size"].as_u64().expect("a size") as usize
    }

    fn list(&self, key: &str) -> &[Value] {
        self.said[key].as_array().expect("a list")
    }

    /// The embedding of a prompt and its negative prompt.
    fn embedding(&self, texts: &Value) -> Result<Embedding> {
        let text = |key: &str| texts[key].as_str().expect("a text");
        let mut embedder = Embedder::open(runtime(), &self.pack, &options())?;
        embedder.embed("house", 1, text("prompt"), text("negative_prompt"))
    }

    /// The drawn picture in the pack's latent space.
    fn encoded(&self) -> Result<(Vec<f32>, [usize; 4])> {
        let size = self.size();
        let picture: Vec<u8> = (0..size * size * 3).map(|index| (index * 7 % 256) as u8).collect();
        let mut encoder = Encoder::open(runtime(), &self.pack, &options())?;
        encoder.take(&picture, [size, size], size, false, &mut vec![0; picture.len()])?;
        encoder.encode()
    }
}

fn cases() -> Vec<Case> {
    let committed = root().join("tests/fixtures/miniature");
    let folder = std::env::var_os("MIRROR_FIXTURES").map_or(committed, PathBuf::from);
    let case = |directory: &Path| {
        let fixtures = directory.join("fixtures");
        let text = std::fs::read_to_string(fixtures.join("cases.json")).expect("the fixture is there");
        let said = serde_json::from_str(&text).expect("it is JSON");
        // Fixtures without a pack are of the one that ships.
        let own = directory.join("model_index.json").is_file();
        let of = if own { directory.to_owned() } else { root().join("models/starter") };
        Case { pack: Pack::open(&of).expect("it is whole"), fixtures, said }
    };
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    folders.retain(|folder| folder.is_dir());
    folders.sort();
    assert!(!folders.is_empty(), "there is no pack in {}", folder.display());
    folders.iter().map(|folder| case(folder)).collect()
}

/// The largest difference, relative to the largest value of the reference.
fn difference(values: &[f32], reference: &[f32]) -> f32 {
    assert_eq!(values.len(), reference.len());
    let largest = reference.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
    values.iter().zip(reference).fold(0.0f32, |worst, (value, reference)| {
        // A NaN is the largest difference that there is.
        worst.max(if value.is_finite() { (value - reference).abs() } else { f32::INFINITY })
    }) / largest
}

#[test]
fn all_families_are_there() {
    let names: Vec<String> = cases().into_iter().map(|case| case.pack.name).collect();
    for name in ["sd15", "sd21", "sdxs", "sdxl", "lcm", "starter"] {
        assert!(names.iter().any(|there| there == name), "{name} is not in {names:?}");
    }
}

#[test]
fn pictures_become_the_latents_that_diffusers_makes_of_them() -> Result<()> {
    for case in cases() {
        let off = difference(&case.encoded()?.0, &case.floats("clean.npy"));
        println!("{}: {off:.1e}", case.pack.name);
        assert!(off < TOLERANCE, "{}: {off}", case.pack.name);
    }
    Ok(())
}

#[test]
fn prompts_become_the_embeddings_that_diffusers_makes_of_them() -> Result<()> {
    for case in cases() {
        let reference = case.floats("embeddings.npy");
        let mut read = 0;
        let mut pooled_read = 0;
        for texts in case.list("texts") {
            let embedding = case.embedding(texts)?;
            let len = embedding.values.len();
            let off = difference(&embedding.values, &reference[read..read + len]);
            assert!(off < TOLERANCE, "{}: {texts} is off by {off}", case.pack.name);
            read += len;
            let has_pooled = case.fixtures.join("pooled.npy").is_file();
            assert_eq!(embedding.pooled.is_some(), has_pooled, "{}", case.pack.name);
            if let Some(pooled) = embedding.pooled {
                let reference = case.floats("pooled.npy");
                let len = pooled.values.len();
                let off = difference(&pooled.values, &reference[pooled_read..pooled_read + len]);
                assert!(off < TOLERANCE, "{}: the pooled part of {texts} is off by {off}", case.pack.name);
                pooled_read += len;
            }
        }
        assert_eq!(read, reference.len(), "{}", case.pack.name);
    }
    Ok(())
}

fn request(case: &Value) -> Request {
    let number = |key: &str| case[key].as_f64().expect("a number");
    let strength = case["strength"].as_f64();
    Request {
        steps: number("steps") as usize,
        strength: strength.unwrap_or(1.0),
        guidance_scale: number("guidance_scale") as f32,
        seed: number("seed") as u32,
        text_to_image: strength.is_none(),
        passthrough: false,
    }
}

#[test]
fn every_run_of_diffusers_own_pipelines_is_painted_alike() -> Result<()> {
    let mut wrong = Vec::new();
    for case in cases() {
        let (clean, shape) = case.encoded()?;
        let references = case.floats("latents.npy");
        let embeddings = case.list("texts").iter().map(|texts| case.embedding(texts)).collect::<Result<Vec<_>>>()?;
        let runs = case.list("cases");
        assert_eq!(references.len(), runs.len() * clean.len(), "{}", case.pack.name);
        for (index, config) in case.list("schedulers").iter().enumerate() {
            let pack = Pack { scheduler: config.clone(), ..case.pack.clone() };
            let mut painter = Painter::open(runtime(), &pack, &options())?;
            painter.follow_diffusers();
            let (mut worst, mut count) = (0.0f32, 0);
            let of_scheduler = |run: &&Value| run["scheduler"].as_u64() == Some(index as u64);
            for (run, reference) in runs.iter().zip(references.chunks(clean.len())).filter(|(run, _)| of_scheduler(run))
            {
                let stamp = Stamp { stream: "house".to_owned(), frame_id: 0, captured_ns: 0 };
                let values = clean.clone().into();
                let latent = Latent { header: Header::of(stamp), pack: pack.name.clone(), shape, values };
                let embedding = &embeddings[run["text"].as_u64().expect("a text") as usize];
                let painted = painter.paint(latent, request(run), embedding)?;
                let off = difference(&painted.values, reference);
                if off >= TOLERANCE {
                    wrong.push(format!("{} {} {run}: {off:.1e}", pack.name, config["_class_name"]));
                }
                worst = worst.max(off);
                count += 1;
            }
            let (name, prediction) = (&config["_class_name"], &config["prediction_type"]);
            println!("{} {name} {prediction}: {count} runs, off by at most {worst:.1e}", pack.name);
            assert!(count > 0, "{} {name} has no run", pack.name);
        }
    }
    assert!(wrong.is_empty(), "{} runs are off:\n{}", wrong.len(), wrong.join("\n"));
    Ok(())
}

#[test]
fn latents_of_every_size_and_ratio_are_painted() -> Result<()> {
    for case in cases() {
        let embedding = case.embedding(&case.list("texts")[0])?;
        let mut painter = Painter::open(runtime(), &case.pack, &options())?;
        for (height, width) in [(11, 16), (16, 11), (7, 5), (24, 8)] {
            let shape = [1, case.pack.latents.channels, height, width];
            let values = vec![0.1; shape.iter().product()].into();
            let stamp = Stamp { stream: "house".to_owned(), frame_id: 0, captured_ns: 0 };
            let latent = Latent { header: Header::of(stamp), pack: case.pack.name.clone(), shape, values };
            let painted = painter.paint(latent, request(&case.list("cases")[0]), &embedding)?;
            assert_eq!(painted.shape, shape, "{}", case.pack.name);
            assert!(painted.values.iter().all(|value| value.is_finite()), "{} {shape:?}", case.pack.name);
        }
    }
    Ok(())
}

#[test]
fn latents_become_the_pictures_that_diffusers_makes_of_them() -> Result<()> {
    for case in cases() {
        let size = case.size();
        let (clean, shape) = case.encoded()?;
        let latents = case.floats("latents.npy");
        let pictures = npy::bytes(&case.fixtures.join("pictures.npy"));
        let mut decoder = Decoder::open(runtime(), &case.pack, &options())?;
        let mut seen = 0;
        for (run, latent) in case.list("cases").iter().zip(latents.chunks(clean.len())) {
            let Some(picture) = run["picture"].as_u64() else { continue };
            let reference = &pictures[picture as usize * size * size * 3..][..size * size * 3];
            decoder.decode(latent, shape)?;
            let mut pixels = vec![0; size * size * 3];
            decoder.read(&mut pixels)?;
            let worst = pixels.iter().zip(reference).map(|(one, other)| one.abs_diff(*other)).max();
            assert!(worst <= Some(2), "{} {run}: {worst:?}", case.pack.name);
            assert!(reference.iter().any(|value| *value != reference[0]), "{} {run} shows nothing", case.pack.name);
            seen += 1;
        }
        assert_eq!(seen, case.list("schedulers").len(), "{}", case.pack.name);
    }
    Ok(())
}
