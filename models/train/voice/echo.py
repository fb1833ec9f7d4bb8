"""What the listener makes of speech: the rephraser learns from its mistakes as well.

A look whose words were misheard ("comet book") can still be found by who knows how that listener errs.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from . import listen
from .corpus import Corpus, meant
from .distort import distort
from .evaluate import BEAMS
from .render import VOICE_CACHE
from .sentences import Said
from .spelling import errors
from .vocabulary import SILENCE

FILE = "heard.json"
# A transcript of which more is wrong tells nothing of what was said.
WRONG = 0.6


def load(cache: Path) -> list[tuple[str, Said]]:
    """(heard, what was said) of every sentence that was understood well enough; none where there is no such file."""
    path = cache / FILE
    if not path.exists():
        return []
    return [(one["heard"], meant(one)) for one in json.loads(path.read_text()) if one["heard"] not in ("", SILENCE) and errors(one["text"].split(), one["heard"].split()) <= WRONG * len(one["text"].split())]


def main(arguments=None, cache: Path = VOICE_CACHE) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sentences", type=int, default=8000)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args(arguments)
    torch.set_num_threads(args.threads)
    net, corpus, rng = listen.load(cache / "listener.pt"), Corpus(cache / "train", cache / "talk"), np.random.default_rng(31)
    written = []
    with tqdm(total=args.sentences, desc="transcripts") as bar:
        while len(written) < args.sentences:
            drawn = corpus.draw(rng, min(16, args.sentences - len(written)))
            sounds, lengths = torch.from_numpy(corpus.sounds(drawn)), np.array([one.length for one in drawn])
            logs, _ = distort(sounds, lengths, rng, np.zeros(len(drawn), bool))
            written += [{"heard": text, **asdict(one.meant)} for one, (text, *_) in zip(drawn, net.transcribe(logs, beams=BEAMS))]
            bar.update(len(drawn))
    (cache / FILE).write_text(json.dumps(written))
    wrong = sum(errors(one["text"].split(), one["heard"].split()) for one in written) / sum(len(one["text"].split()) for one in written)
    print(f"{len(written)} transcripts of distorted speech, {100 * wrong:.0f} % of the words wrong; {len(load(cache))} to learn from")
