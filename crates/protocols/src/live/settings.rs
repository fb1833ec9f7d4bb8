//! Its settings ⇄ ours. Its server writes `denoising_strength`, its page `denoisingStrength`: both are understood, and
//! both are said.

use crate::change::{self, Changes};
use mirror_contract::Settings;
use serde_json::{Value, json};

/// Our setting, and its names there.
const NAMES: &[(&str, &[&str])] = &[
    ("prompt", &["prompt"]),
    ("negative_prompt", &["negative_prompt", "negativePrompt"]),
    ("strength", &["denoising_strength", "denoisingStrength", "strength"]),
    ("guidance_scale", &["guidance", "guidance_scale", "guidanceScale"]),
    ("steps", &["steps", "num_inference_steps", "numInferenceSteps"]),
    ("size", &["size"]),
    ("mirror", &["mirror"]),
];
/// The seed, which may be -1 for another one with every picture, and the switch for the same.
const SEED: &str = "seed";
const RANDOM: [&str; 2] = ["use_random_seed", "useRandomSeed"];

/// Whether an object has at least one of them.
pub(super) fn has_any(message: &Value) -> bool {
    let names = NAMES.iter().flat_map(|(_, names)| names.iter()).chain(&RANDOM).chain([&SEED]);
    names.into_iter().any(|name| message.get(*name).is_some())
}

/// Its settings as ours. Names that nobody knows are left out, as its server does.
///
/// # Errors
/// Not an object, or a value of another type: says what would be right.
pub fn changes(data: &Value) -> Result<Changes, String> {
    let data = data.as_object().ok_or("settings must be an object")?;
    let get = |name: &str| data.get(name).filter(|value| !value.is_null());
    let mut changes = Changes::new();
    for (own, names) in NAMES {
        if let Some(value) = names.iter().find_map(|name| get(name)) {
            change::put(&mut changes, own, value)?;
        }
    }
    let mut random = None;
    if let Some(value) = RANDOM.iter().find_map(|name| get(name)) {
        random = Some(value.as_bool().ok_or("useRandomSeed must be true or false")?);
    }
    if let Some(value) = get(SEED) {
        if value.as_f64().is_some_and(|seed| seed < 0.0) {
            random = Some(true);
        } else {
            change::put(&mut changes, "seed", value)?;
            random = random.or(Some(false));
        }
    }
    if let Some(random) = random {
        changes.insert("fixed_seed".to_owned(), (!random).into());
    }
    Ok(changes)
}

/// Our settings as its own, in both spellings.
#[must_use]
pub fn shown(settings: &Settings) -> Value {
    let Settings { prompt, negative_prompt: negative, strength, guidance_scale, steps, fixed_seed, .. } = settings;
    let seed = if *fixed_seed { settings.seed } else { -1 };
    json!({
        "prompt": prompt, "negative_prompt": negative, "denoising_strength": strength, "guidance": guidance_scale,
        "steps": steps, "seed": seed, "use_random_seed": !fixed_seed,
        "negativePrompt": negative, "denoisingStrength": strength, "useRandomSeed": !fixed_seed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_shown_is_understood_again(prompt in "\\PC{0,20}", strength in 0.0..1.0_f64, steps in 1..50_i64, seed in 0..4_294_967_295_i64, fixed_seed: bool) {
            let settings = Settings { prompt, strength, steps, seed, fixed_seed, ..Settings::default() };
            let mut back = Settings { seed: if fixed_seed { 0 } else { seed }, ..Settings::default() };
            for (name, value) in changes(&shown(&settings)).expect("our own words") {
                back.set(&name, &value).expect("allowed");
            }
            prop_assert_eq!(back, settings);
        }
    }
}
