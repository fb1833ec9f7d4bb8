"""Writes a pack of the SD family in miniature, randomly initialised, and what diffusers paints with it.

    python models/export/miniature.py tests/fixtures/miniature

It has what the starter pack has not: 4 latent channels, an encoder that puts out mean and log-variance, CLIP's
tokenizer files, the prediction type epsilon, a negative prompt. The reference uses diffusers' scheduler and PyTorch's
CPU noise, so a seed must mean the same picture here and there. Needs diffusers, transformers, torch and onnx.
"""

import json
import shutil
import sys
import warnings
from pathlib import Path

import numpy
import torch
from diffusers import AutoencoderKL, EulerDiscreteScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

warnings.filterwarnings("ignore")
TOKENIZER = Path("nodes/embed/tests/fixtures/clip")
TOKENS, WIDTH, SIZE = 24, 32, 64
PROMPT, NEGATIVE = "neon lights at the oil", "42 lights"
CASES = [  # name, steps, strength, guidance scale, seed
    ("one_step", 1, 1.0, 1.0, 3),
    ("half_strength", 1, 0.5, 1.0, 3),
    ("guided", 4, 1.0, 5.0, 7),
]


class Encoder(torch.nn.Module):
    """Mean and log-variance, as Optimum exports an encoder."""

    def __init__(self, vae):
        super().__init__()
        self.vae = vae

    def forward(self, sample):
        return self.vae.quant_conv(self.vae.encoder(sample))


class Decoder(torch.nn.Module):
    def __init__(self, vae):
        super().__init__()
        self.vae = vae

    def forward(self, latent_sample):
        return self.vae.decode(latent_sample, return_dict=False)[0]


class Unet(torch.nn.Module):
    def __init__(self, unet):
        super().__init__()
        self.unet = unet

    def forward(self, sample, timestep, encoder_hidden_states):
        return self.unet(sample, timestep, encoder_hidden_states, return_dict=False)[0]


class Text(torch.nn.Module):
    def __init__(self, text):
        super().__init__()
        self.text = text

    def forward(self, input_ids):
        return self.text(input_ids)[0]


def export(module, inputs, names, output, path, axes):
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(module.eval(), inputs, str(path), input_names=names, output_names=[output], dynamic_axes=axes, opset_version=17, dynamo=False)


def save(path, config):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(config, indent=1) + "\n")


def main(folder):
    torch.manual_seed(0)
    vae = AutoencoderKL(block_out_channels=(8, 8, 8, 8), down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
                        layers_per_block=1, latent_channels=4, norm_num_groups=4, scaling_factor=0.18215, mid_block_add_attention=False).eval()
    unet = UNet2DConditionModel(block_out_channels=(16, 32), down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
                                layers_per_block=1, cross_attention_dim=WIDTH, attention_head_dim=8, norm_num_groups=4).eval()
    vocabulary = json.loads((TOKENIZER / "vocab.json").read_text())
    tokenizer = CLIPTokenizer(str(TOKENIZER / "vocab.json"), str(TOKENIZER / "merges.txt"), model_max_length=TOKENS)
    text = CLIPTextModel(CLIPTextConfig(vocab_size=len(vocabulary), hidden_size=WIDTH, intermediate_size=64, num_hidden_layers=1, num_attention_heads=4,
                                        max_position_embeddings=TOKENS, bos_token_id=len(vocabulary) - 2, eos_token_id=len(vocabulary) - 1)).eval()
    scheduler = EulerDiscreteScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", prediction_type="epsilon", timestep_spacing="trailing", steps_offset=1)

    picture = torch.arange(SIZE * SIZE * 3, dtype=torch.float32).reshape(SIZE, SIZE, 3) * 7 % 256
    sample = (picture.permute(2, 0, 1)[None] / 127.5 - 1).contiguous()
    wide = {0: "batch", 2: "height", 3: "width"}
    latent = torch.zeros(1, 4, SIZE // 8, SIZE // 8)
    states = torch.zeros(2, TOKENS, WIDTH)
    export(Encoder(vae), (sample,), ["sample"], "latent_parameters", folder / "vae_encoder/model.onnx", {"sample": wide, "latent_parameters": wide})
    export(Decoder(vae), (latent,), ["latent_sample"], "sample", folder / "vae_decoder/model.onnx", {"latent_sample": wide, "sample": wide})
    export(Unet(unet), (torch.cat([latent] * 2), torch.tensor([999.0, 999.0]), states), ["sample", "timestep", "encoder_hidden_states"], "out_sample",
           folder / "unet/model.onnx", {"sample": wide, "timestep": {0: "batch"}, "encoder_hidden_states": {0: "batch"}, "out_sample": wide})
    export(Text(text), (torch.zeros(1, TOKENS, dtype=torch.int64),), ["input_ids"], "last_hidden_state", folder / "text_encoder/model.onnx", {"input_ids": {0: "batch"}, "last_hidden_state": {0: "batch"}})
    save(folder / "vae_decoder/config.json", {"latent_channels": 4, "scaling_factor": 0.18215, "block_out_channels": [8, 8, 8, 8]})
    save(folder / "scheduler/scheduler_config.json", json.loads(scheduler.to_json_string()))
    (folder / "tokenizer").mkdir(exist_ok=True)
    for file in ("vocab.json", "merges.txt", "tokenizer_config.json"):
        shutil.copy(TOKENIZER / file, folder / "tokenizer" / file)

    cases = []
    with torch.no_grad():
        clean = vae.encode(sample).latent_dist.mode() * 0.18215
        ids = tokenizer([PROMPT, NEGATIVE], padding="max_length", truncation=True, max_length=TOKENS, return_tensors="pt")["input_ids"]
        positive, negative = text(ids)[0]
        for name, steps, strength, guidance, seed in CASES:
            timesteps = [round(1000 * strength * (steps - index) / steps) - 1 for index in range(steps)]
            scheduler.set_timesteps(timesteps=timesteps)
            noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(seed))
            x = scheduler.add_noise(clean, noise, scheduler.timesteps[:1])
            for timestep in scheduler.timesteps:
                seen = scheduler.scale_model_input(x, timestep)
                output = unet(seen, timestep, positive[None], return_dict=False)[0]
                if guidance > 1:
                    other = unet(seen, timestep, negative[None], return_dict=False)[0]
                    output = other + guidance * (output - other)
                x = scheduler.step(output, timestep, x, return_dict=False)[0]
            numpy.save(folder / f"{name}.latent.npy", x.numpy().astype(numpy.float32))
            cases.append({"name": name, "steps": steps, "strength": strength, "guidance_scale": guidance, "seed": seed})
        numpy.save(folder / "clean.npy", clean.numpy().astype(numpy.float32))
    save(folder / "cases.json", {"prompt": PROMPT, "negative_prompt": NEGATIVE, "size": SIZE, "cases": cases})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
