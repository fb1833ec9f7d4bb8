//! A pack of the SD family in miniature, run as the nodes run it, against what diffusers paints with it
//! (`models/export/miniature.py`): other channels, tokenizer, encoder and prediction type than the starter pack's, a
//! negative prompt, and noise out of a seed.

use diffusion::paint::{Painter, Request};
use embed::embed::Embedder;
use encoder::encode::Encoder;
use eyre::Result;
use mirror_contract::{Header, Latent, Stamp};
use mirror_inference::{Choice, Options, Provider, Runtime};
use mirror_models::Pack;
use mirror_tests::{npy, root};
use serde_json::Value;
use std::path::PathBuf;

fn fixture(name: &str) -> PathBuf {
    root().join("tests/fixtures/miniature").join(name)
}

/// The largest difference, relative to the largest value of the reference.
fn difference(values: &[f32], reference: &[f32]) -> f32 {
    assert_eq!(values.len(), reference.len());
    let largest = reference.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
    values.iter().zip(reference).fold(0.0f32, |worst, (value, reference)| worst.max((value - reference).abs()))
        / largest
}

#[test]
fn a_pack_that_is_only_named_paints_what_diffusers_paints_with_the_same_seed() -> Result<()> {
    let runtime = Runtime::load()?;
    let options = Options { provider: Choice::Only(Provider::Cpu), ..Options::default() };
    let pack = Pack::open(&fixture(""))?;
    let said: Value = serde_json::from_slice(&std::fs::read(fixture("cases.json"))?)?;
    let text = |key: &str| said[key].as_str().expect("a text").to_owned();
    let size = said["size"].as_u64().expect("a size") as usize;

    let picture: Vec<u8> = (0..size * size * 3).map(|index| (index * 7 % 256) as u8).collect();
    let mut encoder = Encoder::open(&runtime, &pack, &options)?;
    encoder.take(&picture, [size, size], size, false, &mut vec![0; picture.len()])?;
    let (clean, shape) = encoder.encode()?;
    let off = difference(&clean, &npy::floats(&fixture("clean.npy")));
    assert!(off < 1e-4, "the encoder is off by {off}");

    let mut embedder = Embedder::open(&runtime, &pack, &options)?;
    let (prompt, negative_prompt) = (text("prompt"), text("negative_prompt"));
    let embedding = embedder.embed("house", 1, &prompt, &negative_prompt)?;

    let mut painter = Painter::open(&runtime, &pack, &options)?;
    let cases = said["cases"].as_array().expect("cases");
    assert_eq!(cases.len(), 3);
    for case in cases {
        let number = |key: &str| case[key].as_f64().expect("a number");
        let request = Request {
            steps: number("steps") as usize,
            strength: number("strength"),
            guidance_scale: number("guidance_scale") as f32,
            seed: number("seed") as u32,
            text_to_image: false,
            passthrough: false,
        };
        let stamp = Stamp { stream: "house".to_owned(), frame_id: 0, captured_ns: 0 };
        let header = Header::of(stamp);
        let latent = Latent { header, pack: pack.name.clone(), shape, values: clean.clone().into() };
        let painted = painter.paint(latent, request, &embedding)?;
        let name = case["name"].as_str().expect("a name");
        let off = difference(&painted.values, &npy::floats(&fixture(&format!("{name}.latent.npy"))));
        assert!(off < 1e-4, "{name} is off by {off}");
    }
    Ok(())
}
