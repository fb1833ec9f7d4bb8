"""The autoencoder: pictures to f8 latents and back. diffusers' AutoencoderTiny, its linear ends folded."""

import argparse
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny
from torch import nn
from torch.nn import functional as F
from tqdm import tqdm

from . import looks
from .bank import Bank
from .run import CACHE, clock, learning_rate, load_state, save_state

LATENT_CHANNELS = 32
WIDTH = 32
# Latents leave the encoder with about this deviation in every channel: small enough for the decoder's tanh(x / 3) * 3 to be
# nearly straight, so `scaling_factor` is its inverse and the painter sees N(0, 1).
LATENT_STD = 0.5
CONFIG = {
    "in_channels": 3,
    "out_channels": 3,
    "encoder_block_out_channels": (WIDTH,) * 4,
    "decoder_block_out_channels": (WIDTH,) * 4,
    "num_encoder_blocks": (0, 0, 1, 1),
    "num_decoder_blocks": (2, 2, 0, 0),
    "latent_channels": LATENT_CHANNELS,
    "scaling_factor": 1 / LATENT_STD,
    "shift_factor": 0.0,
}


def build() -> AutoencoderTiny:
    """AutoencoderTiny with no blocks at the two finest levels, where it is folded.

    Its convolutions there follow one another without anything in between, so they are one linear map: 4 × 4 pixels to a
    cell going in (conv 8 × 8, stride 4), a cell to 4 × 4 pixels coming out (conv 3 × 3, then pixel shuffle), at a seventh of
    the multiplications. The step from 8 to 4 pixels is a pixel shuffle as well: after a plain enlargement the two halves of
    a cell would be the same, and no texture of 8 pixels could stand on an even surface.
    """
    net = AutoencoderTiny(**CONFIG)
    layers = list(net.encoder.layers)
    net.encoder.layers = nn.Sequential(nn.Conv2d(3, WIDTH, 8, stride=4, padding=2), *layers[3:])
    layers = list(net.decoder.layers)
    blocks = [layer for layer in layers if type(layer).__name__ == "AutoencoderTinyBlock"]
    net.decoder.layers = nn.Sequential(
        *layers[:2], *blocks[:2],
        nn.Conv2d(WIDTH, 4 * WIDTH, 3, padding=1), nn.PixelShuffle(2), *blocks[2:],
        nn.Conv2d(WIDTH, 48, 3, padding=1), nn.PixelShuffle(4),
    )  # fmt: skip
    return net


def load(path: Path = CACHE / "autoencoder.pt") -> AutoencoderTiny:
    net = build()
    net.load_state_dict(torch.load(path, map_location="cpu", weights_only=False)["net"])
    return net.eval()


def example(bank: Bank, size: int) -> np.ndarray:
    """Photographs and looks, [3, size, size] in [-1, 1]."""
    look = "natural" if bank.rng.random() < 0.35 else str(bank.rng.choice(list(looks.LOOKS)))
    return bank.draw(size, look)[0].transpose(2, 0, 1) * 2 - 1


def change(x: torch.Tensor) -> torch.Tensor:
    return torch.cat([(x[..., 1:] - x[..., :-1]).flatten(), (x[..., 1:, :] - x[..., :-1, :]).flatten()])


def loss_of(net: AutoencoderTiny, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    z = net.encoder(x)
    # The painter's latents are never exact: the decoder learns to forgive, and the encoder to use every channel alike.
    y = net.decoder(z + torch.randn_like(z) * (0.06 * LATENT_STD))
    error = (y - x) / 2
    mse = error.square().mean()
    flat = z.transpose(0, 1).flatten(1)
    tidy = (flat.std(1) / LATENT_STD).log().square().mean() + (flat.mean(1) / LATENT_STD).square().mean()
    sharp = F.l1_loss(change(y), change(x)) / 2
    return 4 * mse + 0.25 * error.abs().mean() + 0.25 * sharp + 0.003 * tidy, mse


def train(minutes: float, threads: int, size: int = 96, batch: int = 16, resume: bool = True, rate: float = 2e-3) -> None:
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    path = CACHE / "autoencoder.pt"
    net = build().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=1e-4, betas=(0.9, 0.98))
    spent, step = load_state(path, net, optimiser) if resume else (0.0, 0)
    smooth_mse = None
    bar = tqdm(total=round(minutes * 60), unit="s", desc="autoencoder")
    bank = Bank(seed=1000 + step)
    for share, seconds in clock(minutes):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(rate, share)
        x = torch.from_numpy(np.stack([example(bank, size) for _ in range(batch)])).to(memory_format=torch.channels_last)
        loss, mse = loss_of(net, x)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        step += 1
        smooth_mse = mse.item() if smooth_mse is None else 0.98 * smooth_mse + 0.02 * mse.item()
        bar.update(round(seconds) - bar.n)
        bar.set_postfix(step=step, psnr=f"{-10 * np.log10(smooth_mse):.2f}")
        if step % 300 == 0:
            save_state(path, net, optimiser, spent + seconds, step)
            print(f"\nautoencoder step {step} {seconds:.0f}s psnr {-10 * np.log10(smooth_mse):.2f}", flush=True)
    save_state(path, net, optimiser, spent + minutes * 60, step)


def main(arguments=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--fresh", action="store_true", help="start over instead of resuming")
    args = parser.parse_args(arguments)
    train(args.minutes, args.threads, args.size, args.batch, not args.fresh, args.rate)


if __name__ == "__main__":
    main()
