//! One picture instead of a camera: what `apply` and `compare` share.

use crate::{house, overrides};
use clap::Args;
use eyre::{Result, WrapErr, bail, eyre};
use mirror_inference::runtime::INSTALLED;
use mirror_inference::{Choice, Options, Runtime};
use mirror_models::{Installed, Processor};
use mirror_pipeline::{Fit, Image, Request, codec};
use std::env;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The pack that ships, seen from the project's root.
const STARTER: &str = "models/starter";

/// What both commands take.
#[derive(Debug, Args)]
pub struct Common {
    /// The picture: PNG, JPEG, WebP, BMP or TIFF
    #[arg(long, value_name = "FILE")]
    pub image: Option<PathBuf>,
    /// What the picture is painted as
    #[arg(long, value_name = "TEXT")]
    prompt: String,
    /// What it must not look like; counts only with a guidance above 1
    #[arg(long, value_name = "TEXT")]
    negative: Option<String>,
    /// How far it moves from the picture to the prompt, 0 to 1
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    strength: Option<String>,
    /// Chooses the noise: the same seed gives the same picture
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    seed: Option<String>,
    /// Longer side in pixels, 128 to 1024 in steps of 64
    #[arg(long, value_name = "PIXELS", allow_hyphen_values = true)]
    size: Option<String>,
    /// What happens to a picture that is no square: keep paints all of it in its own ratio, crop the square in its middle,
    /// pad all of it inside a square that is cut off again, stretch all of it squeezed into a square
    #[arg(long, value_name = "WAY", default_value_t)]
    fit: Fit,
    /// Any other setting, as often as you like: mirror=on, opacity=0.5
    #[arg(long = "set", value_name = "NAME=VALUE")]
    settings: Vec<String>,
    /// The default model pack: a directory in the diffusers ONNX layout
    #[arg(long, value_name = "DIRECTORY", env = "MIRROR_PACK", hide_env = true)]
    pack: Option<PathBuf>,
    /// Where other packs are: packs, or directories of packs, with ":" between; without it, beside the default one
    #[arg(long, value_name = "LIST", env = "MIRROR_PACKS", hide_env = true)]
    packs: Option<String>,
    /// What runs the models: auto, cpu, cuda or tensorrt
    #[arg(long, value_name = "NAME", env = "MIRROR_PROVIDER", hide_env = true, default_value = "auto")]
    provider: String,
}

impl Common {
    /// The picture, read.
    ///
    /// # Errors
    /// No such file, or one that is no picture.
    pub fn picture(&self) -> Result<Option<Image>> {
        self.image.as_deref().map(codec::read).transpose()
    }

    /// What is asked of a processor; `more` are settings that only one of the commands takes.
    ///
    /// # Errors
    /// A setting that the parameter table does not allow: the error says the range.
    pub fn request(&self, processor: &Processor, more: &[(&str, Option<&String>)]) -> Result<Request> {
        let mut request = Request { fit: self.fit, ..Request::of(processor) };
        let own = [
            ("prompt", Some(&self.prompt)),
            ("negative_prompt", self.negative.as_ref()),
            ("strength", self.strength.as_ref()),
            ("seed", self.seed.as_ref()),
            ("size", self.size.as_ref()),
        ];
        let given = own.iter().chain(more).filter_map(|(name, text)| Some(format!("{name}={}", text.as_ref()?)));
        for text in given.chain(self.settings.iter().cloned()) {
            let (name, value) = overrides::setting(&text)?;
            if name == "processor" {
                bail!("choose a processor with --processor, not with --set");
            }
            request.set(name, &value)?;
        }
        request.check()?;
        Ok(request)
    }
}

/// What is needed to paint: the packs, and what runs them.
pub struct Studio {
    /// The packs and their processors.
    pub installed: Installed,
    /// ONNX Runtime.
    pub runtime: Runtime,
    /// How models are run.
    pub options: Options,
}

impl Studio {
    /// Finds the packs and ONNX Runtime: in the project around the current folder, else in that which this program was
    /// built in.
    ///
    /// # Errors
    /// What is missing or wrong, and the remedy.
    pub fn open(common: &Common) -> Result<Self> {
        let here = env::current_dir().wrap_err("the current folder cannot be found")?;
        let root = root(&here);
        // A path of the command line is seen from here, one of the environment often from the root, as the nodes see it.
        let seen = |path: &Path| -> PathBuf {
            let places = [Some(here.join(path)), root.as_ref().map(|root| root.join(path))];
            places.into_iter().flatten().find(|place| place.exists()).unwrap_or_else(|| path.to_owned())
        };
        let pack = match (&common.pack, &root) {
            (Some(pack), _) => seen(pack),
            (None, Some(root)) => root.join(STARTER),
            (None, None) => {
                bail!(
                    "neither {} nor a folder above it is the mirror's project: name a pack with --pack",
                    here.display()
                )
            }
        };
        let list = common.packs.as_deref().unwrap_or("");
        let list: Vec<String> = list
            .split(':')
            .filter(|part| !part.trim().is_empty())
            .map(|part| seen(part.trim().as_ref()).to_string_lossy().into_owned())
            .collect();
        let installed = Installed::find(&pack, &list.join(":"))?;
        let provider: Choice = common
            .provider
            .parse()
            .map_err(|()| eyre!("--provider {} is not {}", common.provider, Choice::EXPECTED))?;
        let named = env::var_os("ORT_DYLIB_PATH").is_some_and(|path| !path.is_empty());
        let runtime = match &root {
            Some(root) if !named => Runtime::load_from(&root.join(INSTALLED))?,
            _ => Runtime::load()?,
        };
        Ok(Self { installed, runtime, options: Options { provider, ..Options::default() } })
    }

    /// The processor of that name; without a name, the one that the mirror starts with.
    ///
    /// # Errors
    /// No such processor: the error lists those that there are.
    pub fn processor(&self, name: Option<&str>) -> Result<&Processor> {
        let Some(name) = name else { return Ok(self.installed.first()) };
        let found = self.installed.processor(name);
        found.ok_or_else(|| eyre!("there is no processor \"{name}\"; there are {}", self.installed.names()))
    }
}

/// The project's root: around this folder, else around this program as it was called.
fn root(here: &Path) -> Option<PathBuf> {
    let program = env::args_os().next().map(|program| here.join(program));
    let places = [Some(here.to_owned()), program];
    let found = places.iter().flatten().find_map(|place| {
        place.ancestors().find(|folder| folder.join(house::DATAFLOW).is_file() && folder.join("models").is_dir())
    });
    found.map(Path::to_owned)
}

/// `4 steps, guidance 7.5`, as people say it.
#[must_use]
pub fn manner(request: &Request) -> String {
    let settings = &request.settings;
    let steps = if settings.steps == 1 { "1 step".to_owned() } else { format!("{} steps", settings.steps) };
    if settings.guidance_scale > 1.0 { format!("{steps}, guidance {}", settings.guidance_scale) } else { steps }
}

/// A time in milliseconds, with as many digits as count.
#[must_use]
pub fn ms(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1e3;
    if ms < 100.0 { format!("{ms:.1} ms") } else { format!("{ms:.0} ms") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        common: Common,
    }

    fn request(words: &[&str]) -> Result<Request> {
        let line = Line::parse_from(["apply", "--prompt", "neon = light"].iter().chain(words));
        let (name, pack, text) = ("turbo".to_owned(), "starter".to_owned(), String::new());
        let allowed = vec![1, 2];
        let processor =
            Processor { name, pack, steps: 1, steps_allowed: allowed, guidance_scale: 1.0, strength: 1.0, text };
        let steps = "3".to_owned();
        let more = [("steps", words.contains(&"--fit").then_some(&steps))];
        line.common.request(&processor, &more)
    }

    #[test]
    fn arguments_become_settings() {
        let words = ["--negative", "fog", "--strength", "0.5", "--seed", "7", "--size", "256", "--set", "mirror=on"];
        let settings = request(&words).unwrap().settings;
        assert_eq!((settings.prompt.as_str(), settings.negative_prompt.as_str()), ("neon = light", "fog"));
        assert_eq!((settings.strength, settings.seed, settings.size, settings.mirror), (0.5, 7, 256, true));
    }

    #[test]
    fn what_is_out_of_range_is_refused_with_the_range() {
        let message = |words: &[&str]| request(words).unwrap_err().to_string();
        assert_eq!(message(&["--strength", "-1"]), "strength must be a number from 0 to 1, not -1.0");
        assert_eq!(message(&["--strength", "much"]), "strength must be a number from 0 to 1, not \"much\"");
        assert!(message(&["--size", "100"]).starts_with("size must be a whole number from 128 to 1024 in steps of 64"));
        assert!(message(&["--set", "glow=1"]).starts_with("there is no setting \"glow\"; there are prompt, "));
        assert_eq!(message(&["--fit", "crop"]), "steps must be 1 or 2 with the processor turbo, not 3");
        assert!(message(&["--set", "processor=x"]).contains("--processor"));
    }

    #[test]
    fn times_and_manners_are_said_as_people_say_them() {
        assert_eq!(ms(Duration::from_micros(1234)), "1.2 ms");
        assert_eq!(ms(Duration::from_millis(1234)), "1234 ms");
        let mut request = request(&[]).unwrap();
        assert_eq!(manner(&request), "1 step");
        (request.settings.steps, request.settings.guidance_scale) = (25, 7.5);
        assert_eq!(manner(&request), "25 steps, guidance 7.5");
    }
}
