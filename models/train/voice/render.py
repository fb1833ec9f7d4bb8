"""Sentences spoken by the synthesisers into a cache of 16 kHz audio, in parallel; starts again where it was stopped."""

import argparse
import json
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ..run import CACHE
from . import synthesisers
from .sentences import Said, anything, lexicon, strange, talk, wish
from .spelling import plain
from .synthesisers import FESTIVAL, HELD_OUT_SYNTHESISER, SYNTHESISERS, Manner

VOICE_CACHE = CACHE / "voice"
SHARD = 40
# What is rendered, and how many sentences each. The listener learns from `train`, which is what people say, from `talk`, which is
# what of it is no wish, and from `words`, which nobody would say. The others have held-out wordings: dev with the voices of training, voices with the four held-out ones,
# festival with the held-out synthesiser.
SETS = {"train": 28000, "talk": 6000, "words": 16000, "dev": 300, "voices": 300, "festival": 300}
_SEEDS = {"train": 1, "dev": 2, "voices": 3, "festival": 4, "words": 5, "talk": 6}
# The sets that the listener learns from.
LEARNED = ("train", "talk", "words")


def _said(kind: str, rng: np.random.Generator, known: list[str]) -> Said:
    if kind == "train":
        return anything(rng, known)
    if kind == "talk":
        return talk(rng)
    if kind == "words":
        return strange(rng, known)
    # Four wishes for each sentence of another kind; the look is drawn first, so that all looks come.
    return wish(rng, test=True) if rng.random() < 0.8 else next(said for said in iter(lambda: anything(rng, known, test=True), None) if said.kind not in ("look", "salad"))


def _shard(folder: Path, kind: str, index: int, known: list[str], count: int) -> None:
    """One voice says `count` sentences. All draws come from the shard's own number, so that any shard can be made alone."""
    rng = np.random.default_rng([_SEEDS[kind], index])
    synthesiser, voice = (HELD_OUT_SYNTHESISER, FESTIVAL[index % len(FESTIVAL)]) if kind == "festival" else synthesisers.draw(rng, kind == "voices")
    said = [_said(kind, rng, known) for _ in range(count)]
    manners = [Manner(float(rng.uniform(0.75, 1.35)), float(rng.uniform(0.75, 1.3))) for _ in said]
    spoken = SYNTHESISERS[synthesiser](voice, [one.text for one in said], manners)
    entries, start = [], 0
    for one, speech in zip(said, spoken):
        entries.append({**asdict(one), "start": start, "length": len(speech.sound), "phones": speech.phones})
        start += len(speech.sound)
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / f"{index:05d}.npy", np.concatenate([speech.sound for speech in spoken]))
    # The list comes last and whole: a shard with a list is a shard that is done.
    part = folder / f"{index:05d}.part"
    part.write_text(json.dumps({"synthesiser": synthesiser, "voice": voice, "said": entries}))
    part.replace(folder / f"{index:05d}.json")


def render(cache: Path, sizes: dict[str, int], workers: int) -> None:
    if packages := synthesisers.missing():
        raise SystemExit(f"These Debian packages are needed: apt-get install {' '.join(packages)}")
    known = lexicon()
    jobs = []
    for kind, count in sizes.items():
        each = min(SHARD, max(1, count // 12))
        jobs += [(cache / kind, kind, index, known, each) for index in range(-(-count // each)) if not (cache / kind / f"{index:05d}.json").exists()]
    with ThreadPoolExecutor(workers) as pool, tqdm(total=len(jobs), desc="speech", unit="shard") as bar:
        for done in as_completed([pool.submit(_shard, *job) for job in jobs]):
            done.result()
            bar.update()
    for kind in sizes:
        said = [json.loads(path.read_text()) for path in sorted((cache / kind).glob("*.json"))]
        seconds = sum(one["length"] for shard in said for one in shard["said"]) / synthesisers.RATE
        assert all(one["text"] == plain(one["text"]) for shard in said for one in shard["said"])
        print(f"{kind}: {sum(len(shard['said']) for shard in said)} sentences, {seconds / 3600:.2f} h, {len({shard['voice'] for shard in said})} voices")


def main(arguments=None, cache: Path = VOICE_CACHE) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sentences", type=int, default=SETS["train"], help="for training: as people say them")
    parser.add_argument("--talk", type=int, default=SETS["talk"], help="for training: small talk")
    parser.add_argument("--words", type=int, default=SETS["words"], help="for training: of words that do not belong together")
    parser.add_argument("--tests", type=int, default=SETS["dev"], help="sentences in each of the three test sets")
    parser.add_argument("--workers", type=int, default=2, help="synthesisers at a time")
    args = parser.parse_args(arguments)
    sizes = {"train": args.sentences, "talk": args.talk, "words": args.words}
    render(cache, {kind: sizes.get(kind, args.tests) for kind in SETS}, args.workers)


if __name__ == "__main__":
    main()
