//! Every way in which a model's file can be wrong is one line, before whisper.cpp sees it.

mod support;

use std::fs;
use std::path::PathBuf;
use stt::ggml::check;
use support::{Sizes, TINY, model};
use tempfile::TempDir;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().expect("a folder"))
    }

    fn file(&self, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join("model.bin");
        fs::write(&path, bytes).expect("it can be written");
        path
    }

    fn refused(&self, bytes: &[u8]) -> String {
        let path = self.file(bytes);
        let error = check(&path).expect_err("it is wrong");
        let line = mirror_kit::start::one_line(&error);
        assert!(line.contains("model.bin") && !line.contains('\n'), "{line}");
        line
    }
}

/// Where the header's number is.
fn at(index: usize) -> usize {
    4 + 4 * index
}

fn with(bytes: &[u8], at: usize, value: i32) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
    bytes
}

#[test]
fn a_whole_model_of_any_kind_is_taken_and_says_what_it_is() {
    let folder = Folder::new();
    for (file_type, vocabulary, multilingual) in [(1, 51_864, false), (7, 51_865, true), (9, 51_866, true)] {
        let bytes = model(Sizes { file_type, vocabulary, layers: 2, ..TINY });
        let header = check(&folder.file(&bytes)).expect("it is whole");
        assert_eq!((header.is_multilingual(), header.file_type, header.audio_layers), (multilingual, file_type, 2));
    }
}

#[test]
fn what_is_no_model_is_said_with_what_to_bring() {
    let folder = Folder::new();
    let line = mirror_kit::start::one_line(&check(&folder.0.path().join("none.bin")).expect_err("it is not there"));
    assert!(
        line.contains(
            "none.bin: there is no such file; bring a whisper model in ggml format, such as ggml-base.en-q5_1.bin"
        ),
        "{line}"
    );
    assert!(check(folder.0.path()).is_err_and(|error| error.to_string().contains("is not a file")));
    assert!(folder.refused(b"").contains("it is empty (0 bytes)"));
    assert!(folder.refused(b"lm").contains("too early"));
    assert!(folder.refused(b"RIFF and so on").contains("does not begin as a ggml file does"));
    assert!(folder.refused(b"GGUF\x03\0\0\0").contains("it is a GGUF file"));
    assert!(folder.refused(b"<html>404</html>").contains("download it again"));
}

#[test]
fn a_model_that_is_cut_short_anywhere_is_refused() {
    let folder = Folder::new();
    let bytes = model(TINY);
    let places =
        (0..60).map(|at| bytes.len() * at / 60).chain([bytes.len() - 1, bytes.len() - 100, 47, 48, 56, 64_380]);
    for place in places {
        let line = folder.refused(&bytes[..place]);
        assert!(line.contains("too early") || line.contains("lacks") || line.contains("empty"), "{place}: {line}");
    }
}

#[test]
fn numbers_of_the_header_that_cannot_be_are_refused() {
    let folder = Folder::new();
    let bytes = model(TINY);
    for (index, values) in [
        (0, &[0, -1, 51_863, 51_867, i32::MAX][..]),
        (1, &[0, -5, 1501, i32::MAX, 1499]),
        (2, &[0, 31, 1 << 20, i32::MIN]),
        (3, &[0, -2, 3, 1000]),
        (4, &[0, 2, 257, -1]),
        (5, &[0, 31, 449, i32::MAX]),
        (6, &[0, 64]),
        (7, &[0, 7]),
        (8, &[0, 2, -9]),
        (9, &[0, 79, 128, i32::MAX]),
        (10, &[-1, 0, 4, 5, 99, 9, 1000, i32::MAX]),
    ] {
        for value in values {
            folder.refused(&with(&bytes, at(index), *value));
        }
    }
    // A version of the quantisation does no harm.
    assert!(check(&folder.file(&with(&bytes, at(10), 2001))).is_ok());
}

#[test]
fn a_tensor_of_another_name_shape_or_kind_is_refused_by_name() {
    let folder = Folder::new();
    let bytes = model(TINY);
    let name = b"encoder.conv1.bias";
    let place = bytes.windows(name.len()).position(|window| window == name).expect("it is there");
    let mut other = bytes.clone();
    other[place] = b'E';
    assert!(folder.refused(&other).contains("\"Encoder.conv1.bias\" belongs to no whisper model"));
    // Before the name: two axes, the length, the kind, then the axes.
    assert!(folder.refused(&with(&bytes, place - 4, 31)).contains("encoder.conv1.bias has the shape"));
    assert!(folder.refused(&with(&bytes, place - 12, 1)).contains("encoder.conv1.bias is of the kind 1"));
    for (before, value) in [(20, 5), (20, 0), (20, -1), (16, 1 << 30), (16, -1)] {
        folder.refused(&with(&bytes, place - before, value));
    }
    let twice = [&bytes[..], &bytes[place - 20..place + name.len() + 4 * 32]].concat();
    assert!(folder.refused(&twice).contains("there twice"));
}

#[test]
fn a_vocabulary_without_the_space_that_whisper_looks_up_is_refused() {
    let folder = Folder::new();
    let mut bytes = model(TINY);
    // The first word: after the header, the filters, the vocabulary's count and the word's length.
    let place = at(11) + 8 + 4 * 80 * 201 + 4 + 4;
    assert_eq!(&bytes[place..=place], b" ");
    bytes[place] = b'+';
    assert!(folder.refused(&bytes).contains("its vocabulary lacks the space"));
}

#[test]
fn weights_that_are_no_numbers_are_refused() {
    let folder = Folder::new();
    let bytes = model(TINY);
    let broken = with(&bytes, bytes.len() - 4, f32::NAN.to_bits().cast_signed());
    assert!(folder.refused(&broken).contains("decoder.ln.bias holds values that are no numbers"));
}
