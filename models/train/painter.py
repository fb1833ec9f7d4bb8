"""The painter: a small UNet and text encoder that learn, in one pass, every look by its words."""

import argparse
from pathlib import Path

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from torch import nn
from torch.nn import functional as F
from tqdm import tqdm
from transformers import CLIPTextConfig, CLIPTextModel

from . import autoencoder, looks, prompts
from .autoencoder import LATENT_CHANNELS, LATENT_STD, change
from .bank import Bank
from .run import CACHE, clock, learning_rate, load_state, save_state

TEXT_WIDTH = 96
TRAIN_STEPS = 1000
# Linear betas, so small that at the last timestep the picture is still there: sqrt(alphas_cumprod[999]) = 0.9888, noise 0.149.
SCHEDULE = {"beta_start": 0.0000005, "beta_end": 0.000044, "beta_schedule": "linear"}
UNET = {
    "sample_size": 32,
    "in_channels": LATENT_CHANNELS,
    "out_channels": LATENT_CHANNELS,
    "block_out_channels": (64, 64, 96),
    "layers_per_block": 1,
    "down_block_types": ("DownBlock2D",) * 3,
    "up_block_types": ("UpBlock2D",) * 3,
    "mid_block_type": None,
    "norm_num_groups": 16,
    "cross_attention_dim": TEXT_WIDTH,
    # The words steer every normalisation of the net (scale and shift), not an attention at every pixel: a look is the same
    # everywhere in the picture, and attention at 64 × 64 was most of the time of a frame.
    "resnet_time_scale_shift": "scale_shift",
    "addition_embed_type": "text",
    "addition_embed_type_num_heads": 8,
}


# What a text can mean: one structure and one light (or tint) at once, or none of either.
STRUCTURES = ["natural", *(look.__name__ for look in looks.STRUCTURE)]
LIGHTS = ["natural", *(look.__name__ for look in looks.LIGHT), *(f"tint:{colour}" for colour in looks.TINTS)]


def alphas_cumprod() -> torch.Tensor:
    betas = torch.linspace(SCHEDULE["beta_start"], SCHEDULE["beta_end"], TRAIN_STEPS, dtype=torch.float64)
    return torch.cumprod(1 - betas, 0).float()


class Painter(nn.Module):
    """(noisy latent [B, C, h, w], timestep [B], token ids [B, T]) → latent of the look, all N(0, 1)."""

    def __init__(self) -> None:
        super().__init__()
        self.unet = UNet2DConditionModel(**UNET)
        self.text = CLIPTextModel(
            CLIPTextConfig(
                vocab_size=prompts.vocabulary_size(), hidden_size=TEXT_WIDTH, intermediate_size=2 * TEXT_WIDTH, num_hidden_layers=2,
                num_attention_heads=4, max_position_embeddings=prompts.TOKENS, pad_token_id=0, bos_token_id=1, eos_token_id=2, projection_dim=TEXT_WIDTH,
            )  # fmt: skip
        )
        # CLIP's initial embedding (deviation 0.02) is meant for a long training.
        nn.init.normal_(self.text.get_input_embeddings().weight, std=0.3)
        # Only for training: which structure, which light and how much a text asks for, read from its pooled embedding.
        self.meaning = nn.Linear(4 * UNET["block_out_channels"][0], len(STRUCTURES) + len(LIGHTS) + 1)

    def embed(self, ids: torch.Tensor) -> torch.Tensor:
        return self.text(input_ids=ids).last_hidden_state

    def misread(self, texts: torch.Tensor, meant: torch.Tensor, amounts: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """How far the texts are from being understood: loss, and share read right."""
        guess = self.meaning(self.unet.add_embedding(self.embed(texts)))
        structure, light, amount = guess.split([len(STRUCTURES), len(LIGHTS), 1], 1)
        loss = F.cross_entropy(structure, meant[:, 0]) + F.cross_entropy(light, meant[:, 1]) + 2 * F.mse_loss(amount[:, 0], amounts)
        right = (structure.argmax(1) == meant[:, 0]) & (light.argmax(1) == meant[:, 1])
        return loss, right.float().mean()

    def forward(self, sample: torch.Tensor, timestep: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        return self.unet(sample, timestep, self.embed(ids), return_dict=False)[0]


def load(path: Path = CACHE / "painter.pt") -> Painter:
    net = Painter()
    net.load_state_dict(torch.load(path, map_location="cpu", weights_only=False)["net"])
    return net.eval()


@torch.no_grad()
def channel_weights(vae) -> torch.Tensor:
    """How much each latent channel shows in the picture, mean 1, [1, C, 1, 1]: brightness more than the finest grain."""
    base = torch.zeros(1, LATENT_CHANNELS, 9, 9)
    moved = base.repeat(LATENT_CHANNELS, 1, 1, 1)
    moved[torch.arange(LATENT_CHANNELS), torch.arange(LATENT_CHANNELS), 4, 4] += 0.5 * LATENT_STD
    shown = (vae.decoder(moved) - vae.decoder(base)).square().sum((1, 2, 3)).sqrt()
    return (shown / shown.mean()).view(1, -1, 1, 1)


def example(bank: Bank, size: int) -> tuple[np.ndarray, np.ndarray, str, float]:
    """Source and full target, [3, size, size] in [-1, 1]; the text; how much of the look it asks for."""
    ask = prompts.request(bank.rng)
    names = ["natural", ask.look]
    amount = ask.amount
    if bank.rng.random() < 0.07:
        # Already painted: the same words change nothing more, so that two or four steps stay at the look.
        names, amount = [ask.look, ask.look], 1.0
    source, target = bank.draw(size, *names)
    return source.transpose(2, 0, 1) * 2 - 1, target.transpose(2, 0, 1) * 2 - 1, ask.text, amount


def readings(words, rng: np.random.Generator, count: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Token ids [count, T], (structure, light) [count, 2], amounts [count]."""
    asked = [prompts.request(rng) for _ in range(count)]
    ids = torch.tensor([encoded.ids for encoded in words.encode_batch([ask.text for ask in asked])])
    meant = []
    for ask in asked:
        parts = ask.look.split("+")
        meant.append([next((STRUCTURES.index(p) for p in parts if p in STRUCTURES), 0), next((LIGHTS.index(p) for p in parts if p in LIGHTS), 0)])
    return ids, torch.tensor(meant), torch.tensor([ask.amount for ask in asked])


def learn_to_read(net: Painter, words, minutes: float, rate: float = 2e-3, batch: int = 192) -> None:
    """Before any painting: texts alone, which costs nothing beside pictures. The painter then never has to guess."""
    rng = np.random.default_rng(4000)
    optimiser = torch.optim.AdamW([*net.text.parameters(), *net.unet.add_embedding.parameters(), *net.meaning.parameters()], lr=rate, weight_decay=1e-2)
    bar = tqdm(total=round(minutes * 60), unit="s", desc="reading")
    for share, seconds in clock(minutes):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(rate, share)
        loss, right = net.misread(*readings(words, rng, batch))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        bar.update(round(seconds) - bar.n)
        bar.set_postfix(loss=f"{loss.item():.3f}", right=f"{right.item():.3f}")


def train(minutes: float, threads: int, batch: int = 12, rate: float = 1.2e-3, resume: bool = True, pixels: float = 0.0, name: str = "painter") -> None:
    """`pixels` > 0 adds the loss seen through the frozen decoder."""
    torch.set_num_threads(threads)
    torch.manual_seed(2)
    path = CACHE / f"{name}.pt"
    vae = autoencoder.load().to(memory_format=torch.channels_last)
    vae.requires_grad_(False)
    net = Painter().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=1e-3, betas=(0.9, 0.99))
    spent, step = load_state(path, net, optimiser) if resume else (0.0, 0)
    words, kept = prompts.tokenizer(), alphas_cumprod()
    if step == 0:
        learn_to_read(net, words, min(2.0, minutes / 10))
    weights = channel_weights(vae)
    rng = np.random.default_rng(6000 + step)
    bank = Bank(seed=5000 + step)
    smooth_loss = None
    bar = tqdm(total=round(minutes * 60), unit="s", desc="painter")
    for share, seconds in clock(minutes):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(rate, share)
        size, count = [(128, batch), (128, batch), (256, max(1, batch // 4))][step % 3]
        sources, targets, texts, amounts = zip(*(example(bank, size) for _ in range(count)))
        ids = torch.tensor([encoded.ids for encoded in words.encode_batch(list(texts))])
        source = torch.from_numpy(np.stack(sources)).to(memory_format=torch.channels_last)
        target = torch.from_numpy(np.stack(targets)).to(memory_format=torch.channels_last)
        # Most frames are painted whole; the rest teach that the timestep is the strength.
        timestep = torch.where(torch.rand(count) < 0.7, torch.full((count,), TRAIN_STEPS - 1), torch.randint(0, TRAIN_STEPS, (count,)))
        part = (timestep / (TRAIN_STEPS - 1) * torch.tensor(amounts)).view(-1, 1, 1, 1)
        wanted = source + (target - source) * part
        with torch.no_grad():
            clean = vae.encoder(source) / LATENT_STD
            goal = vae.encoder(wanted) / LATENT_STD
        a = kept[timestep].view(-1, 1, 1, 1)
        noisy = a.sqrt() * clean + (1 - a).sqrt() * torch.randn_like(clean)
        made = net(noisy, timestep, ids)
        mse = (weights * (made - goal).square()).mean()
        loss = mse + 0.2 * (weights * (made - goal).abs()).mean()
        if pixels:
            seen = vae.decoder(made * LATENT_STD)
            loss = (1 - pixels) * loss + pixels * (4 * F.l1_loss(seen, wanted) + 4 * F.l1_loss(change(seen), change(wanted)))
        unread, _ = net.misread(*readings(words, rng, 24))
        loss = loss + 0.02 * unread
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        step += 1
        smooth_loss = mse.item() if smooth_loss is None else 0.99 * smooth_loss + 0.01 * mse.item()
        bar.update(round(seconds) - bar.n)
        bar.set_postfix(step=step, mse=f"{smooth_loss:.4f}")
        if step % 200 == 0:
            save_state(path, net, optimiser, spent + seconds, step)
            print(f"\npainter step {step} {seconds:.0f}s mse {smooth_loss:.4f}", flush=True)
    save_state(path, net, optimiser, spent + minutes * 60, step)


def main(arguments=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=12, help="pictures of 128² a step; a quarter as many of 256²")
    parser.add_argument("--rate", type=float, default=1.2e-3)
    parser.add_argument("--pixels", type=float, default=0.0, help="share of the loss seen through the decoder, 0 to 1")
    parser.add_argument("--fresh", action="store_true", help="start over instead of resuming")
    args = parser.parse_args(arguments)
    train(args.minutes, args.threads, args.batch, args.rate, not args.fresh, args.pixels)


if __name__ == "__main__":
    main()
