"""A pool of training pictures with every look made of them so far, so that drawing costs less than learning."""

from dataclasses import dataclass

import numpy as np

from . import looks, photos

SIDE = 256
CHANNELS = 32


@dataclass
class Cut:
    """A picture [size, size, 3] f32 in [0, 1], and its latent [C, size/8, size/8] where the bank encodes."""

    picture: np.ndarray
    latent: np.ndarray | None


class Bank:
    """`count` pictures of SIDE², each replaced after about `life` draws; looks are made when first asked for.

    Each picture has a noise of its own, [CHANNELS, SIDE/8, SIDE/8] N(0, 1), from which textured looks have their grain.
    With `encode` ([3, H, W] in [-1, 1] → latent [C, H/8, W/8]) it keeps the latents of pictures as well.
    """

    def __init__(self, seed: int, count: int = 96, life: int = 250, encode=None):
        self.rng = np.random.default_rng(seed)
        self.life = life
        self.encode = encode
        self.slots: list[dict[str, np.ndarray]] = [{} for _ in range(count)]
        self.latents: list[dict[str, np.ndarray]] = [{} for _ in range(count)]
        self.noises = [self._noise() for _ in range(count)]

    def _noise(self) -> np.ndarray:
        return self.rng.standard_normal((CHANNELS, SIDE // 8, SIDE // 8)).astype(np.float32)

    def _picture(self, index: int, look: str) -> np.ndarray:
        """[SIDE, SIDE, 3] u8."""
        slot = self.slots[index]
        if "natural" not in slot:
            slot["natural"] = np.round(photos.picture(SIDE, self.rng) * 255).astype(np.uint8)
        if look not in slot:
            made = looks.apply(look, slot["natural"].astype(np.float32) / 255, self.noises[index])
            slot[look] = np.round(made * 255).astype(np.uint8)
        return slot[look]

    def draw(self, size: int, *names: str) -> tuple[np.ndarray, list[Cut]]:
        """The noise and the same cut of one picture in each of the named looks."""
        index = int(self.rng.integers(len(self.slots)))
        if self.rng.random() < 1 / self.life:
            self.slots[index].clear()
            self.latents[index].clear()
            self.noises[index] = self._noise()
        # Cuts fall on whole cells of the coarsest level of the painter (32 pixels), as textures do in a whole picture.
        y, x = self.rng.integers(0, (SIDE - size) // 32 + 1, 2) * 32
        small = slice(y // 8, (y + size) // 8), slice(x // 8, (x + size) // 8)
        noise = self.noises[index][:, *small]
        return noise, [self._cut(index, name, noise, (slice(y, y + size), slice(x, x + size)), small) for name in names]

    def twins(self, size: int, name: str) -> tuple[list[np.ndarray], list[Cut]]:
        """One cut in one look with two noises: [the picture, the look with the first, with the second]. Needs `encode`."""
        _, (source,) = self.draw(size, "natural")
        noises = [self.rng.standard_normal((CHANNELS, size // 8, size // 8)).astype(np.float32) for _ in range(2)]
        made = [looks.apply(name, source.picture, noise) for noise in noises]
        return noises, [source, *(Cut(one, self.encode(one.transpose(2, 0, 1) * 2 - 1)) for one in made)]

    def moved(self, size: int, name: str) -> tuple[np.ndarray, list[Cut]]:
        """A camera that turns by one pixel, the noise fixed: (noise, [picture, look, picture moved along, its look]). Needs `encode`."""
        noise, (source,) = self.draw(size, "natural")
        along = np.concatenate([source.picture[:, 1:], source.picture[:, -1:]], 1)
        views = source.picture, along
        return noise, [Cut(one, self.encode(one.transpose(2, 0, 1) * 2 - 1)) for view in views for one in (view, looks.apply(name, view, noise))]

    def _cut(self, index: int, name: str, noise: np.ndarray, where: tuple[slice, slice], small: tuple[slice, slice]) -> Cut:
        first, *rest = name.split("+")
        if first.startswith("tint:"):
            first, rest = "natural", [first, *rest]
        whole = self._picture(index, first)
        cut = whole[where].astype(np.float32) / 255
        if rest:
            # Second looks are cheap and many: made each time, not kept.
            cut = looks.apply("+".join(rest), cut, noise)
        if not self.encode:
            return Cut(cut, None)
        if rest:
            return Cut(cut, self.encode(cut.transpose(2, 0, 1) * 2 - 1))
        latents = self.latents[index]
        if first not in latents:
            latents[first] = self.encode(whole.transpose(2, 0, 1).astype(np.float32) / 127.5 - 1).astype(np.float16)
        return Cut(cut, latents[first][:, *small].astype(np.float32))
