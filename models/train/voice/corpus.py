"""The rendered speech as batches of alike length."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .sentences import Said


@dataclass
class Spoken:
    """One rendered sentence and where its audio lies."""

    text: str
    kind: str
    looks: tuple[str, ...]
    synthesiser: str
    voice: str
    shard: Path
    start: int
    length: int
    # (name, sample at which it ends); none where the synthesiser does not tell.
    phones: tuple[tuple[str, int], ...] = ()
    # What was meant with it.
    meant: Said | None = None


def meant(one: dict) -> Said:
    """The sentence of a shard's entry, as it was drawn."""
    return Said(one["text"], one["kind"], tuple(one["looks"]), tuple(one["phrases"]), one["subject"], one["amount"])


class Corpus:
    """Everything of one set or several. Audio stays on the disk and is mapped, so that hours of it cost no memory."""

    def __init__(self, *folders: Path, longest: float = 9.0):
        self.said: list[Spoken] = []
        for path in (path for folder in folders for path in sorted(folder.glob("*.json"))):
            shard = json.loads(path.read_text())
            for one in shard["said"]:
                if 1600 < one["length"] < longest * 16000:
                    self.said.append(Spoken(one["text"], one["kind"], tuple(one["looks"]), shard["synthesiser"], shard["voice"], path.with_suffix(".npy"), one["start"], one["length"], tuple((name, end) for name, end in one.get("phones", ())), meant(one)))
        if not self.said:
            raise SystemExit(f"{folders[0]} holds no speech: python -m train.voice render")
        self._order = np.argsort([one.length for one in self.said], kind="stable")
        self._mapped: dict[Path, np.ndarray] = {}

    def sound(self, one: Spoken) -> np.ndarray:
        """[N] f32 in [-1, 1]."""
        if one.shard not in self._mapped:
            self._mapped[one.shard] = np.load(one.shard, mmap_mode="r")
        return self._mapped[one.shard][one.start : one.start + one.length].astype(np.float32) / 32768

    def sounds(self, of: list[Spoken]) -> np.ndarray:
        """[B, N] f32, silence behind the shorter ones."""
        sounds = [self.sound(one) for one in of]
        rows = np.zeros((len(sounds), max(map(len, sounds))), np.float32)
        for row, sound in zip(rows, sounds):
            row[: len(sound)] = sound
        return rows

    def draw(self, rng: np.random.Generator, count: int) -> list[Spoken]:
        """`count` of alike length, from a window of eight times as many (a sixth of all where there are few)."""
        width = min(len(self.said), max(count, min(8 * count, len(self.said) // 6)))
        start = int(rng.integers(0, len(self.said) - width + 1))
        return [self.said[self._order[start + i]] for i in rng.choice(width, min(count, width), replace=False)]
