//! A project of its own with a dora that only takes notes: for tests of the program as people start it.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// A dora that writes down what it is told, and says what dora would.
pub const DORA: &str = r#"#!/bin/sh
echo "$*" >> notes
case $1 in
  --version) echo dora-cli 1.1.0 ;;
  status) [ -e up ] && state=running || state=stopped
    echo "{\"coordinator\": {\"status\": \"$state\"}, \"daemon\": {\"status\": \"$state\"}}" ;;
  coordinator | daemon) touch up; while [ -e up ]; do sleep 0.05; done ;;
  down) rm -f up ;;
  start) echo "dataflow start triggered: 5a-commands-test"; echo "dataflow started: 5a-commands-test" ;;
esac
"#;

/// A project with one node, models and library of this checkout, and that dora.
pub struct Project {
    pub folder: tempfile::TempDir,
    pub address: String,
}

impl Project {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let graph =
            format!("env: {{ WEB_ADDRESS: \"{address}\" }}\nnodes: [{{ id: web, path: target/release/web }}]\n");
        let project = Self { folder, address };
        project.write("dataflow.yml", &graph);
        project.program("target/release/web", "");
        project.program(".venv/bin/dora", DORA);
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
        for name in ["models", ".mirror"] {
            symlink(checkout.join(name), project.path(name)).unwrap();
        }
        project
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn program(&self, name: &str, text: &str) {
        self.write(name, text);
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// What dora was told, one command a line, without its arguments.
    pub fn notes(&self) -> Vec<String> {
        let notes = fs::read_to_string(self.path("notes")).unwrap_or_default();
        notes.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
    }

    pub fn start(&self, arguments: &[&str]) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mirror"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("PATH", "/usr/bin:/bin")
            .env_remove("ORT_DYLIB_PATH")
            .env_remove("DORA");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// Runs it to its end; it must fail with one line, which is given.
    pub fn error(&self, arguments: &[&str]) -> String {
        let output = self.start(arguments).wait_with_output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
        text
    }
}

pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}
