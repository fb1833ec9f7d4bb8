"""A pool of training pictures with every look made of them so far, so that drawing costs less than learning."""

import numpy as np

from . import looks, photos

SIDE = 256


class Bank:
    """`count` pictures of SIDE², each replaced after about `life` draws; looks are made when first asked for."""

    def __init__(self, seed: int, count: int = 160, life: int = 250):
        self.rng = np.random.default_rng(seed)
        self.life = life
        self.slots: list[dict[str, np.ndarray]] = [{} for _ in range(count)]

    def _picture(self, slot: dict, look: str) -> np.ndarray:
        """[SIDE, SIDE, 3] u8."""
        if "natural" not in slot:
            slot["natural"] = np.round(photos.picture(SIDE, self.rng) * 255).astype(np.uint8)
        if look not in slot:
            made = looks.apply(look, slot["natural"].astype(np.float32) / 255)
            slot[look] = np.round(made * 255).astype(np.uint8)
        return slot[look]

    def draw(self, size: int, *names: str) -> list[np.ndarray]:
        """The same cut of one picture in each of the named looks, [size, size, 3] f32 in [0, 1].

        'oil+autumn' lays the second look over the cut of the first: second looks are cheap and not kept.
        """
        slot = self.slots[self.rng.integers(len(self.slots))]
        if self.rng.random() < 1 / self.life:
            slot.clear()
        # Cuts fall on whole cells of the coarsest level of the painter (32 pixels), as textures do in a whole picture.
        y, x = self.rng.integers(0, (SIDE - size) // 32 + 1, 2) * 32
        cuts = []
        for name in names:
            first, *rest = name.split("+")
            if first.startswith("tint:"):
                first, rest = "natural", [first, *rest]
            cut = self._picture(slot, first)[y : y + size, x : x + size].astype(np.float32) / 255
            cuts.append(looks.apply("+".join(rest), cut) if rest else cut)
        return cuts
