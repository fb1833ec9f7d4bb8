//! The starter pack as the nodes run it against the reference that its export wrote (`models/fixtures/README.md`).

use diffusion::condition::Words;
use diffusion::fade::Faded;
use diffusion::paint::{Painter, Request};
use eyre::Result;
use mirror_contract::{Embedding, Header, Latent, Stamp};
use mirror_inference::{Choice, Options, Provider, Runtime};
use mirror_models::Pack;
use mirror_tests::{npy, root};
use opencv::core::{Mat, MatTraitConst, MatTraitConstManual};
use opencv::{imgcodecs, imgproc};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::OnceLock;

const SIZE: usize = 256;

fn fixture(name: &str) -> PathBuf {
    root().join("models/fixtures").join(name)
}

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::load().expect("run \"make setup\" first"))
}

fn options() -> Options {
    Options { provider: Choice::Only(Provider::Cpu), ..Options::default() }
}

fn pack() -> Pack {
    Pack::open(&root().join("models/starter")).expect("the starter pack is whole")
}

fn cases() -> Value {
    let text = std::fs::read_to_string(fixture("cases.json")).expect("the fixture is there");
    serde_json::from_str(&text).expect("it is JSON")
}

fn picture(name: &str) -> Result<Vec<u8>> {
    let path = fixture(name);
    let bgr = imgcodecs::imread(&path, imgcodecs::IMREAD_COLOR)?;
    assert_eq!((bgr.rows(), bgr.cols()), (SIZE as i32, SIZE as i32), "{name}");
    let mut rgb = Mat::default();
    imgproc::cvt_color_def(&bgr, &mut rgb, imgproc::COLOR_BGR2RGB)?;
    Ok(rgb.data_bytes()?.to_vec())
}

/// The largest difference, relative to the largest value of the reference.
fn difference(values: &[f32], reference: &[f32]) -> f32 {
    assert_eq!(values.len(), reference.len());
    let largest = reference.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
    values.iter().zip(reference).fold(0.0f32, |worst, (value, reference)| worst.max((value - reference).abs()))
        / largest
}

fn embedding(prompt: &str) -> Result<Embedding> {
    let mut embedder = embed::embed::Embedder::open(runtime(), &pack(), &options())?;
    embedder.embed("house", 1, prompt, "")
}

fn encoded() -> Result<(Vec<f32>, [usize; 4])> {
    let mut encoder = encoder::encode::Encoder::open(runtime(), &pack(), &options())?;
    let mut seen = vec![0; SIZE * SIZE * 3];
    let input = picture("input.png")?;
    encoder.take(&input, [SIZE, SIZE], SIZE, false, &mut seen)?;
    assert_eq!(seen, input, "a picture of the right size is not touched");
    encoder.encode()
}

#[test]
fn a_picture_that_nobody_needs_but_the_model_gives_the_same_latent() -> Result<()> {
    let mut encoder = encoder::encode::Encoder::open(runtime(), &pack(), &options())?;
    let input = picture("input.png")?;
    for (size, mirror) in [(SIZE, false), (SIZE, true), (128, false), (128, true)] {
        encoder.take(&input, [SIZE, SIZE], size, mirror, &mut vec![0; size * size * 3])?;
        let expected = encoder.encode()?;
        encoder.take_unseen(&input, [SIZE, SIZE], size, mirror)?;
        assert!(encoder.encode()? == expected, "{size} {mirror}");
    }
    Ok(())
}

#[test]
fn prompts_become_the_ids_of_the_reference() -> Result<()> {
    let tokens = embed::tokens::Tokens::open(&pack())?;
    let cases = cases();
    let mut seen = 0;
    for case in cases["cases"].as_array().into_iter().chain(cases["texts"].as_array()).flatten() {
        let Some(text) = case["prompt"].as_str().or(case["text"].as_str()) else { continue };
        let ids: Vec<i64> = serde_json::from_value(case["ids"].clone())?;
        assert_eq!(tokens.ids(text)?, ids, "{text:?}");
        seen += 1;
    }
    assert!(seen >= 4, "{seen} texts in the fixture");
    Ok(())
}

#[test]
fn a_prompt_of_any_length_or_script_is_cut_and_padded_never_refused() -> Result<()> {
    let tokens = embed::tokens::Tokens::open(&pack())?;
    let long = "neon ".repeat(10_000);
    for prompt in ["", " ", "\u{0}\u{7}\u{1b}[31m", "日本語のプロンプト", "🎨🪞", "a\u{301}\u{200d}", &long]
    {
        assert_eq!(tokens.ids(prompt)?.len(), tokens.count(), "{:?}", prompt.chars().take(20).collect::<String>());
    }
    Ok(())
}

#[test]
fn a_prompt_becomes_the_embedding_of_the_reference() -> Result<()> {
    let cases = cases();
    let full =
        cases["cases"].as_array().into_iter().flatten().find(|case| case["name"] == "full").expect("the case full");
    let embedding = embedding(full["prompt"].as_str().expect("a prompt"))?;
    let row = embedding.shape[1] * embedding.shape[2];
    let difference = difference(&embedding.values[..row], &npy::floats(&fixture("embedding.npy")));
    assert!(difference < 1e-4, "{difference}");
    Ok(())
}

#[test]
fn a_picture_becomes_the_latent_of_the_reference() -> Result<()> {
    let scale = pack().latents.scaling_factor;
    let reference: Vec<f32> = npy::floats(&fixture("encoded.npy")).iter().map(|value| value * scale).collect();
    let difference = difference(&encoded()?.0, &reference);
    assert!(difference < 1e-4, "{difference}");
    Ok(())
}

#[test]
fn a_latent_becomes_the_picture_of_the_reference() -> Result<()> {
    let mut decoder = decoder::decode::Decoder::open(runtime(), &pack(), &options())?;
    let shape = encoded()?.1;
    for name in ["full", "natural"] {
        decoder.decode(&npy::floats(&fixture(&format!("{name}.latent.npy"))), shape)?;
        let mut pixels = vec![0; SIZE * SIZE * 3];
        decoder.read(&mut pixels)?;
        let reference = picture(&format!("{name}.png"))?;
        let worst = pixels.iter().zip(&reference).map(|(one, other)| one.abs_diff(*other)).max();
        assert!(worst <= Some(2), "{name}: {worst:?}");
    }
    Ok(())
}

fn painted<'a>(
    painter: &mut Painter,
    request: Request,
    words: impl Into<Words<'a>>,
    values: &[f32],
    shape: [usize; 4],
) -> Result<Latent> {
    let stamp = Stamp { stream: "house".to_owned(), frame_id: 0, captured_ns: 0 };
    let header = Header::of(stamp);
    let latent = Latent { header, pack: pack().name, shape, values: values.to_vec().into() };
    painter.paint(latent, request, words)
}

fn request(steps: usize, strength: f64) -> Request {
    Request { steps, strength, guidance_scale: 1.0, seed: 0, text_to_image: false, passthrough: false }
}

#[test]
fn every_case_of_the_reference_is_painted_alike_on_the_same_noise() -> Result<()> {
    let mut painter = Painter::open(runtime(), &pack(), &options())?;
    let (latent, shape) = encoded()?;
    painter.fix_noise(npy::floats(&fixture("noise.npy")));
    let cases = cases();
    for case in cases["cases"].as_array().expect("cases") {
        let name = case["name"].as_str().expect("a name");
        let request =
            request(case["steps"].as_u64().expect("steps") as usize, case["strength"].as_f64().expect("strength"));
        let embedding = embedding(case["prompt"].as_str().expect("a prompt"))?;
        let painted = painted(&mut painter, request, &embedding, &latent, shape)?;
        let difference = difference(&painted.values, &npy::floats(&fixture(&format!("{name}.latent.npy"))));
        assert!(difference < 1e-4, "{name}: {difference}");
    }
    Ok(())
}

#[test]
fn the_same_seed_paints_the_same_picture_and_another_one_another() -> Result<()> {
    let mut painter = Painter::open(runtime(), &pack(), &options())?;
    let (latent, shape) = encoded()?;
    let embedding = embedding("a pencil drawing")?;
    let mut paint = |seed| painted(&mut painter, Request { seed, ..request(1, 1.0) }, &embedding, &latent, shape);
    let (first, other, again) = (paint(1)?, paint(2)?, paint(1)?);
    assert_eq!(first.values, again.values);
    assert_ne!(first.values, other.values);
    Ok(())
}

#[test]
fn a_prompt_that_fades_in_is_painted_from_the_old_picture_to_the_new_one() -> Result<()> {
    let mut painter = Painter::open(runtime(), &pack(), &options())?;
    let (latent, shape) = encoded()?;
    let (old, new) = (embedding("a pencil drawing")?, embedding("neon lights")?);
    let mut paint = |words: Words| painted(&mut painter, request(1, 1.0), words, &latent, shape);
    let (from, to) = (paint((&old).into())?.values, paint((&new).into())?.values);
    let mut faded = Faded::of(old);
    faded.change(new, 0, 1000);
    let mut left = Vec::new();
    for ms in [0, 250, 500, 750, 1000] {
        let between = paint(faded.words(ms * 1_000_000))?.values;
        if ms == 0 {
            assert!(difference(&between, &from) < 1e-4);
        }
        left.push(between.iter().zip(&*to).map(|(is, should)| (is - should).abs()).sum::<f32>());
    }
    assert!(left.windows(2).all(|pair| pair[1] < pair[0]), "{left:?}");
    assert_eq!(left[4], 0.0, "it has arrived");
    Ok(())
}

#[test]
fn strength_zero_and_passthrough_leave_the_latent_as_it_is() -> Result<()> {
    let mut painter = Painter::open(runtime(), &pack(), &options())?;
    let (latent, shape) = encoded()?;
    let embedding = embedding("neon lights")?;
    for request in [request(1, 0.0), Request { passthrough: true, ..request(1, 1.0) }] {
        assert_eq!(&painted(&mut painter, request, &embedding, &latent, shape)?.values[..], &latent[..]);
    }
    Ok(())
}

#[test]
fn text_to_image_forgets_the_camera() -> Result<()> {
    let mut painter = Painter::open(runtime(), &pack(), &options())?;
    let (latent, shape) = encoded()?;
    let other: Vec<f32> = latent.iter().map(|value| -value).collect();
    let embedding = embedding("neon lights")?;
    let imagined = Request { text_to_image: true, ..request(2, 1.0) };
    let from_one = painted(&mut painter, imagined, &embedding, &latent, shape)?;
    let from_other = painted(&mut painter, imagined, &embedding, &other, shape)?;
    assert_eq!(from_one.values, from_other.values);
    let from_picture = painted(&mut painter, request(2, 1.0), &embedding, &latent, shape)?;
    assert_ne!(from_one.values, from_picture.values);
    Ok(())
}

#[test]
fn guidance_of_two_equal_prompts_is_no_guidance() -> Result<()> {
    let mut painter = Painter::open(runtime(), &pack(), &options())?;
    let (latent, shape) = encoded()?;
    // The negative prompt is empty as well.
    let embedding = embedding("")?;
    let plain = painted(&mut painter, request(2, 1.0), &embedding, &latent, shape)?;
    let guided = painted(&mut painter, Request { guidance_scale: 5.0, ..request(2, 1.0) }, &embedding, &latent, shape)?;
    let difference = difference(&guided.values, &plain.values);
    assert!(difference < 1e-4, "{difference}");
    Ok(())
}

#[test]
fn a_latent_that_is_no_number_is_an_error_and_the_next_one_is_painted_as_if_it_had_not_come() -> Result<()> {
    let mut painter = Painter::open(runtime(), &pack(), &options())?;
    let (latent, shape) = encoded()?;
    let embedding = embedding("neon lights")?;
    let before = painted(&mut painter, request(2, 0.7), &embedding, &latent, shape)?;
    for value in [f32::NAN, f32::INFINITY] {
        let mut broken = latent.clone();
        broken[7] = value;
        for request in [request(2, 0.7), request(1, 0.0), Request { passthrough: true, ..request(1, 1.0) }] {
            let error = painted(&mut painter, request, &embedding, &broken, shape).expect_err("it is no number");
            assert!(error.to_string().starts_with("the latent has the value "), "{error}");
        }
    }
    assert_eq!(painted(&mut painter, request(2, 0.7), &embedding, &latent, shape)?.values, before.values);
    Ok(())
}

#[test]
fn steps_that_the_schedule_does_not_have_and_latents_of_another_pack_are_errors() -> Result<()> {
    let mut painter = Painter::open(runtime(), &pack(), &options())?;
    let (latent, shape) = encoded()?;
    let mut embedding = embedding("neon lights")?;
    for steps in [0, 1001] {
        let error =
            painted(&mut painter, request(steps, 1.0), &embedding, &latent, shape).expect_err("no such schedule");
        assert_eq!(error.to_string(), format!("steps must be from 1 to 1000, not {steps}"));
    }
    embedding.pack = "other".to_owned();
    let error = painted(&mut painter, request(1, 1.0), &embedding, &latent, shape).expect_err("another pack");
    assert!(error.to_string().starts_with("it is of the pack other, and this node runs the pack starter"), "{error}");
    Ok(())
}
