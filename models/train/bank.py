"""A pool of training pictures with every look made of them so far, so that drawing costs less than learning."""

import numpy as np

from . import looks, photos

SIDE = 256


class Bank:
    """`count` pictures of SIDE², each replaced after about `life` draws; looks are made when first asked for.

    With `encode` ([3, H, W] in [-1, 1] → latent [C, H/8, W/8]) it keeps their latents as well.
    """

    def __init__(self, seed: int, count: int = 96, life: int = 250, encode=None):
        self.rng = np.random.default_rng(seed)
        self.life = life
        self.encode = encode
        self.slots: list[dict[str, np.ndarray]] = [{} for _ in range(count)]
        self.latents: list[dict[str, np.ndarray]] = [{} for _ in range(count)]

    def _picture(self, slot: dict, look: str) -> np.ndarray:
        """[SIDE, SIDE, 3] u8."""
        if "natural" not in slot:
            slot["natural"] = np.round(photos.picture(SIDE, self.rng) * 255).astype(np.uint8)
        if look not in slot:
            made = looks.apply(look, slot["natural"].astype(np.float32) / 255)
            slot[look] = np.round(made * 255).astype(np.uint8)
        return slot[look]

    def _cuts(self, index: int, size: int, names: tuple[str, ...]):
        slot, latents = self.slots[index], self.latents[index]
        if self.rng.random() < 1 / self.life:
            slot.clear()
            latents.clear()
        # Cuts fall on whole cells of the coarsest level of the painter (32 pixels), as textures do in a whole picture.
        y, x = self.rng.integers(0, (SIDE - size) // 32 + 1, 2) * 32
        for name in names:
            first, *rest = name.split("+")
            if first.startswith("tint:"):
                first, rest = "natural", [first, *rest]
            whole = self._picture(slot, first)
            cut = whole[y : y + size, x : x + size].astype(np.float32) / 255
            if rest:
                # Second looks are cheap and many: made each time, not kept.
                cut = looks.apply("+".join(rest), cut)
            if not self.encode:
                yield cut, None
            elif rest:
                yield cut, self.encode(cut.transpose(2, 0, 1) * 2 - 1)
            else:
                if first not in latents:
                    latents[first] = self.encode(whole.transpose(2, 0, 1).astype(np.float32) / 127.5 - 1).astype(np.float16)
                yield cut, latents[first][:, y // 8 : (y + size) // 8, x // 8 : (x + size) // 8].astype(np.float32)

    def draw(self, size: int, *names: str) -> list[tuple[np.ndarray, np.ndarray | None]]:
        """The same cut of one picture in each of the named looks: [size, size, 3] f32 in [0, 1], and its latent."""
        return list(self._cuts(int(self.rng.integers(len(self.slots))), size, names))
