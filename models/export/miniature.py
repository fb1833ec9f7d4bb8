"""Diffusers directories of the SD family in miniature, randomly initialised: `python -m export.miniature OUT` in models/.

Each has the shape of a real family and 10,000 times fewer weights. What differs between them is what differs between
the families: text encoders, tokenizer's padding, prediction type, autoencoder, what the UNet reads.
"""

import json
import sys
from pathlib import Path

import torch
from diffusers import AutoencoderKL, AutoencoderTiny, DDIMScheduler, EulerDiscreteScheduler, LCMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from . import tokenizer
from .quiet import quiet

TOKENS, WIDTH, WIDTH_2 = 24, 16, 24
SIZE_EMBEDDING = 8
BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
BLOCKS = {
    "block_out_channels": (8, 16), "layers_per_block": 1, "norm_num_groups": 4, "attention_head_dim": 8, "sample_size": 8,
    "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"), "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
}  # fmt: skip
LINEAR = {"use_linear_projection": True}
SDXL = {
    **LINEAR, "cross_attention_dim": WIDTH + WIDTH_2, "addition_embed_type": "text_time", "addition_time_embed_dim": SIZE_EMBEDDING,
    "projection_class_embeddings_input_dim": 6 * SIZE_EMBEDDING + WIDTH_2,
}  # fmt: skip


def text(second=False, **options):
    """CLIP, with two layers."""
    words = len(tokenizer.words())
    config = CLIPTextConfig(
        vocab_size=words, hidden_size=WIDTH_2 if second else WIDTH, projection_dim=WIDTH_2 if second else WIDTH, intermediate_size=32, num_hidden_layers=2,
        num_attention_heads=4, max_position_embeddings=TOKENS, bos_token_id=words - 2, eos_token_id=words - 1, **options,
    )  # fmt: skip
    return (CLIPTextModelWithProjection if second else CLIPTextModel)(config)


def kl(scaling_factor):
    """The autoencoder of Stable Diffusion."""
    return AutoencoderKL(
        block_out_channels=(4, 4, 8, 8), down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4, layers_per_block=1,
        latent_channels=4, norm_num_groups=2, scaling_factor=scaling_factor,
    )  # fmt: skip


def tiny():
    """The autoencoder of TAESD. Its pictures would be all but black: the last layer is given light and contrast."""
    vae = AutoencoderTiny(encoder_block_out_channels=(8,) * 4, decoder_block_out_channels=(8,) * 4, num_encoder_blocks=(1,) * 4, num_decoder_blocks=(1,) * 4)
    with torch.no_grad():
        vae.decoder.layers[-1].weight *= 8
        vae.decoder.layers[-1].bias += 0.5
    return vae


def unet(**options):
    """A UNet of two levels."""
    return UNet2DConditionModel(**{**BLOCKS, "cross_attention_dim": WIDTH, **options})


def families():
    """Name → what it is made of. The seed of each is its place."""
    euler, ddim = EulerDiscreteScheduler, DDIMScheduler
    offset = {"steps_offset": 1, "timestep_spacing": "leading"}
    return {
        # Stable Diffusion 1.5.
        "sd15": lambda: {
            "text_encoder": text(), "vae": kl(0.18215), "unet": unet(),
            "scheduler": ddim(**BETAS, **offset, clip_sample=False, set_alpha_to_one=False), "pads": ["end"],
        },
        # Stable Diffusion 2.1: velocity, linear projections, padded with "!".
        "sd21": lambda: {
            "text_encoder": text(hidden_act="gelu"), "vae": kl(0.18215), "unet": unet(**LINEAR, attention_head_dim=[2, 4]),
            "scheduler": ddim(**BETAS, **offset, clip_sample=False, set_alpha_to_one=False, prediction_type="v_prediction"), "pads": ["legacy"],
        },
        # SDXS, and SD-Turbo with TAESD: a small autoencoder, no middle block.
        "sdxs": lambda: {
            "text_encoder": text(hidden_act="gelu"), "vae": tiny(), "unet": unet(mid_block_type=None),
            "scheduler": euler(**BETAS, timestep_spacing="trailing", steps_offset=1), "pads": ["added"],
        },
        # SDXL: two text encoders, sizes.
        "sdxl": lambda: {
            "text_encoder": text(), "text_encoder_2": text(second=True, hidden_act="gelu"), "vae": kl(0.13025), "unet": unet(**SDXL),
            "scheduler": euler(**BETAS, **offset), "pads": ["end", "added"],
        },
        # A latent consistency model: the guidance scale goes into the UNet.
        "lcm": lambda: {
            "text_encoder": text(), "vae": tiny(), "unet": unet(time_cond_proj_dim=16),
            "scheduler": LCMScheduler(**BETAS), "pads": ["end"],
        },
    }  # fmt: skip


def write(name, directory):
    """Writes one family's directory."""
    names = list(families())
    torch.manual_seed(names.index(name))
    parts = families()[name]()
    pads = parts.pop("pads")
    sdxl = "text_encoder_2" in parts
    index = {"_class_name": "StableDiffusionXLPipeline" if sdxl else "StableDiffusionPipeline", "_diffusers_version": "0.42.1"}
    for part, made in parts.items():
        made.save_pretrained(directory / part)
        library = "transformers" if part.startswith("text") else "diffusers"
        index[part] = [library, type(made).__name__]
    for folder, pad in zip(["tokenizer", "tokenizer_2"], pads, strict=False):
        tokenizer.write(directory / folder, TOKENS, tokenizer.END if pad == "end" else "!", pad == "legacy")
        index[folder] = ["transformers", "CLIPTokenizer"]
    if sdxl:
        index["force_zeros_for_empty_prompt"] = True
    else:
        index |= {"safety_checker": [None, None], "feature_extractor": [None, None], "requires_safety_checker": False}
    (directory / "model_index.json").write_text(json.dumps(index, indent=1) + "\n")


if __name__ == "__main__":
    quiet()
    for each in families():
        write(each, Path(sys.argv[1]) / each)
