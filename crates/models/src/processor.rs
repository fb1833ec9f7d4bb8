//! Ways of painting that a pack offers by name.

use eyre::{Result, WrapErr, bail};
use serde::Deserialize;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// The file in a pack that lists its processors.
const FILE: &str = "mirror.toml";

/// A way of painting: choosing it sets these parameters.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Processor {
    /// What people call it: `turbo`.
    pub name: String,
    /// The pack that it paints with; empty until the pack is known.
    #[serde(skip)]
    pub pack: String,
    /// UNet evaluations a picture.
    pub steps: i64,
    /// The only numbers of steps that a distilled pack was trained for; empty: any.
    #[serde(default)]
    pub steps_allowed: Vec<i64>,
    /// Guidance scale; 1 is none.
    pub guidance_scale: f64,
    /// Strength.
    pub strength: f64,
    /// What it is good for, for people.
    pub text: String,
}

impl Processor {
    /// Whether it can paint in so many steps.
    ///
    /// # Errors
    /// It cannot: the error names the numbers that it can.
    pub fn check_steps(&self, steps: i64) -> Result<(), String> {
        if self.steps_allowed.is_empty() || self.steps_allowed.contains(&steps) {
            return Ok(());
        }
        let numbers: Vec<String> = self.steps_allowed.iter().map(ToString::to_string).collect();
        let allowed = match numbers.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, others)) => format!("{} or {last}", others.join(", ")),
            None => String::new(),
        };
        Err(format!("steps must be {allowed} with the processor {}, not {steps}", self.name))
    }
}

/// The processor of that name. Every one also answers to `pack/name`.
#[must_use]
pub fn find<'a>(processors: &'a [Processor], name: &str) -> Option<&'a Processor> {
    processors.iter().find(|one| one.name == name).or_else(|| {
        let (pack, short) = name.split_once('/')?;
        processors.iter().find(|one| one.pack == pack && one.name == short)
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    processor: Vec<Processor>,
}

/// Whether the pack in that directory lists its processors itself.
#[must_use]
pub fn is_listed(directory: &Path) -> bool {
    directory.join(FILE).exists()
}

/// The processors of the pack in that directory, named as the pack names them. One without a list of its own has
/// [`standard`].
///
/// # Errors
/// A list that cannot be read or is empty; two of one name; a number of steps that the processor itself does not allow.
pub fn processors(directory: &Path) -> Result<Vec<Processor>> {
    if !is_listed(directory) {
        return Ok(vec![standard(directory)]);
    }
    let path = directory.join(FILE);
    let shown = path.display();
    let text = fs::read_to_string(&path).wrap_err_with(|| format!("{shown} cannot be read"))?;
    let file: File = toml::from_str(&text).wrap_err_with(|| format!("{shown} is not a list of processors"))?;
    let list = file.processor;
    if list.is_empty() {
        bail!("{shown} lists no processor");
    }
    for (index, processor) in list.iter().enumerate() {
        if processor.name.trim().is_empty() || processor.name.contains('/') {
            bail!("{shown}: processor {:?}: a name is not empty and has no \"/\"", processor.name);
        }
        if list[..index].iter().any(|other| other.name == processor.name) {
            bail!("{shown}: there are two processors called {:?}", processor.name);
        }
        if let Err(error) = processor.check_steps(processor.steps) {
            bail!("{shown}: {error}");
        }
    }
    Ok(list)
}

/// Words in the name of a model that was distilled to few steps, and how few: their model cards.
const DISTILLED: [(&str, i64); 6] = [("turbo", 1), ("sdxs", 1), ("dmd", 1), ("lightning", 4), ("lcm", 4), ("hyper", 4)];

/// What a pack that lists nothing is painted with, by what it says of itself: few steps without guidance if it was
/// distilled, else 25 with it. The strengths are for pictures of a camera, of which something is to stay.
#[must_use]
pub fn standard(directory: &Path) -> Processor {
    let scheduler = json(&directory.join("scheduler/scheduler_config.json"));
    let class = scheduler["_class_name"].as_str().unwrap_or("a scheduler without a name");
    let named = json(&directory.join("model_index.json"))["_name_or_path"].as_str().unwrap_or("").to_lowercase();
    let folder = directory.file_name().map_or_else(String::new, |name| name.to_string_lossy().to_lowercase());
    let word = DISTILLED.iter().find(|(word, _)| named.contains(word) || folder.contains(word));
    // Models with zero terminal SNR are sampled from the end as well, and are not distilled.
    let zero_snr = scheduler["rescale_betas_zero_snr"] == true || scheduler["prediction_type"] == "v_prediction";
    let trailing = class.starts_with("Euler") && scheduler["timestep_spacing"] == "trailing" && !zero_snr;
    let (steps, because) = match word {
        Some((word, steps)) => (Some(*steps), format!("\"{word}\" in its name")),
        None if class == "LCMScheduler" || class == "TCDScheduler" => (Some(4), class.to_owned()),
        None if trailing => (Some(1), format!("{class} from the last time step")),
        None => (None, class.to_owned()),
    };
    // diffusers' usual 7.5; Stability's example of SD-Turbo repaints half of the picture.
    let (steps, guidance_scale, strength) = match steps {
        Some(steps) => (steps, 1.0, 0.5),
        None => (25, 7.5, 0.75),
    };
    let text = format!("Taken from {because}: the pack has no {FILE}.");
    let (pack, steps_allowed) = (String::new(), Vec::new());
    Processor { name: "standard".to_owned(), pack, steps, steps_allowed, guidance_scale, strength, text }
}

/// A file that may be missing or no JSON: what needs it says so.
fn json(path: &Path) -> Value {
    fs::read(path).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or(Value::Null)
}
