"""The painter: a small UNet and text encoder that learn, in one pass, every look by its words."""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from diffusers.models.resnet import ResnetBlock2D
from torch import nn
from torch.nn import functional as F
from tqdm import tqdm
from transformers import CLIPTextConfig, CLIPTextModel

from . import autoencoder, looks, prompts
from .autoencoder import LATENT_CHANNELS, LATENT_STD, change
from .bank import Bank
from .run import CACHE, Average, clock, learning_rate, load_state, save_state

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
    # One group and a large eps: a normalisation that keeps how bright and how colourful each place is. With sixteen groups a
    # net cannot take the colour out of a picture or turn it into its negative: it no longer knows how much there is.
    "norm_num_groups": 1,
    "norm_eps": 0.5,
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
        self.begin_natural()
        # Only for training: which structure, which light and how much a text asks for, read from its pooled embedding.
        self.meaning = nn.Linear(4 * UNET["block_out_channels"][0], len(STRUCTURES) + len(LIGHTS) + 1)

    @torch.no_grad()
    def begin_natural(self) -> None:
        """Start from a net that hands the picture through, so that only the looks are left to learn.

        The latent takes the outermost skip, arrives as z and -z, and leaves as silu(z) - silu(-z), which is z.
        """
        c, width = LATENT_CHANNELS, UNET["block_out_channels"][0]
        into, out, last = self.unet.conv_in, self.unet.conv_out, self.unet.up_blocks[-1].resnets[-1]
        into.weight[:c] = 0
        into.weight[range(c), range(c), 1, 1] = 1
        into.bias[:c] = 0
        for module in self.unet.modules():
            if isinstance(module, ResnetBlock2D):
                module.conv2.weight.mul_(0.3)
                module.conv2.bias.zero_()
        last.conv_shortcut.weight.zero_()
        last.conv_shortcut.bias.zero_()
        last.conv_shortcut.weight[range(c), range(width, width + c), 0, 0] = 1
        last.conv_shortcut.weight[range(c, 2 * c), range(width, width + c), 0, 0] = -1
        out.weight.zero_()
        out.bias.zero_()
        gain = (1 + UNET["norm_eps"]) ** 0.5
        out.weight[range(c), range(c), 1, 1] = gain
        out.weight[range(c), range(c, 2 * c), 1, 1] = -gain

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
    state = torch.load(path, map_location="cpu", weights_only=False)
    net.load_state_dict(state.get("average", state["net"]))
    return net.eval()


@torch.no_grad()
def channel_weights(vae) -> torch.Tensor:
    """How much each latent channel shows in the picture, mean 1, [1, C, 1, 1]: brightness more than the finest grain."""
    base = torch.zeros(1, LATENT_CHANNELS, 9, 9)
    moved = base.repeat(LATENT_CHANNELS, 1, 1, 1)
    moved[torch.arange(LATENT_CHANNELS), torch.arange(LATENT_CHANNELS), 4, 4] += 0.5 * LATENT_STD
    shown = (vae.decoder(moved) - vae.decoder(base)).square().sum((1, 2, 3)).sqrt()
    return (shown / shown.mean()).view(1, -1, 1, 1)


@dataclass
class Example:
    """Pictures [3, size, size] in [-1, 1], latents N(0, 1)."""

    source_latent: np.ndarray
    target: np.ndarray
    target_latent: np.ndarray
    source: np.ndarray
    ask: prompts.Request
    amount: float


def example(bank: Bank, size: int, chances: np.ndarray) -> Example:
    ask = prompts.request(bank.rng, chances=chances)
    names, amount = ["natural", ask.look], ask.amount
    if bank.rng.random() < 0.06:
        # Already painted: the same words change nothing more, so that two or four steps stay at the look.
        names, amount = [ask.look, ask.look], 1.0
    (source, source_latent), (target, target_latent) = bank.draw(size, *names)
    return Example(source_latent, target.transpose(2, 0, 1) * 2 - 1, target_latent, source.transpose(2, 0, 1) * 2 - 1, ask, amount)


class Chances:
    """Looks that are painted worse than the others are practised more often, up to three times as often."""

    def __init__(self):
        self.names = list(looks.LOOKS)
        self.losses = np.full(len(self.names), 0.3)

    def add(self, look: str, loss: float) -> None:
        if look in looks.LOOKS:
            index = self.names.index(look)
            self.losses[index] = 0.9 * self.losses[index] + 0.1 * loss

    def now(self) -> np.ndarray:
        wish = np.clip(np.sqrt(self.losses / np.median(self.losses)), 0.6, 1.8)
        return wish / wish.sum()


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


def train(minutes: float, threads: int, batch: int = 8, rate: float = 1.2e-3, resume: bool = True, pixels: float = 0.5, pixels_from: float = 0.6) -> None:
    """From the share `pixels_from` of the time on, `pixels` of the loss is seen through the frozen decoder."""
    torch.set_num_threads(threads)
    torch.manual_seed(2)
    path = CACHE / "painter.pt"
    vae = autoencoder.load().to(memory_format=torch.channels_last)
    vae.requires_grad_(False)

    @torch.no_grad()
    def encode(picture: np.ndarray) -> np.ndarray:
        return (vae.encoder(torch.from_numpy(np.ascontiguousarray(picture))[None]) / LATENT_STD)[0].numpy()

    net = Painter().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=1e-3, betas=(0.9, 0.99))
    spent, step = load_state(path, net, optimiser) if resume else (0.0, 0)
    words, kept = prompts.tokenizer(), alphas_cumprod()
    if step == 0:
        learn_to_read(net, words, min(2.0, minutes / 10))
    average, chances = Average(net), Chances()
    weights = channel_weights(vae)
    rng = np.random.default_rng(6000 + step)
    bank = Bank(seed=5000 + step, encode=encode)
    smooth_loss = None
    bar = tqdm(total=round(minutes * 60), unit="s", desc="painter")
    for share, seconds in clock(minutes):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(rate, share)
        size, count = [(128, batch), (128, batch), (256, max(1, batch // 4))][step % 3]
        drawn = [example(bank, size, chances.now()) for _ in range(count)]
        ids = torch.tensor([encoded.ids for encoded in words.encode_batch([e.ask.text for e in drawn])])
        clean = torch.from_numpy(np.stack([e.source_latent for e in drawn]))
        full = torch.from_numpy(np.stack([e.target_latent for e in drawn]))
        # Most frames are painted whole; the rest teach that the timestep is the strength.
        timestep = torch.where(torch.rand(count) < 0.7, torch.full((count,), TRAIN_STEPS - 1), torch.randint(0, TRAIN_STEPS, (count,)))
        part = (timestep / (TRAIN_STEPS - 1) * torch.tensor([e.amount for e in drawn])).view(-1, 1, 1, 1)
        goal = clean + (full - clean) * part
        a = kept[timestep].view(-1, 1, 1, 1)
        noisy = a.sqrt() * clean + (1 - a).sqrt() * torch.randn_like(clean)
        made = net(noisy.to(memory_format=torch.channels_last), timestep, ids)
        each = (weights * (made - goal).square()).mean((1, 2, 3))
        mse = each.mean()
        loss = mse + 0.2 * (weights * (made - goal).abs()).mean()
        for e, one in zip(drawn, each.tolist()):
            chances.add(e.ask.look, one)
        if pixels and share >= pixels_from:
            source, target = (torch.from_numpy(np.stack([getattr(e, name) for e in drawn])) for name in ("source", "target"))
            wanted = source + (target - source) * part
            seen = vae.decoder(made * LATENT_STD)
            loss = (1 - pixels) * loss + pixels * (4 * F.l1_loss(seen, wanted) + 4 * F.l1_loss(change(seen), change(wanted)))
        if step % 4 == 0:
            unread, _ = net.misread(*readings(words, rng, 32))
            loss = loss + 0.05 * unread
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        average.add(net)
        step += 1
        smooth_loss = mse.item() if smooth_loss is None else 0.99 * smooth_loss + 0.01 * mse.item()
        bar.update(round(seconds) - bar.n)
        bar.set_postfix(step=step, mse=f"{smooth_loss:.4f}")
        if step % 200 == 0:
            save_state(path, net, optimiser, spent + seconds, step, average=average.weights)
            print(f"\npainter step {step} {seconds:.0f}s mse {smooth_loss:.4f}", flush=True)
    save_state(path, net, optimiser, spent + minutes * 60, step, average=average.weights)
    print("hardest:", ", ".join(f"{name} {chances.losses[i]:.2f}" for i, name in sorted(enumerate(chances.names), key=lambda pair: -chances.losses[pair[0]])))


def main(arguments=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=8, help="pictures of 128² a step; a quarter as many of 256²")
    parser.add_argument("--rate", type=float, default=1.2e-3)
    parser.add_argument("--pixels", type=float, default=0.5, help="share of the loss seen through the decoder, 0 to 1")
    parser.add_argument("--pixels-from", type=float, default=0.6, help="from which share of the time on")
    parser.add_argument("--fresh", action="store_true", help="start over instead of resuming")
    args = parser.parse_args(arguments)
    train(args.minutes, args.threads, args.batch, args.rate, not args.fresh, args.pixels, args.pixels_from)


if __name__ == "__main__":
    main()
