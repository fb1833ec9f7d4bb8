//! Packs that are broken, in each way that packs break: one clear error that names the thing, never a crash.

use decoder::decode::Decoder;
use diffusion::paint::Painter;
use embed::embed::Embedder;
use encoder::encode::Encoder;
use eyre::Result;
use mirror_inference::{Choice, Options, Provider, Runtime};
use mirror_models::Pack;
use mirror_tests::{copy, root};
use serde_json::{Value, json};
use std::fs;
use std::sync::OnceLock;
use tempfile::TempDir;

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::load().expect("run \"make setup\" first"))
}

/// A copy of a pack, to be broken.
fn copied(pack: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    copy(&root().join(pack), folder.path()).expect("a copy");
    folder
}

/// A copy of the starter pack.
fn starter() -> TempDir {
    copied("models/starter")
}

/// A copy of a pack of SDXL's shape, whose UNet keeps its weights beside the graph.
fn sdxl() -> TempDir {
    copied("tests/fixtures/miniature/sdxl")
}

fn change(pack: &TempDir, file: &str, key: &str, value: Value) {
    let path = pack.path().join(file);
    let mut json: Value = serde_json::from_slice(&fs::read(&path).expect("it is there")).expect("it is JSON");
    json[key] = value;
    fs::write(path, json.to_string()).expect("it is written");
}

/// Opens all stages as the nodes do, and gives the first error as one line.
fn fault(pack: &TempDir) -> String {
    let options = Options { provider: Choice::Only(Provider::Cpu), ..Options::default() };
    let open = || -> Result<()> {
        let pack = Pack::open(pack.path())?;
        Encoder::open(runtime(), &pack, &options)?;
        Embedder::open(runtime(), &pack, &options)?;
        Painter::open(runtime(), &pack, &options)?;
        Decoder::open(runtime(), &pack, &options)?;
        Ok(())
    };
    open().err().map(|error| mirror_kit::start::one_line(&error)).unwrap_or_default()
}

#[test]
fn the_starter_pack_has_no_fault() {
    assert_eq!(fault(&starter()), "");
}

#[test]
fn a_graph_that_is_cut_off_is_named() {
    for part in ["vae_encoder", "text_encoder", "unet", "vae_decoder"] {
        let pack = starter();
        let path = pack.path().join(part).join("model.onnx");
        let bytes = fs::read(&path).expect("it is there");
        fs::write(&path, &bytes[..bytes.len() / 2]).expect("it is written");
        let fault = fault(&pack);
        assert!(
            fault.contains(&format!("{part}/model.onnx")) && fault.contains("is not a graph that can be run"),
            "{fault}"
        );
    }
}

#[test]
fn a_missing_tokenizer_is_named() {
    let pack = starter();
    fs::remove_file(pack.path().join("tokenizer/tokenizer.json")).expect("it was there");
    assert!(fault(&pack).contains("holds neither tokenizer.json nor"), "{}", fault(&pack));
}

#[test]
fn a_tokenizer_that_is_not_one_is_named() {
    let pack = starter();
    fs::write(pack.path().join("tokenizer/tokenizer.json"), "{}").expect("it is written");
    assert!(fault(&pack).contains("tokenizer.json is not a tokenizer"), "{}", fault(&pack));
}

#[test]
fn an_autoencoder_and_a_unet_of_different_channels_are_named() {
    let pack = starter();
    change(&pack, "vae_decoder/config.json", "latent_channels", json!(4));
    let fault = fault(&pack);
    assert!(fault.contains("channels, but the pack's config.json says 4 latent_channels"), "{fault}");
}

#[test]
fn a_text_encoder_of_another_width_than_the_unet_reads_is_named_with_it() {
    let pack = starter();
    let other = root().join("tests/fixtures/miniature/sd15/text_encoder/model.onnx");
    fs::copy(other, pack.path().join("text_encoder/model.onnx")).expect("it is there");
    let fault = fault(&pack);
    assert!(fault.contains("text_encoder/model.onnx makes 16 values a token, but "), "{fault}");
    assert!(fault.contains("unet/model.onnx reads 96: take text encoder and UNet out of the same model"), "{fault}");
}

#[test]
fn two_text_encoders_that_are_wider_together_than_the_unet_reads_are_named_with_it() {
    let pack = sdxl();
    let second = pack.path().join("text_encoder_2/model.onnx");
    fs::copy(second, pack.path().join("text_encoder/model.onnx")).expect("it is there");
    let fault = fault(&pack);
    assert!(fault.contains("text_encoder_2/model.onnx make 24 + 24 values a token, but "), "{fault}");
    assert!(fault.contains("unet/model.onnx reads 40"), "{fault}");
}

#[test]
fn a_second_text_encoder_that_makes_another_width_of_a_prompt_than_the_unet_reads_is_named_with_it() {
    let pack = sdxl();
    let path = pack.path().join("unet/model.onnx");
    let mut graph = fs::read(&path).expect("it is there");
    // The last axis of the input `text_embeds`: its name, then a shape of a named axis and one of 24.
    let at = graph.windows(13).rposition(|window| window == b"\x0a\x0btext_embeds").expect("it has that input");
    let axis = graph[at..].windows(4).position(|window| window == [0x0a, 0x02, 0x08, 24]).expect("it is as wide");
    graph[at + axis + 3] = 20;
    fs::write(path, graph).expect("it is written");
    let fault = fault(&pack);
    assert!(fault.contains("text_encoder_2/model.onnx makes 24 values a prompt, but "), "{fault}");
    assert!(fault.contains("unet/model.onnx reads 20"), "{fault}");
}

#[test]
fn an_autoencoder_of_another_downscale_than_its_configuration_says_is_named_with_it() {
    let pack = starter();
    // One block less: the picture is halved once less.
    change(&pack, "vae_decoder/config.json", "block_out_channels", json!([32, 32, 32]));
    let fault = fault(&pack);
    assert!(fault.contains("vae_encoder/model.onnx has 8 pixels to a latent's position, but "), "{fault}");
    assert!(fault.contains("vae_decoder/config.json says 4 "), "{fault}");
}

#[test]
fn a_prompt_longer_than_the_text_encoder_is_wide_is_named() {
    let pack = starter();
    change(&pack, "tokenizer/tokenizer_config.json", "model_max_length", json!(77));
    let fault = fault(&pack);
    assert!(fault.contains("text_encoder/model.onnx") && fault.contains("77"), "{fault}");
}

#[test]
fn a_scheduler_that_is_not_known_is_named_with_those_that_are() {
    let pack = starter();
    change(&pack, "scheduler/scheduler_config.json", "_class_name", json!("HeunDiscreteScheduler"));
    let fault = fault(&pack);
    assert!(
        fault.contains("\"HeunDiscreteScheduler\" is not supported; supported are EulerDiscreteScheduler"),
        "{fault}"
    );
}

#[test]
fn a_pack_of_two_text_encoders_has_no_fault() {
    assert_eq!(fault(&sdxl()), "");
}

#[test]
fn a_unet_of_sdxl_in_a_pack_of_one_text_encoder_is_named() {
    let pack = sdxl();
    fs::remove_dir_all(pack.path().join("text_encoder_2")).expect("it was there");
    let fault = fault(&pack);
    assert!(fault.contains("unet/model.onnx reads text_embeds, which text_encoder_2 makes"), "{fault}");
}

#[test]
fn a_missing_second_tokenizer_is_named() {
    let pack = sdxl();
    fs::remove_dir_all(pack.path().join("tokenizer_2")).expect("it was there");
    fs::write(pack.path().join("text_encoder_2/config.json"), r#"{"max_position_embeddings": 24}"#).expect("a file");
    let fault = fault(&pack);
    assert!(fault.contains("tokenizer_2 holds neither tokenizer.json nor"), "{fault}");
}

#[test]
fn text_encoders_of_different_lengths_are_named() {
    let pack = sdxl();
    change(&pack, "tokenizer_2/tokenizer_config.json", "model_max_length", json!(12));
    let fault = fault(&pack);
    assert!(fault.contains("text_encoder_2/model.onnx") && fault.contains("12"), "{fault}");
}

#[test]
fn a_first_text_encoder_of_sdxl_without_its_hidden_states_is_named() {
    let pack = sdxl();
    let other = root().join("tests/fixtures/miniature/sd15/text_encoder/model.onnx");
    fs::copy(other, pack.path().join("text_encoder/model.onnx")).expect("it is there");
    let fault = fault(&pack);
    assert!(fault.contains("text_encoder/model.onnx has no outputs hidden_states.0"), "{fault}");
}

#[test]
fn missing_weights_beside_a_graph_are_named() {
    let pack = sdxl();
    fs::remove_file(pack.path().join("unet/model.onnx_data")).expect("it was there");
    let fault = fault(&pack);
    assert!(fault.contains("unet/model.onnx") && fault.contains("is not a graph that can be run"), "{fault}");
}
