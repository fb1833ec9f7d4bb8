"""A whole pack out of a diffusers directory."""

import errno
import json
import math
import shutil

from .check import TOLERANCE, check
from .errors import ExportError
from .source import SCHEDULERS, read, weights

FOLDERS = {"vae": ["vae_encoder", "vae_decoder"]}


def export(source, out, dtype="fp32", scheduler=None, tolerance=None, largest=None, say=print, bar=None):
    """Writes `source` to `out`: graph by graph, each checked against PyTorch. What was half done is taken away."""
    if out.exists() and any(out.iterdir()):
        raise ExportError(f"{out} is there already: name another directory, or remove it")
    enough_space(source, out, dtype)
    partial = out.with_name(out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True)
        configurations(source, partial, scheduler)
        graphs(source, partial, dtype, tolerance, largest, say, bar)
        if out.exists():
            out.rmdir()
        partial.rename(out)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise ExportError(f"there is no space left for {out}: make room and run this again") from error
        raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def enough_space(source, out, dtype):
    """Refuses what cannot be written anyway. The largest graph lies there twice while it is written."""
    files = {part: weights(source.folder(part)) for part in source.parts()}
    size = [sum(file.stat().st_size for file in of_part) for of_part in files.values()]
    # Weights in 16 bits grow on disk if 32 are asked for.
    halved = any(".fp16." in file.name for of_part in files.values() for file in of_part)
    needed = (2 if halved and dtype != "fp16" else 1) * (sum(size) + max(size))
    place = next(folder for folder in [out, *out.absolute().parents] if folder.exists())
    free = shutil.disk_usage(place).free
    if free < needed:
        raise ExportError(f"{out} needs some {needed / 1e9:.1f} GB while it is written, and {free / 1e9:.1f} GB are free there")


def graphs(source, out, dtype, tolerance, largest, say, bar):
    """Loads, traces, writes and checks one part after the other, so that only one is in memory."""
    import torch

    from . import graphs as make
    from . import onnx_file

    tokens = source.config("text_encoder").get("max_position_embeddings", 77)
    for part in source.parts():
        kind = precision(source, part, dtype)
        network = source.load(part, torch.float32)
        if kind == "fp16":
            network = network.half()
        if part == "vae":
            made = make.autoencoder(network)
        elif part == "unet":
            made = [make.unet(network, tokens)]
        else:
            made = [make.text_encoder(network, part, source.is_sdxl())]
        for graph in made:
            path = out / graph.folder / "model.onnx"
            with torch.no_grad():
                onnx_file.write(graph, path, kind, **({} if largest is None else {"largest": largest}))
            write(out / graph.folder / "config.json", json.loads(configuration(network)))
            # In 16 bits PyTorch rounds as well: what counts is the distance to the network as it was trained.
            network.float()
            inputs = {name: value.float() if value.is_floating_point() else value for name, value in graph.inputs.items()}
            graph.inputs = inputs
            worst = check(graph, path, tolerance or TOLERANCE[kind])
            listed = max(worst.values())
            say(f"{graph.folder}: {kind}, {onnx_file.size(path) / 1e6:.1f} MB, differs from PyTorch by at most {listed:.1e} of the largest value")
            if bar:
                bar()
            if kind == "fp16":
                network.half()
        del network, made


def precision(source, part, dtype):
    """The precision of a part: the autoencoder has no matrix products to speak of, and SDXL's overflows in fp16."""
    if part != "vae" or dtype == "fp32":
        return dtype
    overflows = source.is_sdxl() and source.config("vae").get("force_upcast", True)
    return "fp32" if dtype == "int8" or overflows else "fp16"


def configurations(source, out, scheduler):
    """All files that are no graphs."""
    for folder in ["tokenizer", "tokenizer_2"] if source.is_sdxl() else ["tokenizer"]:
        shutil.copytree(source.directory / folder, out / folder)
    write(out / "scheduler/scheduler_config.json", scheduler_config(source, scheduler))
    index = {key: value for key, value in source.index.items() if not isinstance(value, list)}
    index["scheduler"] = ["diffusers", read(out / "scheduler/scheduler_config.json")["_class_name"]]
    index |= {folder: source.index[folder] for folder in ["tokenizer", "tokenizer_2"] if source.index.get(folder)}
    for part in source.parts():
        index |= {folder: ["diffusers", "OnnxRuntimeModel"] for folder in FOLDERS.get(part, [part])}
    write(out / "model_index.json", index)


def scheduler_config(source, name):
    """The directory's own scheduler, or another one with what that one says of noise and prediction."""
    import diffusers

    path = source.directory / "scheduler/scheduler_config.json"
    config = read(path)
    said = config.get("_class_name")
    if name is None and said not in SCHEDULERS:
        raise ExportError(f'{path}: "{said}" is not one of Mirror\'s schedulers; choose one with --scheduler: {", ".join(SCHEDULERS)}')
    if name is None or name == said:
        return config
    return json.loads(getattr(diffusers, name).from_config(config).to_json_string())


def configuration(network):
    """The configuration of a network with every default written out."""
    config = network.config
    text = config.to_json_string() if hasattr(config, "to_json_string") else network.to_json_string()
    # Where it was loaded from is nobody's business.
    return json.dumps({key: value for key, value in json.loads(text).items() if key not in ["_name_or_path"]})


def write(path, value):
    """A JSON file. diffusers' schedulers write infinities, which JSON does not have: they mean that there is no limit."""
    path.parent.mkdir(parents=True, exist_ok=True)
    value = {key: None if isinstance(item, float) and not math.isfinite(item) else item for key, item in value.items()}
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
