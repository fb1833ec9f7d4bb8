//! `mirror apply` and `mirror compare` as people start them, on the starter pack, in a folder of their own.

#![expect(clippy::unwrap_used, reason = "in a test a failed unwrap is a failed test")]

use mirror_pipeline::{Image, codec};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder with the models and ONNX Runtime of this checkout, a copy of its cat, and nothing that is built.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
        for name in ["models", ".mirror", "dataflow.yml"] {
            symlink(checkout.join(name), folder.path(name)).unwrap();
        }
        fs::copy(checkout.join("assets/cat.jpg"), folder.path("cat.jpg")).unwrap();
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Whether it succeeded, what it said, and what it complained of.
    fn run(&self, arguments: &[&str]) -> (bool, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mirror"));
        command.args(arguments).current_dir(self.0.path());
        for key in ["ORT_DYLIB_PATH", "MIRROR_PACK", "MIRROR_PACKS", "MIRROR_PROVIDER"] {
            command.env_remove(key);
        }
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.success(), text(&output.stdout), text(&output.stderr))
    }

    fn error(&self, arguments: &[&str]) -> String {
        let (success, said, error) = self.run(arguments);
        assert!(!success, "{said}");
        assert_eq!(error.lines().count(), 1, "{error}");
        error
    }

    fn picture(&self, name: &str) -> Image {
        codec::read(&self.path(name)).unwrap()
    }
}

#[test]
fn a_picture_is_painted_and_it_is_said_with_what() {
    let folder = Folder::new();
    let prompt = "a pencil drawing";
    let arguments = ["apply", "--image", "cat.jpg", "--prompt", prompt, "--size", "256", "--out", "made/drawing.png"];
    let (success, said, error) = folder.run(&arguments);
    assert!(success, "{error}");
    assert_eq!(folder.picture("made/drawing.png").shape(), [170, 256]);
    for part in ["cat.jpg, 451 × 300 → 256 × 170", "turbo: 1 step", "starter on ", " ms in all", "made/drawing.png"]
    {
        assert!(said.contains(part), "{part} in\n{said}");
    }
    // The same again is the same picture, also as a crop of another name and with another seed another one.
    folder.run(&["apply", "--image", "cat.jpg", "--prompt", prompt, "--size", "256", "--out", "again.png"]);
    assert_eq!(folder.picture("made/drawing.png"), folder.picture("again.png"));
    let crop =
        ["apply", "--image", "cat.jpg", "--prompt", prompt, "--size", "128", "--fit", "crop", "--out", "crop.jpg"];
    assert!(folder.run(&crop).0);
    assert_eq!(folder.picture("crop.jpg").shape(), [128, 128]);
}

#[test]
fn what_is_wrong_is_said_in_one_line_with_the_remedy() {
    let folder = Folder::new();
    fs::write(folder.path("text.jpg"), "neon").unwrap();
    let apply = |more: &[&str]| {
        let mut arguments = vec!["apply", "--prompt", "neon lights", "--size", "128"];
        arguments.extend(more);
        if !more.contains(&"--out") {
            arguments.extend(["--out", "out.png"]);
        }
        folder.error(&arguments)
    };
    let refused = |more: &[&str]| apply(&[&["--image", "cat.jpg"], more].concat());
    assert_eq!(apply(&["--image", "dog.jpg"]), "error: there is no file dog.jpg\n");
    assert!(apply(&["--image", "text.jpg"]).starts_with("error: text.jpg: not a picture that can be read"));
    assert!(apply(&[]).contains("name a picture with --image"));
    assert!(refused(&["--out", "cat.jpg"]).contains("cat.jpg is the picture that is painted from"));
    assert!(refused(&["--out", "cat.gif"]).contains("ends neither in .png nor in .jpg"));
    assert!(refused(&["--processor", "sdxl"]).contains("there is no processor \"sdxl\"; there are turbo"));
    assert!(refused(&["--strength", "1.5"]).contains("strength must be a number from 0 to 1, not 1.5"));
    assert!(refused(&["--steps", "0"]).contains("steps must be a whole number from 1 to 50, not 0"));
    assert!(refused(&["--steps", "many"]).contains("steps must be a whole number from 1 to 50, not \"many\""));
    assert!(refused(&["--pack", "nowhere"]).contains("nowhere is not there"));
    assert!(refused(&["--provider", "npu"]).contains("npu is not auto, cpu, cuda or tensorrt"));
    assert!(!folder.path("out.png").exists(), "nothing was painted");
    assert_eq!(fs::metadata(folder.path("cat.jpg")).unwrap().len(), 35042, "the picture is as it was");
}

#[test]
fn a_prompt_alone_is_painted_where_it_is_asked_for() {
    let folder = Folder::new();
    let arguments =
        ["apply", "--text-to-image", "--prompt", "neon", "--size", "128", "--negative", "fog", "--out", "a.png"];
    let (success, said, error) = folder.run(&arguments);
    assert!(success, "{error}");
    assert!(
        said.contains("the prompt alone → 128 × 128") && said.contains("the negative prompt did not count"),
        "{said}"
    );
    assert_eq!(folder.picture("a.png").shape(), [128, 128]);
}

#[test]
fn every_installed_processor_has_its_place_on_the_sheet_and_in_the_table() {
    let folder = Folder::new();
    // A second pack, which is the first one under another name and with another list.
    fs::create_dir(folder.path("packs")).unwrap();
    fs::create_dir(folder.path("packs/other")).unwrap();
    for entry in fs::read_dir(folder.path("models/starter")).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap() != "mirror.toml" {
            symlink(path.canonicalize().unwrap(), folder.path("packs/other").join(path.file_name().unwrap())).unwrap();
        }
    }
    let list = "[[processor]]\nname = \"two\"\nsteps = 2\nguidance_scale = 1.5\nstrength = 1.0\ntext = \"\"\n";
    fs::write(folder.path("packs/other/mirror.toml"), list).unwrap();
    let prompt = "Oil painting in autumn colours";
    let arguments = [
        "compare",
        "--image",
        "cat.jpg",
        "--prompt",
        prompt,
        "--size",
        "128",
        "--packs",
        "packs",
        "--out",
        "sheet.png",
    ];
    let (success, said, error) = folder.run(&arguments);
    assert!(success, "{error}");
    let rows: Vec<&str> = said.lines().collect();
    assert!(rows.iter().any(|row| row.starts_with("turbo") && row.contains("starter on ")), "{said}");
    assert!(rows.iter().any(|row| row.starts_with("two") && row.contains("2 steps, guidance 1.5")), "{said}");
    assert!(said.contains(" ms (p50 of 5)") && said.ends_with("sheet.png\n"), "{said}");
    // Source and at least two paintings of 128 × 85 (the least tile is 128 × 128), 12 between them.
    let sheet = folder.picture("sheet.png");
    assert!(sheet.width >= 12 + 3 * 140 && sheet.height > 140, "{} × {}", sheet.width, sheet.height);
    assert!(folder.error(&["compare", "--prompt", prompt]).contains("name a picture with --image"));
}
