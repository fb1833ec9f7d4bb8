"""The autoencoder: pictures to f8 latents and back. diffusers' AutoencoderTiny, its linear ends folded."""

import argparse
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny
from diffusers.models.unets.unet_2d_blocks import AutoencoderTinyBlock
from torch import nn
from torch.nn import functional as F
from tqdm import tqdm

from . import looks
from .bank import Bank
from .run import CACHE, clock, device, learning_rate, load_state, save_state
from .texture import QUIET

LATENT_CHANNELS = 32
WIDTH = 32
# Latents leave the encoder with about this deviation in every channel: small enough for the decoder's tanh(x / 3) * 3 to be
# nearly straight, so `scaling_factor` is its inverse and the painter sees N(0, 1).
LATENT_STD = 0.5
CONFIG = {
    "in_channels": 3,
    "out_channels": 3,
    "encoder_block_out_channels": (WIDTH, WIDTH, WIDTH, 2 * WIDTH),
    "decoder_block_out_channels": (2 * WIDTH, WIDTH, WIDTH, WIDTH),
    "num_encoder_blocks": (0, 0, 0, 1),
    "num_decoder_blocks": (2, 0, 0, 0),
    "latent_channels": LATENT_CHANNELS,
    "scaling_factor": 1 / LATENT_STD,
    "shift_factor": 0.0,
}


def build() -> AutoencoderTiny:
    """AutoencoderTiny's blocks at the coarsest level only, at twice the width; the finer levels are linear and folded.

    Its convolutions at the fine levels follow one another without anything in between, so they are one linear map: 4 × 4
    pixels to a cell going in (conv 8 × 8, stride 4), a cell to 4 × 4 pixels coming out (conv 3 × 3, then pixel shuffle), at a
    seventh of the multiplications. The step from 8 to 4 pixels is a pixel shuffle as well: after a plain enlargement the two
    halves of a cell would be the same, and no texture of 8 pixels could stand on an even surface. The coarsest level is wider
    because 32 signed latents do not pass through 32 channels that a ReLU keeps above zero. The QUIET channels stay empty: what
    is there in the painter's input is noise, and grain can be made of it.
    """
    net = AutoencoderTiny(latent_channels=LATENT_CHANNELS, num_encoder_blocks=(0, 0, 0, 1), num_decoder_blocks=(2, 0, 0, 0))
    fine, coarse = WIDTH, 2 * WIDTH
    net.encoder.layers = nn.Sequential(
        nn.Conv2d(3, fine, 8, stride=4, padding=2),
        nn.Conv2d(fine, coarse, 3, stride=2, padding=1), AutoencoderTinyBlock(coarse, coarse, "relu"),
        nn.Conv2d(coarse, LATENT_CHANNELS, 3, padding=1),
    )  # fmt: skip
    net.decoder.layers = nn.Sequential(
        nn.Conv2d(LATENT_CHANNELS, coarse, 3, padding=1), nn.ReLU(),
        AutoencoderTinyBlock(coarse, coarse, "relu"), AutoencoderTinyBlock(coarse, coarse, "relu"),
        nn.Conv2d(coarse, 4 * fine, 3, padding=1), nn.PixelShuffle(2),
        nn.Conv2d(fine, 48, 3, padding=1), nn.PixelShuffle(4),
    )  # fmt: skip
    last, first = net.encoder.layers[-1], net.decoder.layers[0]
    for value, axis in ((last.weight, 0), (last.bias, 0), (first.weight, 1)):
        keep = torch.ones_like(value).index_fill_(axis, torch.tensor(QUIET), 0)
        value.data.mul_(keep)
        value.register_hook(lambda gradient, keep=keep: gradient * keep.to(gradient.device))
    return net


def _components(rows: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, the `count` strongest principal directions, and the deviation along each."""
    mean = rows.mean(0)
    values, vectors = np.linalg.eigh(np.cov(rows - mean, rowvar=False))
    order = np.argsort(values)[::-1][:count]
    return mean, vectors[:, order].T, np.sqrt(np.maximum(values[order], 1e-9))


@torch.no_grad()
def begin_linear(net: AutoencoderTiny, bank: Bank, pictures: int = 600) -> None:
    """Start from the best linear autoencoder instead of from noise: principal components of 4 × 4, then of 8 × 8 pixels.

    Blocks start as identities, and offsets keep what a ReLU sees above zero, so that the whole net is linear at first.
    """
    fine, coarse, c = WIDTH, 2 * WIDTH, LATENT_CHANNELS - len(QUIET)
    u = np.stack([example(bank, 32) for _ in range(pictures)]) / 2 + 0.5
    cells = u.reshape(pictures, 3, 8, 4, 8, 4).transpose(0, 2, 4, 1, 3, 5).reshape(-1, 48)
    mean, a, deviation = _components(cells, fine)
    lift = 3.5 * deviation.max() * np.ones(fine)
    pairs = ((cells - mean) @ a.T).reshape(pictures, 4, 2, 4, 2, fine).transpose(0, 1, 3, 5, 2, 4).reshape(-1, fine * 4)
    pair_mean, b, pair_deviation = _components(pairs, coarse)
    pair_lift = 3.5 * pair_deviation

    def put(layer: nn.Conv2d, weight: np.ndarray, bias: np.ndarray) -> None:
        layer.weight.copy_(torch.from_numpy(weight))
        layer.bias.copy_(torch.from_numpy(bias))

    for block in net.modules():
        if isinstance(block, AutoencoderTinyBlock):
            for index, gain in ((0, 1.0), (2, 1.0), (4, 0.0)):
                nn.init.kaiming_normal_(block.conv[index].weight, nonlinearity="relu")
                block.conv[index].weight.mul_(gain)
                block.conv[index].bias.zero_()
    first, down, last = net.encoder.layers[0], net.encoder.layers[1], net.encoder.layers[3]
    weight = np.zeros(first.weight.shape)
    weight[:, :, 2:6, 2:6] = a.reshape(fine, 3, 4, 4)
    put(first, weight, lift - a @ mean)
    weight = np.zeros(down.weight.shape)
    weight[:, :, 1:, 1:] = b.reshape(coarse, fine, 2, 2)
    put(down, weight, pair_lift - b @ (pair_mean + np.repeat(lift, 4)))
    gain = LATENT_STD / pair_deviation[:c]
    weight = np.zeros(last.weight.shape)
    weight[np.arange(c), np.arange(c), 1, 1] = gain
    put(last, weight, np.concatenate([-gain * pair_lift[:c], np.zeros(len(QUIET))]))
    first, up, tail = net.decoder.layers[0], net.decoder.layers[4], net.decoder.layers[6]
    weight = np.random.default_rng(0).normal(0, 0.05, first.weight.shape)
    weight[:c] = 0
    weight[:, c:] = 0
    weight[np.arange(c), np.arange(c), 1, 1] = 1 / gain
    put(first, weight, np.concatenate([pair_lift[:c], np.zeros(coarse - c)]))
    weight = np.zeros(up.weight.shape)
    weight[:, :c, 1, 1] = b[:c].T
    put(up, weight, pair_mean + np.repeat(lift, 4) - b[:c].T @ pair_lift[:c])
    weight = np.zeros(tail.weight.shape)
    weight[:, :, 1, 1] = a.T
    put(tail, weight, mean - a.T @ lift)


def load(path: Path = CACHE / "autoencoder.pt") -> AutoencoderTiny:
    net = build()
    net.load_state_dict(torch.load(path, map_location="cpu", weights_only=False)["net"])
    return net.eval()


def example(bank: Bank, size: int) -> np.ndarray:
    """Photographs and looks, [3, size, size] in [-1, 1]."""
    look = "natural" if bank.rng.random() < 0.35 else str(bank.rng.choice(list(looks.LOOKS)))
    return bank.draw(size, look)[1][0].picture.transpose(2, 0, 1) * 2 - 1


def change(x: torch.Tensor) -> torch.Tensor:
    return torch.cat([(x[..., 1:] - x[..., :-1]).flatten(), (x[..., 1:, :] - x[..., :-1, :]).flatten()])


def loss_of(net: AutoencoderTiny, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    z = net.encoder(x)
    # The painter's latents are never exact: the decoder learns to forgive, and the encoder to use every channel alike.
    y = net.decoder(z + torch.randn_like(z) * (0.04 * LATENT_STD))
    error = (y - x) / 2
    mse = error.square().mean()
    flat = z.transpose(0, 1)[[c for c in range(LATENT_CHANNELS) if c not in QUIET]].flatten(1)
    tidy = (flat.std(1) / LATENT_STD).log().square().mean() + (flat.mean(1) / LATENT_STD).square().mean()
    sharp = F.l1_loss(change(y), change(x)) / 2
    return 4 * mse + 0.25 * error.abs().mean() + 0.25 * sharp + 0.003 * tidy, mse


def train(minutes: float, threads: int, size: int = 96, batch: int = 8, resume: bool = True, rate: float = 1.5e-4, on: str | None = None, decoder_only: bool = False) -> None:
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    where = device(on)
    path = CACHE / "autoencoder.pt"
    net = build().to(where, memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW((net.decoder if decoder_only else net).parameters(), lr=rate, weight_decay=1e-4, betas=(0.9, 0.99))
    spent, step, _ = load_state(path, net, optimiser) if resume else (0.0, 0, {})
    smooth_mse = None
    bar = tqdm(total=round(minutes * 60), unit="s", desc="autoencoder")
    bank = Bank(seed=1000 + step)
    if step == 0:
        begin_linear(net, bank)
    seconds = spent
    for share, seconds in clock(minutes, spent):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(rate, share)
        x = torch.from_numpy(np.stack([example(bank, size) for _ in range(batch)])).to(where, memory_format=torch.channels_last)
        loss, mse = loss_of(net, x)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        step += 1
        smooth_mse = mse.item() if smooth_mse is None else 0.98 * smooth_mse + 0.02 * mse.item()
        bar.update(round(seconds) - bar.n)
        bar.set_postfix(step=str(step), psnr=f"{-10 * np.log10(smooth_mse):.2f}")
        if step % 300 == 0:
            save_state(path, net, optimiser, seconds, step)
            print(f"\nautoencoder step {step} {seconds:.0f}s psnr {-10 * np.log10(smooth_mse):.2f}", flush=True)
    save_state(path, net, optimiser, seconds, step)


def main(arguments=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rate", type=float, default=1.5e-4)
    parser.add_argument("--device", help="cpu, cuda, …; the graphics card where there is one by default")
    parser.add_argument("--decoder-only", action="store_true", help="leave the latents as they are, so that a painter stays of use")
    parser.add_argument("--fresh", action="store_true", help="start over instead of resuming")
    args = parser.parse_args(arguments)
    train(args.minutes, args.threads, args.size, args.batch, not args.fresh, args.rate, args.device, args.decoder_only)


if __name__ == "__main__":
    main()
