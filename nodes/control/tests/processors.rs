//! What the installed packs say about their processors.

use control::processors::Processors;
use mirror_models::Processor;

fn processor(pack: &str, name: &str, steps: i64, guidance_scale: f64) -> Processor {
    let (name, pack, text) = (name.to_owned(), pack.to_owned(), String::new());
    Processor { name, pack, steps, steps_allowed: Vec::new(), guidance_scale, strength: 0.8, text }
}

#[test]
fn a_stream_starts_with_turbo_of_the_default_pack_else_with_that_packs_first() {
    let first = |list: &[Processor]| Processors::of(list.to_vec()).expect("a good list").first().clone();
    let (fine, turbo) = (processor("starter", "fine", 8, 5.0), processor("starter", "turbo", 1, 1.0));
    assert_eq!(first(&[fine.clone(), turbo.clone()]), turbo);
    assert_eq!(first(&[fine.clone(), processor("other", "turbo", 1, 1.0)]), fine);
}

#[test]
fn a_list_that_the_parameter_table_does_not_allow_is_refused_by_name() {
    let fine = |steps, guidance_scale| vec![processor("starter", "fine", steps, guidance_scale)];
    for (list, expected) in [
        (fine(99, 5.0), "\"fine\": steps must be a whole number from 1 to 50, not 99"),
        (fine(8, -5.0), "guidance_scale"),
        (vec![processor("starter", "", 1, 1.0)], "empty"),
        (vec![processor("starter", &"x".repeat(65), 1, 1.0)], "too long"),
        ([fine(8, 5.0), fine(8, 5.0)].concat(), "two processors called \"fine\""),
        (vec![], "there is no processor"),
    ] {
        let error = format!("{:#}", Processors::of(list).expect_err(expected));
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn every_processor_answers_to_its_packs_name_as_well() {
    let list = vec![processor("starter", "turbo", 1, 1.0), processor("sd15", "standard", 25, 7.5)];
    let processors = Processors::of(list).expect("a good list");
    assert_eq!(processors.names(), "turbo, standard");
    assert_eq!(processors.find("sd15/standard"), processors.find("standard"));
    assert!(processors.find("starter/standard").is_none() && processors.find("sdxl").is_none());
}
