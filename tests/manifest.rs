//! `models/manifest.toml` says of every file of the packs that ship how long it is and what it hashes to.

use mirror_tests::root;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
struct Manifest {
    pack: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    directory: PathBuf,
    size: u64,
    file: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    path: String,
    size: u64,
    sha256: String,
}

/// Length and SHA-256 of every file under `folder`, by its path seen from `root`. What is in one of `others` is of another pack.
fn files(root: &Path, folder: &Path, others: &[PathBuf], found: &mut BTreeMap<String, (u64, String)>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            if !others.contains(&path) {
                files(root, &path, others, found);
            }
            continue;
        }
        let bytes = fs::read(&path).expect("a file");
        let hash = Sha256::digest(&bytes).iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").expect("a text takes everything");
            text
        });
        let name = path.strip_prefix(root).expect("below it").to_string_lossy().into_owned();
        found.insert(name, (bytes.len() as u64, hash));
    }
}

#[test]
fn the_manifest_is_true_of_every_file_of_every_pack_that_ships() {
    let models = root().join("models");
    let text = fs::read_to_string(models.join("manifest.toml")).expect("models/manifest.toml");
    let manifest: Manifest = toml::from_str(&text).expect("a manifest");
    for name in ["starter", "starter-voice"] {
        assert!(manifest.pack.iter().any(|pack| pack.name == name), "no {name} in {text}");
    }
    let folders: Vec<PathBuf> = manifest.pack.iter().map(|pack| models.join(&pack.directory)).collect();
    for pack in manifest.pack {
        let folder = models.join(&pack.directory);
        let mut found = BTreeMap::new();
        files(&folder, &folder, &folders, &mut found);
        let listed = pack.file.into_iter().map(|file| (file.path, (file.size, file.sha256))).collect();
        let remedy = "after a change of the pack: python -m train export --manifest-only, in models/";
        assert_eq!(found, listed, "models/manifest.toml is not true of {}: {remedy}", pack.name);
        assert_eq!(found.values().map(|(size, _)| size).sum::<u64>(), pack.size, "size of {}: {remedy}", pack.name);
    }
}
