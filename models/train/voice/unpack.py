"""The two files that ship back into checkpoints, so that a training can go on without those of the last one.

The optimiser's state begins anew, and so does what only the training asks of the listener: which phone sounds when.
"""

import argparse
import json
from pathlib import Path

import torch

from ..run import save_state
from ..unpack import STEP
from . import LISTENER, OUT, REPHRASER, packed, vocabulary
from .corpus import Corpus
from .listener import Listener
from .phones import Phones
from .render import VOICE_CACHE

TABLES = OUT.parents[1] / "evaluation"


def before(name: str, minutes: float, tables: Path = TABLES) -> dict[str, float]:
    """What was trained before these checkpoints, as the last evaluation has it, less what they count themselves."""
    known = json.loads((tables / "voice.json").read_text())["training"][name]
    return {"seconds": known["seconds"] - minutes * 60, "step": known["step"] - STEP}


def _table(shipped: Listener, rows: list[int]) -> torch.Tensor:
    """The token table for other rows than the shipped ones: a token that is new begins as its letters, the first one before all."""
    known = shipped.decoder.token_embedding.weight.detach()

    def row(token: int) -> torch.Tensor:
        if token in shipped.row_of:
            return known[shipped.row_of[token]]
        text = vocabulary.table()[token].decode()
        # " ivan" is a space and a word.
        letters = vocabulary.spelled(text.strip() or "i") if text.startswith(" ") else vocabulary.spelled(f"a{text}")[1:]
        first, *rest = (known[shipped.row_of[letter]] for letter in letters)
        return torch.stack([first, torch.stack([first, *rest]).mean(0)]).mean(0)

    return torch.stack([row(token) for token in rows])


def listener(path: Path, cache: Path, minutes: float) -> None:
    shipped = packed.listener(path)
    torch.manual_seed(4)
    net = Listener(vocabulary.rows(), shipped.size, phones=len(Phones(Corpus(cache / "train").said)))
    sounding = {name: value for name, value in net.state_dict().items() if name.startswith("sounding")}
    net.load_state_dict(shipped.state_dict() | sounding | {"decoder.token_embedding.weight": _table(shipped, net.rows)})
    keep = {"rows": net.rows, "size": vars(net.size), "phones": net.sounding.out_features, "before": before("listener", minutes)}
    save_state(cache / "listener.pt", net, None, minutes * 60, STEP, average=net.state_dict(), **keep)


def rephraser(path: Path, cache: Path, minutes: float) -> None:
    net, words = packed.read(path)
    save_state(cache / "rephraser.pt", net, None, minutes * 60, STEP, average=net.state_dict(), size=vars(net.size), words=words.to_str(), before=before("rephraser", minutes))


def main(arguments=None, cache: Path = VOICE_CACHE, out: Path = OUT) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=["listener", "rephraser"], help="one of the two (the listener needs the speech of `render`)")
    parser.add_argument("--spent", type=float, default=0, help="count so many minutes as spent: both trainings go from easy to hard by their share of the time")
    parser.add_argument("--fresh", action="store_true", help="overwrite the checkpoints that are there")
    args = parser.parse_args(arguments)
    for name, unpack, file in (("listener", listener, LISTENER), ("rephraser", rephraser, REPHRASER)):
        path = cache / f"{name}.pt"
        if args.only not in (None, name):
            continue
        if path.exists() and not args.fresh:
            raise SystemExit(f"{path} is there: trainings go on from it; --fresh overwrites it with the pack's")
        unpack(out / file, cache, args.spent)
        print(path)


if __name__ == "__main__":
    main()
