"""Which phone sounds when: the synthesisers know, and the encoder learns it beside the words.

From words alone a small network takes tens of thousands of steps to find out that sounds of 0.1 s are what words are made of
(with CTC over letters it had not after a thousand); told the phones, it knows within hundreds. Each synthesiser names its own
phones, so each row of a batch is asked about those of its synthesiser only.
"""

import numpy as np
import torch

from .corpus import Spoken
from .synthesisers import PAUSE


def _is_pause(name: str) -> bool:
    """eSpeak's begin with an underline."""
    return name == PAUSE or name.startswith("_")


def _class(synthesiser: str, name: str) -> tuple[str, str]:
    """A pause is the same whoever makes it."""
    return ("", "") if _is_pause(name) else (synthesiser, name)


class Phones:
    def __init__(self, said: list[Spoken]):
        found = {_class(one.synthesiser, name) for one in said for name, _ in one.phones}
        self._names = [("", ""), *sorted(found - {("", "")})]
        self._index = {name: index for index, name in enumerate(self._names)}
        synthesisers = {synthesiser for synthesiser, _ in self._names}
        self._possible = {of: torch.tensor([synthesiser in ("", of) for synthesiser, _ in self._names]) for of in synthesisers}

    def __len__(self) -> int:
        return len(self._names)

    def goals(self, drawn: list[Spoken], places: np.ndarray, quiet: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """places [B, P]: the sample of each audio position; quiet [B]: nobody speaks. → classes [B, P], and which can be at all [B, phones]."""
        goals = np.zeros(places.shape, np.int64)
        for row, (one, silent) in enumerate(zip(drawn, quiet)):
            if not one.phones:
                goals[row] = -100
            elif not silent:
                ends = np.array([end for _, end in one.phones])
                # One that the set it was made of never has is not asked about.
                of = np.array([self._index.get(_class(one.synthesiser, name), -100) for name, _ in one.phones] + [0])
                goals[row] = np.where(places[row] < 0, 0, of[np.searchsorted(ends, places[row], side="right")])
        return torch.from_numpy(goals), torch.stack([self._possible.get(one.synthesiser, self._possible[""]) for one in drawn])


def edges(one: Spoken, lengths: list[int]) -> np.ndarray:
    """Where each part of a text begins, and the last one ends, [parts + 1] in samples: lengths are the letters of the parts, one behind the other.

    Letters and phones run along side by side: a tenth of the letters is said in about a tenth of the phones. Right to about
    a syllable.
    """
    ends = np.array([0, *(end for _, end in one.phones)], np.float64)
    sounding = np.array([not _is_pause(name) for name, _ in one.phones])
    # Samples over the share of the phones that were said; pauses take time and no share.
    share = np.concatenate([[0], np.cumsum(sounding)]) / max(1, sounding.sum())
    letters = np.cumsum([0, *lengths])
    return np.interp(letters / max(1, letters[-1]), share, ends)
