"""What a description looks like: painted by the starter pack on a photograph that no training has seen, and named by its look."""

from functools import cache

import numpy as np

from .. import looks, photos, prompts
from ..measures import References
from ..pack import Pack
from .descriptions import shows
from .sentences import _STRUCTURES, WEAK

PHOTOGRAPH, SIZE = "hopper", 256


class Painted:
    """Every description is painted once."""

    def __init__(self, threads: int):
        self._pack, self._picture = Pack(threads=threads), photos.held_out(PHOTOGRAPH, SIZE)
        self._known = References(self._pack, self._picture, [*prompts.WORDS, "natural"])
        # "Slightly" is half-way from the photograph to the look, as the painter learned it (`prompts.request`).
        self._weak = self._known.halfway(self._picture)

    @cache
    def _picture_of(self, description: str) -> np.ndarray:
        return self._pack.paint(self._picture, description)

    @cache
    def _with(self, pair: str) -> References:
        return self._known.with_others(References(self._pack, self._picture, [pair]))

    def looks_like(self, description: str, wished: tuple[str, ...], amount: str) -> bool:
        """Whether a description is painted as what was wished: nearer to the reference of that than to those of all other looks and of the photograph itself.

        Of two looks at once both must be asked for, and both together or one of them is the nearest. A weak one is compared with
        references half-way, its own and everybody else's.
        """
        made = self._picture_of(description)
        if len(wished) == 2:
            # The reference of two looks is the one that draws, then the one that lights.
            pair = "+".join(sorted(wished, key=lambda look: look not in _STRUCTURES))
            return shows(description, wished) and self._with(pair).nearest(made) in (pair, *wished)
        return (self._weak if amount in WEAK and amount else self._known).nearest(made) == wished[0]


assert set(prompts.WORDS) >= set(looks.LOOKS)
