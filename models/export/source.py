"""A diffusers directory of the SD family: what it says it is, checked before anything is loaded."""

import json
from dataclasses import dataclass
from pathlib import Path

from .errors import ExportError

# Classes that can be exported, for each part; a part that is not listed here (safety checker …) is left out.
CLASSES = {
    "text_encoder": ["CLIPTextModel"],
    "text_encoder_2": ["CLIPTextModelWithProjection"],
    "unet": ["UNet2DConditionModel"],
    "vae": ["AutoencoderKL", "AutoencoderTiny"],
}
OPTIONAL = ["text_encoder_2"]
# Classes that crates/diffusion reads.
SCHEDULERS = [
    "EulerDiscreteScheduler",
    "EulerAncestralDiscreteScheduler",
    "DDIMScheduler",
    "PNDMScheduler",
    "LCMScheduler",
    "DPMSolverMultistepScheduler",
    "TCDScheduler",
]
WEIGHTS = ["model", "diffusion_pytorch_model"]


@dataclass
class Source:
    """A directory whose parts are there and of classes that are known."""

    directory: Path
    index: dict
    # Folder of the autoencoder: the directory's own, or another one that was named.
    vae: Path

    def folder(self, part):
        """Where a part lies."""
        return self.vae if part == "vae" else self.directory / part

    def parts(self):
        """The parts that it has, in the order of CLASSES."""
        return [part for part in CLASSES if part not in OPTIONAL or self.has(part)]

    def has(self, part):
        """Whether model_index.json names it."""
        return bool((self.index.get(part) or [None, None])[1])

    def is_sdxl(self):
        """Whether it has two text encoders."""
        return self.has("text_encoder_2")

    def config(self, part):
        """config.json of a part."""
        return read(self.folder(part) / "config.json")

    def bytes(self):
        """Size of all weights on disk."""
        return sum(file.stat().st_size for part in self.parts() for file in weights(self.folder(part)))

    def load(self, part, dtype):
        """The network of a part, ready to be traced."""
        import diffusers
        import transformers

        name = class_of(self, part)
        library = transformers if name.startswith("CLIP") else diffusers
        folder = self.folder(part)
        options = {"local_files_only": True}
        # Without the package accelerate diffusers warns unless it is told.
        # CLIP's fused attention cannot be traced in 16 bits.
        options |= {"dtype": dtype, "attn_implementation": "eager"} if library is transformers else {"torch_dtype": dtype, "low_cpu_mem_usage": False}
        if all(".fp16." in file.name for file in weights(folder)):
            options["variant"] = "fp16"
        try:
            network = getattr(library, name).from_pretrained(str(folder), **options)
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            raise ExportError(f"{folder} cannot be loaded as {name}: {error}") from error
        return network.eval()


def open_source(directory, vae=None):
    """Reads and checks a diffusers directory; `vae` names another autoencoder's directory."""
    directory = Path(directory)
    if not directory.is_dir():
        raise ExportError(f"{directory} is not a directory")
    if not (directory / "model_index.json").is_file():
        raise ExportError(f"{directory} is not a diffusers directory: it has no model_index.json")
    source = Source(directory, read(directory / "model_index.json"), Path(vae) if vae else directory / "vae")
    for part in source.parts():
        if not (source.has(part) or part == "vae" and vae):
            raise ExportError(f"{directory}/model_index.json names no {part}: only Stable Diffusion's family can be exported")
        class_of(source, part)
        if not weights(source.folder(part)):
            raise ExportError(f"{source.folder(part)} holds no weights (*.safetensors or *.bin): the download broke off")
    for folder in ["tokenizer", "tokenizer_2"] if source.is_sdxl() else ["tokenizer"]:
        files = directory / folder
        if not (files / "tokenizer.json").is_file() and not ((files / "vocab.json").is_file() and (files / "merges.txt").is_file()):
            raise ExportError(f"{files} holds neither tokenizer.json nor vocab.json and merges.txt")
    if not (directory / "scheduler/scheduler_config.json").is_file():
        raise ExportError(f"{directory}/scheduler/scheduler_config.json is missing")
    check_unet(source)
    return source


def check_unet(source):
    """Refuses what Mirror could not feed, before an hour of exporting."""
    config, latents = source.config("unet"), source.config("vae").get("latent_channels", 4)
    where = source.folder("unet") / "config.json"
    if config.get("in_channels", 4) != latents:
        raise ExportError(f"{where}: in_channels is {config['in_channels']}, the latents have {latents}: UNets for inpainting or editing cannot be exported")
    for key in ["class_embed_type", "encoder_hid_dim_type"]:
        if config.get(key):
            raise ExportError(f'{where}: {key} "{config[key]}" is not supported')
    if config.get("addition_embed_type") not in [None, "text_time"]:
        raise ExportError(f'{where}: addition_embed_type "{config["addition_embed_type"]}" is not supported')
    if (config.get("addition_embed_type") == "text_time") != source.is_sdxl():
        raise ExportError(f"{where}: a UNet with addition_embed_type text_time needs two text encoders, and the other way round")


def class_of(source, part):
    """The class of a part, if it can be exported."""
    name = source.config(part).get("_class_name") or (source.index.get(part) or [None, None])[1]
    if name not in CLASSES[part]:
        raise ExportError(f'{source.folder(part)}: the class "{name}" cannot be exported; supported are {", ".join(CLASSES[part])}')
    return name


def weights(folder):
    """The weights that diffusers would read: safetensors first, full precision before fp16."""
    for ending in ["safetensors", "bin"]:
        files = [file for stem in [*WEIGHTS, "pytorch_model"] for file in sorted(folder.glob(f"{stem}*.{ending}"))]
        full = [file for file in files if not any(f".{variant}" in file.name for variant in ["fp16", "non_ema", "bf16"])]
        half = [file for file in files if ".fp16." in file.name]
        if full or half:
            return full or half
    return []


def read(path):
    """A JSON file."""
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        raise ExportError(f"{path} is missing") from None
    except (OSError, ValueError) as error:
        raise ExportError(f"{path} cannot be read: {error}") from None
