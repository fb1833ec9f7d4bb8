//! Which packs and processors there are.

use mirror_models::processor::standard;
use mirror_models::{Installed, Part};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const LIST: &str = "[[processor]]\nname = \"turbo\"\nsteps = 1\nguidance_scale = 1.0\nstrength = 1.0\ntext = \"\"\n";

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
    fs::write(path, text).expect("a file");
}

/// A pack with that scheduler and, if there is one, that list of processors.
fn pack(folder: &Path, name: &str, scheduler: &Value, list: &str) -> PathBuf {
    let pack = folder.join(name);
    for part in Part::ALL {
        write(&pack.join(part.folder()).join("model.onnx"), "");
    }
    let vae = r#"{"latent_channels": 4, "scaling_factor": 0.18215, "block_out_channels": [8, 8, 8, 8]}"#;
    write(&pack.join("vae_decoder/config.json"), vae);
    write(&pack.join("scheduler/scheduler_config.json"), &scheduler.to_string());
    write(&pack.join("model_index.json"), "{}");
    if !list.is_empty() {
        write(&pack.join("mirror.toml"), list);
    }
    pack
}

fn euler() -> Value {
    json!({"_class_name": "EulerDiscreteScheduler", "timestep_spacing": "leading"})
}

fn models() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

#[test]
fn the_packs_beside_the_default_one_are_installed_as_well() {
    let folder = models();
    let default = pack(folder.path(), "starter", &euler(), LIST);
    pack(folder.path(), "sd15", &euler(), "");
    fs::create_dir(folder.path().join("train")).expect("a folder that is no pack");
    let installed = Installed::find(&default, "").expect("a whole pack");
    assert_eq!(installed.names(), "turbo, standard");
    let standard = installed.processor("standard").expect("it is there");
    assert_eq!((standard.pack.as_str(), standard.steps), ("sd15", 25));
    assert_eq!(installed.pack("sd15").expect("it is there").name, "sd15");
    assert_eq!(installed.pack("").expect("the default one").name, "starter");
    assert_eq!(installed.remarks().len(), 1, "{:?}", installed.remarks());
    assert!(installed.remarks()[0].starts_with("pack sd15: processor standard, 25 steps, guidance 7.5"));
}

#[test]
fn a_name_that_two_packs_have_is_qualified_but_for_the_default_packs() {
    let folder = models();
    let default = pack(folder.path(), "starter", &euler(), LIST);
    pack(folder.path(), "other", &euler(), LIST);
    pack(folder.path(), "sd15", &euler(), "");
    pack(folder.path(), "sd21", &euler(), "");
    let installed = Installed::find(&default, "").expect("a whole pack");
    assert_eq!(installed.names(), "turbo, other/turbo, sd15/standard, sd21/standard");
    assert_eq!(installed.processor("turbo").expect("it is there").pack, "starter");
    assert_eq!(installed.processor("other/turbo").expect("it is there").pack, "other");
    assert_eq!(installed.processor("starter/turbo").expect("the whole name is a name too").pack, "starter");
    assert!(installed.processor("standard").is_none(), "which of the two?");
}

#[test]
fn the_list_names_packs_and_folders_of_packs() {
    let (here, there) = (models(), models());
    let default = pack(here.path(), "starter", &euler(), LIST);
    pack(here.path(), "not-asked-for", &euler(), "");
    let one = pack(there.path(), "one", &euler(), "");
    pack(&there.path().join("more"), "two", &euler(), "");
    let list = format!("{}:{}:nowhere", one.display(), there.path().join("more").display());
    let installed = Installed::find(&default, &list).expect("a whole pack");
    let names: Vec<&str> = installed.packs().iter().map(|pack| pack.name.as_str()).collect();
    assert_eq!(names, ["starter", "one", "two"]);
    assert!(installed.remarks().iter().any(|line| line == "nowhere is no directory: there are no packs in it"));
}

#[test]
fn a_pack_that_cannot_be_used_is_left_out_with_the_reason_and_the_default_one_is_an_error() {
    let folder = models();
    let default = pack(folder.path(), "starter", &euler(), LIST);
    let broken = pack(folder.path(), "broken", &euler(), "");
    fs::remove_file(broken.join("unet/model.onnx")).expect("it was there");
    let twice = pack(folder.path(), "twice", &euler(), &format!("{LIST}{LIST}"));
    let installed = Installed::find(&default, "").expect("a whole pack");
    assert_eq!(installed.names(), "turbo");
    let remarks = installed.remarks().join("\n");
    assert!(remarks.contains("left out: model pack") && remarks.contains("unet/model.onnx is missing"), "{remarks}");
    assert!(remarks.contains("there are two processors called \"turbo\""), "{remarks}");
    for wrong in [broken, twice] {
        assert!(Installed::find(&wrong, "").is_err(), "{}", wrong.display());
    }
}

#[test]
fn steps_that_a_processor_does_not_allow_are_refused_with_those_that_it_does() {
    let folder = models();
    let list = LIST.replace("steps = 1\n", "steps = 4\nsteps_allowed = [1, 2, 4, 8]\n");
    let default = pack(folder.path(), "lightning", &euler(), &list);
    let installed = Installed::find(&default, "").expect("a whole pack");
    let processor = installed.processor("turbo").expect("it is there");
    assert_eq!(processor.check_steps(8), Ok(()));
    let error = processor.check_steps(3).expect_err("not trained for it");
    assert_eq!(error, "steps must be 1, 2, 4 or 8 with the processor turbo, not 3");
    let wrong = pack(folder.path(), "wrong", &euler(), &list.replace("steps = 4", "steps = 5"));
    let error = format!("{:#}", Installed::find(&wrong, "").expect_err("its own steps are not allowed"));
    assert!(error.contains("wrong/mirror.toml: steps must be 1, 2, 4 or 8"), "{error}");
}

#[test]
fn a_pack_that_lists_nothing_is_painted_as_its_scheduler_and_its_name_say() {
    let folder = models();
    let trailing = |key: &str, value: Value| {
        let mut scheduler = json!({"_class_name": "EulerDiscreteScheduler", "timestep_spacing": "trailing"});
        scheduler[key] = value;
        scheduler
    };
    let cases = [
        ("plain", json!({"_class_name": "PNDMScheduler"}), 25, 7.5),
        ("euler", euler(), 25, 7.5),
        ("distilled", trailing("prediction_type", json!("epsilon")), 1, 1.0),
        ("zero-snr", trailing("rescale_betas_zero_snr", json!(true)), 25, 7.5),
        ("velocity", trailing("prediction_type", json!("v_prediction")), 25, 7.5),
        ("consistency", json!({"_class_name": "LCMScheduler"}), 4, 1.0),
        ("SDXL-Lightning", euler(), 4, 1.0),
        ("nothing-said", json!({}), 25, 7.5),
    ];
    for (name, scheduler, steps, guidance_scale) in cases {
        let processor = standard(&pack(folder.path(), name, &scheduler, ""));
        assert_eq!((processor.steps, processor.guidance_scale), (steps, guidance_scale), "{name}");
        assert_eq!(processor.name, "standard");
    }
    let named = pack(folder.path(), "mine", &euler(), "");
    write(&named.join("model_index.json"), r#"{"_name_or_path": "stabilityai/sd-turbo"}"#);
    assert_eq!(standard(&named).steps, 1);
}
