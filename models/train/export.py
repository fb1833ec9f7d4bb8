"""Write the pack: models/starter in the diffusers/Optimum ONNX layout, its looks, and models/manifest.toml."""

import argparse
import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from tokenizers import Tokenizer
from torch import nn
from tqdm import tqdm

from . import autoencoder, painter, prompts
from .graphs import Decoder, Encoder, Text, Unet
from .run import CACHE

MODELS = Path(__file__).resolve().parent.parent
PACK = MODELS / "starter"
VOICE = "voice"
OPSET = 17
DIFFUSERS = "0.42.1"

SCHEDULER = {
    "_class_name": "EulerDiscreteScheduler",
    "_diffusers_version": DIFFUSERS,
    "num_train_timesteps": painter.TRAIN_STEPS,
    "trained_betas": painter.betas(),
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


def write_json(path: Path, value: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(value, indent=2, ensure_ascii=False)
    # Lists of numbers lie side by side.
    text = re.sub(r"\[[-+.\de,\s]+\]", lambda numbers: re.sub(r"\s+", " ", numbers[0]).replace("[ ", "[").replace(" ]", "]"), text)
    path.write_text(text + "\n")


@dataclass
class Job:
    """One graph: example inputs, and the axes that take any size."""

    name: str
    module: nn.Module
    inputs: dict[str, torch.Tensor]
    output: str
    axes: dict[str, dict[int, str]]


def jobs(vae, net: painter.Painter) -> list[Job]:
    """The graphs of a pack."""
    c, width = autoencoder.LATENT_CHANNELS, painter.TEXT_WIDTH
    area = {0: "batch", 2: "height", 3: "width"}
    cells = {0: "batch", 2: "latent_height", 3: "latent_width"}
    return [
        Job("vae_encoder", Encoder(vae), {"sample": torch.rand(1, 3, 64, 64) * 2 - 1}, "latent_sample", {"sample": area, "latent_sample": cells}),
        Job("vae_decoder", Decoder(vae), {"latent_sample": torch.randn(1, c, 8, 8) * 0.5}, "sample", {"latent_sample": cells, "sample": area}),
        # 18 × 22 is no multiple of 4: only then does the traced UNet take every size, enlarging to that of the skip it meets.
        Job("unet", Unet(net), {"sample": torch.randn(1, c, 18, 22), "timestep": torch.tensor([999]), "encoder_hidden_states": torch.randn(1, prompts.TOKENS, width)}, "out_sample",
            {"sample": area, "timestep": {0: "batch"}, "encoder_hidden_states": {0: "batch"}, "out_sample": area}),
        Job("text_encoder", Text(net), {"input_ids": torch.tensor([prompts.tokenizer().encode("a pencil drawing").ids])}, "last_hidden_state", {"input_ids": {0: "batch"}, "last_hidden_state": {0: "batch"}}),
    ]  # fmt: skip


def graph(job: Job, folder: Path) -> float:
    """Export, check against PyTorch at another size, return the largest difference."""
    module, inputs, output = job.module, job.inputs, job.output
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "model.onnx"
    module.eval()
    torch.onnx.export(module, tuple(inputs.values()), str(path), input_names=list(inputs), output_names=[output], dynamic_axes=job.axes, opset_version=OPSET, dynamo=False, do_constant_folding=True)
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


def configs(net: painter.Painter, pack: Path) -> None:
    vae = {k: list(v) if isinstance(v, tuple) else v for k, v in autoencoder.CONFIG.items()}
    vae = {"_class_name": "AutoencoderTiny", "_diffusers_version": DIFFUSERS, "act_fn": "relu", "upsampling_scaling_factor": 2, "force_upcast": False,
           "latent_magnitude": 3, "latent_shift": 0.5, "block_out_channels": [autoencoder.WIDTH] * 4, **vae}  # fmt: skip
    write_json(pack / "vae_encoder/config.json", vae)
    write_json(pack / "vae_decoder/config.json", vae)
    unet = {k: list(v) if isinstance(v, tuple) else v for k, v in painter.UNET.items()}
    write_json(pack / "unet/config.json", {"_class_name": "UNet2DConditionModel", "_diffusers_version": DIFFUSERS, "attention_head_dim": 8, "center_input_sample": False, "flip_sin_to_cos": True, "freq_shift": 0, "time_cond_proj_dim": None, **unet})
    text = net.text.config.to_dict()
    keep = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "max_position_embeddings", "hidden_act",
            "layer_norm_eps", "pad_token_id", "bos_token_id", "eos_token_id", "projection_dim")  # fmt: skip
    write_json(pack / "text_encoder/config.json", {"architectures": ["CLIPTextModel"], "model_type": "clip_text_model", **{k: text[k] for k in keep}})
    write_json(pack / "scheduler/scheduler_config.json", SCHEDULER)
    write_json(
        pack / "model_index.json",
        {
            "_class_name": "OnnxStableDiffusionImg2ImgPipeline", "_diffusers_version": DIFFUSERS, "feature_extractor": [None, None], "safety_checker": [None, None], "requires_safety_checker": False,
            "scheduler": ["diffusers", "EulerDiscreteScheduler"], "text_encoder": ["diffusers", "OnnxRuntimeModel"], "tokenizer": ["transformers", "PreTrainedTokenizerFast"],
            "unet": ["diffusers", "OnnxRuntimeModel"], "vae_decoder": ["diffusers", "OnnxRuntimeModel"], "vae_encoder": ["diffusers", "OnnxRuntimeModel"],
        },
    )  # fmt: skip
    (pack / "tokenizer").mkdir(parents=True, exist_ok=True)
    words = prompts.tokenizer()
    # The library writes one word an id; ours has several (plurals, slips), so the table goes in whole.
    saved = json.loads(words.to_str())
    saved["model"]["vocab"] = prompts.vocabulary()
    (pack / "tokenizer/tokenizer.json").write_text(json.dumps(saved, ensure_ascii=False, separators=(",", ":")) + "\n")
    again = Tokenizer.from_file(str(pack / "tokenizer/tokenizer.json"))
    for text in ("", "a pencl drawing", "Neon LIGHTS!", "sculptures " * 60, "Crème brûlée \u0000 東京"):
        assert again.encode(text).ids == words.encode(text).ids and len(again.encode(text).ids) == prompts.TOKENS, text
    write_json(pack / "tokenizer/tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": prompts.TOKENS, "pad_token": prompts.PAD, "bos_token": prompts.BEGIN, "eos_token": prompts.END, "unk_token": prompts.UNKNOWN, "clean_up_tokenization_spaces": False})
    write_json(pack / "looks.json", looks_table())


def looks_table() -> dict:
    """What the page can suggest."""
    rows = []
    for name, (things, manners) in prompts.WORDS.items():
        tint = name.startswith("tint:")
        example = f"everything in {name[5:]}" if tint else prompts.EXAMPLES.get(name, f"a {things[0]}")
        rows.append({"name": name.replace("tint:", "tint-"), "kind": "tint" if tint else "look", "aliases": list(dict.fromkeys(things + manners)), "example": example})
    return {"looks": rows, "weaker": prompts.WEAK, "stronger": prompts.STRONG}


def manifest(models: Path) -> None:
    lines = ["# Packs that ship with Mirror or can be fetched. Written by models/train/export.py.", ""]
    # The voice is a pack of its own, inside the folder of the other one.
    voice = models / PACK.name / VOICE
    for name, kind, pack in ((PACK.name, "image", models / PACK.name), (f"{PACK.name}-voice", "voice", voice)):
        files = sorted(path for path in pack.rglob("*") if path.is_file() and (pack == voice or voice not in path.parents))
        if not files:
            continue
        lines += [
            "[[pack]]",
            f'name = "{name}"',
            f'kind = "{kind}"',
            f'directory = "{pack.relative_to(models).as_posix()}"',
            'licence = "Apache-2.0"',
            f"size = {sum(path.stat().st_size for path in files)}",
            "",
        ]
        for path in files:
            data = path.read_bytes()
            lines += ["[[pack.file]]", f'path = "{path.relative_to(pack).as_posix()}"', f"size = {len(data)}", f'sha256 = "{hashlib.sha256(data).hexdigest()}"', ""]
    (models / "manifest.toml").write_text("\n".join(lines))


def export(models: Path) -> None:
    pack = models / PACK.name
    torch.set_num_threads(1)
    torch.manual_seed(3)
    vae = autoencoder.load()
    net = painter.load()
    c = autoencoder.LATENT_CHANNELS
    ids = torch.tensor([prompts.tokenizer().encode("neon lights, please").ids])
    with torch.no_grad():
        torch.testing.assert_close(Text(net)(ids), net.embed(ids), atol=1e-4, rtol=1e-4)
        whole = (torch.randn(1, c, 18, 22), torch.tensor([700]), net.embed(ids))
        torch.testing.assert_close(Unet(net).eval()(*whole), net.unet(*whole, return_dict=False)[0], atol=1e-4, rtol=1e-4)
    for job in tqdm(jobs(vae, net), desc="export", unit="graph"):
        worst = graph(job, pack / job.name)
        assert worst < 1e-3, f"{job.name} differs from PyTorch by {worst}"
        tqdm.write(f"{job.name}: {(pack / job.name / 'model.onnx').stat().st_size / 1e6:.2f} MB, largest difference from PyTorch {worst:.1e}")
    configs(net, pack)
    manifest(models)


def main(arguments=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest-only", action="store_true", help="only count and hash the files again")
    parser.add_argument("--models", type=Path, default=MODELS, help="where starter/ and manifest.toml go")
    args = parser.parse_args(arguments)
    models = args.models.resolve()
    manifest(models) if args.manifest_only else export(models)


if __name__ == "__main__":
    main()
