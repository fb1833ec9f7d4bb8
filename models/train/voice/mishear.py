"""Mistakes like the listener's, without end: its transcripts (`echo`) are too few to learn from by heart.

From pairs of what was said and what was written comes, for each letter between its neighbours, how often it is lost or written as
something else. Mistakes come in bursts, since some words are hard to hear and others are not.
"""

from collections import Counter, defaultdict

import numpy as np

from .spelling import plain

# Errors of a word over those of the mean word: drawn from a gamma distribution of this shape and mean 1.
BURSTS = 0.4
# A letter between its neighbours is believed after so many of them; before that, the letter alone is.
BELIEVED = 40


def aligned(said: str, heard: str) -> list[str]:
    """What became of each letter of `said`: letters of `heard`, by the fewest changes; what is put in belongs to the letter before it."""
    rows = [list(range(len(heard) + 1))]
    for i, letter in enumerate(said, 1):
        row = [i]
        for j, other in enumerate(heard, 1):
            row.append(min(rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + (letter != other)))
        rows.append(row)
    became = [""] * len(said)
    i, j = len(said), len(heard)
    while i and j:
        if rows[i][j] == rows[i - 1][j - 1] + (said[i - 1] != heard[j - 1]):
            became[i - 1] = heard[j - 1] + became[i - 1]
            i, j = i - 1, j - 1
        elif rows[i][j] == rows[i - 1][j] + 1:
            i -= 1
        else:
            became[i - 1] = heard[j - 1] + became[i - 1]
            j -= 1
    if said and j:
        became[0] = heard[:j] + became[0]
    return became


class Ear:
    """Mishears as the listener did whose transcripts these are: pairs of what was said and what it wrote."""

    def __init__(self, pairs: list[tuple[str, str]]):
        self._became: dict[str, Counter] = defaultdict(Counter)
        for said, heard in pairs:
            said, heard = f" {plain(said)} ", f" {plain(heard)} "
            for place, became in enumerate(aligned(said, heard)):
                for around in (said[place], said[max(0, place - 1) : place + 2]):
                    self._became[around][became] += 1

    def _of(self, around: str, letter: str) -> Counter:
        return self._became[around] if self._became[around].total() >= BELIEVED else self._became[letter]

    def mishear(self, text: str, rng: np.random.Generator, much: float = 1.0) -> str:
        """The text with mistakes; `much` times as many as the listener makes."""
        text, heard = f" {plain(text)} ", []
        burst = 1.0
        for place, letter in enumerate(text):
            if letter == " ":
                burst = rng.gamma(BURSTS, 1 / BURSTS)
            became = self._of(text[max(0, place - 1) : place + 2], letter)
            wrong = became.total() - became[letter]
            if not wrong or rng.random() >= much * burst * wrong / became.total():
                heard.append(letter)
                continue
            others, counts = zip(*((other, count) for other, count in became.items() if other != letter))
            heard.append(others[rng.choice(len(others), p=np.array(counts) / wrong)])
        return plain("".join(heard))
