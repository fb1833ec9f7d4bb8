"""The four parts as modules that export to lean graphs: the same mathematics as diffusers' and transformers' own forward passes."""

import torch
from torch import nn
from torch.nn import functional as F

from . import prompts


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
    """UNet2DConditionModel in fewer operations: (latent [B, C, h, w], timestep [B], text [B, T, W]) → latent.

    The same mathematics in another order. The scale and shift that the words give to every second normalisation come from one
    matrix with the normalisation's own factors already inside.
    """

    def __init__(self, net):
        super().__init__()
        self.unet = unet = net.unet
        self.resnets = [*(b.resnets[0] for b in unet.down_blocks), *(r for b in unet.up_blocks for r in b.resnets)]
        weights, biases = [], []
        for resnet in self.resnets:
            scale, shift = resnet.time_emb_proj.weight.chunk(2)
            more_scale, more_shift = resnet.time_emb_proj.bias.chunk(2)
            gain, offset = resnet.norm2.weight, resnet.norm2.bias
            weights += [gain[:, None] * scale, offset[:, None] * scale + shift]
            biases += [gain * (1 + more_scale), offset * (1 + more_scale) + more_shift]
        self.steer = nn.Linear(weights[0].shape[1], sum(len(w) for w in weights))
        self.steer.weight.data, self.steer.bias.data = torch.cat(weights).detach(), torch.cat(biases).detach()
        self.widths = [len(w) for w in weights]

    @staticmethod
    def normal(x, norm, gain, offset):
        return F.silu(F.instance_norm(x.flatten(1)[:, None], eps=norm.eps).view_as(x) * gain + offset)

    def resnet(self, resnet, x, gain, offset):
        y = resnet.conv1(self.normal(x, resnet.norm1, resnet.norm1.weight[None, :, None, None], resnet.norm1.bias[None, :, None, None]))
        y = resnet.conv2(self.normal(y, resnet.norm2, gain, offset))
        return y + (resnet.conv_shortcut(x) if resnet.conv_shortcut is not None else x)

    def forward(self, sample, timestep, encoder_hidden_states):
        unet = self.unet
        told = unet.time_embedding(unet.time_proj(timestep)) + unet.add_embedding(encoder_hidden_states)
        rows = self.steer(F.silu(told))[:, :, None, None].split(self.widths, 1)
        steps = iter(zip(self.resnets, rows[0::2], rows[1::2]))
        x = unet.conv_in(sample)
        skips = [x]
        for block in unet.down_blocks:
            resnet, gain, offset = next(steps)
            x = self.resnet(resnet, x, gain, offset)
            skips.append(x)
            for down in block.downsamplers or []:
                x = down.conv(x)
                skips.append(x)
        for block in unet.up_blocks:
            for _ in block.resnets:
                resnet, gain, offset = next(steps)
                x = self.resnet(resnet, torch.cat([x, skips.pop()], 1), gain, offset)
            for up in block.upsamplers or []:
                # To the size of the skip that it meets: a size that is no multiple of 4 was halved upwards.
                x = up.conv(F.interpolate(x, size=skips[-1].shape[2:], mode="nearest"))
        last = unet.conv_norm_out
        return unet.conv_out(self.normal(x, last, last.weight[None, :, None, None], last.bias[None, :, None, None]))


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
