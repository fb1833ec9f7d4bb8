//! Packs that are whole, and packs that are not.

use mirror_models::processor::processors;
use mirror_models::{Pack, Part};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

fn write(folder: &TempDir, path: &str, text: &str) {
    let path = folder.path().join(path);
    fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
    fs::write(path, text).expect("a file");
}

fn pack() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for part in Part::ALL {
        write(&folder, &format!("{}/model.onnx", part.folder()), "");
    }
    let vae = r#"{"latent_channels": 4, "scaling_factor": 0.18215, "block_out_channels": [8, 8, 8, 8]}"#;
    write(&folder, "vae_decoder/config.json", vae);
    write(&folder, "scheduler/scheduler_config.json", r#"{"_class_name": "EulerDiscreteScheduler"}"#);
    write(&folder, "tokenizer/tokenizer_config.json", r#"{"model_max_length": 77}"#);
    folder
}

fn error(folder: &Path) -> String {
    Pack::open(folder).err().map(|error| format!("{error:#}")).unwrap_or_default()
}

#[test]
fn a_pack_says_what_its_latents_are() {
    let folder = pack();
    let pack = Pack::open(folder.path()).expect("it is whole");
    assert_eq!((pack.latents.channels, pack.latents.downscale), (4, 8));
    assert!((pack.latents.scaling_factor - 0.18215).abs() < 1e-6);
    assert_eq!(pack.tokens().expect("it says"), 77);
}

#[test]
fn the_starter_pack_is_whole() {
    let starter = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/starter");
    let pack = Pack::open(&starter).expect("it is whole");
    assert_eq!(pack.name, "starter");
    assert_eq!(pack.latents.downscale, 8);
    assert!(pack.tokens().expect("it says") > 8);
    assert!(processors(&starter).expect("a list").iter().any(|processor| processor.name == "turbo"));
}

#[test]
fn a_second_text_encoder_is_known_by_its_folder_and_then_needed_whole() {
    let folder = pack();
    let first = Pack::open(folder.path()).expect("it is whole");
    assert_eq!(first.text_encoders(), [Part::TextEncoder]);
    assert!(!first.zeros_without_negative().expect("it says"));

    write(&folder, "text_encoder_2/config.json", r#"{"max_position_embeddings": 77}"#);
    assert!(error(folder.path()).contains("text_encoder_2/model.onnx is missing"), "{}", error(folder.path()));
    write(&folder, "text_encoder_2/model.onnx", "");
    let both = Pack::open(folder.path()).expect("it is whole");
    assert_eq!(both.text_encoders(), [Part::TextEncoder, Part::TextEncoder2]);
    assert_eq!(both.tokens_of(Part::TextEncoder2).expect("it says"), 77);
    assert!(both.zeros_without_negative().expect("it says"));
    write(&folder, "model_index.json", r#"{"force_zeros_for_empty_prompt": false}"#);
    assert!(!both.zeros_without_negative().expect("it says"));
}

#[test]
fn an_autoencoder_whose_latents_are_scaled_by_channel_is_refused() {
    let folder = pack();
    let vae = r#"{"latent_channels": 4, "scaling_factor": 0.5, "block_out_channels": [8], "latents_mean": [0.1]}"#;
    write(&folder, "vae_decoder/config.json", vae);
    assert!(error(folder.path()).contains("latents_mean is not supported"), "{}", error(folder.path()));
}

#[test]
fn a_missing_pack_is_named_with_the_remedy() {
    let expected = "model pack nowhere is not there: name the directory of a pack in MIRROR_PACK";
    assert_eq!(error(Path::new("nowhere")), expected);
}

#[test]
fn each_missing_part_is_named() {
    for part in Part::ALL {
        let folder = pack();
        let file = format!("{}/model.onnx", part.folder());
        fs::remove_file(folder.path().join(&file)).expect("it was there");
        assert!(error(folder.path()).contains(&format!("{file} is missing")), "{}", error(folder.path()));
    }
}

#[test]
fn a_configuration_that_is_not_json_is_named() {
    let folder = pack();
    write(&folder, "scheduler/scheduler_config.json", "{");
    assert!(error(folder.path()).contains("scheduler_config.json is not JSON"), "{}", error(folder.path()));
}

#[test]
fn a_scheduler_configuration_with_pythons_infinity_is_read() {
    let folder = pack();
    let text = r#"{"_class_name": "DPMSolverMultistepScheduler", "lambda_min_clipped": -Infinity}"#;
    write(&folder, "scheduler/scheduler_config.json", text);
    let scheduler = Pack::open(folder.path()).expect("it is whole").scheduler;
    assert_eq!(scheduler["_class_name"], "DPMSolverMultistepScheduler");
    assert!(scheduler["lambda_min_clipped"].is_null());
}

#[test]
fn an_autoencoder_that_does_not_say_its_channels_is_named() {
    let folder = pack();
    write(&folder, "vae_decoder/config.json", r#"{"scaling_factor": 1.0, "block_out_channels": [8]}"#);
    assert!(error(folder.path()).contains("config.json does not say latent_channels"), "{}", error(folder.path()));
}

#[test]
fn a_tokenizer_without_a_limit_leaves_it_to_the_text_encoder() {
    let folder = pack();
    write(&folder, "tokenizer/tokenizer_config.json", r#"{"model_max_length": 1e30}"#);
    write(&folder, "text_encoder/config.json", r#"{"max_position_embeddings": 64}"#);
    assert_eq!(Pack::open(folder.path()).expect("whole").tokens().expect("it says"), 64);
}

#[test]
fn a_pack_without_a_list_has_one_processor_and_one_with_a_list_has_those() {
    let folder = pack();
    assert_eq!(processors(folder.path()).expect("a list")[0].name, "standard");
    let list = "[[processor]]\nname = \"fine\"\nsteps = 4\nguidance_scale = 1.5\nstrength = 0.9\ntext = \"Slow.\"\n";
    write(&folder, "mirror.toml", list);
    let names: Vec<String> = processors(folder.path()).expect("a list").into_iter().map(|one| one.name).collect();
    assert_eq!(names, ["fine"]);
    write(&folder, "mirror.toml", "[[processor]]\nnmae = 1\n");
    let error = processors(folder.path()).err().map(|error| format!("{error:#}")).unwrap_or_default();
    assert!(error.contains("mirror.toml is not a list of processors"), "{error}");
}
