"""Training of the listener: speech without end out of the cache, distorted anew each time."""

import argparse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from tqdm import tqdm

from ..muon import Both
from ..run import Average, clock, device, learning_rate, load_state, save_state
from . import vocabulary
from .corpus import Corpus
from .distort import distort, mask
from .listener import Listener, Size
from .phones import Phones, edges
from .render import LEARNED, VOICE_CACHE

FORM = "q5_0"
# From this share of the time on, the forward pass rounds as the file will.
ROUND_FROM = 0.7
# How far beside what it writes the decoder may look, in audio positions of 20 ms, and how many heads of each layer are told so.
WINDOW, GUIDED = 8.0, 2
# Of the tokens that the decoder is told to go on from, so many are others at most. From the right ones alone it learns to guess
# what follows instead of listening, and in use one mistake leads to the next (Bengio et al., Scheduled Sampling, 2015).
WRONG = 0.4
# From this share of the time on they become fewer, down to none: then it learns to trust what it has written so far, and spells.
WRONG_UNTIL = 0.6
# This many of the rows are noise or silence, where nobody speaks.
QUIET = 0.1


def _misheard(text: list[int], net: Listener, rng: np.random.Generator, share: float) -> list[int]:
    """A text with others at a share of its places: a letter for a letter, a word for a word, and what begins a word still does."""
    wrong = rng.random(len(text)) < share
    return [int(rng.choice(net.alike(row))) if swap else row for row, swap in zip(text, wrong)]


def batch(net: Listener, corpus: Corpus, phones: Phones, seed: tuple[int, int], count: int, where: torch.device, strength: float = 1.0, wrong: float = WRONG) -> dict[str, torch.Tensor]:
    """One batch; it depends on the seed, on the strength of the distortions and on the share of wrong letters alone."""
    rng = np.random.default_rng(seed)
    drawn = corpus.draw(rng, count)
    quiet = rng.random(len(drawn)) < QUIET
    sounds, lengths = torch.from_numpy(corpus.sounds(drawn)).to(where), np.array([one.length for one in drawn])
    logs, places = distort(sounds, lengths, rng, quiet, strength)
    texts = [net.places(vocabulary.SILENCE if silent else one.text) for one, silent in zip(drawn, quiet)]
    width = max(map(len, texts)) + 2
    end, silence = net.row_of[vocabulary.END], net.row_of[vocabulary.NO_SPEECH]
    ids = torch.full((len(drawn), width), end)
    goal = torch.full((len(drawn), width), -100)
    looks_at = torch.full((len(drawn), width, 2), torch.nan)
    for row, (text, silent) in enumerate(zip(texts, quiet)):
        if not silent and drawn[row].phones:
            said = edges(drawn[row], [len(vocabulary.table()[net.rows[place]]) for place in text])
            first, second = places[row, :2]
            looks_at[row, 1 : len(text) + 1] = torch.from_numpy((np.stack([said[:-1], said[1:]], 1) - first) / (second - first))
        ids[row, : len(text) + 2] = torch.tensor(net.prompt() + _misheard(text, net, rng, rng.uniform(0, wrong)))
        # The place of the first prompt token says whether anybody speaks, as whisper's does.
        goal[row, : len(text) + 2] = torch.tensor([silence if silent else net.prompt()[1], *text, end])
    sounds, possible = phones.goals(drawn, places, quiet)
    return {"logs": mask(logs, rng), "ids": ids.to(where), "goal": goal.to(where), "phones": sounds.to(where), "possible": possible.to(where), "looks_at": looks_at.to(where)}


def losses(net: Listener, one: dict[str, torch.Tensor]) -> tuple[torch.Tensor, ...]:
    """Cross-entropies: of the text for each token, of the phone that sounds for each audio position; and the share of attention that goes elsewhere than to the token's own sound.

    The last is guided attention (Tachibana et al. 2017), around the time at which the token is said instead of the diagonal.
    Without it the decoder is a language model for thousands of steps, and guesses whole sentences from their beginning.
    """
    watched = net.watch(True)
    logits, audio = net(one["logs"], one["ids"])
    sounding = net.sounding(audio)
    text = F.cross_entropy(logits.float().flatten(0, 1), one["goal"].flatten())
    sounding = sounding.float().masked_fill(~one["possible"][:, None], -torch.inf)
    told = ~one["looks_at"][..., 0].isnan()
    positions = torch.arange(sounding.shape[1], device=sounding.device)
    begins, ends = one["looks_at"][told].T[..., None]
    beside = 1 - torch.exp(-0.5 * ((begins - positions).maximum(positions - ends).clamp(min=0) / WINDOW).square())
    seen = torch.stack([attention.seen[:, :GUIDED].mean(1) for attention in watched], 1)
    away = (seen.transpose(1, 2)[told] * beside[:, None]).sum(2).mean()
    return text, F.cross_entropy(sounding.flatten(0, 1), one["phones"].flatten()), away


def load(path: Path) -> Listener:
    """The averaged weights, rounded as the file rounds them."""
    state = torch.load(path, map_location="cpu", weights_only=False)
    net = Listener(state["rows"], Size(**state["size"]), phones=state["phones"])
    net.load_state_dict(state["average"])
    net.rounding.form, net.rounding.conv = FORM, "f16"
    return net.eval()


def grow(kept: dict, net: Listener) -> dict:
    """A checkpoint for a net with more layers in its encoder than were trained: what a new layer adds is nothing at first.

    What was learned goes on from where it was (Chen et al., Net2Net, 2016); the optimiser's state begins anew.
    """
    new = {name: value for name, value in net.state_dict().items() if name not in kept["net"]}
    for name, value in new.items():
        if ".attn.out." in name or ".mlp.2." in name:
            value.zero_()
    return {**kept, "net": {**kept["net"], **new}, "average": {**kept["average"], **new}, "size": vars(net.size), "optimiser": None}


def _fit(path: Path, net: Listener, phones: int) -> None:
    """A training can be resumed by a net of its own shape; for one with more layers in the encoder its checkpoint grows."""
    if path.exists():
        kept = torch.load(path, map_location="cpu", weights_only=False)
        if kept["size"]["audio_layers"] < net.size.audio_layers:
            kept, whole = grow(kept, net), path.with_suffix(".part")
            torch.save(kept, whole)
            whole.replace(path)
        if (kept["rows"], kept["size"], kept["phones"]) != (net.rows, vars(net.size), phones):
            raise SystemExit(f"{path} is the training of a net of another size, or of other tokens or phones: take --fresh to start over")


def train(cache: Path, minutes: float, threads: int, count: int, rate: float, resume: bool, on: str | None, size: Size) -> None:
    torch.set_num_threads(threads)
    torch.manual_seed(5)
    where, path = device(on), cache / "listener.pt"
    corpus, phones = Corpus(*(cache / kind for kind in LEARNED)), Phones(Corpus(cache / "train").said)
    if not resume:
        path.unlink(missing_ok=True)
    net = Listener(vocabulary.rows(), size, phones=len(phones)).to(where)
    _fit(path, net, len(phones))
    optimiser = Both(*net.matrices(), lr=rate)
    spent, step, state = load_state(path, net, optimiser)
    average = Average(net, 0.995 if minutes < 5 else 0.999, weights=state.get("average"))
    keep = {"rows": net.rows, "size": vars(net.size), "phones": len(phones), "before": state.get("before")}
    print(f"listener: {sum(p.numel() for p in net.parameters()) / 1e6:.2f} M parameters, {len(net.rows)} tokens, {len(corpus.said)} sentences, {where}")
    smooth, seconds = None, spent
    # The next batch is made while the net learns from this one.
    ahead = ThreadPoolExecutor(1)
    wrong = lambda share: WRONG * min(1.0, (1 - share) / (1 - WRONG_UNTIL))  # noqa: E731
    ask = lambda step, share: ahead.submit(batch, net, corpus, phones, (7, step), count, where, min(1.0, 0.1 + 1.6 * share), wrong(share))  # noqa: E731
    coming = ask(step, spent / (minutes * 60))
    bar = tqdm(total=round(minutes * 60), unit="s", desc="listener", initial=round(spent), mininterval=5)
    for share, seconds in clock(minutes, spent):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(rate, share)
        net.rounding.form, net.rounding.conv = (FORM, "f16") if share > ROUND_FROM else (None, None)
        now, coming = coming.result(), ask(step + 1, share)
        with torch.autocast(where.type, torch.bfloat16, enabled=where.type == "cuda"):
            text, sounds, away = losses(net, now)
        # Who hears phones and knows where to listen finds words quickly; towards the end only the words count.
        loss = text + (1.0 - 0.8 * share) * sounds + 3.0 * (1.0 - share) * away
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        average.add(net)
        step += 1
        values = np.array([text.item(), sounds.item(), away.item()])
        smooth = values if smooth is None else 0.98 * smooth + 0.02 * values
        bar.update(round(seconds) - bar.n)
        bar.set_postfix(step=str(step), text=f"{smooth[0]:.3f}", phones=f"{smooth[1]:.3f}", away=f"{smooth[2]:.3f}", refresh=False)
        if step % 250 == 0:
            save_state(path, net, optimiser, seconds, step, average=average.weights, **keep)
            tqdm.write(f"listener step {step} {seconds:.0f} s text {smooth[0]:.3f} phones {smooth[1]:.3f} away {smooth[2]:.3f}")
    save_state(path, net, optimiser, seconds, step, average=average.weights, **keep)


def main(arguments=None, cache: Path = VOICE_CACHE) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=32, help="sentences a step; 128 and more on a graphics card")
    parser.add_argument("--rate", type=float, default=1.2e-3)
    parser.add_argument("--width", type=int, default=Size.width, help="a multiple of 32; heads are 32 wide")
    parser.add_argument("--layers", type=int, default=Size.audio_layers, help="of the encoder, more than the checkpoint has makes it grow; the decoder has two")
    parser.add_argument("--device", help="cpu, cuda, …; the graphics card where there is one by default")
    parser.add_argument("--fresh", action="store_true", help="start over instead of resuming")
    args = parser.parse_args(arguments)
    train(cache, args.minutes, args.threads, args.batch, args.rate, not args.fresh, args.device, Size(args.width, args.width // 32, args.layers))


if __name__ == "__main__":
    main()
