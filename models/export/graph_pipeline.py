"""diffusers' own pipelines on a pack's ONNX graphs: what the reference paints with exactly the networks that ship."""

import json
from types import SimpleNamespace

import numpy
import onnxruntime
import torch
from diffusers.configuration_utils import FrozenDict
from torch import nn


class Graph(nn.Module):
    """A part of a pack, run by ONNX Runtime, with what a pipeline asks of a network."""

    dtype, device = torch.float32, torch.device("cpu")

    def __init__(self, pack, part, **config):
        super().__init__()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(pack / part / "model.onnx"), options, providers=["CPUExecutionProvider"])
        self.config = FrozenDict({**json.loads((pack / part / "config.json").read_text()), **config})

    def run(self, **inputs):
        """The graph's first output."""
        return torch.from_numpy(self.session.run(None, {name: numpy.asarray(value) for name, value in inputs.items()})[0])


class TextEncoder(Graph):
    def forward(self, ids, **_):
        return (self.run(input_ids=ids),)


class Unet(Graph):
    def forward(self, sample, timestep, encoder_hidden_states, return_dict=False, **_):
        steps = torch.as_tensor(timestep).to(torch.int64).expand(len(sample))
        return (self.run(sample=sample, timestep=steps, encoder_hidden_states=encoder_hidden_states),)


class Autoencoder(Graph):
    """Both halves; the configuration of either says the same."""

    def __init__(self, pack):
        super().__init__(pack, "vae_encoder")
        self.decoder = Graph(pack, "vae_decoder")

    def encode(self, sample):
        return SimpleNamespace(latents=self.run(sample=sample))

    def decode(self, latent, return_dict=False, **_):
        return (self.decoder.run(latent_sample=latent),)


def pipelines(pack, sample_size):
    """Text-to-image and image-to-image; `sample_size` is the side of the latents of a picture without a size."""
    from diffusers import EulerDiscreteScheduler, StableDiffusionImg2ImgPipeline, StableDiffusionPipeline
    from transformers import PreTrainedTokenizerFast

    parts = {
        "vae": Autoencoder(pack),
        "text_encoder": TextEncoder(pack, "text_encoder"),
        "tokenizer": PreTrainedTokenizerFast.from_pretrained(pack / "tokenizer"),
        "unet": Unet(pack, "unet", sample_size=sample_size),
        "scheduler": EulerDiscreteScheduler.from_pretrained(pack / "scheduler"),
        "safety_checker": None,
        "feature_extractor": None,
    }
    made = [kind(**parts, requires_safety_checker=False) for kind in (StableDiffusionPipeline, StableDiffusionImg2ImgPipeline)]
    for pipeline in made:
        pipeline.set_progress_bar_config(disable=True)
    return made
