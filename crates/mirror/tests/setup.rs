//! `scripts/setup` on a machine where something is missing: it says what, and what to do.

#![expect(clippy::unwrap_used, reason = "in a test a failed unwrap is a failed test")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// What `scripts/setup` says where these programs are other ones; it must fail.
fn error(programs: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    for (name, script) in programs {
        let program = folder.path().join(name);
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let output = Command::new(root.join("scripts/setup")).env("PATH", path).env_remove("PYTHON").output().unwrap();
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn rust_that_is_too_old_is_refused_with_both_releases() {
    let said = error(&[("rustc", "echo 'rustc 1.80.1 (3f5fd8dd4 2024-08-06)'")]);
    assert_eq!(said, "error: Rust is 1.80.1, but 1.95 or newer is needed: rustup update stable\n");
}

#[test]
fn python_that_is_too_old_is_refused_with_the_remedy() {
    let old = "echo 3.9";
    let names = ["python3", "python3.14", "python3.13", "python3.12", "python3.11"];
    let said = error(&names.map(|name| (name, old)));
    assert!(said.starts_with("error: there is no Python 3.11 or newer (python3 is 3.9): install one"), "{said}");
}

#[test]
fn without_the_right_to_install_the_exact_command_is_printed() {
    // Nobody's machine: no package is installed, this is not root, and sudo asks for a password.
    let said = error(&[("dpkg-query", "exit 1"), ("id", "echo 1000"), ("sudo", "exit 1")]);
    assert!(said.starts_with("These system packages are missing."), "{said}");
    let command = "  sudo apt-get update && sudo apt-get install --yes --no-install-recommends g++ clang libclang-dev";
    assert!(said.lines().any(|line| line.starts_with(command)), "{said}");
}
