"""The graphs of a pack, each as a module with the inputs and outputs that Optimum gives it."""

from dataclasses import dataclass

import torch
from torch import nn

# Odd: only then does a traced UNet of any depth enlarge to the size of the skip connection that it meets, and takes every
# size.
HEIGHT, WIDTH = 19, 23
AREA = {0: "batch", 2: "height", 3: "width"}
LATENT_AREA = {0: "batch", 2: "latent_height", 3: "latent_width"}
ROWS = {0: "batch"}


@dataclass
class Graph:
    """What is needed to trace a module and to check the outcome."""

    folder: str
    module: nn.Module
    inputs: dict
    outputs: list
    axes: dict


class TextEncoder(nn.Module):
    """Token ids [B, T] → the last states, the pooled ones and, if asked for, the states after each layer."""

    def __init__(self, network, pooled, every_layer):
        super().__init__()
        self.network, self.pooled, self.every_layer = network, pooled, every_layer

    def forward(self, input_ids):
        output = self.network(input_ids, output_hidden_states=True)
        first = [output.last_hidden_state, getattr(output, self.pooled)]
        return (*first, *(output.hidden_states if self.every_layer else ()))


class Unet(nn.Module):
    """Latent [B, C, H, W], timestep [B], states [B, T, W] and what the UNet reads besides → its prediction."""

    def __init__(self, network, names):
        super().__init__()
        self.network, self.names = network, names

    def forward(self, sample, timestep, encoder_hidden_states, *others):
        others = dict(zip(self.names, others, strict=True))
        guidance = others.pop("timestep_cond", None)
        return self.network(sample, timestep, encoder_hidden_states, timestep_cond=guidance, added_cond_kwargs=others or None, return_dict=False)[0]


class Encoder(nn.Module):
    """Picture [B, 3, H, W] in [-1, 1] → latent, or mean and log-variance one after the other; not scaled."""

    def __init__(self, vae):
        super().__init__()
        self.vae = vae

    def forward(self, sample):
        moments = self.vae.encoder(sample)
        project = getattr(self.vae, "quant_conv", None)
        return moments if project is None else project(moments)


class Decoder(nn.Module):
    """Latent, not scaled → picture [B, 3, H, W] in [-1, 1]."""

    def __init__(self, vae):
        super().__init__()
        self.vae = vae

    def forward(self, latent_sample):
        return self.vae.decode(latent_sample, return_dict=False)[0]


def text_encoder(network, folder, every_layer):
    """CLIP, without or with a projection."""
    second = folder == "text_encoder_2"
    config = network.config
    tokens = config.max_position_embeddings
    ids = torch.randint(1, config.vocab_size - 2, (1, tokens), generator=torch.Generator().manual_seed(1))
    # The pooled state is that of the end of the text.
    ids[:, tokens // 2 :] = config.vocab_size - 1
    pooled = "text_embeds" if second else "pooler_output"
    outputs = ["last_hidden_state", pooled]
    if every_layer:
        outputs += [f"hidden_states.{layer}" for layer in range(config.num_hidden_layers + 1)]
    axes = {name: ROWS for name in ["input_ids", *outputs]}
    return Graph(folder, TextEncoder(network, pooled, every_layer), {"input_ids": ids}, outputs, axes)


def unet(network, tokens):
    """UNet2DConditionModel; SDXL's also reads text_embeds and time_ids, LCM's timestep_cond."""
    config, dtype = network.config, network.dtype
    random = torch.Generator().manual_seed(2)
    draw = lambda *shape: torch.randn(*shape, generator=random).to(dtype)  # noqa: E731
    inputs = {
        "sample": draw(1, config.in_channels, HEIGHT, WIDTH),
        # Whole and half timesteps, in 32 bits whatever the weights are.
        "timestep": torch.tensor([500.5]),
        "encoder_hidden_states": draw(1, tokens, config.cross_attention_dim),
    }
    if config.addition_embed_type == "text_time":
        sizes = 6
        width = config.projection_class_embeddings_input_dim - sizes * config.addition_time_embed_dim
        inputs["text_embeds"] = draw(1, width)
        inputs["time_ids"] = torch.tensor([[144.0, 176.0, 0.0, 0.0, 144.0, 176.0]])
    if config.time_cond_proj_dim is not None:
        inputs["timestep_cond"] = draw(1, config.time_cond_proj_dim)
    axes = {name: ROWS for name in inputs} | {"sample": AREA, "out_sample": AREA}
    return Graph("unet", Unet(network, list(inputs)[3:]), inputs, ["out_sample"], axes)


def autoencoder(network):
    """AutoencoderKL or AutoencoderTiny: two graphs."""
    config, dtype = network.config, network.dtype
    random = torch.Generator().manual_seed(3)
    picture = (torch.rand(1, 3, 64, 96, generator=random) * 2 - 1).to(dtype)
    latent = torch.randn(1, config.latent_channels, 8, 12, generator=random).to(dtype)
    # Optimum's name for mean and log-variance.
    output = "latent_sample" if type(network).__name__ == "AutoencoderTiny" else "latent_parameters"
    return [
        Graph("vae_encoder", Encoder(network), {"sample": picture}, [output], {"sample": AREA, output: LATENT_AREA}),
        Graph("vae_decoder", Decoder(network), {"latent_sample": latent}, ["sample"], {"latent_sample": LATENT_AREA, "sample": AREA}),
    ]
