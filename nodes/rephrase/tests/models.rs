//! Every way in which a model's file can be wrong is one line, before llama.cpp sees it.

mod support;

use rephrase::gguf::check;
use std::fs;
use std::path::PathBuf;
use support::{Value, model};
use tempfile::TempDir;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().expect("a folder"))
    }

    fn file(&self, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join("model.gguf");
        fs::write(&path, bytes).expect("it can be written");
        path
    }

    fn refused(&self, bytes: &[u8]) -> String {
        let error = check(&self.file(bytes)).expect_err("it is wrong");
        let line = mirror_kit::start::one_line(&error);
        assert!(line.contains("model.gguf") && !line.contains('\n'), "{line}");
        line
    }
}

#[test]
fn a_whole_model_is_taken_and_says_what_it_is() {
    let folder = Folder::new();
    let description = check(&folder.file(&model(Some("chatml")).bytes())).expect("it is whole");
    assert_eq!((description.architecture.as_str(), description.context, description.vocabulary), ("llama", 512, 261));
    assert!(description.has_template);
    assert!(!check(&folder.file(&model(None).bytes())).expect("it is whole").has_template);
}

#[test]
fn what_is_no_model_is_said_with_what_to_bring() {
    let folder = Folder::new();
    let line = mirror_kit::start::one_line(&check(&folder.0.path().join("none.gguf")).expect_err("it is not there"));
    assert!(
        line.contains("none.gguf: there is no such file; bring an instruct model in GGUF, such as qwen2.5"),
        "{line}"
    );
    assert!(check(folder.0.path()).is_err_and(|error| error.to_string().contains("is not a file")));
    assert!(folder.refused(b"").contains("it is empty (0 bytes)"));
    assert!(folder.refused(b"GG").contains("too early"));
    assert!(folder.refused(b"<html>404</html>").contains("does not begin as a GGUF file does"));
    assert!(folder.refused(b"lmgg\x00\x00").contains("older ggml file"));
    assert!(folder.refused(b"GGUF\x01\0\0\0").contains("version 1"));
}

#[test]
fn a_model_that_is_cut_short_anywhere_is_refused() {
    let folder = Folder::new();
    let bytes = model(None).bytes();
    for place in (0..80).map(|at| bytes.len() * at / 80).chain([bytes.len() - 1, 24, 25, 60]) {
        let line = folder.refused(&bytes[..place]);
        assert!(
            line.contains("too early") || line.contains("its head says") || line.contains("empty"),
            "{place}: {line}"
        );
    }
}

#[test]
fn values_that_are_missing_wrong_or_do_not_fit_together_are_refused_by_name() {
    let folder = Folder::new();
    let text = |text: &str| Some(Value::Text(text.to_owned()));
    let number = |number| Some(Value::Number(number));
    for (name, value) in [
        ("general.architecture", None),
        ("general.architecture", number(3)),
        ("llama.context_length", None),
        ("llama.context_length", number(0)),
        ("llama.embedding_length", number(0)),
        ("llama.embedding_length", number(64)),
        ("llama.block_count", number(0)),
        ("llama.block_count", number(513)),
        ("llama.attention.head_count", number(0)),
        ("llama.attention.head_count_kv", number(0)),
        ("llama.attention.head_count_kv", number(3)),
        ("llama.attention.layer_norm_rms_epsilon", Some(Value::Fraction(-1e-5))),
        ("llama.attention.layer_norm_rms_epsilon", Some(Value::Fraction(f32::NAN))),
        ("llama.rope.freq_base", Some(Value::Fraction(0.0))),
        ("llama.rope.dimension_count", number(18)),
        ("llama.rope.dimension_count", number(7)),
        ("tokenizer.ggml.model", None),
        ("tokenizer.ggml.model", text("bert")),
        ("tokenizer.ggml.model", text("llama")),
        ("tokenizer.ggml.tokens", None),
        ("tokenizer.ggml.tokens", Some(Value::Texts(Vec::new()))),
        ("tokenizer.ggml.tokens", Some(Value::Texts(vec!["a".to_owned(); 261]))),
        ("tokenizer.ggml.tokens", Some(Value::Texts((0..260).map(|at| at.to_string()).collect()))),
        ("tokenizer.ggml.token_type", Some(Value::Numbers(vec![1; 9]))),
        ("tokenizer.ggml.merges", None),
        ("tokenizer.ggml.eos_token_id", number(261)),
        ("tokenizer.ggml.bos_token_id", number(1 << 31)),
        ("general.alignment", number(0)),
        ("general.alignment", number(48)),
    ] {
        let line = folder.refused(model(None).set(name, value.clone()).bytes().as_slice());
        assert!(line.contains("download it again"), "{name} {value:?}: {line}");
    }
    let mut without = model(None);
    without.set("tokenizer.ggml.bos_token_id", None).set("tokenizer.ggml.add_bos_token", Some(Value::Switch(true)));
    assert!(folder.refused(&without.bytes()).contains("bos_token_id is missing"));
}

#[test]
fn tensors_that_are_missing_twice_or_of_another_shape_are_refused_by_name() {
    let folder = Folder::new();
    let mut twice = model(None);
    twice.tensors.push(twice.tensors[1].clone());
    assert!(folder.refused(&twice.bytes()).contains("output_norm.weight is there twice"));
    let mut other = model(None);
    other.tensors[0].1[1] = 260;
    assert!(
        folder.refused(&other.bytes()).contains("token_embd.weight has the shape [32, 260], it must have [32, 261]")
    );
    let mut missing = model(None);
    missing.tensors.remove(0);
    assert!(folder.refused(&missing.bytes()).contains("no tensor token_embd.weight"));
    let mut empty = model(None);
    empty.tensors[1].1[0] = 0;
    assert!(folder.refused(&empty.bytes()).contains("output_norm.weight of the shape [0]"));
}

#[test]
fn no_byte_of_the_head_can_be_changed_so_that_reading_it_ends_in_more_than_an_error() {
    let folder = Folder::new();
    let bytes = model(None).bytes();
    for at in (0..900).chain((900..9000).step_by(41)) {
        for value in [0, 255] {
            let mut broken = bytes.clone();
            broken[at] = value;
            // Taken or refused: it comes back.
            let _ = check(&folder.file(&broken));
        }
    }
}
