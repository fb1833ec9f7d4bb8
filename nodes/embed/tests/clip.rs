//! CLIP's tokenizer out of its two files, against Hugging Face's (`fixtures/make.py`).

use embed::tokens::Tokens;
use mirror_models::{Pack, pack::Latents};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// A pack that has only a tokenizer.
fn pack(directory: &Path) -> Pack {
    let latents = Latents { channels: 4, scaling_factor: 1.0, shift_factor: 0.0, downscale: 8 };
    Pack { name: "clip".to_owned(), directory: directory.to_owned(), latents, scheduler: Value::Null }
}

fn copy() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let to = folder.path().join("tokenizer");
    fs::create_dir(&to).expect("a folder");
    for file in ["vocab.json", "merges.txt", "tokenizer_config.json"] {
        fs::copy(fixtures().join("clip").join(file), to.join(file)).expect("a file");
    }
    folder
}

#[test]
fn vocabulary_and_merges_make_the_ids_that_the_reference_makes() {
    let folder = copy();
    let tokens = Tokens::open(&pack(folder.path())).expect("a tokenizer");
    let cases: Value =
        serde_json::from_slice(&fs::read(fixtures().join("clip_ids.json")).expect("a file")).expect("JSON");
    let cases = cases.as_array().expect("a list");
    assert!(cases.len() >= 7);
    for case in cases {
        let text = case["text"].as_str().expect("a text");
        let ids: Vec<i64> = serde_json::from_value(case["ids"].clone()).expect("numbers");
        assert_eq!(tokens.ids(text).expect("it is tokenized"), ids, "{text:?}");
    }
}

#[test]
fn a_padding_token_outside_the_vocabulary_is_named() {
    let folder = copy();
    let config = r#"{"model_max_length": 24, "pad_token": {"content": "<pad>"}}"#;
    fs::write(folder.path().join("tokenizer/tokenizer_config.json"), config).expect("a file");
    let error = Tokens::open(&pack(folder.path())).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(error.ends_with("the padding token \"<pad>\" is not in the vocabulary"), "{error}");
}
