"""The painter: a small UNet and text encoder that learn, in one pass, every look by its words."""

import argparse
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
from .feed import LIGHTS, MOVED, SEEDS, STRUCTURES, Chances, Feed, readings
from .run import CACHE, Average, clock, device, learning_rate, load_state, save_state
from .texture import QUIET

TEXT_WIDTH = 96
TRAIN_STEPS = 1000
# Noise of the last timestep against a latent of deviation 1: so little that the picture is still there, and that a look without
# grain does not vary with the seed. What the noise is for, grain, is read from the QUIET channels, where nothing drowns it.
SIGMA_MAX = 0.05
# A fortieth of it is left at half of the timesteps. Euler's steps keep as much of the source as of the noise: a second step then
# finds a painting, not a half-way mixture of it with the photograph (half a negative over half the positive is plain grey). A little
# falls evenly, so that runs that begin low have a way to go as well.
SIGMA_POWER, SIGMA_EVEN = 8, 0.001
# A painting bears in the first QUIET channel this much of how much of the look it has (`Steps.mark`); a photograph has 0 there.
MARK, MARKED = QUIET[0], 4 * SIGMA_MAX


def betas() -> list[float]:
    """`trained_betas` of the scheduler: sigma(t)² = SIGMA_MAX² * (e s + (1 - e) s^(2 * SIGMA_POWER)), s = (t + 1) / 1000, e = SIGMA_EVEN.

    Multiples of 2^-24, so that 1 - beta is exact in the f32 in which schedulers calculate.
    """
    s = np.arange(1, TRAIN_STEPS + 1) / TRAIN_STEPS
    variance = SIGMA_MAX**2 * (SIGMA_EVEN * s + (1 - SIGMA_EVEN) * s ** (2 * SIGMA_POWER))
    # Never 0: no beta may be negative, and the first one must be above 0.
    lost = np.maximum(np.round((1 - 1 / (1 + variance)) * 2**24), 1)
    return [float(count) / 2**24 for count in np.diff(lost, prepend=0)]


# How much more than everything else it counts what another seed changes: it is little beside the whole picture.
TWINS = 1.5
# And what a picture that moved along by a pixel changes, as a share of all that should change: what stands still must not flicker.
PAN = 0.1

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


def alphas_cumprod() -> torch.Tensor:
    return torch.cumprod(1 - torch.tensor(betas(), dtype=torch.float32), 0)


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
        # Noise comes in small where it is all there is; the weights that read it learn as fast as the others if it is N(0, 1).
        gain = torch.ones(1, LATENT_CHANNELS, 1, 1)
        gain[:, list(QUIET)] = 1 / SIGMA_MAX
        self.register_buffer("gain", gain, persistent=False)
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
        return self.unet(sample * self.gain, timestep, self.embed(ids), return_dict=False)[0]

    @torch.no_grad()
    def fold(self) -> "Painter":
        """The gain of the input goes into the first convolution: from here on `unet` alone is the net."""
        self.unet.conv_in.weight.mul_(self.gain)
        self.gain.fill_(1)
        return self


def load(path: Path = CACHE / "painter.pt") -> Painter:
    net = Painter()
    state = torch.load(path, map_location="cpu", weights_only=False)
    net.load_state_dict(state.get("average", state["net"]))
    return net.fold().eval()


@torch.no_grad()
def channel_weights(vae) -> torch.Tensor:
    """How much each latent channel shows in the picture, mean 1, [1, C, 1, 1]: brightness more than the finest grain.

    Channels that do not show at all count a little: a later step finds there what an earlier one left.
    """
    base = torch.zeros(1, LATENT_CHANNELS, 9, 9, device=next(vae.parameters()).device)
    moved = base.repeat(LATENT_CHANNELS, 1, 1, 1)
    moved[torch.arange(LATENT_CHANNELS), torch.arange(LATENT_CHANNELS), 4, 4] += 0.5 * LATENT_STD
    shown = (vae.decoder(moved) - vae.decoder(base)).square().sum((1, 2, 3)).sqrt()
    weights = (shown / shown.mean()).clamp(min=0.2)
    # The mark is small, and a later step goes by it.
    weights[MARK] = MARKED**-2
    return weights.view(1, -1, 1, 1)


class Steps:
    """What the timestep means, so that every number of steps ends at the same picture.

    One step from timestep t gives the share s(t) = (t + 1) / 1000 of the way from source to look: the timestep is the strength.
    A run that starts at t0 and always answers with the share s(t0) is, when it arrives at t, by Euler's rule at
    `source + w * (look - source) + sigma * noise` with w = s(t0) * (1 - sigma(t) / sigma(t0)), whatever the steps in between.
    The net learns to answer with s(t0) there too. But what it then finds at t it would also find at the beginning of a run from t,
    the photograph instead of a painting: so every painting is marked with its s(t0), in a channel that nobody sees. Without the
    mark a net mistook one for the other, and strengths between 0.1 and 0.9 did next to nothing in some looks.
    """

    def __init__(self, where: torch.device):
        self.kept = alphas_cumprod().to(where)
        self.sigmas = ((1 - self.kept) / self.kept).sqrt().cpu()

    def draw(self, count: int, has_twins: bool) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Timesteps, the timesteps that their runs began at, and how much of the look is wanted, [count] each.

        The first two rows of a batch with twins begin at full strength: only there the noise is to be seen.
        """
        last, dice = TRAIN_STEPS - 1, torch.rand(count)
        dice[: 2 * has_twins] = 0
        start = torch.full((count,), last)
        # 0.26 one step at full strength, 0.38 one step at less, 0.24 a later step at full strength, 0.12 a later step at less.
        less = ((dice > 0.26) & (dice < 0.64)) | (dice > 0.88)
        usual = torch.tensor([0.25, 0.333, 0.5, 0.5, 0.5, 0.5, 0.666, 0.75])[torch.randint(8, (count,))]
        # Half of them begin where later steps mostly are: otherwise the net took timestep 499 itself for a later step, whatever the
        # picture's mark said, and strength 0.5 gave less of a look than 0.45.
        start[less] = torch.where(torch.rand(count) < 0.5, (TRAIN_STEPS * usual).round().long() - 1, torch.randint(50, last, (count,)))[less]
        later = dice > 0.64
        down = torch.where(torch.rand(count) < 0.8, usual, 0.05 + 0.9 * torch.rand(count))
        timestep = torch.where(later, ((start + 1) * down).round().long() - 1, start).clamp(0, last)
        return timestep, start, (start + 1) / TRAIN_STEPS

    def done(self, timestep: torch.Tensor, start: torch.Tensor) -> torch.Tensor:
        """How much of its way a run from `start` has gone when it arrives at `timestep`, [count, 1, 1, 1]."""
        return (1 - self.sigmas[timestep.cpu()] / self.sigmas[start.cpu()]).to(timestep.device).view(-1, 1, 1, 1)

    def before(self, timestep: torch.Tensor, start: torch.Tensor):
        """The steps of the net's own before a later one: (timesteps, mask of the rows), the first at the run's start, then for some rows one in between."""
        count, where = len(timestep), timestep.device
        own = (timestep < start) & (torch.rand(count) < 0.8).to(where)
        share = torch.tensor([0.5, 0.666, 0.75])[torch.randint(3, (count,))].to(where)
        between = ((start + 1) * share).round().long() - 1
        for at, who in ((start, own), (between, own & (between > timestep) & (torch.rand(count) < 0.5).to(where))):
            if who.any():
                yield at, who

    @staticmethod
    def mark(painted: torch.Tensor, wanted: torch.Tensor) -> None:
        """Write into paintings [B, C, h, w] how much of their look they have, [B]."""
        painted[:, MARK] = MARKED * wanted.view(-1, 1, 1)

    def noisy(self, clean: torch.Tensor, noise: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
        a = self.kept[timestep].view(-1, 1, 1, 1)
        return a.sqrt() * clean + (1 - a).sqrt() * noise


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


def begin(net: Painter, words, minutes: float, path: Path) -> None:
    """From nothing: learn to read, then keep that as step 0."""
    learn_to_read(net, words, minutes)
    save_state(path, net, None, 0.0, 0)


def train(minutes: float, threads: int, batch: int = 8, rate: float = 1.2e-3, resume: bool = True, pixels: float = 0.5, pixels_from: float = 0.5, workers: int = 1, on: str | None = None) -> None:
    """From the share `pixels_from` of the time on, `pixels` of every second step's loss is seen through the frozen decoder."""
    torch.set_num_threads(threads)
    torch.manual_seed(2)
    where, path = device(on), CACHE / "painter.pt"
    vae = autoencoder.load().to(where, memory_format=torch.channels_last)
    vae.requires_grad_(False)
    net, words = Painter(), prompts.tokenizer()
    if not (resume and path.exists()):
        begin(net, words, min(2.0, minutes / 10), path)
    net = net.to(where, memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=1e-3, betas=(0.9, 0.99))
    spent, step, state = load_state(path, net, optimiser)
    average, chances, steps = Average(net, weights=state.get("average")), Chances(), Steps(where)
    weights = channel_weights(vae)
    rng = np.random.default_rng(6000 + step)
    feed = Feed(5000 + step, batch, chances, CACHE / "autoencoder.pt", workers)
    smooth_loss, seconds = None, spent
    bar = tqdm(total=round(minutes * 60), unit="s", desc="painter", initial=round(spent), mininterval=5)
    for share, seconds in clock(minutes, spent):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(rate, share)
        drawn = feed.next()
        source, clean, full, noise = (torch.from_numpy(a).to(where) for a in (drawn.source, drawn.source_latent, drawn.target_latent, drawn.noise))
        count, ids = len(drawn.looks), torch.from_numpy(drawn.ids).to(where)
        timestep, start, wanted = (v.to(where) for v in steps.draw(count, drawn.twins is not None))
        part = (wanted * torch.from_numpy(drawn.amounts).to(where)).view(-1, 1, 1, 1)
        goal = clean + (full - clean) * part
        steps.mark(goal, wanted)
        begun = goal.clone()
        # A later step finds what the net itself has painted, not the reference: so it learns to mend it.
        for before, who in steps.before(timestep, start):
            with torch.no_grad():
                mixed = clean[who] + (begun[who] - clean[who]) * steps.done(before[who], start[who])
                begun[who] = net(steps.noisy(mixed, noise[who], before[who]).to(memory_format=torch.channels_last), before[who], ids[who])
        made = net(steps.noisy(clean + (begun - clean) * steps.done(timestep, start), noise, timestep).to(memory_format=torch.channels_last), timestep, ids)
        each = (weights * (made - goal).square()).mean((1, 2, 3))
        mse = each.mean()
        # Half of a look is a quarter of its square: without more weight, strengths in between stayed at less than their share.
        loss = (each / (0.25 + 0.75 * wanted)).mean() + 0.2 * (weights * (made - goal).abs()).mean()
        # What is wrong with both twins alike falls out, and what the seed or the movement does remains.
        if drawn.twins == SEEDS:
            loss = loss + TWINS * (weights[0] * ((made[0] - made[1]) - (goal[0] - goal[1])).square()).mean()
        if drawn.twins == MOVED:
            first, second = vae.decoder(made[:2] * LATENT_STD)
            pictures, targets = (torch.from_numpy(two[:2]).to(where) for two in (drawn.source, drawn.target))
            wanted_first, wanted_second = pictures + (targets - pictures) * part[:2]
            flicker, wanted_flicker = first - second, wanted_first - wanted_second
            least = wanted_flicker.abs().mean() + 0.002
            loss = loss + PAN * (flicker - wanted_flicker).abs().mean() / least
            chances.add_flicker(drawn.looks[0], (flicker.abs().mean() / least).item())
        for look, one in zip(drawn.looks, each.tolist()):
            chances.add(look, one)
        if pixels and share >= pixels_from and step % 2:
            target = torch.from_numpy(drawn.target).to(where)
            seen, shown = vae.decoder(made * LATENT_STD), source + (target - source) * part
            loss = (1 - pixels) * loss + pixels * (4 * F.l1_loss(seen, shown) + 4 * F.l1_loss(change(seen), change(shown)))
        if step % 2 == 0:
            unread, _ = net.misread(*(v.to(where) for v in readings(words, rng, 48)))
            loss = loss + 0.05 * unread
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        average.add(net)
        step += 1
        smooth_loss = mse.item() if smooth_loss is None else 0.99 * smooth_loss + 0.01 * mse.item()
        bar.update(round(seconds) - bar.n)
        bar.set_postfix(step=str(step), mse=f"{smooth_loss:.4f}", refresh=False)
        if step % 200 == 0:
            save_state(path, net, optimiser, seconds, step, average=average.weights)
            tqdm.write(f"painter step {step} {seconds:.0f} s mse {smooth_loss:.4f}")
    save_state(path, net, optimiser, seconds, step, average=average.weights)
    print("flickers most:", ", ".join(f"{name} {ratio:.2f}" for ratio, name in sorted(zip(chances.flickers, looks.LOOKS), reverse=True)[:8]))
    print("hardest:", ", ".join(f"{name} {loss:.2f}" for loss, name in sorted(zip(chances.losses, looks.LOOKS), reverse=True)))


def main(arguments=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=8, help="pictures of 128² a step; a quarter as many of 256²")
    parser.add_argument("--rate", type=float, default=1.2e-3)
    parser.add_argument("--pixels", type=float, default=0.5, help="share of the loss seen through the decoder, 0 to 1")
    parser.add_argument("--pixels-from", type=float, default=0.5, help="from which share of the time on")
    parser.add_argument("--workers", type=int, default=1, help="processes that make pictures")
    parser.add_argument("--device", help="cpu, cuda, …; the graphics card where there is one by default")
    parser.add_argument("--fresh", action="store_true", help="start over instead of resuming")
    args = parser.parse_args(arguments)
    train(args.minutes, args.threads, args.batch, args.rate, not args.fresh, args.pixels, args.pixels_from, args.workers, args.device)


if __name__ == "__main__":
    main()
