"""Mistakes like the listener's, without end: its transcripts (`echo`) are too few to learn from by heart.

From pairs of what was said and what was written comes, for each word that was said often, how often it is lost or written as
something else; and for each letter between its neighbours, for the other words. Mistakes come in bursts, since some words are hard
to hear and others are not.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from .spelling import plain

# Errors of a word over those of the mean word: drawn from a gamma distribution of this shape and mean 1.
BURSTS = 0.4
# A word is believed after so many of them, before that its letters are; a letter between its neighbours after so many, before that the
# letter alone is.
WORDS_BELIEVED, BELIEVED = 15, 40


def aligned(said: Sequence[str], heard: Sequence[str], between: str = "") -> list[str]:
    """What became of each letter (or word) of `said`: those of `heard`, by the fewest changes; what is put in belongs to the one before it."""
    rows = [list(range(len(heard) + 1))]
    for i, one in enumerate(said, 1):
        row = [i]
        for j, other in enumerate(heard, 1):
            row.append(min(rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + (one != other)))
        rows.append(row)
    became: list[list[str]] = [[] for _ in said]
    i, j = len(said), len(heard)
    while i and j:
        if rows[i][j] == rows[i - 1][j - 1] + (said[i - 1] != heard[j - 1]):
            became[i - 1].insert(0, heard[j - 1])
            i, j = i - 1, j - 1
        elif rows[i][j] == rows[i - 1][j] + 1:
            i -= 1
        else:
            became[i - 1].insert(0, heard[j - 1])
            j -= 1
    if said and j:
        became[0][:0] = heard[:j]
    return [between.join(parts) for parts in became]


class Ear:
    """Mishears as the listener did whose transcripts these are: pairs of what was said and what it wrote."""

    def __init__(self, pairs: list[tuple[str, str]]):
        self._became: dict[str, Counter] = defaultdict(Counter)
        self._words: dict[str, Counter] = defaultdict(Counter)
        for said, heard in ((plain(said), plain(heard)) for said, heard in pairs):
            for word, became in zip(said.split(), aligned(said.split(), heard.split(), " ")):
                self._words[word][became] += 1
            said, heard = f" {said} ", f" {heard} "
            for place, became in enumerate(aligned(said, heard)):
                for around in (said[place], said[max(0, place - 1) : place + 2]):
                    self._became[around][became] += 1

    def _of(self, around: str, letter: str) -> Counter:
        return self._became[around] if self._became[around].total() >= BELIEVED else self._became[letter]

    @staticmethod
    def _drawn(said: str, became: Counter, much: float, rng: np.random.Generator) -> str:
        """What is heard for it."""
        wrong = became.total() - became[said]
        if not wrong or rng.random() >= much * wrong / became.total():
            return said
        others, counts = zip(*((other, count) for other, count in became.items() if other != said))
        return others[rng.choice(len(others), p=np.array(counts) / wrong)]

    def mishear(self, text: str, rng: np.random.Generator, much: float = 1.0) -> str:
        """The text with mistakes; `much` times as many as the listener makes."""
        heard = []
        for word in plain(text).split():
            burst = much * rng.gamma(BURSTS, 1 / BURSTS)
            if (became := self._words.get(word, Counter())).total() >= WORDS_BELIEVED:
                heard.append(self._drawn(word, became, burst, rng))
                continue
            letters = f" {word} "
            around = [letters[max(0, place - 1) : place + 2] for place in range(len(letters))]
            heard.append("".join(self._drawn(letter, self._of(near, letter), burst, rng) for letter, near in zip(letters, around)))
        return plain(" ".join(heard))
