"""What the evaluation measures, each on the held-out photographs at one size."""

from copy import copy

import numpy as np
from tqdm import tqdm

from . import looks, photos, prompts
from .pack import Pack
from .wordings import ASKED, PAIRS, UNKNOWN, held_out_carrier, spoken

STEPS = (1, 2, 4)
WORDINGS = ("plain", "held-out carrier", "free", "free, second")


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(-10 * np.log10(np.square(a - b).mean() + 1e-12))


def change(a: np.ndarray, b: np.ndarray) -> float:
    """Mean absolute difference, 0 to 1."""
    return float(np.abs(a - b).mean())


class References:
    """What a picture should look like in each look, with the grain of the seed that the pack paints with."""

    def __init__(self, pack: Pack, picture: np.ndarray, names: list[str], seed: int = 0):
        noise = pack.noise(picture, seed)[0]
        self._keep({name: looks.apply(name, picture, noise) for name in names})

    def _keep(self, made: dict[str, np.ndarray]) -> "References":
        self.looks = made
        self.table = np.stack([picture.ravel() for picture in made.values()])
        self.squares = np.square(self.table).sum(1)
        return self

    def halfway(self, picture: np.ndarray) -> "References":
        """Those half-way from the picture: what "slightly" asks for."""
        return copy(self)._keep({name: (made + picture) / 2 for name, made in self.looks.items()})

    def with_others(self, more: "References") -> "References":
        """These and more."""
        return copy(self)._keep({**self.looks, **more.looks})

    def nearest(self, made: np.ndarray) -> str:
        """The look with the least mean squared error: |a - b|² without |a|², which is the same for all."""
        return list(self.looks)[int(np.argmin(self.squares - 2 * self.table @ made.ravel()))]


def autoencoder(pack: Pack, pictures: dict[str, np.ndarray], references: dict[str, References]) -> dict:
    def both_ways(x: np.ndarray) -> float:
        return psnr(pack.decode(pack.encode(x)), x)

    of_looks = [both_ways(made) for r in references.values() for name, made in r.looks.items() if name in looks.LOOKS]
    return {"autoencoder_photographs": float(np.mean([both_ways(x) for x in pictures.values()])), "autoencoder_looks": float(np.mean(of_looks))}


def nearest_looks(pack: Pack, pictures: dict[str, np.ndarray], references: dict[str, References], steps: tuple[int, ...], kinds: tuple[str, ...]) -> dict:
    """Every look in several wordings: is the output nearer to that look's reference than to any other's?"""
    rng = np.random.default_rng(7)
    wordings = {"plain": lambda n: spoken(n), "held-out carrier": lambda n: held_out_carrier(n, rng), "free": lambda n: ASKED[n][0], "free, second": lambda n: ASKED[n][1]}
    wordings = {kind: wordings[kind] for kind in kinds}
    hits = {(count, kind): [] for count in steps for kind in wordings}
    rows = {}
    for name in tqdm(list(looks.LOOKS), desc="nearest look", unit="look"):
        row = rows[name] = {"prompt": spoken(name), "right": {}, "psnr": {}, "misses": []}
        for kind, wording in wordings.items():
            texts = [wording(name) for _ in pictures]
            for count in steps:
                made = pack.paint_all(list(pictures.values()), texts, count)
                found = [r.nearest(m) for r, m in zip(references.values(), made)]
                hits[count, kind] += [f == name for f in found]
                row["right"][f"{count} {kind}"] = sum(f == name for f in found)
                row["misses"] += [f"{p}, {count}: '{t}' → {f}" for p, t, f in zip(pictures, texts, found) if f != name]
                if kind == "plain":
                    row["psnr"][count] = float(np.mean([psnr(m, r.looks[name]) for r, m in zip(references.values(), made)]))
    total = {count: [sum(sum(hits[count, kind]) for kind in wordings), sum(len(hits[count, kind]) for kind in wordings)] for count in steps}
    by_kind = {count: {kind: [sum(hits[count, kind]), len(hits[count, kind])] for kind in wordings} for count in steps}
    return {"nearest": total, "nearest_by_wording": by_kind, "psnr_by_steps": {count: float(np.mean([row["psnr"][count] for row in rows.values()])) for count in steps}, "looks": rows}


def unpainted(pack: Pack, pictures: dict[str, np.ndarray]) -> dict:
    known = {text: float(np.mean([psnr(m, x) for m, x in zip(pack.paint_all(list(pictures.values()), [text] * len(pictures)), pictures.values())])) for text in UNKNOWN}
    return {"empty_prompt": known[""], "unknown_text": known}


def strength(pack: Pack, picture: np.ndarray) -> dict:
    """The way from the source to the look: never back as the strength rises, by one step and by four."""
    rising, apart = [], []
    still = pack.decode(pack.encode(picture))
    for name in tqdm(list(looks.LOOKS), desc="strength", unit="look"):
        ways = {count: [pack.paint(picture, spoken(name), count, s) for s in (0.1, 0.25, 0.5, 0.75, 1.0)] for count in (1, 4)}
        for way in ways.values():
            from_source = [change(m, still) for m in way]
            to_look = [change(m, way[-1]) for m in way]
            rising.append(all(b >= a - 0.003 for a, b in zip(from_source, from_source[1:])) and all(b <= a + 0.003 for a, b in zip(to_look, to_look[1:])))
        apart.append(change(ways[1][2], ways[4][2]) / max(change(ways[1][4], still), 1e-3))
    return {"strength_monotonic": [sum(rising), len(rising)], "half_strength_apart": float(np.mean(apart))}


def intensities(pack: Pack, pictures: dict[str, np.ndarray], references: dict[str, References]) -> dict:
    """'Slightly' stays between the photograph and the look, at 0.2 to 0.8 of the way; 'very' is the look."""
    weak, strong = [], []
    xs = list(pictures.values())
    for name in tqdm(list(looks.LOOKS), desc="intensities", unit="look"):
        manner = prompts.WORDS[name][1][0]
        whole, weakly, very = (pack.paint_all(xs, [f"{word} {manner}".strip()] * len(xs)) for word in ("", "slightly", "very"))
        for x, r, a, b, c in zip(xs, references.values(), whole, weakly, very):
            way = (a - x).ravel()
            share = float(way @ (b - x).ravel() / max(way @ way, 1e-9))
            weak.append(0.2 <= share <= 0.8)
            strong.append(r.nearest(c) == name)
    return {"slightly": [sum(weak), len(weak)], "very": [sum(strong), len(strong)]}


def two_looks(pack: Pack, pictures: dict[str, np.ndarray]) -> dict:
    right, missed = [], []
    for look, text in PAIRS:
        for p, (x, made) in zip(pictures, zip(pictures.values(), pack.paint_all(list(pictures.values()), [text] * len(pictures)))):
            found = References(pack, x, [look, *look.split("+"), "natural"]).nearest(made)
            right.append(found == look)
            missed += [f"{p}: {text} → {found}"] if found != look else []
    return {"two_looks": [sum(right), len(right)], "two_looks_missed": missed}


def still(pack: Pack, picture: np.ndarray) -> dict:
    """The same picture, words and seed again: the greatest difference in any pixel."""
    worst = 0.0
    for name in looks.LOOKS:
        a, b = (pack.paint(picture, spoken(name)) for _ in range(2))
        worst = max(worst, float(np.abs(a - b).max()))
    return {"still": worst}


def pan(pack: Pack, size: int, frames: int = 5) -> dict:
    """A camera that turns by one pixel a frame, the noise fixed. Flicker is the mean difference of one frame from the one before,
    for the painted pictures against the reference looks of the same frames.

    The second figure follows the movement: how much a frame differs from the one before after that is moved along.
    """
    photo = next(p for p in photos.HELD_OUT if p == "chelsea")
    wide = photos.held_out(photo, size + 16)[8 : 8 + size]
    views = [np.ascontiguousarray(wide[:, i : i + size]) for i in range(frames)]
    noise = pack.noise(views[0])[0]

    def flicker(film, moved: int) -> float:
        return float(np.mean([change(b[:, : size - moved], a[:, moved:]) for a, b in zip(film, film[1:])]))

    ratios, along = {}, []
    for name in tqdm(list(looks.LOOKS), desc="pan", unit="look"):
        painted = pack.paint_all(views, [spoken(name)] * frames)
        wanted = [looks.apply(name, view, noise) for view in views]
        ratios[name] = flicker(painted, 0) / flicker(wanted, 0)
        along.append((flicker(painted, 1), flicker(wanted, 1)))
    worst = max(ratios, key=ratios.get)
    a, b = np.mean(along, 0)
    return {"pan": float(np.mean(list(ratios.values()))), "pan_worst": [worst, ratios[worst]], "pan_within": [sum(r <= 1.3 for r in ratios.values()), len(ratios)], "pan_along": float(a / b)}


def seeds(pack: Pack, picture: np.ndarray) -> dict:
    """Mean difference in levels of 255 between pictures of three seeds, for textured looks and for the others; and how alike the
    difference is to what the references have between the same seeds (correlation)."""
    varied, followed = {True: [], False: []}, []
    for name in tqdm(list(looks.LOOKS), desc="seeds", unit="look"):
        made = [pack.paint(picture, spoken(name), seed=seed) for seed in (1, 2, 3)]
        textured = name in looks.TEXTURED
        varied[textured].append(255 * np.mean([change(a, b) for a, b in zip(made, made[1:])]))
        if textured:
            wanted = [looks.apply(name, picture, pack.noise(picture, seed)[0]) for seed in (1, 2)]
            followed.append(float(np.corrcoef((made[0] - made[1]).ravel(), (wanted[0] - wanted[1]).ravel())[0, 1]))
    return {"seeds_textured": float(np.mean(varied[True])), "seeds_least": float(np.min(varied[True])), "seeds_plain": float(np.mean(varied[False])), "seeds_followed": float(np.mean(followed))}


def all_of(pack: Pack, size: int, steps: tuple[int, ...] = STEPS, wordings: tuple[str, ...] = WORDINGS) -> dict:
    pictures = {name: photos.held_out(name, size) for name in photos.HELD_OUT}
    references = {p: References(pack, x, [*looks.LOOKS, "natural"]) for p, x in pictures.items()}
    face = pictures["hopper"]
    return {
        "size": size, **autoencoder(pack, pictures, references), **nearest_looks(pack, pictures, references, steps, wordings), **unpainted(pack, pictures),
        **strength(pack, face), **intensities(pack, pictures, references), **two_looks(pack, pictures), **still(pack, face), **pan(pack, size), **seeds(pack, face),
    }  # fmt: skip
