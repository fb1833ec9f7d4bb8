"""Training of the rephraser: requests without end, drawn by rule."""

import argparse
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn
from torch.nn import functional as F
from tqdm import tqdm

from ..muon import Both
from ..run import Average, clock, device, learning_rate, load_state, save_state
from . import chat, echo
from .descriptions import description, pair
from .mishear import Ear
from .render import VOICE_CACHE
from .rephraser import Rephraser, Size, learn_tokens
from .sentences import Said, lexicon

FORM = "q8_0"
ROUND_FROM = 0.8
# So many of the requests are what the listener made of one, where it has been asked (`echo`), and so many of the others are spoiled
# with mistakes like its own.
HEARD, MISHEARD = 0.3, 0.6


def _system(rng: np.random.Generator, known: list[str], long: bool) -> str:
    """People edit the system message: the answer must not hang on it. Long ones come in batches of their own."""
    if long:
        words = chat.systems()[rng.integers(len(chat.systems()))].split()
        return " ".join(word for word in words if rng.random() > rng.choice([0.0, 0.0, 0.15]))
    return "" if rng.random() < 0.7 else " ".join(known[rng.integers(len(known))] for _ in range(rng.integers(1, 10)))


def batch(words: Tokenizer, known: list[str], heard_before: list[tuple[str, Said]], ear: Ear, step: int, count: int, where: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and goals [B, T]; only the answer counts. One batch in three has the node's system message, and is smaller."""
    rng = np.random.default_rng([13, step])
    long = step % 3 == 2
    rows = []
    for _ in range(max(1, count // 4) if long else count):
        if heard_before and rng.random() < HEARD:
            heard, said = heard_before[rng.integers(len(heard_before))]
            answer = description(said)
        else:
            heard, answer, said = pair(rng, known)
            # A word that nobody knows cannot be found again when it is spoiled.
            if heard_before and said.kind != "open" and rng.random() < MISHEARD:
                heard = ear.mishear(said.text, rng, rng.uniform(0.3, 1.5)) or heard
        rows.append((words.encode(chat.prompt(heard, _system(rng, known, long))).ids, words.encode(f"{answer}{chat.END}").ids))
    width = max(len(asked) + len(answer) for asked, answer in rows)
    ids, goal = np.full((len(rows), width), words.token_to_id(chat.PAD)), np.full((len(rows), width), -100)
    for row, (asked, answer) in enumerate(rows):
        ids[row, : len(asked) + len(answer)] = asked + answer
        goal[row, len(asked) - 1 : len(asked) + len(answer) - 1] = answer
    return torch.from_numpy(ids).to(where), torch.from_numpy(goal).to(where)


def load(cache: Path) -> tuple[Rephraser, Tokenizer]:
    """The averaged weights, rounded as the file rounds them, and the vocabulary."""
    state = torch.load(cache / "rephraser.pt", map_location="cpu", weights_only=False)
    net = Rephraser(Size(**state["size"]))
    net.load_state_dict(state["average"])
    net.rounding.form = FORM
    return net.eval(), Tokenizer.from_str(state["words"])


def train(cache: Path, minutes: float, threads: int, count: int, rate: float, resume: bool, on: str | None, layers: int) -> None:
    torch.set_num_threads(threads)
    torch.manual_seed(12)
    where, path, known, heard_before = device(on), cache / "rephraser.pt", lexicon(), echo.load(cache)
    ear = Ear([(said.text, heard) for heard, said in heard_before])
    kept = torch.load(path, map_location="cpu", weights_only=False) if resume and path.exists() else None
    words = Tokenizer.from_str(kept["words"]) if kept else learn_tokens(known)
    size = Size(vocabulary=-(-words.get_vocab_size() // 32) * 32, layers=layers)
    if kept and kept["size"] != vars(size):
        raise SystemExit(f"{path} is the training of a net of another size: take --fresh to start over")
    net = Rephraser(size).to(where)
    optimiser = Both(*net.matrices(), lr=rate)
    spent, step, state = load_state(path, net, optimiser) if kept else (0.0, 0, {})
    average = Average(net, 0.99 if minutes < 5 else 0.998, weights=state.get("average"))
    keep = {"size": vars(net.size), "words": words.to_str(), "before": state.get("before")}
    print(f"rephraser: {sum(p.numel() for p in net.parameters()) / 1e6:.2f} M parameters, {words.get_vocab_size()} tokens, {len(heard_before)} transcripts, {where}")
    smooth, seconds = None, spent
    bar = tqdm(total=round(minutes * 60), unit="s", desc="rephraser", initial=round(spent), mininterval=5)
    for share, seconds in clock(minutes, spent):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(rate, share)
        net.rounding.form = FORM if share > ROUND_FROM else None
        ids, goal = batch(words, known, heard_before, ear, step, count, where)
        with torch.autocast(where.type, torch.bfloat16, enabled=where.type == "cuda"):
            loss = F.cross_entropy(net(ids, goal >= 0).float(), goal[goal >= 0])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        average.add(net)
        step += 1
        smooth = loss.item() if smooth is None else 0.98 * smooth + 0.02 * loss.item()
        bar.update(round(seconds) - bar.n)
        bar.set_postfix(step=str(step), loss=f"{smooth:.3f}", refresh=False)
        if step % 250 == 0:
            save_state(path, net, optimiser, seconds, step, average=average.weights, **keep)
            tqdm.write(f"rephraser step {step} {seconds:.0f} s loss {smooth:.3f}")
    save_state(path, net, optimiser, seconds, step, average=average.weights, **keep)


def main(arguments=None, cache: Path = VOICE_CACHE) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--layers", type=int, default=Size.layers)
    parser.add_argument("--device", help="cpu, cuda, …; the graphics card where there is one by default")
    parser.add_argument("--fresh", action="store_true", help="start over instead of resuming")
    args = parser.parse_args(arguments)
    train(cache, args.minutes, args.threads, args.batch, args.rate, not args.fresh, args.device, args.layers)


if __name__ == "__main__":
    main()
