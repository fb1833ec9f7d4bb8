"""What a description looks like: painted by the starter pack on a photograph that no training has seen, and named by its look."""

from functools import cache

from .. import looks, photos, prompts
from ..measures import References
from ..pack import Pack
from .descriptions import shows
from .sentences import WEAK

PHOTOGRAPH, SIZE = "hopper", 256


class Painted:
    """Every description is painted once."""

    def __init__(self, threads: int):
        self._pack, self._picture = Pack(threads=threads), photos.held_out(PHOTOGRAPH, SIZE)
        self._known = References(self._pack, self._picture, [*prompts.WORDS, "natural"])
        # "Slightly" is half-way: of all looks it must be nearest to its own, but the photograph may be nearer.
        self._weak = References(self._pack, self._picture, list(prompts.WORDS))

    @cache
    def _nearest(self, description: str, weakly: bool) -> str:
        return (self._weak if weakly else self._known).nearest(self._pack.paint(self._picture, description))

    def looks_like(self, description: str, wished: tuple[str, ...], amount: str) -> bool:
        """Whether a description is painted as what was wished: of two looks at once, both are asked for and one of them is the nearest."""
        nearest = self._nearest(description, amount in WEAK and amount != "")
        return nearest in wished and (len(wished) == 1 or shows(description, wished))


assert set(prompts.WORDS) >= set(looks.LOOKS)
