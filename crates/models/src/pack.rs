//! One pack: its files and what they say.

use eyre::{Result, WrapErr, bail, eyre};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// The graphs of a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// `input_ids` → `last_hidden_state`.
    TextEncoder,
    /// `sample`, `timestep`, `encoder_hidden_states` → `out_sample`.
    Unet,
    /// `sample` → `latent_sample`.
    VaeEncoder,
    /// `latent_sample` → `sample`.
    VaeDecoder,
}

impl Part {
    /// All four.
    pub const ALL: [Self; 4] = [Self::TextEncoder, Self::Unet, Self::VaeEncoder, Self::VaeDecoder];

    /// Its folder in the pack.
    #[must_use]
    pub fn folder(self) -> &'static str {
        match self {
            Self::TextEncoder => "text_encoder",
            Self::Unet => "unet",
            Self::VaeEncoder => "vae_encoder",
            Self::VaeDecoder => "vae_decoder",
        }
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

/// A pack on disk. Opening it checks that it is whole; the graphs are checked against it when they are opened.
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
    /// No pack there, a missing part, a configuration that cannot be read: named, with the remedy.
    pub fn open(directory: &Path) -> Result<Self> {
        let shown = directory.display();
        if !directory.is_dir() {
            bail!("model pack {shown} is not there: name the directory of a pack in MIRROR_PACK");
        }
        for part in Part::ALL {
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
        Ok(Self { name, directory: directory.to_owned(), latents, scheduler })
    }

    /// The file of a graph.
    #[must_use]
    pub fn graph(&self, part: Part) -> PathBuf {
        graph(&self.directory, part)
    }

    /// How many tokens a prompt has: the tokenizer's `model_max_length`, else the text encoder's positions.
    ///
    /// # Errors
    /// Neither says.
    pub fn tokens(&self) -> Result<usize> {
        let tokenizer = self.directory.join("tokenizer/tokenizer_config.json");
        let encoder = self.directory.join("text_encoder/config.json");
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

/// Reads the autoencoder's configuration: exporters put it beside the encoder, the decoder, or in `vae/`.
fn latents(directory: &Path) -> Result<Latents> {
    let paths = ["vae_decoder", "vae_encoder", "vae"].map(|folder| directory.join(folder).join("config.json"));
    let path = paths.iter().find(|path| path.is_file()).ok_or_else(|| {
        let shown = directory.display();
        eyre!("model pack {shown} is not whole: there is no config.json in vae_decoder, vae_encoder or vae")
    })?;
    let config = read_json(path)?;
    let missing = |key: &str| eyre!("{} does not say {key}", path.display());
    let channels = config["latent_channels"].as_u64().filter(|channels| (1..=128).contains(channels));
    let scaling_factor = config["scaling_factor"].as_f64().filter(|factor| factor.is_finite() && *factor > 0.0);
    // Each block but the last halves the picture (diffusers, `vae_scale_factor`).
    let blocks = config["block_out_channels"].as_array().map(Vec::len).filter(|blocks| (1..=8).contains(blocks));
    Ok(Latents {
        channels: channels.ok_or_else(|| missing("latent_channels"))? as usize,
        scaling_factor: scaling_factor.ok_or_else(|| missing("scaling_factor"))? as f32,
        shift_factor: config["shift_factor"].as_f64().unwrap_or(0.0) as f32,
        downscale: 1 << (blocks.ok_or_else(|| missing("block_out_channels"))? - 1),
    })
}

fn read_json(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path).wrap_err_with(|| format!("{} cannot be read", path.display()))?;
    serde_json::from_str(&text).wrap_err_with(|| format!("{} is not JSON", path.display()))
}
