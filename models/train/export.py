"""Write the pack: models/starter in the diffusers/Optimum ONNX layout, its looks, and models/manifest.toml."""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from tokenizers import Tokenizer
from torch import nn
from tqdm import tqdm

from . import autoencoder, painter, prompts
from .run import CACHE

MODELS = Path(__file__).resolve().parent.parent
PACK = MODELS / "starter"
OPSET = 17
DIFFUSERS = "0.42.1"

SCHEDULER = {
    "_class_name": "EulerDiscreteScheduler",
    "_diffusers_version": DIFFUSERS,
    "num_train_timesteps": painter.TRAIN_STEPS,
    **painter.SCHEDULE,
    "trained_betas": None,
    "prediction_type": "sample",
    "timestep_spacing": "trailing",
    "timestep_type": "discrete",
    "interpolation_type": "linear",
    "steps_offset": 1,
    "clip_sample": False,
    "rescale_betas_zero_snr": False,
    "final_sigmas_type": "zero",
    "use_karras_sigmas": False,
}


class Encoder(nn.Module):
    """[B, 3, H, W] in [-1, 1] → [B, C, H/8, W/8], unscaled."""

    def __init__(self, vae):
        super().__init__()
        self.encoder = vae.encoder

    def forward(self, sample):
        return self.encoder(sample)


class Decoder(nn.Module):
    """[B, C, h, w], divided by scaling_factor → [B, 3, 8h, 8w] in [-1, 1]."""

    def __init__(self, vae):
        super().__init__()
        self.decoder = vae.decoder

    def forward(self, latent_sample):
        return self.decoder(latent_sample).clamp(-1, 1)


class Unet(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.unet = net.unet

    def forward(self, sample, timestep, encoder_hidden_states):
        return self.unet(sample, timestep, encoder_hidden_states, return_dict=False)[0]


class Text(nn.Module):
    """Token ids [B, T] i64 → [B, T, W]."""

    def __init__(self, net):
        super().__init__()
        self.text = net.text
        length = prompts.TOKENS
        # CLIP's causal mask, as a constant: the graph then holds no shape arithmetic.
        self.register_buffer("mask", torch.full((length, length), -1e9).triu(1)[None, None])
        self.register_buffer("positions", torch.arange(length)[None])

    def forward(self, input_ids):
        from torch.nn import functional as F

        text = getattr(self.text, "text_model", self.text)
        x = text.embeddings.token_embedding(input_ids) + text.embeddings.position_embedding(self.positions)
        for layer in text.encoder.layers:
            attention = layer.self_attn
            y = layer.layer_norm1(x)
            q, k, v = (f(y).unflatten(-1, (attention.num_heads, -1)).transpose(1, 2) for f in (attention.q_proj, attention.k_proj, attention.v_proj))
            weights = ((q * attention.scale) @ k.transpose(-1, -2) + self.mask).softmax(-1)
            x = x + attention.out_proj((weights @ v).transpose(1, 2).flatten(-2))
            x = x + layer.mlp(layer.layer_norm2(x))
        return text.final_layer_norm(x)


def write_json(path: Path, value: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def graph(module: nn.Module, folder: Path, inputs: dict[str, torch.Tensor], output: str, axes: dict[str, dict[int, str]]) -> float:
    """Export, check against PyTorch at another size, return the largest difference."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "model.onnx"
    module.eval()
    torch.onnx.export(module, tuple(inputs.values()), str(path), input_names=list(inputs), output_names=[output], dynamic_axes=axes, opset_version=OPSET, dynamo=False, do_constant_folding=True)
    import onnx

    model = onnx.load(path)
    # The exporter names unknown output sizes after itself; ours are named by `axes`. Nothing of this machine stays inside.
    model.doc_string = ""
    for node in model.graph.node:
        node.doc_string = ""
    onnx.checker.check_model(model)
    onnx.save(model, path)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    worst = 0.0
    for doubled in (False, True):
        feeds = {}
        for name, value in inputs.items():
            if doubled:
                value = torch.cat([value, value])
                if value.ndim == 4:
                    value = torch.cat([value, value.flip(-1), value], -1)
            feeds[name] = value
        with torch.no_grad():
            expected = module(*feeds.values()).numpy()
        got = session.run([output], {name: value.numpy() for name, value in feeds.items()})[0]
        assert got.shape == expected.shape, f"{path}: {got.shape} is not {expected.shape}"
        worst = max(worst, float(np.abs(got - expected).max()))
    return worst


def configs(net: painter.Painter) -> None:
    vae = {k: list(v) if isinstance(v, tuple) else v for k, v in autoencoder.CONFIG.items()}
    vae = {"_class_name": "AutoencoderTiny", "_diffusers_version": DIFFUSERS, "act_fn": "relu", "upsampling_scaling_factor": 2, "force_upcast": False,
           "latent_magnitude": 3, "latent_shift": 0.5, "block_out_channels": [autoencoder.WIDTH] * 4, **vae}  # fmt: skip
    write_json(PACK / "vae_encoder/config.json", vae)
    write_json(PACK / "vae_decoder/config.json", vae)
    unet = {k: list(v) if isinstance(v, tuple) else v for k, v in painter.UNET.items()}
    write_json(PACK / "unet/config.json", {"_class_name": "UNet2DConditionModel", "_diffusers_version": DIFFUSERS, "attention_head_dim": 8, "center_input_sample": False, "flip_sin_to_cos": True, "freq_shift": 0, "time_cond_proj_dim": None, **unet})
    text = net.text.config.to_dict()
    keep = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "max_position_embeddings", "hidden_act",
            "layer_norm_eps", "pad_token_id", "bos_token_id", "eos_token_id", "projection_dim")  # fmt: skip
    write_json(PACK / "text_encoder/config.json", {"architectures": ["CLIPTextModel"], "model_type": "clip_text_model", **{k: text[k] for k in keep}})
    write_json(PACK / "scheduler/scheduler_config.json", SCHEDULER)
    write_json(
        PACK / "model_index.json",
        {
            "_class_name": "OnnxStableDiffusionImg2ImgPipeline", "_diffusers_version": DIFFUSERS, "feature_extractor": [None, None], "safety_checker": [None, None], "requires_safety_checker": False,
            "scheduler": ["diffusers", "EulerDiscreteScheduler"], "text_encoder": ["diffusers", "OnnxRuntimeModel"], "tokenizer": ["transformers", "PreTrainedTokenizerFast"],
            "unet": ["diffusers", "OnnxRuntimeModel"], "vae_decoder": ["diffusers", "OnnxRuntimeModel"], "vae_encoder": ["diffusers", "OnnxRuntimeModel"],
        },
    )  # fmt: skip
    (PACK / "tokenizer").mkdir(parents=True, exist_ok=True)
    words = prompts.tokenizer()
    # The library writes one word an id; ours has several (plurals, slips), so the table goes in whole.
    saved = json.loads(words.to_str())
    saved["model"]["vocab"] = prompts.vocabulary()
    (PACK / "tokenizer/tokenizer.json").write_text(json.dumps(saved, ensure_ascii=False, separators=(",", ":")) + "\n")
    again = Tokenizer.from_file(str(PACK / "tokenizer/tokenizer.json"))
    for text in ("", "a pencl drawing", "Neon LIGHTS!", "sculptures " * 60, "Crème brûlée \u0000 東京"):
        assert again.encode(text).ids == words.encode(text).ids and len(again.encode(text).ids) == prompts.TOKENS, text
    write_json(PACK / "tokenizer/tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": prompts.TOKENS, "pad_token": prompts.PAD, "bos_token": prompts.BEGIN, "eos_token": prompts.END, "unk_token": prompts.UNKNOWN, "clean_up_tokenization_spaces": False})
    write_json(PACK / "looks.json", looks_table())


def looks_table() -> dict:
    """What the page can suggest."""
    rows = []
    for name, (things, manners) in prompts.WORDS.items():
        tint = name.startswith("tint:")
        example = f"everything in {name[5:]}" if tint else prompts.EXAMPLES.get(name, f"a {things[0]}")
        rows.append({"name": name.replace("tint:", "tint-"), "kind": "tint" if tint else "look", "aliases": list(dict.fromkeys(things + manners)), "example": example})
    return {"looks": rows, "weaker": prompts.WEAK, "stronger": prompts.STRONG}


def manifest() -> None:
    files = sorted(p for p in PACK.rglob("*") if p.is_file())
    lines = [
        "# Packs that ship with Mirror or can be fetched. Written by models/train/export.py.",
        "",
        "[[pack]]",
        'name = "starter"',
        'kind = "image"',
        'directory = "starter"',
        'licence = "Apache-2.0"',
        f"size = {sum(p.stat().st_size for p in files)}",
        "",
    ]
    for path in files:
        data = path.read_bytes()
        lines += ["[[pack.file]]", f'path = "{path.relative_to(PACK).as_posix()}"', f"size = {len(data)}", f'sha256 = "{hashlib.sha256(data).hexdigest()}"', ""]
    (MODELS / "manifest.toml").write_text("\n".join(lines))


def export() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(3)
    vae = autoencoder.load()
    net = painter.load()
    c, width = autoencoder.LATENT_CHANNELS, painter.TEXT_WIDTH
    area = {0: "batch", 2: "height", 3: "width"}
    jobs = [
        ("vae_encoder", Encoder(vae), {"sample": torch.rand(1, 3, 64, 64) * 2 - 1}, "latent_sample", {"sample": area, "latent_sample": {0: "batch", 2: "latent_height", 3: "latent_width"}}),
        ("vae_decoder", Decoder(vae), {"latent_sample": torch.randn(1, c, 8, 8) * 0.5}, "sample", {"latent_sample": {0: "batch", 2: "latent_height", 3: "latent_width"}, "sample": area}),
        ("unet", Unet(net), {"sample": torch.randn(1, c, 18, 22), "timestep": torch.tensor([999]), "encoder_hidden_states": torch.randn(1, prompts.TOKENS, width)}, "out_sample",
         {"sample": area, "timestep": {0: "batch"}, "encoder_hidden_states": {0: "batch"}, "out_sample": area}),
        ("text_encoder", Text(net), {"input_ids": torch.tensor([prompts.tokenizer().encode("a pencil drawing").ids])}, "last_hidden_state", {"input_ids": {0: "batch"}, "last_hidden_state": {0: "batch"}}),
    ]  # fmt: skip
    # 18 × 22 is no multiple of 4: only then does the traced UNet take every size, enlarging to that of the skip it meets.
    ids = torch.tensor([prompts.tokenizer().encode("neon lights, please").ids])
    with torch.no_grad():
        torch.testing.assert_close(Text(net)(ids), net.embed(ids), atol=1e-4, rtol=1e-4)
    for name, module, inputs, output, axes in tqdm(jobs, desc="export", unit="graph"):
        worst = graph(module, PACK / name, inputs, output, axes)
        assert worst < 1e-3, f"{name} differs from PyTorch by {worst}"
        tqdm.write(f"{name}: {(PACK / name / 'model.onnx').stat().st_size / 1e6:.2f} MB, largest difference from PyTorch {worst:.1e}")
    configs(net)
    manifest()


def main(arguments=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest-only", action="store_true", help="only count and hash the files again")
    args = parser.parse_args(arguments)
    manifest() if args.manifest_only else export()


if __name__ == "__main__":
    main()
