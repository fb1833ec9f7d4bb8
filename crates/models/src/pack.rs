//! One pack: its files and what they say.

use crate::widths;
use eyre::{Result, WrapErr, bail, eyre};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// The graphs of a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// `input_ids` → `last_hidden_state`, and where there is a second one `hidden_states.N`.
    TextEncoder,
    /// `input_ids` → `text_embeds`, `hidden_states.N`. Only packs of SDXL's shape have it.
    TextEncoder2,
    /// `sample`, `timestep`, `encoder_hidden_states` → `out_sample`.
    Unet,
    /// `sample` → `latent_sample`.
    VaeEncoder,
    /// `latent_sample` → `sample`.
    VaeDecoder,
}

impl Part {
    /// The four that every pack has.
    pub const ALL: [Self; 4] = [Self::TextEncoder, Self::Unet, Self::VaeEncoder, Self::VaeDecoder];

    /// Its folder in the pack.
    #[must_use]
    pub fn folder(self) -> &'static str {
        match self {
            Self::TextEncoder => "text_encoder",
            Self::TextEncoder2 => "text_encoder_2",
            Self::Unet => "unet",
            Self::VaeEncoder => "vae_encoder",
            Self::VaeDecoder => "vae_decoder",
        }
    }

    /// The folder of the tokenizer whose ids a text encoder reads.
    fn tokenizer(self) -> &'static str {
        if self == Self::TextEncoder2 { "tokenizer_2" } else { "tokenizer" }
    }
}

/// What the autoencoder's configuration says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Latents {
    /// Channels of a latent: 4 of the SD family.
    pub channels: usize,
    /// A latent is the encoder's output, less the shift, times this (diffusers, `AutoencoderKL.config.scaling_factor`).
    pub scaling_factor: f32,
    /// See [`scaling_factor`](Self::scaling_factor); 0 but for newer families.
    pub shift_factor: f32,
    /// Pixels along a side of one latent position: 8.
    pub downscale: usize,
}

/// A pack on disk. Opening it checks that it is whole and of one piece; the graphs are checked against it when they are opened.
#[derive(Debug, Clone, PartialEq)]
pub struct Pack {
    /// The directory's name: `starter`.
    pub name: String,
    /// Where it is.
    pub directory: PathBuf,
    /// What the autoencoder says of latents.
    pub latents: Latents,
    /// `scheduler/scheduler_config.json`.
    pub scheduler: Value,
}

impl Pack {
    /// Opens the pack in that directory.
    ///
    /// # Errors
    /// No pack there, a missing part, a configuration that cannot be read, text encoders of other widths than the UNet reads: named,
    /// with the remedy.
    pub fn open(directory: &Path) -> Result<Self> {
        let shown = directory.display();
        if !directory.is_dir() {
            bail!("model pack {shown} is not there: name the directory of a pack in MIRROR_PACK");
        }
        // A second text encoder is needed by whom has its folder: half a one is a copy that broke off.
        let second = directory.join(Part::TextEncoder2.folder()).is_dir();
        for part in Part::ALL.into_iter().chain(second.then_some(Part::TextEncoder2)) {
            let path = graph(directory, part);
            if !path.is_file() {
                bail!("model pack {shown} is not whole: {} is missing", path.display());
            }
        }
        // `.` and links have a name only once they are followed.
        let whole = directory.canonicalize().wrap_err_with(|| format!("model pack {shown}"))?;
        let name = whole.file_name().map_or_else(|| "pack".to_owned(), |name| name.to_string_lossy().into_owned());
        let latents = latents(directory)?;
        let scheduler = read_json(&directory.join("scheduler/scheduler_config.json"))?;
        let pack = Self { name, directory: directory.to_owned(), latents, scheduler };
        widths::check(&pack)?;
        Ok(pack)
    }

    /// The file of a graph.
    #[must_use]
    pub fn graph(&self, part: Part) -> PathBuf {
        graph(&self.directory, part)
    }

    /// The configuration that [`latents`](Self::latents) is out of.
    #[must_use]
    pub fn autoencoder(&self) -> PathBuf {
        // It was there when the pack was opened.
        autoencoder(&self.directory).unwrap_or_else(|| self.directory.clone())
    }

    /// The text encoders: one, or two in a pack of SDXL's shape.
    #[must_use]
    pub fn text_encoders(&self) -> &'static [Part] {
        if self.graph(Part::TextEncoder2).is_file() {
            &[Part::TextEncoder, Part::TextEncoder2]
        } else {
            &[Part::TextEncoder]
        }
    }

    /// Whether no negative prompt means zeros, not the embedding of an empty text: `force_zeros_for_empty_prompt` in
    /// `model_index.json`. Only packs with two text encoders ask for it, and do so unless they say otherwise (diffusers,
    /// `StableDiffusionXLPipeline`).
    ///
    /// # Errors
    /// The file is there and cannot be read.
    pub fn zeros_without_negative(&self) -> Result<bool> {
        let path = self.directory.join("model_index.json");
        let index = if path.is_file() { read_json(&path)? } else { Value::Null };
        Ok(self.text_encoders().len() == 2 && index["force_zeros_for_empty_prompt"].as_bool().unwrap_or(true))
    }

    /// The folder of the tokenizer whose ids that text encoder reads.
    #[must_use]
    pub fn tokenizer(&self, encoder: Part) -> PathBuf {
        self.directory.join(encoder.tokenizer())
    }

    /// How many tokens a prompt has for the first text encoder: see [`tokens_of`](Self::tokens_of).
    ///
    /// # Errors
    /// As [`tokens_of`](Self::tokens_of).
    pub fn tokens(&self) -> Result<usize> {
        self.tokens_of(Part::TextEncoder)
    }

    /// How many tokens a prompt has for a text encoder: its tokenizer's `model_max_length`, else its own positions.
    ///
    /// # Errors
    /// Neither says.
    pub fn tokens_of(&self, encoder: Part) -> Result<usize> {
        let tokenizer = self.tokenizer(encoder).join("tokenizer_config.json");
        let encoder = self.directory.join(encoder.folder()).join("config.json");
        let count = |path: &Path, key: &str| -> Option<usize> {
            // Tokenizers without a limit write 10³⁰ here, which is no integer.
            usize::try_from(read_json(path).ok()?.get(key)?.as_u64()?).ok().filter(|count| (1..=4096).contains(count))
        };
        count(&tokenizer, "model_max_length").or_else(|| count(&encoder, "max_position_embeddings")).ok_or_else(|| {
            let (tokenizer, encoder) = (tokenizer.display(), encoder.display());
            eyre!("neither model_max_length in {tokenizer} nor max_position_embeddings in {encoder} says how long a prompt is")
        })
    }
}

fn graph(directory: &Path, part: Part) -> PathBuf {
    directory.join(part.folder()).join("model.onnx")
}

/// The autoencoder's configuration: exporters put it beside the encoder, the decoder, or in `vae/`.
fn autoencoder(directory: &Path) -> Option<PathBuf> {
    let paths = ["vae_decoder", "vae_encoder", "vae"].map(|folder| directory.join(folder).join("config.json"));
    paths.into_iter().find(|path| path.is_file())
}

fn latents(directory: &Path) -> Result<Latents> {
    let path = autoencoder(directory).ok_or_else(|| {
        let shown = directory.display();
        eyre!("model pack {shown} is not whole: there is no config.json in vae_decoder, vae_encoder or vae")
    })?;
    let config = read_json(&path)?;
    let missing = |key: &str| eyre!("{} does not say {key}", path.display());
    let channels = config["latent_channels"].as_u64().filter(|channels| (1..=128).contains(channels));
    let scaling_factor = config["scaling_factor"].as_f64().filter(|factor| factor.is_finite() && *factor > 0.0);
    if let Some(key) = ["latents_mean", "latents_std"].into_iter().find(|key| !config[key].is_null()) {
        bail!(
            "{}: {key} is not supported; supported are autoencoders with scaling_factor and shift_factor",
            path.display()
        );
    }
    // Each block but the last halves the picture (diffusers, `vae_scale_factor`). Small autoencoders have two lists.
    let blocks =
        ["block_out_channels", "decoder_block_out_channels"].into_iter().find_map(|key| config[key].as_array());
    let blocks = blocks.map(Vec::len).filter(|blocks| (1..=8).contains(blocks));
    Ok(Latents {
        channels: channels.ok_or_else(|| missing("latent_channels"))? as usize,
        scaling_factor: scaling_factor.ok_or_else(|| missing("scaling_factor"))? as f32,
        shift_factor: config["shift_factor"].as_f64().unwrap_or(0.0) as f32,
        downscale: 1 << (blocks.ok_or_else(|| missing("block_out_channels"))? - 1),
    })
}

fn read_json(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path).wrap_err_with(|| format!("{} cannot be read", path.display()))?;
    // Python writes numbers that JSON has not: diffusers' own DPM-Solver configuration holds a -Infinity, its way of
    // saying that there is no limit.
    let json = serde_json::from_str(&text).or_else(|error| {
        let finite = text.replace(": -Infinity", ": null").replace(": Infinity", ": null");
        serde_json::from_str(&finite).map_err(|_| error)
    });
    json.wrap_err_with(|| format!("{} is not JSON", path.display()))
}
