//! What a pack says about its processors.

use control::processors::Processors;
use eyre::Result;
use std::path::Path;

const FINE: &str = "name = \"fine\"\nsteps = 8\nguidance_scale = 5.0\nstrength = 0.8\ntext = \"\"\n";

fn pack(text: &str) -> Result<Processors> {
    let pack = tempfile::tempdir().expect("a directory");
    std::fs::write(pack.path().join("mirror.toml"), text).expect("a file");
    Processors::of_pack(pack.path())
}

#[test]
fn a_pack_without_a_list_has_the_standard_one() {
    let processors = Processors::of_pack(Path::new("no/such/pack")).expect("the usual one");
    assert_eq!(processors.names(), "standard");
}

#[test]
fn a_pack_without_the_usual_processor_starts_with_its_first() {
    let processors = pack(&format!("[[processor]]\n{FINE}")).expect("a good list");
    assert_eq!(processors.first().name, "fine");
    assert_eq!(processors.names(), "fine");
}

#[test]
fn a_list_that_the_parameter_table_does_not_allow_is_refused_by_name() {
    for (text, expected) in [
        (FINE.replace("= 8", "= 99"), "\"fine\": steps must be a whole number from 1 to 50, not 99"),
        (FINE.replace("5.0", "-5.0"), "guidance_scale"),
        (FINE.replace("fine", ""), "empty"),
        (format!("{FINE}[[processor]]\n{FINE}"), "two processors called \"fine\""),
        ("strength = 0.8\n".to_owned(), "mirror.toml"),
    ] {
        let error = format!("{:#}", pack(&format!("[[processor]]\n{text}")).expect_err(&text));
        assert!(error.contains(expected), "{error}");
    }
    assert!(pack("").expect_err("an empty list").to_string().contains('/'));
}
