//! The same picture as encoder, diffusion and decoder make of it one by one.

use decoder::compose::{Composer, Layers};
use diffusion::condition::Words;
use diffusion::paint::{Painter, Request};
use encoder::encode::Encoder;
use eyre::Result;
use fused::easel::Easel;
use fused::repaint::{self, Fused, Painted, Wish};
use mirror_contract::{Embedding, Frame, Header, Latent, Settings, Stamp};
use mirror_inference::runtime::INSTALLED;
use mirror_inference::{Options, Runtime};
use mirror_models::Pack;
use mirror_stage::Opens;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Sides of the pictures.
const SIDE: usize = 128;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn open<T: Opens>() -> T {
    // There is one ONNX Runtime in a process, and tests run at once.
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| {
        let library = std::env::var_os("ORT_DYLIB_PATH").filter(|path| !path.is_empty());
        let library = library.map_or_else(|| PathBuf::from(INSTALLED), PathBuf::from);
        Runtime::load_from(&root().join(library)).expect("ONNX Runtime")
    });
    let pack = Pack::open(&root().join("models/starter")).expect("the starter pack");
    T::open(runtime, &pack, &Options::default()).expect("it opens")
}

fn frame(frame_id: i64) -> Frame {
    let stamp = Stamp { stream: "house".to_owned(), frame_id, captured_ns: 0 };
    let shade = |at: usize| (at.wrapping_mul(31).wrapping_add(usize::try_from(frame_id).unwrap_or(0) * 977) >> 3) as u8;
    let pixels: Vec<u8> = (0..200 * 160 * Frame::CHANNELS).map(shade).collect();
    Frame { header: Header::of(stamp), height: 160, width: 200, pixels: pixels.into() }
}

fn embedding() -> Embedding {
    let shape = [2, 32, 96];
    let values: Vec<f32> = (0..2 * 32 * 96).map(|at| (at as f32 * 0.37).sin()).collect();
    let (stream, pack, prompt) = ("house".to_owned(), "starter".to_owned(), "neon".to_owned());
    Embedding {
        stream,
        version: 0,
        pack,
        prompt,
        negative_prompt: String::new(),
        shape,
        values: values.into(),
        pooled: None,
    }
}

fn settings(opacity: f64) -> Settings {
    Settings { size: SIDE as i64, steps: 1, opacity, seed: 7, ..Settings::of("house") }
}

fn wish<'a>(frame: &'a Frame, settings: &'a Settings) -> Wish<'a> {
    Wish { frame, settings, memory: vec![9; 5] }
}

fn paint(fused: &mut Fused, frame: &Frame, settings: &Settings, embedding: &Embedding) -> Result<Painted> {
    let encoded = fused.encode(wish(frame, settings))?;
    repaint::paint(fused.painter().as_mut().expect("it is here"), encoded, Words::from(embedding))
}

fn shown(fused: &mut Fused, painted: &Painted) -> Vec<u8> {
    let mut showing = fused.showing();
    let [height, width] = showing.decode(painted).expect("it decodes");
    let mut pixels = vec![0; height * width * Frame::CHANNELS];
    showing.write(painted, &mut pixels).expect("it is written");
    pixels
}

#[test]
fn a_picture_is_the_one_that_the_three_stages_make() {
    let (mut encoder, mut painter, mut composer): (Encoder, Painter, Composer) = (open(), open(), open());
    let mut fused: Fused = open();
    let embedding = embedding();
    for (frame_id, opacity) in [(0, 1.0), (1, 0.4)] {
        let (frame, settings) = (frame(frame_id), settings(opacity));
        let mut source = vec![0; SIDE * SIDE * Frame::CHANNELS];
        encoder.take(&frame.pixels, [160, 200], SIDE, settings.mirror, &mut source).expect("it is taken");
        let (values, shape) = encoder.encode().expect("it is encoded");
        let latent = Latent { header: frame.header.clone(), pack: "starter".to_owned(), shape, values: values.into() };
        let latent = painter.paint(latent, Request::of(&settings, frame_id), &embedding).expect("it is painted");
        let layers = Layers { source: Some(&source), opacity: opacity as f32, passthrough: false };
        composer.decode(&latent.values, latent.shape, &layers).expect("it is decoded");
        let mut expected = vec![0; source.len()];
        composer.write(&layers, &mut expected).expect("it is written");

        let painted = paint(&mut fused, &frame, &settings, &embedding).expect("it is painted");
        assert_eq!(painted.header().painting.as_ref().map(|painting| painting.prompt.as_str()), Some("neon"));
        assert_eq!(painted.pack(), "starter");
        assert!(shown(&mut fused, &painted) == expected, "picture {frame_id} differs");
        // A picture of which nothing is to be seen is not kept, its memory is.
        assert_eq!(painted.memory(), if opacity < 1.0 { source } else { vec![9; 5] });
    }
}

#[test]
fn a_picture_is_painted_on_the_easel_while_one_is_shown_and_one_encoded_and_all_are_the_same() {
    let mut fused: Fused = open();
    let (embedding, settings, frames) = (embedding(), settings(1.0), [frame(0), frame(1), frame(2)]);
    let alone: Vec<Vec<u8>> = frames
        .iter()
        .map(|frame| {
            let painted = paint(&mut fused, frame, &settings, &embedding).expect("it is painted");
            shown(&mut fused, &painted)
        })
        .collect();
    assert!(alone[0] != alone[1] && alone[1] != alone[2]);
    let mut easel = Easel::start().expect("a thread");
    assert!(!easel.is_busy());
    let mut before = paint(&mut fused, &frames[0], &settings, &embedding).expect("it is painted");
    let mut encoded = fused.encode(wish(&frames[1], &settings)).expect("it is encoded");
    for number in 1..=2 {
        let painter = fused.painter().take().expect("it is here");
        easel.begin(painter, encoded, Words::from(&embedding)).expect("the thread lives");
        assert!(easel.is_busy() && fused.painter().is_none());
        assert!(shown(&mut fused, &before) == alone[number - 1], "picture {}", number - 1);
        encoded = fused.encode(wish(&frames[2], &settings)).expect("it is encoded");
        let finished = easel.wait(None).expect("the thread lives").expect("it was waited for");
        assert_eq!(finished.pack, "starter");
        *fused.painter() = Some(finished.painter);
        before = finished.painted.expect("it is painted");
    }
    assert!(!easel.is_busy() && shown(&mut fused, &before) == alone[2]);
}

#[test]
fn words_of_another_pack_are_an_error_and_the_next_picture_is_painted() {
    let mut fused: Fused = open();
    let (frame, settings) = (frame(0), settings(1.0));
    let other = Embedding { pack: "sd15".to_owned(), ..embedding() };
    let error = paint(&mut fused, &frame, &settings, &other).expect_err("it is of another pack").to_string();
    assert!(error.contains("sd15") && error.contains("starter"), "{error}");
    assert!(paint(&mut fused, &frame, &settings, &embedding()).is_ok());
}
